//! Those who do the work of a test: threads, goroutines, or some of each.

use std::thread;

/// Who runs the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crew {
    Threads,
    /// Goroutines on so many processors.
    Goroutines(u32),
    /// Every other task on a plain thread, the rest on goroutines.
    Mixed,
}

pub type Task<'a> = Box<dyn FnOnce() + Send + 'a>;

/// A task; written shorter than a cast of a box.
pub fn task<'a>(f: impl FnOnce() + Send + 'a) -> Task<'a> {
    Box::new(f)
}

impl Crew {
    /// Runs all tasks at once, until the last has ended. A panic of one is a panic here.
    pub fn run(self, tasks: Vec<Task<'_>>) {
        match self {
            Self::Threads => on_threads(tasks),
            Self::Goroutines(procs) => in_runtime(procs, || on_goroutines(tasks)),
            Self::Mixed => {
                let (mut threads, mut goroutines) = (Vec::new(), Vec::new());
                for (i, task) in tasks.into_iter().enumerate() {
                    if i % 2 == 0 { threads.push(task) } else { goroutines.push(task) }
                }
                thread::scope(|s| {
                    s.spawn(|| on_threads(threads));
                    in_runtime(2, || on_goroutines(goroutines));
                });
            }
        }
    }
}

fn on_threads(tasks: Vec<Task<'_>>) {
    thread::scope(|s| tasks.into_iter().for_each(|task| drop(s.spawn(task))));
}

fn on_goroutines(tasks: Vec<Task<'_>>) {
    sigurg::scope(|s| tasks.into_iter().for_each(|task| drop(s.go(task))));
}

fn in_runtime(procs: u32, main: impl FnOnce() + Send) {
    // SAFETY: no test here keeps anything of a thread-local across a call that blocks.
    let runtime = unsafe { sigurg::Builder::new().gomaxprocs(procs).build() };
    runtime.expect("a runtime can be built").run(main);
}

/// Waits for what another task will bring about and that nothing announces.
pub fn until(mut what: impl FnMut() -> bool) {
    while !what() {
        sigurg::yield_now();
    }
}

/// Makes one test of each crew out of `fn property(crew: Crew)`. Miri knows threads only.
macro_rules! on_all_crews {
    ($($property:ident),+ $(,)?) => {
        mod on_threads {
            $(#[test] fn $property() { super::$property(crate::crew::Crew::Threads) })+
        }
        #[cfg(not(miri))]
        mod on_one_processor {
            $(#[test] fn $property() { super::$property(crate::crew::Crew::Goroutines(1)) })+
        }
        #[cfg(not(miri))]
        mod on_two_processors {
            $(#[test] fn $property() { super::$property(crate::crew::Crew::Goroutines(2)) })+
        }
        #[cfg(not(miri))]
        mod on_both_kinds {
            $(#[test] fn $property() { super::$property(crate::crew::Crew::Mixed) })+
        }
    };
}
pub(crate) use on_all_crews;

/// Less work where each step is interpreted.
pub const fn rounds(native: usize) -> usize {
    if cfg!(miri) { native.div_ceil(500) + 2 } else { native }
}
