//! Goroutines that borrow from whoever starts them, as [`std::thread::scope`] does for threads.
//!
//! 1. `running` counts the goroutines of the scope that have not ended, and the scope itself until it waits. Whoever
//!    brings it to zero wakes the scope; so the scope's memory lives until then, and is touched by nobody after.
//! 2. A goroutine counts down after its result was handed over or dropped: nothing borrowed is used later.

use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::Arc;
use std::thread;

use crate::api::goroutine::{GoId, GoStatus};
use crate::api::packet::{Consumer, drop_result, packet};
use crate::api::spawn::clear_name;
use crate::facade::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use crate::facade::atomic::{AtomicBool, AtomicPtr, AtomicUsize};
use crate::g::G;
use crate::proc::safe_point;
use crate::proc::{self, SpawnOptions};
use crate::wait::Wait;
use crate::waitreason::WaitReason;

/// Where goroutines that borrow are started: see [`scope`].
pub struct Scope<'scope, 'env: 'scope> {
    data: Data,
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

struct Data {
    running: AtomicUsize,
    /// A goroutine panicked, and nobody joined it.
    a_goroutine_panicked: AtomicBool,
    /// Who waits in `wait_for_all`.
    waiter: AtomicPtr<Wait>,
}

/// Runs `f`, which may start goroutines that borrow what lives longer than the call of `scope`, and waits for all
/// of them, joined or not, even if `f` panics.
///
/// # Panics
///
/// As `f` did; or if a goroutine panicked and was not joined; or, when one is started, if the caller is not a
/// goroutine.
///
/// ```no_run
/// let mut halves = [3, 1, 4, 1];
/// let (low, high) = halves.split_at_mut(2);
/// sigurg::scope(|s| {
///     s.go(|| low.sort());
///     s.go(|| high.sort());
/// });
/// assert_eq!(halves, [1, 3, 1, 4]);
/// ```
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let data = Data {
        running: AtomicUsize::new(1),
        a_goroutine_panicked: AtomicBool::new(false),
        waiter: AtomicPtr::new(ptr::null_mut()),
    };
    let scope = Scope { data, scope: PhantomData, env: PhantomData };
    let result = catch_unwind(AssertUnwindSafe(|| f(&scope)));
    scope.data.wait_for_all();
    match result {
        Err(panic) => resume_unwind(panic),
        // Relaxed: ordered by the count, see `Data::wait_for_all`.
        Ok(_) if scope.data.a_goroutine_panicked.load(Relaxed) => panic!("a scoped goroutine panicked"),
        Ok(result) => result,
    }
}

impl Data {
    /// Waits until only the scope itself is left.
    fn wait_for_all(&self) {
        // Acquire pairs with the Release half of each count down: all that they did is seen.
        if self.running.load(Acquire) == 1 {
            return;
        }
        let wait = Wait::new();
        // Relaxed: published by the count down below.
        let me = (&raw const wait).cast_mut();
        self.waiter.store(me, Relaxed);
        wait.block(WaitReason::Join, || {
            // AcqRel: Release publishes `waiter`, Acquire sees what the others did if this is the last one.
            if self.running.fetch_sub(1, AcqRel) == 1 {
                // SAFETY: whoever brings the count to zero, and nobody else, wakes.
                unsafe { Wait::ready(me) };
            }
        });
    }

    /// One goroutine has ended.
    ///
    /// # Safety
    ///
    /// Called once for each that was counted; `this` must not be used after.
    unsafe fn count_down(this: *const Self) {
        // SAFETY: the caller is counted, so the scope still waits, or has not begun to. AcqRel: hands over what this
        // goroutine did; Acquire sees `waiter`.
        unsafe {
            if (*this).running.fetch_sub(1, AcqRel) == 1 {
                // The scope is not counted any more, so it is parked, and nobody else wakes it. Relaxed: see above.
                Wait::ready((*this).waiter.load(Relaxed));
            }
        }
    }

    /// Drops what a goroutine returned and nobody asked for.
    fn drop_unasked<T>(&self, result: Option<thread::Result<T>>) {
        if let Some(Err(_)) = result {
            // Relaxed: whoever calls is counted, or runs before the scope waits: the count orders it.
            self.a_goroutine_panicked.store(true, Relaxed);
        }
        drop_result(result);
    }
}

/// Takes one from the count when dropped, so that a start that fails is not waited for.
struct Counted(*const Data);

// SAFETY: all of `Data` is atomic, and it outlives whoever is counted.
unsafe impl Send for Counted {}

impl Drop for Counted {
    fn drop(&mut self) {
        // SAFETY: made when one was counted.
        unsafe { Data::count_down(self.0) };
    }
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a goroutine that may borrow for as long as the scope lasts. Otherwise as [`go`](crate::go).
    ///
    /// # Panics
    ///
    /// If the caller is not a goroutine.
    pub fn go<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.start(f, SpawnOptions::default())
    }

    pub(crate) fn start<F, T>(&'scope self, f: F, options: SpawnOptions) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        // Relaxed: whoever calls is counted itself or is the scope, so the count cannot reach zero meanwhile.
        let running = self.data.running.fetch_add(1, Relaxed);
        let counted = Counted(&raw const self.data);
        assert!(running < usize::MAX / 2, "too many goroutines in one scope");
        let (producer, consumer) = packet();
        let name = options.name.clone();
        let named = name.is_some();
        let body = move || {
            let counted = counted;
            // SAFETY: this goroutine is counted, so that the scope is alive.
            unsafe { &*counted.0 }.drop_unasked(producer.run(f));
            if named {
                clear_name();
            }
        };
        // SAFETY: the scope does not return before `body` has dropped `counted`, its last act.
        let born = unsafe { proc::newproc_unchecked(body, options) };
        ScopedJoinHandle { consumer: Some(consumer), gp: born.gp, goid: born.goid, name, data: &self.data }
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Relaxed: for people.
        f.debug_struct("Scope").field("running", &self.data.running.load(Relaxed)).finish_non_exhaustive()
    }
}

/// As [`JoinHandle`](crate::JoinHandle), for a goroutine of a [`scope`]. Dropped, the scope still waits for it.
pub struct ScopedJoinHandle<'scope, T> {
    /// `None` while it is being joined or dropped.
    consumer: Option<Consumer<thread::Result<T>>>,
    gp: &'static G,
    goid: u64,
    name: Option<Arc<str>>,
    data: &'scope Data,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Waits until the goroutine has returned.
    ///
    /// # Errors
    ///
    /// What it panicked with; then the scope does not panic for it.
    pub fn join(mut self) -> thread::Result<T> {
        self.consumer.take().expect("joined once").join(WaitReason::Join)
    }

    /// Whether `join` would return at once.
    pub fn is_finished(&self) -> bool {
        safe_point();
        self.consumer.as_ref().is_some_and(Consumer::is_done)
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

impl<T> Drop for ScopedJoinHandle<'_, T> {
    fn drop(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            self.data.drop_unasked(consumer.abandon());
        }
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle")
            .field("id", &self.goid)
            .field("name", &self.name)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
