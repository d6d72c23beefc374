//! What only the inside shows: that no node of a select stays on a queue.

use std::thread;
use std::time::Duration;

use super::{RecvOp, Select, SendOp};
use crate::chan::{Sender, chan};
use crate::select;

fn wait_for_waiters<T>(tx: &Sender<T>, n: usize) {
    while tx.hchan().waiters() != n {
        thread::yield_now();
    }
}

#[test]
fn a_select_that_was_woken_is_on_no_queue() {
    for (chosen, capacity) in [(0, 0), (1, 0), (2, 0), (0, 2), (2, 1)] {
        let channels: Vec<_> = (0..3).map(|_| chan(capacity)).collect();
        let receivers: Vec<_> = channels.iter().map(|(_, rx)| rx.clone()).collect();
        let waiter = thread::spawn(move || {
            select! {
                recv(receivers[0]) -> v => (0, v),
                recv(receivers[1]) -> v => (1, v),
                recv(receivers[2]) -> v => (2, v),
                recv(receivers[0]) -> v => (0, v),
            }
        });
        for (i, (tx, _)) in channels.iter().enumerate() {
            wait_for_waiters(tx, if i == 0 { 2 } else { 1 });
        }
        channels[chosen].0.try_send(7).unwrap();
        assert_eq!(waiter.join().unwrap(), (chosen, Ok(7)));
        assert!(channels.iter().all(|(tx, _)| tx.hchan().waiters() == 0));
    }
}

#[test]
fn a_select_that_timed_out_is_on_no_queue() {
    let (tx, rx) = chan::<u8>(0);
    let (full, _keep) = chan(1);
    full.send(0).unwrap();
    select! {
        recv(rx) -> _ => panic!("nobody sends"),
        send(tx, 1) -> _ => panic!("nobody receives"),
        send(full, 2) -> _ => panic!("there is no room"),
        timeout(Duration::from_micros(100)) => {}
    }
    assert_eq!((tx.hchan().waiters(), full.hchan().waiters()), (0, 0));
}

#[test]
fn both_ends_of_one_channel_can_wait_in_one_select() {
    for sends in [false, true] {
        let (tx, rx) = chan(0);
        let (tx2, rx2) = (tx.clone(), rx.clone());
        let waiter = thread::spawn(move || {
            select! {
                recv(rx2) -> v => v.unwrap(),
                send(tx2, 5) -> sent => { sent.unwrap(); 6 }
            }
        });
        wait_for_waiters(&tx, 2);
        if sends {
            assert_eq!(rx.try_recv(), Ok(5));
            assert_eq!(waiter.join().unwrap(), 6);
        } else {
            tx.try_send(4).unwrap();
            assert_eq!(waiter.join().unwrap(), 4);
        }
        assert_eq!(tx.hchan().waiters(), 0);
    }
}

#[test]
fn a_close_wakes_a_select_once() {
    let (tx, rx) = chan::<u8>(0);
    let (tx2, rx2) = chan::<u8>(0);
    let receivers = [rx.clone(), rx2.clone()];
    let waiter = thread::spawn(move || {
        let mut ops: Vec<_> = receivers.iter().map(RecvOp::new).collect();
        let mut select = Select::new();
        ops.iter_mut().for_each(|op| _ = select.recv(op));
        let chosen = select.select();
        (chosen, ops[chosen].result().unwrap().is_err(), ops[1 - chosen].result().is_none())
    });
    wait_for_waiters(&tx, 1);
    wait_for_waiters(&tx2, 1);
    assert!(rx2.close());
    assert_eq!(waiter.join().unwrap(), (1, true, true));
    assert_eq!((tx.hchan().waiters(), tx2.hchan().waiters()), (0, 0));
    drop((tx, rx));
}

#[test]
fn a_select_can_wait_for_thousands() {
    let n = if cfg!(miri) { 40 } else { 3_000 };
    let channels: Vec<_> = (0..n).map(|_| chan(0)).collect();
    let (last, _) = channels[n - 1].clone();
    let (first, _) = channels[0].clone();
    let receivers: Vec<_> = channels.iter().map(|(_, rx)| rx.clone()).collect();
    let waiter = thread::spawn(move || {
        let mut ops: Vec<_> = receivers.iter().map(RecvOp::new).collect();
        let mut select = Select::new();
        ops.iter_mut().for_each(|op| _ = select.recv(op));
        let chosen = select.select();
        (chosen, ops[chosen].result())
    });
    wait_for_waiters(&first, 1);
    wait_for_waiters(&last, 1);
    last.send("here").unwrap();
    assert_eq!(waiter.join().unwrap(), (n - 1, Some(Ok("here"))));
    assert!(channels.iter().all(|(tx, _)| tx.hchan().waiters() == 0));
}

#[test]
fn a_send_that_was_not_chosen_keeps_its_value() {
    let (tx, rx) = chan(0);
    let mut op = SendOp::new(&tx, String::from("mine"));
    let mut select = Select::new();
    assert_eq!(select.send(&mut op), 0);
    assert_eq!(select.try_select(), None);
    assert_eq!(op.result(), None);
    assert_eq!(op.into_value().as_deref(), Some("mine"));
    drop(rx);
}
