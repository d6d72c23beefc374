//! A bounded pool of OS threads for jobs that block: files, databases, C libraries.
//!
//! What the users of `ThreadPoolExecutor` expect, and with its words: core and greatest number of threads, a queue
//! of limited capacity, a time after which surplus threads end, and a policy for jobs that find no place. A goroutine
//! that waits for a job is parked and costs no thread.
//!
//! A new job goes, in this order: to a thread that waits for one; to a new thread while there are fewer than `core`; into
//! the queue while there is room; to a new thread while there are fewer than `max`; to the policy. (Java starts
//! core threads even while others idle; here they start when they are needed.)
//!
//! ```no_run
//! use sigurg::pool::BlockingPool;
//!
//! let pool = BlockingPool::builder().core_threads(2).max_threads(8).queue_capacity(64).build();
//! let text = pool.submit(|| std::fs::read_to_string("/etc/hostname")).expect("neither full nor shut down");
//! println!("{}", text.join().expect("neither panicked nor discarded")?);
//! # Ok::<(), std::io::Error>(())
//! ```

mod builder;
mod handle;
mod queue;
mod shared;
mod state;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use builder::{PoolBuilder, RejectionPolicy};
pub use handle::{JobError, PoolHandle, Reason, Rejected};
pub use state::PoolMetrics;

use crate::api::goroutine::blocking;
use crate::proc::safe_point;
use queue::Task;
use shared::Shared;

/// See the [module](self). Dropped, it is shut down: queued jobs still run.
pub struct BlockingPool {
    shared: Arc<Shared>,
}

impl BlockingPool {
    /// A pool with other limits than the default ones.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::default()
    }

    /// Gives `job` to a thread of the pool.
    ///
    /// # Errors
    ///
    /// The job comes back if the pool is shut down, if there is no place for it and the policy is
    /// [`Abort`](RejectionPolicy::Abort), or if the thread that it needs cannot be started.
    pub fn submit<F, T>(&self, job: F) -> Result<PoolHandle<T>, Rejected<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        safe_point();
        let (task, handle) = Task::pair(job);
        let Err((task, reason)) = self.shared.offer(task) else {
            return Ok(handle);
        };
        if matches!(reason, Reason::Full) {
            match self.shared.config.rejection {
                // A goroutine that runs a job for itself must not take its processor along.
                RejectionPolicy::CallerRuns => {
                    blocking(|| task.run());
                    return Ok(handle);
                }
                RejectionPolicy::Discard => {
                    drop(task);
                    return Ok(handle);
                }
                // `offer` has made room already.
                RejectionPolicy::DiscardOldest | RejectionPolicy::Abort => {}
            }
        }
        Err(Rejected { job: Task::<F, T>::into_job(task), reason })
    }

    /// Takes no more jobs. Those that are queued still run, then the threads end.
    pub fn shutdown(&self) {
        self.shared.shut_down();
    }

    /// Takes no more jobs and discards those that are queued: their number. Those that run are left alone.
    pub fn shutdown_now(&self) -> usize {
        self.shared.shut_down();
        self.shared.discard_queued()
    }

    /// Whether it has been shut down.
    pub fn is_shutdown(&self) -> bool {
        safe_point();
        self.shared.state.lock().shut_down
    }

    /// Waits until the pool is shut down and its last thread has finished its last job, but no longer than
    /// `timeout`; whether it came to that.
    pub fn await_termination(&self, timeout: Duration) -> bool {
        self.shared.await_termination(timeout)
    }

    /// The pool in numbers.
    pub fn metrics(&self) -> PoolMetrics {
        safe_point();
        self.shared.state.lock().metrics()
    }
}

impl Drop for BlockingPool {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl fmt::Debug for BlockingPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingPool").field("metrics", &self.metrics()).finish_non_exhaustive()
    }
}
