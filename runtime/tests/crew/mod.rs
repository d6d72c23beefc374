//! Whoever runs the parts of a test: the same bodies on plain threads, on goroutines, and on both at once.

use std::panic::resume_unwind;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

/// What [`Crew::spawn`] makes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Crew {
    /// Plain threads; the test itself runs on one.
    Threads,
    /// Goroutines on one P; the test itself is one.
    GoroutinesOfOneP,
    /// Goroutines on two Ps; the test itself is one.
    Goroutines,
    /// A goroutine, on one of two Ps, and a plain thread in turn; the test itself is a goroutine.
    Mixed,
}

/// One running part.
pub(crate) enum Task<T> {
    Thread(thread::JoinHandle<T>),
    Goroutine(sigurg::JoinHandle<T>),
}

impl Crew {
    /// Starts a part of the test.
    pub(crate) fn spawn<T: Send + 'static>(self, part: impl FnOnce() -> T + Send + 'static) -> Task<T> {
        static TURN: AtomicUsize = AtomicUsize::new(0);
        match self {
            Self::Threads => Task::Thread(thread::spawn(part)),
            Self::GoroutinesOfOneP | Self::Goroutines => Task::Goroutine(sigurg::go(part)),
            // Relaxed: any turn will do.
            Self::Mixed if TURN.fetch_add(1, Relaxed).is_multiple_of(2) => Task::Thread(thread::spawn(part)),
            Self::Mixed => Task::Goroutine(sigurg::go(part)),
        }
    }

    /// Runs a whole test.
    pub(crate) fn run(self, test: fn(Self)) {
        let procs = match self {
            Self::Threads => return test(self),
            Self::GoroutinesOfOneP => 1,
            Self::Goroutines | Self::Mixed => 2,
        };
        // SAFETY: the tests take nothing from a thread_local!.
        #[allow(unsafe_code, reason = "the one contract of a runtime")]
        let runtime = unsafe { sigurg::Builder::new().gomaxprocs(procs).build() };
        runtime.expect("the default runtime can be built").run(move || test(self));
    }
}

impl<T: Send> Task<T> {
    /// Waits for its end, and fails as it did.
    pub(crate) fn join(self) -> T {
        match self {
            Self::Thread(thread) if sigurg::try_current().is_some() => sigurg::blocking(|| thread.join()),
            Self::Thread(thread) => thread.join(),
            Self::Goroutine(goroutine) => goroutine.join(),
        }
        .unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Makes of each named function one test per kind of crew. Miri cannot switch stacks: threads only.
#[macro_export]
macro_rules! with_every_crew {
    ($($name:ident),+ $(,)?) => {
        $crate::with_every_crew!(@crew on_threads Threads: $($name)+);
        #[cfg(not(miri))]
        $crate::with_every_crew!(@crew on_goroutines_of_one_p GoroutinesOfOneP: $($name)+);
        #[cfg(not(miri))]
        $crate::with_every_crew!(@crew on_goroutines Goroutines: $($name)+);
        #[cfg(not(miri))]
        $crate::with_every_crew!(@crew on_threads_and_goroutines Mixed: $($name)+);
    };
    (@crew $module:ident $crew:ident: $($name:ident)+) => {
        mod $module {
            $(#[test] fn $name() { $crate::crew::Crew::$crew.run(super::$name); })+
        }
    };
}

/// `native`, or far less where each step is interpreted.
pub(crate) const fn count(native: usize, miri: usize) -> usize {
    if cfg!(miri) { miri } else { native }
}
