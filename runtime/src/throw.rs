//! The end of a program whose runtime, or whose use of it, is broken.
//!
//! `throw!`: our bug; the state can no longer be trusted. `fatal!`: the user's mistake that cannot be an error value.
//! Both write to stderr with one system call for each piece, without allocation and without any lock, and end the
//! process: by SIGABRT, so that there is a core to look at; by exit status 2 as Go's.
//!
//! Go: `throw`, `fatal` (panic.go).

use core::fmt::{self, Write};

use crate::facade::{abort, exit, write_stderr};

/// Standard error without a buffer and without a lock.
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut bytes = text.as_bytes();
        while !bytes.is_empty() {
            match write_stderr(bytes) {
                Some(written) => bytes = &bytes[written..],
                // Nobody listens; there is no other place to complain.
                None => return Err(fmt::Error),
            }
        }
        Ok(())
    }
}

/// Ends the process for a fault of the runtime.
#[cold]
#[inline(never)]
pub(crate) fn throw_now(message: fmt::Arguments<'_>) -> ! {
    let mut err = Stderr;
    // A failure to write leaves nothing to do but to end.
    let _ = writeln!(err, "fatal error: {message}");
    if let Some(mp) = crate::facade::getm() {
        let _ = writeln!(err, "[on M{}, goroutine {}]", mp.id(), mp.curg().map_or(0, |gp| gp.goid()));
    }
    abort()
}

/// Ends the process for a mistake of its user.
#[cold]
#[inline(never)]
pub(crate) fn fatal_now(message: fmt::Arguments<'_>) -> ! {
    let _ = writeln!(Stderr, "fatal error: {message}");
    exit(2)
}

/// See the module.
macro_rules! throw {
    ($($arg:tt)+) => { $crate::throw::throw_now(::core::format_args!($($arg)+)) };
}
pub(crate) use throw;

/// See the module.
macro_rules! fatal {
    ($($arg:tt)+) => { $crate::throw::fatal_now(::core::format_args!($($arg)+)) };
}
pub(crate) use fatal;
