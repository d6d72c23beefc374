//! Starting goroutines and waiting for them.

use std::fmt;
use std::sync::Arc;
use std::thread;

use crate::api::goroutine::{GoId, GoStatus, curg};
use crate::api::names;
use crate::api::packet::{Consumer, drop_result, packet};
use crate::api::scope::{Scope, ScopedJoinHandle};
use crate::g::G;
use crate::proc::safe_point;
use crate::proc::{self, SpawnOptions};
use crate::waitreason::WaitReason;

/// Starts a goroutine that runs `f`. Go: the `go` statement.
///
/// It runs on any thread of the runtime, at the same time as its creator. If the handle is dropped, the goroutine is on
/// its own; when [`Runtime::run`](crate::Runtime::run) returns, all goroutines end with it.
///
/// A panic of `f` ends that goroutine only: the panic hook reports it, and [`JoinHandle::join`] returns it.
///
/// # Panics
///
/// If the caller is not a goroutine.
///
/// ```no_run
/// let sum = sigurg::go(|| (1..=10).sum::<u32>());
/// assert_eq!(sum.join().unwrap(), 55);
/// ```
#[inline]
pub fn go<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    start(f, SpawnOptions::default())
}

#[inline]
fn start<F, T>(f: F, options: SpawnOptions) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (producer, consumer) = packet();
    let name = options.name.clone();
    let named = name.is_some();
    let born = proc::newproc(
        move || {
            drop_result(producer.run(f));
            if named {
                clear_name();
            }
        },
        options,
    );
    JoinHandle { consumer, gp: born.gp, goid: born.goid, name }
}

/// Takes the name of the goroutine that calls away: it is about to end.
pub(crate) fn clear_name() {
    names::clear(curg().expect("a goroutine ends on itself"));
}

/// Starts goroutines that need a name or another stack size, as [`std::thread::Builder`] does for threads.
///
/// ```no_run
/// let worker = sigurg::GoBuilder::new().name("parser").stack_size(1 << 20).spawn(|| 42);
/// assert_eq!(worker.name(), Some("parser"));
/// assert_eq!(worker.join().unwrap(), 42);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing starts before `spawn`"]
pub struct GoBuilder {
    name: Option<Arc<str>>,
    stack_size: Option<usize>,
    injectable: bool,
}

impl GoBuilder {
    /// No name, and the stack size of the runtime.
    pub fn new() -> Self {
        Self::default()
    }

    /// The name that dumps, reports and [`current`](crate::current) show.
    ///
    /// # Panics
    ///
    /// If it is longer than 65,535 bytes.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        assert!(name.len() <= usize::from(u16::MAX), "the name of a goroutine has {} bytes", name.len());
        self.name = Some(name);
        self
    }

    /// Address space for its stack, in bytes; rounded up. Memory is used as it is touched. The default is that of
    /// [`Builder::stack_size`](crate::Builder::stack_size).
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Lets it be stopped at *any instruction* and go on in another thread, as Go's goroutines are: for computations
    /// that take long, in any number.
    ///
    /// Without this a goroutine that over-runs its slice keeps its thread until it runs again, so each costs a thread meanwhile. With it
    /// the runtime injects a call where its [safe-point map](crate::safepoint) proves that no function on the stack holds the address of a
    /// thread-local; elsewhere (std, C, `println!`, malloc) it asks again some microseconds later, and at last stops the goroutine as
    /// usual. [`Metrics`](crate::Metrics) tell how often, and why not. Only x86-64, and only executables with a symbol table (not
    /// `strip = true`); otherwise nothing changes.
    ///
    /// # Safety
    ///
    /// The contract of [`Builder::build`](crate::Builder::build) holds at every instruction, not only at calls of this crate that block,
    /// and for every crate whose code the goroutine runs. The map cannot see all of it; so nowhere in this goroutine
    ///
    /// - is there a value that was *taken out of* a `thread_local!` and belongs to the thread: an `Rc` cloned from one, the handle that
    ///   a random number generator per thread returns, a raw pointer into one. Not even two goroutines of one thread may have them, as one may be stopped
    ///   in the middle of counting;
    /// - is a reference into a `thread_local!` handed to a function that is called through a pointer: `KEY.with(f)` with `f` a `fn` or a `dyn Fn`;
    /// - is a lock held that only the thread that took it may give back (those of [`std::sync`] may be given back by any);
    /// - is the identity of the thread kept: its id, its errno, what C calls thread-specific;
    /// - are the modes of floating point others than at a thread's start, in code that expects them to last: a thread is given
    ///   the usual ones when a call is injected. (Those of this goroutine are kept.)
    ///
    /// ```no_run
    /// // SAFETY: pure arithmetic.
    /// let hog = unsafe { sigurg::GoBuilder::new().injectable() };
    /// let sum = hog.spawn(|| (0..u64::MAX / 2).fold(0, |sum: u64, i| sum ^ i.wrapping_mul(3)));
    /// # drop(sum);
    /// ```
    pub unsafe fn injectable(mut self) -> Self {
        self.injectable = true;
        self
    }

    /// Starts the goroutine: see [`go`].
    ///
    /// # Panics
    ///
    /// If the caller is not a goroutine.
    pub fn spawn<F, T>(self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        start(f, self.into())
    }

    /// Starts the goroutine in `scope`: see [`Scope::go`].
    ///
    /// # Panics
    ///
    /// If the caller is not a goroutine.
    pub fn spawn_scoped<'scope, F, T>(
        self,
        scope: &'scope Scope<'scope, '_>,
        f: F,
    ) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        scope.start(f, self.into())
    }
}

impl From<GoBuilder> for SpawnOptions {
    fn from(builder: GoBuilder) -> Self {
        Self { name: builder.name, stack_size: builder.stack_size, injectable: builder.injectable }
    }
}

/// The right to wait for a goroutine and to take what it returns. Dropped, the goroutine goes on by itself.
pub struct JoinHandle<T> {
    consumer: Consumer<thread::Result<T>>,
    gp: &'static G,
    goid: u64,
    name: Option<Arc<str>>,
}

impl<T> JoinHandle<T> {
    /// Waits until the goroutine has returned. A goroutine that waits is parked; a plain thread sleeps.
    ///
    /// # Errors
    ///
    /// What the goroutine panicked with.
    #[inline]
    pub fn join(self) -> thread::Result<T> {
        self.consumer.join(WaitReason::Join)
    }

    /// Whether `join` would return at once.
    #[inline]
    pub fn is_finished(&self) -> bool {
        safe_point();
        self.consumer.is_done()
    }

    /// Its number.
    pub fn id(&self) -> GoId {
        GoId::new(self.goid)
    }

    /// Its name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What it was doing a moment ago. `Dead` if it is finished.
    pub fn status(&self) -> GoStatus {
        safe_point();
        if self.is_finished() { GoStatus::Dead } else { GoStatus::of(self.gp, self.goid) }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("id", &self.goid)
            .field("name", &self.name)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
