//! Whoever runs the parts of a test: the same bodies on plain threads and on goroutines.

use std::thread;

/// What [`Crew::spawn`] makes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Crew {
    Threads,
}

/// One running part.
pub(crate) enum Task<T> {
    Thread(thread::JoinHandle<T>),
}

impl Crew {
    /// Starts a part of the test.
    pub(crate) fn spawn<T: Send + 'static>(self, part: impl FnOnce() -> T + Send + 'static) -> Task<T> {
        match self {
            Self::Threads => Task::Thread(thread::spawn(part)),
        }
    }

    /// Runs a whole test.
    pub(crate) fn run(self, test: fn(Self)) {
        match self {
            Self::Threads => test(self),
        }
    }
}

impl<T> Task<T> {
    /// Waits for its end, and fails as it did.
    pub(crate) fn join(self) -> T {
        match self {
            Self::Thread(thread) => match thread.join() {
                Ok(value) => value,
                Err(panic) => std::panic::resume_unwind(panic),
            },
        }
    }
}

/// Makes of each named function one test per kind of crew.
#[macro_export]
macro_rules! with_every_crew {
    ($($name:ident),+ $(,)?) => {
        mod on_threads {
            $(#[test] fn $name() { $crate::crew::Crew::Threads.run(super::$name); })+
        }
    };
}

/// `native`, or far less where each step is interpreted.
pub(crate) const fn count(native: usize, miri: usize) -> usize {
    if cfg!(miri) { miri } else { native }
}
