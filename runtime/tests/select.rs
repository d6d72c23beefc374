//! What a user of `select!` relies on.
// The macro expands to safe code; only the crew builds a runtime.
#![deny(unsafe_code)]

mod crew;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use crew::{Crew, Task, count};
use sigurg::chan::{Receiver, RecvError, SendError, Sender};
use sigurg::select::{RecvOp, Select, SendOp};
use sigurg::{chan, select};

const SHORT: Duration = Duration::from_millis(5);

with_every_crew![
    every_ready_arm_is_chosen_equally_often,
    every_waiting_arm_is_served,
    selects_on_both_ends_lose_nothing,
    selects_that_lock_in_opposite_orders_do_not_deadlock,
    selects_with_a_time_limit_lose_nothing,
    a_close_ends_every_select,
    a_select_waits_for_several_kinds_of_partners,
    a_random_choice_at_run_time_loses_nothing,
];

/// With `n` choices among `k` arms each is chosen n/k times, give or take 8 standard deviations: a false alarm once in
/// 10^14 runs.
fn assert_even(chosen: &[usize]) {
    let n: usize = chosen.iter().sum();
    let p = 1.0 / chosen.len() as f64;
    let mean = n as f64 * p;
    let slack = 8.0 * (n as f64 * p * (1.0 - p)).sqrt();
    for (arm, &times) in chosen.iter().enumerate() {
        assert!(
            (times as f64 - mean).abs() <= slack,
            "arm {arm} was chosen {times} times of {n}: {chosen:?}"
        );
    }
}

fn every_ready_arm_is_chosen_equally_often(_: Crew) {
    let n = count(20_000, 400);
    let (a, b) = (chan(n), chan(n));
    let (c, d) = (chan(n), chan(1));
    (0..n).for_each(|i| (a.0.send(i).unwrap(), b.0.send(i).unwrap()).1);
    d.0.close();
    let mut chosen = [0; 4];
    for i in 0..n {
        let arm = select! {
            recv(a.1) -> _ => 0,
            recv(&b.1) -> _ => 1,
            send(c.0, i) -> sent => { sent.unwrap(); 2 }
            recv(d.1) -> closed => { assert_eq!(closed, Err::<usize, _>(RecvError)); 3 }
            default => panic!("four arms are ready"),
        };
        chosen[arm] += 1;
    }
    assert_even(&chosen);
    assert_eq!(
        chosen[..3],
        [n - a.1.len(), n - b.1.len(), c.1.len()],
        "only the chosen operations took place"
    );
}

fn every_waiting_arm_is_served(crew: Crew) {
    let n = count(2_000, 20);
    let (a, b, done) = (chan(0), chan(0), chan(0));
    let senders: Vec<_> = [a.0, b.0]
        .into_iter()
        .map(|tx| {
            let done = done.0.clone();
            crew.spawn(move || {
                (0..n).for_each(|i| tx.send(i).unwrap());
                done.send(()).unwrap();
            })
        })
        .collect();
    drop(done.0);
    let mut next = [0; 2];
    // A closed channel is always ready: it takes no more part.
    let (mut a, mut b, mut done) = (Some(a.1), Some(b.1), Some(done.1));
    while a.is_some() || b.is_some() || done.is_some() {
        select! {
            recv(a) -> v => match v {
                Ok(v) => { assert_eq!(v, next[0]); next[0] += 1 }
                Err(RecvError) => a = None,
            },
            recv(b) -> v => match v {
                Ok(v) => { assert_eq!(v, next[1]); next[1] += 1 }
                Err(RecvError) => b = None,
            },
            recv(done) -> v => if v.is_err() { done = None },
        }
    }
    assert_eq!(next, [n; 2]);
    senders.into_iter().for_each(Task::join);
}

