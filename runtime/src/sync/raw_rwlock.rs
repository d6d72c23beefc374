//! A reader-writer lock: one word, a mutex among the writers, and those who wait.
//!
//! 1. The word counts readers, and has the bit `WRITER`, which belongs to the holder of `writers`: it waits for the
//!    readers to go, or writes. So at most one writer deals with readers; the others wait for the mutex, with its rules.
//! 2. A reader counts itself, and is in if the bit was not set. Otherwise it takes itself off again and waits on the list,
//!    and sets `QUEUED`; both under the lock. A count of zero beside `WRITER` therefore means that nobody reads: whoever
//!    brings it to zero wakes the writer.
//! 3. A writer that goes lets in all readers on the list, before another writer may set the bit. So a stream of writers
//!    cannot starve readers, and the bit keeps a stream of readers from starving a writer.
//! 4. A reader that is let in is counted by whoever lets it in, before it is claimed.
//!
//! Go: rwmutex.go (package sync). There a reader that waits stays counted, and a writer counts the readers before it
//! down in a second word. That cannot be undone by a writer whose time is up; this can.

use super::list::{Claimed, List, Node};
use super::raw_mutex::RawMutex;
use crate::facade::atomic::AtomicU32;
use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::lock::Lock;
use crate::waitreason::WaitReason;

/// A writer holds the lock or waits for the readers to go.
const WRITER: u32 = 1;
/// Readers are on the list.
const QUEUED: u32 = 2;
/// One in the count of readers.
const READER: u32 = 4;
/// A count that only forgotten guards can reach. It is half of what fits, so that it is noticed in time.
const TOO_MANY: u32 = 1 << 31;

/// See the module.
pub(super) struct RawRwLock {
    state: AtomicU32,
    writers: RawMutex,
    waiting: Lock<Waiting>,
}

struct Waiting {
    readers: List,
    /// The holder of `writers`, if it waits for the readers to go.
    writer: List,
}

impl RawRwLock {
    pub(super) const fn new() -> Self {
        Self {
            state: AtomicU32::new(0),
            writers: RawMutex::new(),
            waiting: Lock::new(Waiting { readers: List::new(), writer: List::new() }),
        }
    }

    /// Waits to read, until `deadline`; whether it may.
    #[inline]
    pub(super) fn read(&self, deadline: Option<i64>) -> bool {
        // Acquire pairs with the Release of a writer that goes.
        let old = self.state.fetch_add(READER, Acquire);
        old & (WRITER | TOO_MANY) == 0 || self.read_slow(old, deadline)
    }

    #[inline]
    pub(super) fn try_read(&self) -> bool {
        let free = |state: u32| (state & (WRITER | TOO_MANY) == 0).then(|| state + READER);
        // Acquire as in `read`. Relaxed: a guess that the exchange confirms.
        self.state.fetch_update(Acquire, Relaxed, free).is_ok()
    }

    #[inline]
    pub(super) fn unlock_read(&self) {
        // Release pairs with the Acquire of the writer that finds no readers, or of who wakes it (`wake_writer`).
        let old = self.state.fetch_sub(READER, Release);
        if old & WRITER != 0 && old / READER == 1 {
            self.wake_writer();
        }
    }

    /// Waits to write, until `deadline`; whether it may.
    #[inline]
    pub(super) fn write(&self, deadline: Option<i64>) -> bool {
        match deadline {
            None => self.writers.lock(WaitReason::SyncRWMutexLock),
            Some(deadline) if !self.writers.lock_until(deadline, WaitReason::SyncRWMutexLock) => {
                return false;
            }
            Some(_) => {}
        }
        // Acquire pairs with the Release of the readers that are gone; the writers before by `writers`.
        self.state.fetch_or(WRITER, Acquire) / READER == 0 || self.write_slow(deadline)
    }

    #[inline]
    pub(super) fn try_write(&self) -> bool {
        if !self.writers.try_lock() {
            return false;
        }
        // Acquire as in `write`.
        let alone = self.state.compare_exchange(0, WRITER, Acquire, Relaxed).is_ok();
        if !alone {
            self.writers.unlock();
        }
        alone
    }

    #[inline]
    pub(super) fn unlock_write(&self) {
        self.let_readers_in();
        self.writers.unlock();
    }

    /// Makes a writer a reader, with no other writer in between.
    pub(super) fn downgrade(&self) {
        // Relaxed: published by the change that lets others in.
        self.state.fetch_add(READER, Relaxed);
        self.unlock_write();
    }

