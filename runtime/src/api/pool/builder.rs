//! The limits of a pool.

use std::sync::Arc;
use std::time::Duration;

use super::BlockingPool;
use super::shared::Shared;

/// What becomes of a job that finds every thread busy and the queue full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RejectionPolicy {
    /// `submit` gives it back.
    #[default]
    Abort,
    /// Whoever submits runs it, and so submits no more jobs meanwhile. A goroutine does so as in
    /// [`blocking`](crate::blocking).
    CallerRuns,
    /// It is discarded; its handle says so.
    Discard,
    /// The job that has been queued longest is discarded, and the new one takes its place. With a queue of
    /// capacity 0 there is none, and this is `Abort`.
    DiscardOldest,
}

#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) core: usize,
    pub(super) max: usize,
    pub(super) capacity: usize,
    pub(super) keep_alive: Duration,
    pub(super) rejection: RejectionPolicy,
    pub(super) name: Arc<str>,
}

/// Makes a [`BlockingPool`].
#[derive(Clone, Debug)]
#[must_use = "there is no pool before `build`"]
pub struct PoolBuilder {
    config: Config,
}

impl Default for PoolBuilder {
    /// One thread for each processor, four times as many at most, a queue for 1024 jobs, 60 s.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            config: Config {
                core: processors,
                max: processors * 4,
                capacity: 1024,
                keep_alive: Duration::from_secs(60),
                rejection: RejectionPolicy::default(),
                name: "sigurg-pool".into(),
            },
        }
    }
}

impl PoolBuilder {
    /// Up to how many threads are kept when there is nothing to do.
    pub fn core_threads(mut self, threads: usize) -> Self {
        self.config.core = threads;
        self
    }

    /// How many threads there are at most.
    pub fn max_threads(mut self, threads: usize) -> Self {
        self.config.max = threads;
        self
    }

    /// How many jobs may wait for a thread. 0: a job is taken only if a thread can run it at once.
    pub fn queue_capacity(mut self, jobs: usize) -> Self {
        self.config.capacity = jobs;
        self
    }

    /// After how much idle time a thread beyond the core ends.
    pub fn keep_alive(mut self, time: Duration) -> Self {
        self.config.keep_alive = time;
        self
    }

    /// What becomes of a job that finds no place.
    pub fn rejection(mut self, policy: RejectionPolicy) -> Self {
        self.config.rejection = policy;
        self
    }

    /// The name of its threads; the kernel shows the first 15 bytes.
    ///
    /// # Panics
    ///
    /// If it contains a zero byte.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        assert!(!name.contains('\0'), "the name of a thread has a zero byte: {name:?}");
        self.config.name = name;
        self
    }

    /// The pool. Its threads start as jobs come.
    ///
    /// # Panics
    ///
    /// If `max_threads` is 0 or less than `core_threads`.
    pub fn build(self) -> BlockingPool {
        let Config { core, max, .. } = self.config;
        assert!(max > 0, "a pool of no threads");
        assert!(core <= max, "a pool of {core} core threads, but of {max} threads at most");
        BlockingPool { shared: Arc::new(Shared::new(self.config)) }
    }
}