/// Each part sends its own values and receives others', in one select, over one channel for all.
fn selects_on_both_ends_lose_nothing(crew: Crew) {
    let each = count(3_000, 20) as u64;
    const PARTS: u64 = 4;
    for capacity in [0, 1, 3] {
        let (tx, rx) = chan::<u64>(capacity);
        let received = Arc::new(AtomicUsize::new(0));
        let parts: Vec<_> = (0..PARTS)
            .map(|_| {
                let (tx, rx, received) = (tx.clone(), rx.clone(), Arc::clone(&received));
                crew.spawn(move || {
                    let (mut next, mut sum) = (1, 0);
                    loop {
                        let tx = (next <= each).then_some(&tx);
                        select! {
                            send(tx, next) -> sent => { sent.unwrap(); next += 1 }
                            recv(rx) -> got => match got {
                                Err(RecvError) => return sum,
                                Ok(v) => {
                                    sum += v;
                                    if received.fetch_add(1, SeqCst) + 1 == (PARTS * each) as usize {
                                        assert!(rx.close());
                                    }
                                }
                            }
                        }
                    }
                })
            })
            .collect();
        let sum: u64 = parts.into_iter().map(Task::join).sum();
        assert_eq!(sum, PARTS * each * (each + 1) / 2, "capacity {capacity}");
    }
}

fn selects_that_lock_in_opposite_orders_do_not_deadlock(crew: Crew) {
    let n = count(5_000, 20);
    let (a, b) = (chan(1), chan(1));
    let forth = crew.spawn({
        let (a, b) = (a.0.clone(), b.0.clone());
        move || (0..n).for_each(|i| select! { send(a, i) -> r => r.unwrap(), send(b, i) -> r => r.unwrap() })
    });
    let back = crew.spawn({
        let (a, b) = (a.0.clone(), b.0.clone());
        move || {
            (n..2 * n).for_each(|i| select! { send(b, i) -> r => r.unwrap(), send(a, i) -> r => r.unwrap() })
        }
    });
    let mut got: Vec<_> = (0..2 * n)
        .map(|_| select! { recv(b.1) -> v => v.ok(), recv(a.1) -> v => v.ok() })
        .collect::<Option<_>>()
        .expect("both senders send everything");
    forth.join();
    back.join();
    got.sort_unstable();
    assert_eq!(got, (0..2 * n).collect::<Vec<_>>());
}

fn selects_with_a_time_limit_lose_nothing(crew: Crew) {
    let n = count(1_000, 15);
    let (a, b) = (chan(0), chan(0));
    let sender = crew.spawn({
        let (a, b) = (a.0, b.0);
        move || {
            for i in 0..n {
                let sent = (0..60).cycle().any(|limit| {
                    select! {
                        send(a, i) -> r => { r.unwrap(); true }
                        send(b, i) -> r => { r.unwrap(); true }
                        timeout(Duration::from_micros(limit)) => false,
                    }
                });
                assert!(sent);
            }
        }
    });
    for i in 0..n {
        let got = (0..40).cycle().find_map(|limit| {
            select! {
                recv(b.1) -> v => Some(v),
                recv(a.1) -> v => Some(v),
                deadline(Instant::now() + Duration::from_micros(limit)) => None,
            }
        });
        assert_eq!(got, Some(Ok(i)));
    }
    sender.join();
}

fn a_close_ends_every_select(crew: Crew) {
    for round in 0..count(100, 4) {
        let (data, stop) = (chan::<u8>(0), chan::<()>(0));
        let parts: Vec<_> = (0..4)
            .map(|i| {
                let (data, stop) = (data.clone(), stop.1.clone());
                crew.spawn(move || {
                    if i % 2 == 0 {
                        select! { recv(data.1) -> v => v.is_err(), recv(stop) -> v => v.is_err() }
                    } else {
                        select! { send(data.0, 1) -> v => v == Err(SendError(1)), recv(stop) -> v => v.is_err() }
                    }
                })
            })
            .collect();
        // In one half of the rounds nobody meets anybody but the close; in the other those who send and those who
        // receive may meet first.
        drop(stop.0);
        let ended = parts.into_iter().map(Task::join).filter(|&by_close| by_close).count();
        assert!(ended % 2 == 0, "round {round}: whoever was not ended by the close met another");
    }
}