    /// Whether somebody reads or writes or is about to; may be out of date at once.
    pub(super) fn is_locked(&self) -> bool {
        // Relaxed: a hint that guards nothing.
        self.state.load(Relaxed) != 0
    }

    #[cfg(test)]
    pub(super) fn waiting_readers(&self) -> usize {
        self.waiting.lock().readers.len()
    }

    #[cfg(test)]
    pub(super) fn waiting_writers(&self) -> u32 {
        self.writers.state().waiters
    }

    /// Whether it is as new.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        let waiting = self.waiting.lock();
        self.state.load(Relaxed) == 0
            && self.writers.state() == Default::default()
            && waiting.readers.is_empty()
            && waiting.writer.is_empty()
    }

    /// For a reader that has counted itself where the word was `old`: too many, or beside a writer.
    #[cold]
    fn read_slow(&self, old: u32, deadline: Option<i64>) -> bool {
        if old & TOO_MANY != 0 {
            self.unlock_read();
            panic!("too many readers of a RwLock");
        }
        let node = Node::new(0);
        let mut waiting = self.waiting.lock();
        // Relaxed: a writer that goes while this reader is counted clears the bit under this lock.
        if self.state.load(Relaxed) & WRITER == 0 {
            return true;
        }
        // SAFETY: the node leaves the list before this function returns: by `let_readers_in`, or below.
        unsafe { waiting.readers.push_back(&node) };
        // Relaxed: only for the writer's exchange to fail. The writer cannot have gone: that one needs the lock while this
        // reader is counted.
        self.state.fetch_or(QUEUED, Relaxed);
        let mut claimed = Claimed::new();
        // Acquire: the last to go hands the lock to the writer, and with it what the readers did. This one did nothing.
        if self.state.fetch_sub(READER, Acquire) / READER == 1 {
            waiting.writer.claim_first(&mut claimed);
        }
        let unlock = || {
            drop(waiting);
            claimed.ready();
        };
        if node.wait.block_until(deadline, WaitReason::SyncRWMutexRLock, unlock) {
            return true;
        }
        let mut waiting = self.waiting.lock();
        if node.is_linked() {
            waiting.readers.remove(&node);
        }
        false
    }

    /// For the holder of `writers` that has set `WRITER` and found readers.
    #[cold]
    fn write_slow(&self, deadline: Option<i64>) -> bool {
        let node = Node::new(0);
        let mut waiting = self.waiting.lock();
        // Acquire as in `write`.
        if self.state.load(Acquire) / READER == 0 {
            return true;
        }
        // SAFETY: the node leaves the list before this function returns: by who brings the count to zero, or below.
        unsafe { waiting.writer.push_back(&node) };
        if node.wait.block_until(deadline, WaitReason::SyncRWMutexLock, || drop(waiting)) {
            return true;
        }
        let mut waiting = self.waiting.lock();
        if node.is_linked() {
            waiting.writer.remove(&node);
        }
        drop(waiting);
        self.unlock_write();
        false
    }

    /// The count of readers was brought to zero beside a writer: wakes it, if it waits for that.
    #[cold]
    fn wake_writer(&self) {
        let mut claimed = Claimed::new();
        let mut waiting = self.waiting.lock();
        // It may be another writer by now, and other readers before it. Acquire as in `write`, for the writer: it is handed what
        // all readers did.
        if self.state.load(Acquire) / READER == 0 {
            waiting.writer.claim_first(&mut claimed);
        }
        drop(waiting);
        claimed.ready();
    }

    /// The writer's part of the word ends.
    #[inline]
    fn let_readers_in(&self) {
        // Release pairs with the Acquire of who reads or writes next.
        if self.state.compare_exchange(WRITER, 0, Release, Relaxed).is_err() {
            self.let_readers_in_slow();
        }
    }

    #[cold]
    fn let_readers_in_slow(&self) {
        let mut claimed = Claimed::new();
        let mut waiting = self.waiting.lock();
        let mut readers = 0;
        while !waiting.readers.is_empty() {
            readers += u32::from(waiting.readers.take_first(&mut claimed));
        }
        // Relaxed: the next line publishes it, and those counted here are still asleep.
        self.state.fetch_add(readers * READER, Relaxed);
        // Release as in `let_readers_in`.
        self.state.fetch_and(!(WRITER | QUEUED), Release);
        drop(waiting);
        claimed.ready();
    }
}
