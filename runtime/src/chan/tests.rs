//! What only the inside shows: who waits on a channel, and that nobody is left there.

use std::thread;
use std::time::Duration;

use super::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, chan};

/// Waits until `n` threads wait on the channel.
fn wait_for_waiters<T>(tx: &Sender<T>, n: usize) {
    while tx.hchan().waiters() != n {
        thread::yield_now();
    }
}

#[test]
fn a_wait_that_timed_out_leaves_no_trace() {
    for capacity in [0, 1] {
        let (tx, rx) = chan(capacity);
        (0..capacity).for_each(|i| tx.send(i).unwrap());
        assert_eq!(tx.send_timeout(9, Duration::from_micros(50)), Err(SendTimeoutError::Timeout(9)));
        assert_eq!(tx.hchan().waiters(), 0);
        (0..capacity).for_each(|i| assert_eq!(rx.recv(), Ok(i)));
        assert_eq!(rx.recv_timeout(Duration::from_micros(50)), Err(RecvTimeoutError::Timeout));
        assert_eq!(tx.hchan().waiters(), 0);
    }
}

#[test]
fn those_who_wait_are_served_in_the_order_in_which_they_came() {
    let (tx, rx) = chan(0);
    let receivers: Vec<_> = (0..4)
        .map(|i| {
            let rx: Receiver<usize> = rx.clone();
            let receiver = thread::spawn(move || rx.recv().unwrap());
            wait_for_waiters(&tx, i + 1);
            receiver
        })
        .collect();
    // They wait already: the values go from hand to hand, and no send has to wait.
    (0..4).for_each(|i| tx.try_send(i).unwrap());
    assert_eq!(tx.hchan().waiters(), 0);
    let got: Vec<_> = receivers.into_iter().map(|receiver| receiver.join().unwrap()).collect();
    assert_eq!(got, [0, 1, 2, 3]);
}

#[test]
fn a_sender_that_waits_comes_after_what_is_in_the_buffer() {
    let (tx, rx) = chan(2);
    tx.send(0).unwrap();
    tx.send(1).unwrap();
    let senders: Vec<_> = (2..5)
        .map(|i| {
            let sender = tx.clone();
            let thread = thread::spawn(move || sender.send(i).unwrap());
            wait_for_waiters(&tx, i - 1);
            thread
        })
        .collect();
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    senders.into_iter().for_each(|sender| sender.join().unwrap());
}

#[test]
fn a_close_reaches_everybody_who_waits() {
    let (tx, rx) = chan::<u8>(0);
    let receivers: Vec<_> = (0..3)
        .map(|_| {
            let rx = rx.clone();
            thread::spawn(move || rx.recv().is_err())
        })
        .collect();
    wait_for_waiters(&tx, 3);
    assert!(rx.close());
    assert_eq!(tx.hchan().waiters(), 0);
    assert!(receivers.into_iter().all(|receiver| receiver.join().unwrap()));
    let (tx, rx) = chan(0);
    let senders: Vec<_> = (0..3)
        .map(|i| {
            let tx = tx.clone();
            thread::spawn(move || tx.send(i).unwrap_err().0 == i)
        })
        .collect();
    wait_for_waiters(&tx, 3);
    drop(rx);
    assert_eq!(tx.hchan().waiters(), 0);
    assert!(senders.into_iter().all(|sender| sender.join().unwrap()));
}