fn a_select_waits_for_several_kinds_of_partners(crew: Crew) {
    let n = count(2_000, 15);
    let (plain, buffered) = (chan(0), chan(2));
    // Counterparts that select, and counterparts that do not.
    let sender = crew.spawn(move || (0..n).for_each(|i| plain.0.send(i).unwrap()));
    let (tx, rx) = buffered;
    let receiver = crew.spawn(move || rx.iter().map(|v: usize| v).sum::<usize>());
    let (mut got, mut sent) = (0, 0);
    while got < n || sent < n {
        select! {
            recv((got < n).then_some(&plain.1)) -> v => { assert_eq!(v, Ok(got)); got += 1 }
            send((sent < n).then_some(&tx), sent) -> v => { v.unwrap(); sent += 1 }
        }
    }
    drop(tx);
    sender.join();
    assert_eq!(receiver.join(), n * (n - 1) / 2);
}

fn a_random_choice_at_run_time_loses_nothing(crew: Crew) {
    let n = count(500, 5);
    let (txs, rxs): (Vec<_>, Vec<_>) = (0..10).map(|i| chan::<usize>(i % 3)).unzip();
    let sender = crew.spawn(move || {
        for i in 0..10 * n {
            let mut ops: Vec<_> = txs.iter().map(|tx| SendOp::new(tx, i)).collect();
            let mut select = Select::new();
            ops.iter_mut().for_each(|op| _ = select.send(op));
            let chosen = select.select();
            assert!(matches!(ops[chosen].result(), Some(Ok(()))));
        }
    });
    let mut got = Vec::new();
    let mut ops: Vec<_> = rxs.iter().map(RecvOp::new).collect();
    while got.len() < 10 * n {
        let mut select = Select::new();
        ops.iter_mut().for_each(|op| _ = select.recv(op));
        let chosen = select.select();
        got.extend(ops[chosen].result().unwrap().ok());
    }
    sender.join();
    got.sort_unstable();
    assert_eq!(got, (0..10 * n).collect::<Vec<_>>());
}

#[test]
fn no_arm_ready_means_default() {
    let (tx, rx) = chan::<u8>(0);
    let (full, _keep) = chan(1);
    full.send(1).unwrap();
    assert!(select! { recv(rx) -> _ => false, default => true });
    assert!(select! { send(tx, 1) -> _ => false, default => true });
    assert!(select! { send(full, 1) -> _ => false, recv(rx) -> _ => false, default => true });
    assert_eq!(select! { default => 7 }, 7);
    assert_eq!(full.len(), 1);
}

#[test]
fn a_time_limit_is_waited_for() {
    let (_tx, rx) = chan::<u8>(0);
    let start = Instant::now();
    assert!(select! { recv(rx) -> _ => false, timeout(SHORT) => true });
    assert!(start.elapsed() >= SHORT);
    let start = Instant::now();
    select! { timeout(SHORT) => {} }
    assert!(start.elapsed() >= SHORT);
    let deadline = Instant::now() + SHORT;
    assert!(select! { recv(rx) -> _ => false, deadline(deadline) => true });
    assert!(Instant::now() >= deadline);
}

#[test]
fn no_channel_is_never_ready() {
    let (tx, rx) = chan(1);
    tx.send(1).unwrap();
    let none: Option<&Receiver<u8>> = None;
    let nowhere: Option<Sender<u8>> = None;
    for _ in 0..100 {
        select! { recv(none) -> _ => panic!("no channel"), recv(&nowhere_recv()) -> _ => panic!("no channel"),
        send(nowhere, 1) -> _ => panic!("no channel"), default => {} }
    }
    assert_eq!(select! { recv(none) -> _ => None, recv(Some(&rx)) -> v => v.ok() }, Some(1));
    assert!(select! { recv(none) -> _ => false, timeout(Duration::from_micros(10)) => true });
}

