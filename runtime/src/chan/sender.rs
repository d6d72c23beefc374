//! The sending side.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;
use std::time::{Duration, Instant};

use super::error::{SendError, SendTimeoutError, TrySendError};
use super::hchan::{Hchan, Outcome, Until};
use crate::facade::atomic::Ordering::{AcqRel, Relaxed};

/// The sending side of a channel; clones share it. See [the module](super).
///
/// When the last one is dropped the channel is closed.
pub struct Sender<T> {
    hchan: NonNull<Hchan>,
    _values: PhantomData<fn(T)>,
}

// SAFETY: the channel is made to be used by many threads; it moves values of `T` between them.
unsafe impl<T: Send> Send for Sender<T> {}
// SAFETY: as above; all methods are for many threads at once.
unsafe impl<T: Send> Sync for Sender<T> {}
impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}

impl<T> Sender<T> {
    /// The handle that the channel was made with.
    pub(super) fn new(hchan: NonNull<Hchan>) -> Self {
        Self { hchan, _values: PhantomData }
    }

    #[inline]
    pub(crate) fn hchan(&self) -> &Hchan {
        // SAFETY: a handle keeps the channel alive.
        unsafe { self.hchan.as_ref() }
    }

    /// Sends, or gives the value back with what stood in the way.
    #[inline(always)]
    fn send_until(&self, value: T, until: Until) -> Result<(), (T, Outcome)> {
        let mut value = ManuallyDrop::new(value);
        // SAFETY: the channel was made for `T`. The value is used below only if it was not moved away.
        match unsafe { self.hchan().send((&raw mut value).cast(), size_of::<T>(), until) } {
            Outcome::Done => Ok(()),
            failed => Err((ManuallyDrop::into_inner(value), failed)),
        }
    }

    /// Sends `value`; waits while the buffer is full, or, on a channel without buffer, until somebody receives it.
    ///
    /// # Errors
    ///
    /// Gives the value back if the channel is closed, or is closed before the value has a place. (Go panics.)
    #[inline]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.send_until(value, Until::Forever).map_err(|(value, _)| SendError(value))
    }

    /// Sends `value` if that needs no waiting. Go: `select` with a send and a default.
    ///
    /// # Errors
    ///
    /// Gives the value back if there is no room (or, without a buffer, nobody who waits for it), or if the channel is
    /// closed.
    #[inline]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.send_until(value, Until::Now).map_err(|(value, why)| match why {
            Outcome::Closed => TrySendError::Closed(value),
            _ => TrySendError::Full(value),
        })
    }

    /// Sends `value`; waits for at most `timeout`.
    ///
    /// # Errors
    ///
    /// Gives the value back if the time was up, or as [`send`](Self::send).
    pub fn send_timeout(&self, value: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        self.send_until(value, Until::For(timeout)).map_err(SendTimeoutError::new)
    }

    /// Sends `value`; waits until `deadline` at most.
    ///
    /// # Errors
    ///
    /// Gives the value back if the time was up, or as [`send`](Self::send).
    pub fn send_deadline(&self, value: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        self.send_until(value, Until::At(deadline)).map_err(SendTimeoutError::new)
    }

    /// Whether the two are of one channel.
    #[must_use]
    pub fn same_channel(&self, other: &Self) -> bool {
        self.hchan == other.hchan
    }
}

super::both_sides!(Sender);

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        // Relaxed: the handle at hand keeps the count above zero.
        super::check_count(self.hchan().senders.fetch_add(1, Relaxed));
        Self { hchan: self.hchan, _values: PhantomData }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // AcqRel: all that was done through the others comes before the close.
        if self.hchan().senders.fetch_sub(1, AcqRel) == 1 {
            self.hchan().close();
            // SAFETY: the last sender is the one that says so; the receivers' side empties the buffer.
            unsafe { Hchan::release_side(self.hchan) };
        }
    }
}
