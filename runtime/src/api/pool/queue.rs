//! Jobs, and a queue of them that needs no memory of its own.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

use super::handle::{JobError, PoolHandle};
use crate::api::packet::{Producer, drop_result, packet};

/// A job whose types are forgotten, with room for its successor in a queue.
pub(super) trait Work: Send {
    /// Runs it and hands its result over. Does not unwind.
    fn run(self: Box<Self>);
    fn next(&mut self) -> &mut Option<Box<dyn Work>>;
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// A job, and who waits for it. Dropped before it ran, it says that it was discarded.
pub(super) struct Task<F, T> {
    next: Option<Box<dyn Work>>,
    body: Option<(F, Producer<Result<T, JobError>>)>,
}

impl<F, T> Task<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    pub(super) fn pair(job: F) -> (Box<dyn Work>, PoolHandle<T>) {
        let (producer, consumer) = packet();
        (Box::new(Self { next: None, body: Some((job, producer)) }), PoolHandle { consumer })
    }

    /// The job of a task that `pair` made and nobody ran.
    pub(super) fn into_job(task: Box<dyn Work>) -> F {
        let mut task = task.into_any().downcast::<Self>().expect("the task that `pair` made");
        task.body.take().expect("a task runs once").0
    }
}

impl<F, T> Work for Task<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    fn run(mut self: Box<Self>) {
        if let Some((job, producer)) = self.body.take() {
            let result = catch_unwind(AssertUnwindSafe(job)).map_err(JobError::Panicked);
            drop_result(producer.complete(result));
        }
    }

    fn next(&mut self) -> &mut Option<Box<dyn Work>> {
        &mut self.next
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl<F, T> Drop for Task<F, T> {
    fn drop(&mut self) {
        if let Some((job, producer)) = self.body.take() {
            drop(producer.complete(Err(JobError::Discarded)));
            drop(job);
        }
    }
}

/// First in, first out, linked through the jobs themselves: nothing is allocated under the pool's lock.
pub(super) struct Queue {
    head: Option<Box<dyn Work>>,
    /// The last job, if there is one; it lives in the list that begins at `head`.
    tail: Option<NonNull<dyn Work>>,
    len: usize,
}

// SAFETY: the queue owns its jobs, which are `Send`, and `tail` points to one of them.
unsafe impl Send for Queue {}

impl Queue {
    pub(super) const fn new() -> Self {
        Self { head: None, tail: None, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, task: Box<dyn Work>) {
        let task = NonNull::from(Box::leak(task));
        // SAFETY: `tail` points into the list that this queue owns and has borrowed whole; `task` was leaked just now.
        unsafe {
            let link = match self.tail {
                None => &mut self.head,
                Some(mut tail) => tail.as_mut().next(),
            };
            *link = Some(Box::from_raw(task.as_ptr()));
        }
        self.tail = Some(task);
        self.len += 1;
    }

    pub(super) fn pop(&mut self) -> Option<Box<dyn Work>> {
        let mut task = self.head.take()?;
        self.head = task.next().take();
        if self.head.is_none() {
            self.tail = None;
        }
        self.len -= 1;
        Some(task)
    }

    /// All jobs, to be dropped where nothing is locked.
    pub(super) fn take(&mut self) -> Self {
        mem::replace(self, Self::new())
    }
}

impl Drop for Queue {
    /// One by one: a long list that drops itself would use the stack up.
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}