fn nowhere_recv() -> Option<Receiver<u8>> {
    None
}

#[test]
fn arms_leave_through_the_code_around_them() {
    let (tx, rx) = chan(4);
    (0..4).for_each(|i| tx.send(i).unwrap());
    let mut odd = Vec::new();
    let first = 'outer: {
        loop {
            select! {
                recv(rx) -> v => {
                    let Ok(v) = v else { break 'outer 0 };
                    if v % 2 == 0 { continue }
                    odd.push(v);
                }
                default => break 'outer 1,
            }
        }
    };
    assert_eq!((first, odd), (1, vec![1, 3]));
    fn returns(rx: &Receiver<i32>) -> Result<i32, RecvError> {
        select! {
            recv(rx) -> v => return Ok(v? + 1),
            default => {}
        }
        Ok(0)
    }
    assert_eq!(returns(&rx), Ok(0));
    tx.send(1).unwrap();
    assert_eq!(returns(&rx), Ok(2));
    tx.close();
    assert_eq!(returns(&rx), Err(RecvError));
}

#[test]
fn everything_is_evaluated_once_and_in_order() {
    let order = Cell::new(0);
    let step = |expected: usize| assert_eq!(order.replace(expected + 1), expected);
    let (tx, rx) = chan::<u8>(0);
    select! {
        send({ step(0); &tx }, { step(1); 1 }) -> _ => unreachable!(),
        recv({ step(2); &rx }) -> _ => unreachable!(),
        timeout({ step(3); Duration::ZERO }) => step(4),
    }
    assert_eq!(order.get(), 5);
}

#[test]
fn what_is_not_sent_is_dropped_before_the_arm_runs() {
    let alive = Arc::new(());
    let (tx, rx) = chan(0);
    select! {
        send(tx, Arc::clone(&alive)) -> _ => unreachable!(),
        default => assert_eq!(Arc::strong_count(&alive), 1),
    }
    let (other, _keep) = chan(1);
    select! {
        send(tx, Arc::clone(&alive)) -> _ => unreachable!(),
        send(other, 1) -> sent => { sent.unwrap(); assert_eq!(Arc::strong_count(&alive), 1) }
    }
    // The channel itself may be given away in the arm: nothing borrows it any more.
    drop(rx);
    select! {
        send(tx, Arc::clone(&alive)) -> sent => {
            assert!(Arc::ptr_eq(&sent.unwrap_err().0, &alive));
            drop(tx);
        }
    }
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn many_arms_of_many_types_fit_in_one_select() {
    let (t1, r1) = chan::<String>(1);
    let (t2, r2) = chan::<[u64; 100]>(1);
    let (t3, r3) = chan::<()>(1);
    t2.send([9; 100]).unwrap();
    let got = select! {
        recv(r1) -> s => s.unwrap().len(),
        recv(r2) -> a => a.unwrap().len(),
        recv(r3) -> _ => 0,
        recv(r1) -> _ => 1, recv(r2) -> a => a.unwrap().len(), recv(r3) -> _ => 2,
        recv(r1) -> _ => 3, recv(r2) -> a => a.unwrap().len(), recv(r3) -> _ => 4,
        recv(r1) -> _ => 5, recv(r2) -> a => a.unwrap().len(), recv(r3) -> _ => 6,
        recv(r1) -> _ => 7, recv(r2) -> a => a.unwrap().len(), recv(r3) -> _ => 8,
        recv(r1) -> _ => 9, recv(r2) -> a => a.unwrap().len(),
    };
    assert_eq!(got, 100);
    drop((t1, t3));
}

#[test]
#[should_panic(expected = "cannot be selected again")]
fn a_result_must_be_taken_before_the_next_choice() {
    let (tx, rx) = chan(2);
    tx.send(1).unwrap();
    let mut op = RecvOp::new(&rx);
    for _ in 0..2 {
        let mut select = Select::new();
        select.recv(&mut op);
        let _ = select.try_select();
    }
}
