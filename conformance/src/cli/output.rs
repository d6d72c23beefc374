//! Where the command writes, and with what status it ends.
//!
//! Invariant: a reader that has seen enough (`| head`) ends nothing with a message or a panic. What is written
//! after that is dropped, and the exit status is the one that the work earned.

use std::fmt::Display;
use std::io::{self, BufWriter, Stdout, Write};
use std::path::Path;
use std::process::ExitCode;

/// How a call ends; the worst of several counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// Everything conforms.
    Conforms = 0,
    /// A rule is broken.
    Broken = 1,
    /// The input or the call is bad.
    Bad = 2,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

/// Standard output.
pub(crate) struct Out {
    inner: BufWriter<Stdout>,
    closed: bool,
}

impl Out {
    pub(crate) fn new() -> Self {
        Self { inner: BufWriter::with_capacity(32 << 10, io::stdout()), closed: false }
    }

    /// Whether nobody reads any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    fn unless_closed<T>(&mut self, done: io::Result<T>, otherwise: T) -> io::Result<T> {
        match done {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(otherwise)
            }
            done => done,
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        let done = self.inner.write(bytes);
        self.unless_closed(done, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let done = self.inner.flush();
        self.unless_closed(done, ())
    }
}

/// Says on standard error what is wrong with the call or with an input.
pub(crate) fn complain(what: impl Display) {
    // If nobody reads that either, there is nobody left to tell.
    let _ = writeln!(io::stderr(), "error: {what}");
}

/// Says on standard error what the reader of the answer should know.
pub(crate) fn note(what: impl Display) {
    let _ = writeln!(io::stderr(), "{what}");
}

/// How a file is named in messages.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".into() } else { path.display().to_string() }
}
