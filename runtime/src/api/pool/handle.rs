//! What `submit` gives back.

use std::any::Any;
use std::fmt;

use crate::api::packet::Consumer;
use crate::proc::safe_point;
use crate::waitreason::WaitReason;

/// The right to wait for a job and to take what it returns. Dropped, the job runs all the same.
pub struct PoolHandle<T> {
    pub(super) consumer: Consumer<Result<T, JobError>>,
}

impl<T> PoolHandle<T> {
    /// Waits until the job has returned. A goroutine that waits is parked; a plain thread sleeps.
    ///
    /// # Errors
    ///
    /// If the job panicked, or was discarded before it began.
    pub fn join(self) -> Result<T, JobError> {
        self.consumer.join(WaitReason::Pool)
    }

    /// Whether `join` would return at once.
    pub fn is_finished(&self) -> bool {
        safe_point();
        self.consumer.is_done()
    }
}

impl<T> fmt::Debug for PoolHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolHandle").field("is_finished", &self.is_finished()).finish_non_exhaustive()
    }
}

/// Why a job has no result.
pub enum JobError {
    /// It panicked with this.
    Panicked(Box<dyn Any + Send>),
    /// It never began: the pool was shut down, or the policy gave its place away.
    Discarded,
}

impl fmt::Debug for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Panicked(_) => "Panicked(..)",
            Self::Discarded => "Discarded",
        })
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Panicked(_) => "the job panicked",
            Self::Discarded => "the job was discarded before it began",
        })
    }
}

impl std::error::Error for JobError {}

/// A job that the pool did not take.
pub struct Rejected<F> {
    /// The job itself.
    pub job: F,
    /// Why it came back.
    pub reason: Reason,
}

/// Why a pool does not take a job.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reason {
    /// Every thread is busy, and the queue is full.
    Full,
    /// The pool is shut down.
    ShutDown,
    /// The pool has no thread, and none can be started.
    NoThread(std::io::Error),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("every thread of the pool is busy, and its queue is full"),
            Self::ShutDown => f.write_str("the pool is shut down"),
            Self::NoThread(_) => f.write_str("no thread can be started"),
        }
    }
}

impl<F> fmt::Debug for Rejected<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<F> fmt::Display for Rejected<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl<F> std::error::Error for Rejected<F> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.reason {
            Reason::NoThread(error) => Some(error),
            Reason::Full | Reason::ShutDown => None,
        }
    }
}
