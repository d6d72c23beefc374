//! Channels, as Go has them: a queue of fixed capacity for any number of senders and receivers.
//!
//! A channel of capacity 0 has no buffer: a send waits for a receive, and the value goes straight from one to the other.
//! Values of one sender arrive in the order in which they were sent; those who wait are served in the order in which they
//! came. Nothing is allocated after [`chan`]. Goroutines and plain threads may stand on either side.
//!
//! Differences from Go:
//!
//! - Sending on a closed channel is an error that gives the value back, not a panic, and so is closing one twice.
//! - Dropping the last [`Sender`] closes the channel. Dropping the last [`Receiver`] closes it too, and drops the
//!   values in it.
//! - There is no nil channel; where one is useful, in `select!`, an `Option` takes its place.
//!
//! ```no_run
//! # use sigurg::chan;
//! let (tx, rx) = chan::<u32>(16);
//! std::thread::spawn(move || (0..3).for_each(|i| tx.send(i).unwrap()));
//! assert_eq!(rx.iter().sum::<u32>(), 3);
//! ```
//!
//! `hchan` is the algorithm, `waitq` those who wait; the rest gives them types and handles.

mod error;
pub(crate) mod hchan;
mod iter;
mod receiver;
mod sender;
#[cfg(test)]
mod tests;
pub(crate) mod waitq;

use std::alloc::Layout;

pub use error::{RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError};
pub use iter::{IntoIter, Iter, TryIter};
pub use receiver::Receiver;
pub use sender::Sender;

use hchan::Hchan;

/// Makes a channel that holds up to `capacity` values that were sent and not yet received. Go: `make(chan T, capacity)`.
///
/// # Panics
///
/// If a buffer of that capacity is larger than the address space.
///
/// ```no_run
/// let (tx, rx) = sigurg::chan(0);
/// std::thread::spawn(move || tx.send("hello").unwrap());
/// assert_eq!(rx.recv(), Ok("hello"));
/// assert!(rx.recv().is_err(), "the last sender is gone");
/// ```
#[must_use]
pub fn chan<T: Send>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let hchan = Hchan::make(Layout::new::<T>(), capacity);
    (Sender::new(hchan), Receiver::new(hchan))
}

/// Refuses more handles than can be counted: only a program that leaks them gets there, as with `Arc`.
#[inline]
fn check_count(before: usize) {
    if before > isize::MAX as usize {
        std::process::abort();
    }
}

/// What both sides of a channel answer.
macro_rules! both_sides {
    ($side:ident) => {
        impl<T> $side<T> {
            /// Closes the channel for sending; what is in it can still be received. `false` if it was closed already.
            ///
            /// Those who wait to send get their values back; those who wait to receive are told. Go: `close`.
            pub fn close(&self) -> bool {
                crate::proc::safe_point();
                self.hchan().close()
            }

            /// Whether the channel is closed: by [`close`](Self::close), or because one side is gone.
            #[must_use]
            pub fn is_closed(&self) -> bool {
                crate::proc::safe_point();
                self.hchan().is_closed()
            }

            /// Number of values in the buffer. Go: `len`.
            #[must_use]
            pub fn len(&self) -> usize {
                crate::proc::safe_point();
                self.hchan().len()
            }

            /// Number of values that the buffer can hold. Go: `cap`.
            #[must_use]
            pub fn capacity(&self) -> usize {
                self.hchan().capacity()
            }

            /// Whether no value is in the buffer; always so if its capacity is 0.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                crate::proc::safe_point();
                self.len() == 0
            }

            /// Whether the buffer has no room left; always so if its capacity is 0.
            #[must_use]
            pub fn is_full(&self) -> bool {
                crate::proc::safe_point();
                self.len() == self.capacity()
            }
        }

        impl<T> fmt::Debug for $side<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($side))
                    .field("len", &self.len())
                    .field("capacity", &self.capacity())
                    .field("closed", &self.is_closed())
                    .finish()
            }
        }
    };
}
use both_sides;
