//! The receiving side.

use std::fmt;
use std::marker::PhantomData;
use std::mem::{self, MaybeUninit};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;
use std::time::{Duration, Instant};

use super::error::{RecvError, RecvTimeoutError, TryRecvError};
use super::hchan::{Hchan, Outcome, Until};
use super::iter::{Iter, TryIter};
use crate::facade::atomic::Ordering::{AcqRel, Relaxed};

/// The receiving side of a channel; clones share it, and each value goes to one of them. See [the module](super).
///
/// When the last one is dropped the channel is closed, and the values in it are dropped.
pub struct Receiver<T> {
    hchan: NonNull<Hchan>,
    _values: PhantomData<T>,
}

// SAFETY: the channel is made to be used by many threads; it moves values of `T` between them.
unsafe impl<T: Send> Send for Receiver<T> {}
// SAFETY: as above; all methods are for many threads at once.
unsafe impl<T: Send> Sync for Receiver<T> {}
impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

impl<T> Receiver<T> {
    /// The handle that the channel was made with.
    pub(super) fn new(hchan: NonNull<Hchan>) -> Self {
        Self { hchan, _values: PhantomData }
    }

    #[inline]
    pub(crate) fn hchan(&self) -> &Hchan {
        // SAFETY: a handle keeps the channel alive.
        unsafe { self.hchan.as_ref() }
    }

    #[inline(always)]
    fn recv_until(&self, until: Until) -> Result<T, Outcome> {
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: the channel was made for `T`, for which there is room.
        match unsafe { self.hchan().recv(value.as_mut_ptr().cast(), size_of::<T>(), until) } {
            // SAFETY: a value was received into it.
            Outcome::Done => Ok(unsafe { value.assume_init() }),
            failed => Err(failed),
        }
    }

    /// Receives a value; waits until there is one.
    ///
    /// # Errors
    ///
    /// If the channel is closed and all its values have been received.
    #[inline]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_until(Until::Forever).map_err(|_| RecvError)
    }

    /// Receives a value if that needs no waiting. Go: `select` with a receive and a default.
    ///
    /// # Errors
    ///
    /// If there is none, or the channel is closed and all its values have been received.
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.recv_until(Until::Now).map_err(|why| match why {
            Outcome::Closed => TryRecvError::Closed,
            _ => TryRecvError::Empty,
        })
    }

    /// Receives a value; waits for at most `timeout`.
    ///
    /// # Errors
    ///
    /// If the time was up, or as [`recv`](Self::recv).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_until(Until::For(timeout)).map_err(RecvTimeoutError::new)
    }

    /// Receives a value; waits until `deadline` at most.
    ///
    /// # Errors
    ///
    /// If the time was up, or as [`recv`](Self::recv).
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_until(Until::At(deadline)).map_err(RecvTimeoutError::new)
    }

    /// Receives until the channel is closed and all its values have been received. Go: `for v := range ch`.
    #[must_use]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self)
    }

    /// Receives until that needed waiting.
    #[must_use]
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter::new(self)
    }

    /// Whether the two are of one channel.
    #[must_use]
    pub fn same_channel(&self, other: &Self) -> bool {
        self.hchan == other.hchan
    }

    /// Drops what is in the buffer of a closed channel, the rest even if a drop panics.
    fn drain(&self) {
        struct Rest<'a, T>(&'a Receiver<T>);
        impl<T> Drop for Rest<'_, T> {
            fn drop(&mut self) {
                self.0.drain();
            }
        }
        while let Ok(value) = self.try_recv() {
            let rest = Rest(self);
            drop(value);
            mem::forget(rest);
        }
    }
}

super::both_sides!(Receiver);

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        // Relaxed: the handle at hand keeps the count above zero.
        super::check_count(self.hchan().receivers.fetch_add(1, Relaxed));
        Self { hchan: self.hchan, _values: PhantomData }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        struct Release(NonNull<Hchan>);
        impl Drop for Release {
            fn drop(&mut self) {
                // SAFETY: the last receiver is the one that says so, and it has emptied the buffer.
                unsafe { Hchan::release_side(self.0) };
            }
        }
        // AcqRel: all that was done through the others comes before the close.
        if self.hchan().receivers.fetch_sub(1, AcqRel) == 1 {
            let _release = Release(self.hchan);
            self.hchan().close();
            self.drain();
        }
    }
}
