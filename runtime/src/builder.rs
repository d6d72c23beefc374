//! Making a runtime and running it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::config::{self, BadVariable, Config, Hooks};
use crate::dump;
use crate::facade::{immortal, install_handlers, nanotime};
use crate::proc;
use crate::sched::{MAX_PROCS, Sched};
use crate::trace::Tracer;

/// Bytes of address space for the stack of a goroutine, if nothing else is asked.
const STACK_SIZE: usize = 64 << 10;

/// How a runtime is to be.
///
/// ```no_run
/// // SAFETY: nothing taken from a thread_local! lives across a blocking call in this program.
/// let runtime = unsafe { sigurg::Builder::new().gomaxprocs(2).build()? };
/// let answer = runtime.run(|| sigurg::go(|| 6 * 7).join().unwrap());
/// assert_eq!(answer, 42);
/// # Ok::<(), sigurg::BuildError>(())
/// ```
#[must_use = "a builder does nothing before `build`"]
#[derive(Default)]
pub struct Builder {
    gomaxprocs: Option<u32>,
    stack_size: Option<usize>,
    thread_name: Option<String>,
    hooks: Hooks,
    injectable: bool,
    trace: Option<PathBuf>,
}

impl Builder {
    /// Every setting as the environment says, or by default.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many goroutines may run at the same time: from 1 to 1024. By default `GOMAXPROCS` in the environment, else as many
    /// as this process may use processors, by its affinity and its control group. Go: `GOMAXPROCS`.
    pub fn gomaxprocs(mut self, procs: u32) -> Self {
        self.gomaxprocs = Some(procs);
        self
    }

    /// Address space for the stack of each goroutine, in bytes, rounded up to a power of two; at least 16 KiB, by default
    /// 64 KiB. Memory is used as it is touched, a page at a time. A goroutine that needs more is ended with a report of its
    /// name; see [`GoBuilder::stack_size`](crate::GoBuilder::stack_size) for single ones.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// What the names of the runtime's threads begin with; by default `sigurg`.
    pub fn thread_name(mut self, name: impl Into<String>) -> Self {
        self.thread_name = Some(name.into());
        self
    }

    /// Is called by each thread that runs goroutines, before the first.
    pub fn on_thread_start(mut self, f: impl Fn() + Send + Sync + 'static) -> Self {
        self.hooks.on_thread_start = Some(Box::new(f));
        self
    }

    /// Is called by each such thread when it ends.
    pub fn on_thread_stop(mut self, f: impl Fn() + Send + Sync + 'static) -> Self {
        self.hooks.on_thread_stop = Some(Box::new(f));
        self
    }

    /// Lets every goroutine be stopped at any instruction and go on in another thread: see
    /// [`GoBuilder::injectable`](crate::GoBuilder::injectable).
    ///
    /// # Safety
    ///
    /// As there, for every goroutine, the first included.
    pub unsafe fn injectable(mut self) -> Self {
        self.injectable = true;
        self
    }

    /// Records every event of the scheduler into a file at `path`, for `conformance check` and `conformance show`.
    pub fn trace(mut self, path: impl Into<PathBuf>) -> Self {
        self.trace = Some(path.into());
        self
    }

    /// Makes the runtime. Its threads start with [`Runtime::run`].
    ///
    /// # Safety
    ///
    /// A goroutine may go on in another thread after any call of this crate, and any call of a
    /// [`preemptible`](crate::preemptible) function: it blocked there, or let others go first. So in no goroutine may anything
    /// that belongs to a thread live across such a call: a reference or `!Send` value taken from a `thread_local!`, a guard
    /// that must be dropped by the thread that made it (that of [`std::sync::Mutex`] for one), a thread's id
    /// used as the identity of the goroutine. The compiler cannot see this. What goes on after preemption is on the
    /// same thread as before, unless it was [allowed](Self::injectable) to be moved.
    ///
    /// [`lock_os_thread`](crate::lock_os_thread) keeps a goroutine on its thread.
    ///
    /// # Errors
    ///
    /// [`BuildError`]: a setting or a variable that makes no sense, a trace file that cannot be written, or a system without
    /// room for the runtime.
    pub unsafe fn build(self) -> Result<Runtime, BuildError> {
        let gomaxprocs = match self.gomaxprocs {
            Some(procs) if (1..=MAX_PROCS as u32).contains(&procs) => procs,
            Some(procs) => return Err(BuildError::Procs(procs)),
            None => config::gomaxprocs().map_err(BuildError::Variable)?,
        };
        let debug = config::debug().map_err(BuildError::Variable)?;
        let tracer =
            self.trace.map(|path| Tracer::start(&path, gomaxprocs)).transpose().map_err(BuildError::Trace)?;
        install_handlers(!debug.asyncpreemptoff).map_err(BuildError::System)?;
        let config = Config {
            gomaxprocs,
            stack_size: self.stack_size.unwrap_or(STACK_SIZE),
            thread_name: self.thread_name.unwrap_or_else(|| "sigurg".into()),
            hooks: self.hooks,
            injectable: self.injectable,
            debug,
            seed: nanotime() as u64,
        };
        let sched = Sched::new(config, tracer).map_err(BuildError::System)?;
        Ok(Runtime { sched: Box::new(sched) })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("gomaxprocs", &self.gomaxprocs)
            .field("stack_size", &self.stack_size)
            .field("thread_name", &self.thread_name)
            .field("injectable", &self.injectable)
            .field("trace", &self.trace)
            .finish_non_exhaustive()
    }
}

/// Why a runtime could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The number of processors is not from 1 to 1024.
    Procs(u32),
    /// A variable of the environment cannot be understood.
    Variable(BadVariable),
    /// The trace file cannot be written.
    Trace(io::Error),
    /// The system gives no memory, no poller or no signal handler.
    System(io::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Procs(procs) => write!(f, "gomaxprocs({procs}): not a number from 1 to {MAX_PROCS}"),
            Self::Variable(variable) => variable.fmt(f),
            Self::Trace(error) => write!(f, "cannot record a trace: {error}"),
            Self::System(error) => write!(f, "cannot make a runtime: {error}"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Procs(_) => None,
            Self::Variable(variable) => Some(variable),
            Self::Trace(error) | Self::System(error) => Some(error),
        }
    }
}

/// A scheduler with its processors; see [`Builder`].
#[derive(Debug)]
pub struct Runtime {
    sched: Box<Sched>,
}

impl Runtime {
    /// Runs `main` as the first goroutine, and returns what it returns. Other goroutines end with it, as in Go: they are not
    /// scheduled any more, and what they own is not dropped. One that never comes to a safe point runs on until the
    /// process ends.
    ///
    /// # Panics
    ///
    /// If `main` panics, with the same value. If the calling thread runs goroutines already.
    ///
    /// A trace that could not be written to its end is reported on stderr.
    pub fn run<T: Send>(self, main: impl FnOnce() -> T + Send) -> T {
        // Goroutines that have not ended keep their stacks, and others may hold pointers into them.
        let sched = immortal(self.sched);
        let _watch = dump::quit::Watch::new(sched);
        proc::run(sched, main)
    }
}
