//! `chan/hchan.rs`, among plain threads: the looks without the lock, and handing over.
//!
//! Bounded where more than two calls of each side meet.

use super::{Datum, join};
use crate::chan::hchan::Dir;
use crate::chan::waitq::{Fate, Sudog};
use crate::chan::{TryRecvError, TrySendError, chan};
use crate::facade::loom::{Model, keep, spawn};
use crate::wait::Wait;
use crate::waitreason::WaitReason;

/// What is sent, and who may look at it.
type Parcel = &'static Sent;

struct Sent(Datum);
// SAFETY: loom reports whoever uses it when it may not.
unsafe impl Sync for Sent {}

fn parcel() -> Parcel {
    keep(Sent(Datum::new()))
}

pub(super) fn a_value_is_handed_from_hand_to_hand() {
    Model::exhaustive().check(|| {
        let (tx, rx) = chan::<Parcel>(0);
        let parcel = parcel();
        let sender = spawn(move || {
            parcel.0.set(1);
            assert!(tx.send(parcel).is_ok());
        });
        assert_eq!(rx.recv().map(|parcel| parcel.0.get()), Ok(1));
        join(sender);
    });
}

/// A close is seen only with everything that was sent before.
pub(super) fn who_finds_it_closed_has_received_everything() {
    Model::bounded(3).check(|| {
        let (tx, rx) = chan::<Parcel>(1);
        let parcel = parcel();
        let sender = spawn(move || {
            parcel.0.set(1);
            assert!(tx.try_send(parcel).is_ok());
            tx.close();
        });
        let mut received = 0;
        for _ in 0..2 {
            match rx.try_recv() {
                Ok(parcel) => received += parcel.0.get(),
                Err(TryRecvError::Closed) => assert_eq!(received, 1, "closed, with a value inside"),
                Err(TryRecvError::Empty) => {}
            }
        }
        join(sender);
    });
}

/// One slot: who is told that it is full, and then that it is empty, has seen it change.
pub(super) fn a_buffer_is_never_both_full_and_empty() {
    Model::bounded(3).check(|| {
        let (tx, rx) = chan::<u32>(1);
        let receiver = spawn(move || (rx.recv(), rx));
        assert!(tx.try_send(1).is_ok());
        match tx.try_send(2) {
            Ok(()) => {}
            Err(TrySendError::Full(2)) => assert!(tx.send(2).is_ok()),
            Err(error) => panic!("{error:?}"),
        }
        assert_eq!(join(receiver).0, Ok(1));
    });
}

pub(super) fn a_close_wakes_who_waits() {
    Model::exhaustive().check(|| {
        let (tx, rx) = chan::<u32>(0);
        let datum = keep(Sent(Datum::new()));
        let closer = spawn(move || {
            datum.0.set(1);
            tx.close();
        });
        assert!(rx.recv().is_err());
        assert_eq!(datum.0.get(), 1);
        join(closer);
    });
}

/// From full to closed, and only then empty.
pub(super) fn one_that_is_never_open_and_empty_is_not_found_so() {
    Model::exhaustive().check(|| {
        let (tx, rx) = chan::<u32>(1);
        assert!(tx.try_send(1).is_ok());
        let receiver = rx.clone();
        let closer = spawn(move || {
            tx.close();
            receiver.try_recv()
        });
        let looked = rx.try_recv();
        assert_ne!(looked, Err(TryRecvError::Empty));
        assert_ne!(looked.is_ok(), join(closer).is_ok(), "the value goes to one of them");
    });
}

pub(super) fn who_finds_it_closed_sees_what_came_before() {
    Model::exhaustive().check(|| {
        let (tx, rx) = chan::<u32>(0);
        let datum = keep(Sent(Datum::new()));
        let closer = spawn(move || {
            datum.0.set(1);
            tx.close();
        });
        if rx.is_closed() {
            assert_eq!(datum.0.get(), 1);
        }
        join(closer);
    });
}

/// Without a buffer: somebody waits to send until the close, so at no moment would a receiver have to wait.
pub(super) fn one_with_a_sender_until_the_close_is_never_found_unready() {
    Model::exhaustive().check(|| {
        let (tx, rx) = chan::<u32>(0);
        let mut value = 7u32;
        let (sg, wait) = (Sudog::new((&raw mut value).cast()), Wait::new());
        tx.hchan().lock();
        // SAFETY: the lock was just taken; the node stays until `block` has returned, and the close takes it off.
        unsafe {
            tx.hchan().enqueue(Dir::Send, &sg, &wait);
            tx.hchan().unlock();
        }
        let closer = spawn(move || tx.close());
        assert!(!rx.hchan().is_unready(Dir::Recv));
        wait.block(WaitReason::ChanSend, || ());
        assert_eq!(sg.fate(), Fate::Closed);
        assert!(join(closer));
    });
}

/// What drops the handles of a channel: two of one side, and that of the other.
type Drops = [Box<dyn FnOnce()>; 3];

/// Who frees the channel has seen the last of all handles, though only the last of each side takes the lock.
fn freed_after_all(drops: fn() -> Drops) {
    Model::bounded(2).check(move || {
        let [one, other, opposite] = drops();
        let threads = [spawn(one), spawn(other)];
        opposite();
        threads.into_iter().for_each(join);
    });
}

pub(super) fn it_is_freed_after_all_senders() {
    freed_after_all(|| {
        let (tx, rx) = chan::<u32>(0);
        let other = tx.clone();
        [Box::new(|| drop(tx)), Box::new(|| drop(other)), Box::new(|| drop(rx))]
    });
}

pub(super) fn it_is_freed_after_all_receivers() {
    freed_after_all(|| {
        let (tx, rx) = chan::<u32>(0);
        let other = rx.clone();
        [Box::new(|| drop(rx)), Box::new(|| drop(other)), Box::new(|| drop(tx))]
    });
}
