//! What a select chooses among: operations that bring their value, or a place for it, with them.

use std::fmt;
use std::mem::{ManuallyDrop, MaybeUninit};

use crate::chan::hchan::{Dir, Hchan};
use crate::chan::waitq::{Fate, Sudog};
use crate::chan::{Receiver, RecvError, SendError, Sender};

/// An operation without its type, as the algorithm sees it. Without a channel it is never ready.
pub struct Case<'a> {
    hchan: Option<&'a Hchan>,
    dir: Dir,
    sudog: Sudog,
}

impl<'a> Case<'a> {
    fn new(hchan: Option<&'a Hchan>, dir: Dir) -> Self {
        Self { hchan, dir, sudog: Sudog::new(std::ptr::null_mut()) }
    }

    #[inline]
    pub(super) fn hchan(&self) -> Option<&'a Hchan> {
        self.hchan
    }

    #[inline]
    pub(super) fn dir(&self) -> Dir {
        self.dir
    }

    #[inline]
    pub(super) fn sudog(&self) -> &Sudog {
        &self.sudog
    }
}

impl fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("dir", &self.dir)
            .field("fate", &self.sudog.fate())
            .finish_non_exhaustive()
    }
}

mod sealed {
    pub trait Sealed {}
    impl<T> Sealed for crate::chan::Receiver<T> {}
    impl<T> Sealed for crate::chan::Sender<T> {}
    impl<S: Sealed + ?Sized> Sealed for &S {}
    impl<S: Sealed> Sealed for Option<S> {}
}

/// What a select can receive from: a [`Receiver`], a reference to one, or an `Option` of these, of which `None` is
/// never ready (Go: a nil channel).
pub trait RecvFrom: sealed::Sealed {
    /// What it receives.
    type Item;
    /// The receiver, if there is one.
    fn receiver(&self) -> Option<&Receiver<Self::Item>>;
}

/// What a select can send to: a [`Sender`], a reference to one, or an `Option` of these, of which `None` is never
/// ready (Go: a nil channel).
pub trait SendTo: sealed::Sealed {
    /// What it sends.
    type Item;
    /// The sender, if there is one.
    fn sender(&self) -> Option<&Sender<Self::Item>>;
}

impl<T> RecvFrom for Receiver<T> {
    type Item = T;
    fn receiver(&self) -> Option<&Receiver<T>> {
        Some(self)
    }
}

impl<R: RecvFrom + ?Sized> RecvFrom for &R {
    type Item = R::Item;
    fn receiver(&self) -> Option<&Receiver<R::Item>> {
        (**self).receiver()
    }
}

impl<R: RecvFrom> RecvFrom for Option<R> {
    type Item = R::Item;
    fn receiver(&self) -> Option<&Receiver<R::Item>> {
        self.as_ref()?.receiver()
    }
}

impl<T> SendTo for Sender<T> {
    type Item = T;
    fn sender(&self) -> Option<&Sender<T>> {
        Some(self)
    }
}

impl<S: SendTo + ?Sized> SendTo for &S {
    type Item = S::Item;
    fn sender(&self) -> Option<&Sender<S::Item>> {
        (**self).sender()
    }
}

impl<S: SendTo> SendTo for Option<S> {
    type Item = S::Item;
    fn sender(&self) -> Option<&Sender<S::Item>> {
        self.as_ref()?.sender()
    }
}

/// A receive that a [`Select`](super::Select) can choose. It can take part again after its result was taken.
#[derive(Debug)]
pub struct RecvOp<'a, T> {
    case: Case<'a>,
    /// Holds a value while the fate is `Done`.
    slot: MaybeUninit<T>,
}

impl<'a, T> RecvOp<'a, T> {
    /// A receive from `source`.
    pub fn new(source: &'a (impl RecvFrom<Item = T> + ?Sized)) -> Self
    where
        T: 'a,
    {
        let hchan = source.receiver().map(Receiver::hchan);
        Self { case: Case::new(hchan, Dir::Recv), slot: MaybeUninit::uninit() }
    }

    /// The case, for one select.
    ///
    /// # Panics
    ///
    /// If it was chosen before and its result was not taken.
    #[doc(hidden)]
    #[inline]
    pub fn case(&mut self) -> &Case<'a> {
        assert!(self.case.sudog.fate() == Fate::Waiting, "a receive with a result cannot be selected again");
        self.case.sudog.set_elem(self.slot.as_mut_ptr().cast());
        &self.case
    }

    /// What it received, if it was chosen; an error if the channel is closed and all its values have been received.
    #[inline]
    pub fn result(&mut self) -> Option<Result<T, RecvError>> {
        let fate = self.case.sudog.fate();
        self.case.sudog.set_fate(Fate::Waiting);
        match fate {
            Fate::Waiting => None,
            // SAFETY: a value was received into the slot, and is taken once: the fate says `Waiting` now.
            Fate::Done => Some(Ok(unsafe { self.slot.assume_init_read() })),
            Fate::Closed => Some(Err(RecvError)),
        }
    }
}

impl<T> Drop for RecvOp<'_, T> {
    fn drop(&mut self) {
        drop(self.result());
    }
}

/// A send that a [`Select`](super::Select) can choose. The value is dropped with it unless it was sent.
#[derive(Debug)]
pub struct SendOp<'a, T> {
    case: Case<'a>,
    /// Not to be used once the fate is `Done` or `taken` is set.
    value: ManuallyDrop<T>,
    taken: bool,
}

impl<'a, T> SendOp<'a, T> {
    /// A send of `value` to `target`.
    pub fn new(target: &'a (impl SendTo<Item = T> + ?Sized), value: T) -> Self
    where
        T: 'a,
    {
        let hchan = target.sender().map(Sender::hchan);
        Self { case: Case::new(hchan, Dir::Send), value: ManuallyDrop::new(value), taken: false }
    }

    /// The case, for one select.
    ///
    /// # Panics
    ///
    /// If it was chosen before.
    #[doc(hidden)]
    #[inline]
    pub fn case(&mut self) -> &Case<'a> {
        assert!(!self.taken && self.case.sudog.fate() == Fate::Waiting, "a send can be chosen only once");
        self.case.sudog.set_elem((&raw mut self.value).cast());
        &self.case
    }

    /// How it went, if it was chosen; an error with the value if the channel is closed. Answers once.
    #[inline]
    pub fn result(&mut self) -> Option<Result<(), SendError<T>>> {
        match self.case.sudog.fate() {
            _ if self.taken => None,
            Fate::Waiting => None,
            Fate::Done => {
                self.taken = true;
                Some(Ok(()))
            }
            Fate::Closed => self.take().map(|value| Err(SendError(value))),
        }
    }

    /// The value, if it was not sent.
    #[must_use]
    pub fn into_value(mut self) -> Option<T> {
        self.take()
    }

    fn take(&mut self) -> Option<T> {
        let there = !self.taken && self.case.sudog.fate() != Fate::Done;
        self.taken = true;
        // SAFETY: it was neither sent nor taken, and `taken` is set now.
        there.then(|| unsafe { ManuallyDrop::take(&mut self.value) })
    }
}

impl<T> Drop for SendOp<'_, T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}
