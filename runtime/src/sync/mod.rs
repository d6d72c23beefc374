//! Locks and meeting points that park goroutines, and block plain threads.
//!
//! All of these may be used by goroutines and by plain threads at once: whoever has to wait gives up its processor in the
//! way that is its own. They are Go's, in the shape of std's:
//!
//! | here | Go |
//! | --- | --- |
//! | [`Mutex`] | `sync.Mutex` |
//! | [`RwLock`] | `sync.RWMutex` |
//! | [`Condvar`] | `sync.Cond` |
//! | [`WaitGroup`] | `sync.WaitGroup` |
//! | [`Once`], [`OnceLock`] | `sync.Once`, `sync.OnceValue` |
//! | [`Barrier`] | |
//! | [`Semaphore`] | `golang.org/x/sync/semaphore` |
//!
//! What they have in common:
//!
//! - *What was done before is seen after*: an unlock, a release, a `done`, a notification happens before the return of
//!   whoever it lets go.
//! - *No poisoning*: a guard that is dropped by a panic gives its lock back like any other.
//! - *Guards travel*: a goroutine may go on on another thread, so guards are `Send` where their value is.
//! - *A time limit that passes* takes nothing with it: a lock or permit that is handed over at the same moment is either
//!   returned to the caller or goes to the next.

mod barrier;
mod condvar;
mod list;
mod mutex;
mod once;
mod raw_mutex;
mod raw_rwlock;
mod rwlock;
mod sema;
mod semaphore;
mod waitgroup;

#[cfg(test)]
mod tests;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use once::{Once, OnceLock};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{Semaphore, SemaphorePermit};
pub use waitgroup::WaitGroup;
