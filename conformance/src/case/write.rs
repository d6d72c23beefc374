//! Writes a case, as far as it is known, when it is known.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Case, Outcome};

/// A case that is being run.
#[derive(Debug)]
pub struct Writer {
    out: BufWriter<File>,
    path: PathBuf,
    /// The last step, and how often it was taken in a row.
    step: Option<(String, u64)>,
}

impl Writer {
    /// Writes what is needed to repeat `case` to a new file at `path`. It is on the disk when this returns.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn begin(path: &Path, case: &Case) -> io::Result<Self> {
        let mut out = BufWriter::new(File::create(path)?);
        writeln!(out, "sigurg-case 1\ndriver {}\nseed {}", case.driver.as_str(), case.seed)?;
        for (what, version) in &case.versions {
            writeln!(out, "version {what} {version}")?;
        }
        write!(out, "== scenario\n{}== schedule\n", case.scenario)?;
        let mut writer = Self { out, path: path.to_owned(), step: None };
        for step in &case.schedule {
            writer.step(step)?;
        }
        writer.sync()?;
        Ok(writer)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds one step of the schedule.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn step(&mut self, step: &str) -> io::Result<()> {
        match &mut self.step {
            Some((last, times)) if last == step => *times += 1,
            _ => {
                self.flush_step()?;
                self.step = Some((step.to_owned(), 1));
            }
        }
        Ok(())
    }

    fn flush_step(&mut self) -> io::Result<()> {
        match self.step.take() {
            None => Ok(()),
            Some((step, 1)) => writeln!(self.out, "{step}"),
            Some((step, times)) => writeln!(self.out, "{step} x{times}"),
        }
    }

    /// Adds how it ended and what led there.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn end(mut self, outcome: &Outcome, trace: &str) -> io::Result<()> {
        self.flush_step()?;
        match outcome {
            Outcome::Passed => writeln!(self.out, "== outcome\npassed")?,
            Outcome::Failed { signature, message } => {
                writeln!(self.out, "== outcome\nfailed {signature}")?;
                indented(&mut self.out, message)?;
            }
        }
        writeln!(self.out, "== trace")?;
        indented(&mut self.out, trace)?;
        writeln!(self.out, "== end")?;
        self.sync()
    }

    fn sync(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.out.get_ref().sync_data()
    }
}

fn indented(out: &mut impl Write, text: &str) -> io::Result<()> {
    text.lines().try_for_each(|line| writeln!(out, "  {line}"))
}

/// What a case of this program, on this machine, runs on.
#[must_use]
pub fn versions() -> Vec<(String, String)> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let all = [
        ("conformance", env!("CARGO_PKG_VERSION").to_owned()),
        ("system", format!("{} {}", std::env::consts::OS, kernel.trim())),
        ("processors", format!("{processors} {}", std::env::consts::ARCH)),
        ("assertions", if cfg!(debug_assertions) { "on" } else { "off" }.into()),
    ];
    all.into_iter().map(|(what, version)| (what.to_owned(), version.trim().to_owned())).collect()
}
