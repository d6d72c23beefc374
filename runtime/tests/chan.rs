//! What a user of channels relies on.

mod crew;

use std::collections::VecDeque;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use crew::{Crew, Task, count};
use proptest::prelude::*;
use sigurg::chan;
use sigurg::chan::{RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError};

/// Longer than any test takes: an operation with this limit must end for another reason.
const NEVER: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(5);

with_every_crew![
    values_of_one_sender_arrive_in_order,
    every_value_arrives_exactly_once,
    a_buffer_never_holds_more_than_its_capacity,
    a_send_without_buffer_returns_only_after_a_receive_began,
    a_send_to_a_full_buffer_returns_only_after_a_receive_began,
    a_close_ends_every_wait,
    senders_left_alone_get_their_values_back,
    receivers_left_alone_get_what_is_left_and_then_an_error,
    requests_carry_their_reply_channels,
    operations_with_a_time_limit_lose_nothing,
    goes_back_and_forth,
    every_value_is_dropped_once_in_a_storm,
];

fn join_all<T: Send>(tasks: Vec<Task<T>>) -> Vec<T> {
    tasks.into_iter().map(Task::join).collect()
}

fn values_of_one_sender_arrive_in_order(crew: Crew) {
    let each = count(2_000, 20);
    for capacity in [0, 1, 7] {
        let (tx, rx) = chan(capacity);
        let senders: Vec<_> = (0..3)
            .map(|id| {
                let tx = tx.clone();
                crew.spawn(move || (0..each).for_each(|i| tx.send((id, i)).unwrap()))
            })
            .collect();
        drop(tx);
        let mut next = [0; 3];
        for (id, i) in &rx {
            assert_eq!(i, next[id], "sender {id}, capacity {capacity}");
            next[id] += 1;
        }
        assert_eq!(next, [each; 3], "capacity {capacity}");
        join_all(senders);
    }
}

fn every_value_arrives_exactly_once(crew: Crew) {
    let each = count(5_000, 15);
    for capacity in [0, 1, 64] {
        let (tx, rx) = chan(capacity);
        let senders: Vec<_> = (0..4)
            .map(|id| {
                let tx = tx.clone();
                crew.spawn(move || (0..each).for_each(|i| tx.send(id * each + i).unwrap()))
            })
            .collect();
        drop(tx);
        let receivers: Vec<_> = (0..4)
            .map(|_| {
                let rx = rx.clone();
                crew.spawn(move || rx.into_iter().collect::<Vec<_>>())
            })
            .collect();
        join_all(senders);
        let mut got: Vec<_> = join_all(receivers).concat();
        got.sort_unstable();
        assert_eq!(got, (0..4 * each).collect::<Vec<_>>(), "capacity {capacity}");
    }
}

fn a_buffer_never_holds_more_than_its_capacity(crew: Crew) {
    let each = count(5_000, 20);
    const CAPACITY: usize = 3;
    let (tx, rx) = chan(CAPACITY);
    let senders: Vec<_> = (0..2)
        .map(|_| {
            let tx = tx.clone();
            crew.spawn(move || {
                (0..each).for_each(|i| {
                    tx.send(i).unwrap();
                    assert!(tx.len() <= CAPACITY, "{} values in a buffer of {CAPACITY}", tx.len());
                });
            })
        })
        .collect();
    drop(tx);
    let received = rx.iter().inspect(|_| assert!(rx.len() <= CAPACITY)).count();
    assert_eq!(received, 2 * each);
    join_all(senders);
}

fn a_send_without_buffer_returns_only_after_a_receive_began(crew: Crew) {
    let (tx, rx) = chan(0);
    let begun = Arc::new(AtomicUsize::new(0));
    let rounds = count(2_000, 30);
    let sender = crew.spawn({
        let begun = Arc::clone(&begun);
        move || {
            for i in 0..rounds {
                tx.send(i).unwrap();
                assert!(begun.load(SeqCst) > i, "send {i} returned before its receive began");
            }
        }
    });
    for i in 0..rounds {
        begun.store(i + 1, SeqCst);
        assert_eq!(rx.recv(), Ok(i));
    }
    sender.join();
}

fn a_send_to_a_full_buffer_returns_only_after_a_receive_began(crew: Crew) {
    const CAPACITY: usize = 4;
    let (tx, rx) = chan(CAPACITY);
    let begun = Arc::new(AtomicUsize::new(0));
    let rounds = count(2_000, 30);
    let sender = crew.spawn({
        let begun = Arc::clone(&begun);
        move || {
            for i in 0..rounds {
                tx.send(i).unwrap();
                let begun = begun.load(SeqCst);
                assert!(begun + CAPACITY > i, "send {i} returned when {begun} receives had begun");
            }
        }
    });
    for i in 0..rounds {
        begun.store(i + 1, SeqCst);
        assert_eq!(rx.recv(), Ok(i));
    }
    sender.join();
}

fn a_close_ends_every_wait(crew: Crew) {
    for round in 0..count(100, 5) {
        let (tx, rx) = chan::<usize>(0);
        let receivers: Vec<_> = (0..4)
            .map(|_| {
                let rx = rx.clone();
                crew.spawn(move || rx.recv())
            })
            .collect();
        let (tx2, rx2) = chan::<usize>(0);
        let senders: Vec<_> = (0..4)
            .map(|i| {
                let tx = tx2.clone();
                crew.spawn(move || tx.send(i))
            })
            .collect();
        // From either side; only the first call closes.
        let first = if round % 2 == 0 { tx.close() } else { rx.close() };
        assert!(first && !tx.close() && !rx.close() && tx.is_closed() && rx.is_closed());
        assert!(rx2.close());
        assert_eq!(join_all(receivers), vec![Err(RecvError); 4], "round {round}");
        assert_eq!(join_all(senders), (0..4).map(|i| Err(SendError(i))).collect::<Vec<_>>());
    }
}

fn senders_left_alone_get_their_values_back(crew: Crew) {
    for _ in 0..count(100, 5) {
        let (tx, rx) = chan(1);
        tx.send(String::from("in the buffer")).unwrap();
        let sender = crew.spawn({
            let tx = tx.clone();
            move || tx.send(String::from("waits"))
        });
        drop(rx);
        assert_eq!(sender.join(), Err(SendError(String::from("waits"))));
        assert_eq!(tx.try_send(String::from("late")), Err(TrySendError::Closed(String::from("late"))));
        let limited = tx.send_timeout(String::from("late"), NEVER);
        assert_eq!(limited, Err(SendTimeoutError::Closed(String::from("late"))));
        assert!(tx.is_empty(), "what nobody can receive is dropped");
    }
}

fn receivers_left_alone_get_what_is_left_and_then_an_error(crew: Crew) {
    let (tx, rx) = chan(8);
    let sender = crew.spawn(move || (0..5).for_each(|i| tx.send(i).unwrap()));
    sender.join();
    assert!(rx.is_closed());
    assert_eq!(rx.iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(rx.recv(), Err(RecvError));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(rx.recv_timeout(NEVER), Err(RecvTimeoutError::Closed));
    assert_eq!(rx.recv_deadline(Instant::now() + NEVER), Err(RecvTimeoutError::Closed));
}

fn requests_carry_their_reply_channels(crew: Crew) {
    let (requests, server) = chan::<(u64, chan::Sender<u64>)>(2);
    let server = crew.spawn(move || server.into_iter().for_each(|(x, reply)| reply.send(x * x).unwrap()));
    let clients: Vec<_> = (0..4)
        .map(|id| {
            let requests = requests.clone();
            crew.spawn(move || {
                for x in 0..count(500, 10) as u64 {
                    let (tx, rx) = chan(id % 2);
                    requests.send((x, tx)).unwrap();
                    assert_eq!(rx.recv(), Ok(x * x));
                    assert_eq!(rx.recv(), Err(RecvError), "the server dropped its sender");
                }
            })
        })
        .collect();
    drop(requests);
    join_all(clients);
    server.join();
}

fn operations_with_a_time_limit_lose_nothing(crew: Crew) {
    for capacity in [0, 2] {
        let (tx, rx) = chan(capacity);
        let rounds = count(1_000, 20);
        let senders: Vec<_> = (0..2)
            .map(|id| {
                let tx = tx.clone();
                crew.spawn(move || {
                    for i in 0..rounds {
                        // Limits of different length, so that they run out at every stage of a hand-over.
                        let mut value = id * rounds + i;
                        for limit in (0..50).cycle() {
                            match tx.send_timeout(value, Duration::from_micros(limit)) {
                                Ok(()) => break,
                                Err(failed) => value = failed.into_inner(),
                            }
                        }
                    }
                })
            })
            .collect();
        drop(tx);
        let receivers: Vec<_> = (0..2)
            .map(|_| {
                let rx = rx.clone();
                crew.spawn(move || {
                    let mut got = Vec::new();
                    for limit in (0..70).cycle() {
                        match rx.recv_timeout(Duration::from_micros(limit)) {
                            Ok(value) => got.push(value),
                            Err(RecvTimeoutError::Timeout) => {}
                            Err(RecvTimeoutError::Closed) => break,
                        }
                    }
                    got
                })
            })
            .collect();
        join_all(senders);
        let mut got = join_all(receivers).concat();
        got.sort_unstable();
        assert_eq!(got, (0..2 * rounds).collect::<Vec<_>>(), "capacity {capacity}");
    }
}

fn goes_back_and_forth(crew: Crew) {
    for capacity in [0, 1] {
        let ((ping, pinged), (pong, ponged)) = (chan(capacity), chan(capacity));
        let echo = crew.spawn(move || pinged.into_iter().for_each(|i: usize| pong.send(i).unwrap()));
        for i in 0..count(10_000, 50) {
            ping.send(i).unwrap();
            assert_eq!(ponged.recv(), Ok(i));
        }
        drop(ping);
        echo.join();
    }
}

/// Counts the values that exist; a value dropped twice, or never, shows as a wrong count.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, SeqCst);
        Self(Arc::clone(alive))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        assert_ne!(self.0.fetch_sub(1, SeqCst), 0, "dropped more often than made");
    }
}

fn every_value_is_dropped_once_in_a_storm(crew: Crew) {
    let alive = Arc::new(AtomicUsize::new(0));
    for round in 0..count(200, 5) {
        let (tx, rx) = chan(round % 3);
        let senders: Vec<_> = (0..3)
            .map(|_| {
                let (tx, alive) = (tx.clone(), Arc::clone(&alive));
                crew.spawn(move || {
                    loop {
                        let limited = tx.send_timeout(Counted::new(&alive), Duration::from_micros(20));
                        if matches!(limited, Err(SendTimeoutError::Closed(_)))
                            || matches!(tx.try_send(Counted::new(&alive)), Err(TrySendError::Closed(_)))
                            || tx.send(Counted::new(&alive)).is_err()
                        {
                            break;
                        }
                    }
                })
            })
            .collect();
        rx.iter().take(10).for_each(drop);
        drop(rx);
        join_all(senders);
        assert_eq!(alive.load(SeqCst), 0, "round {round}");
    }
}

#[test]
fn a_value_is_dropped_once_wherever_it_ends() {
    let alive = &Arc::new(AtomicUsize::new(0));
    let check = |what: &str, expected: usize| assert_eq!(alive.load(SeqCst), expected, "{what}");
    let (tx, rx) = chan(1);
    tx.send(Counted::new(alive)).unwrap();
    check("in the buffer", 1);
    let full = tx.try_send(Counted::new(alive));
    check("given back by try_send", 2);
    drop(full);
    check("dropped by the sender", 1);
    drop(tx.send_timeout(Counted::new(alive), SHORT));
    check("given back when the time was up", 1);
    drop(rx.recv());
    check("received", 0);
    tx.send(Counted::new(alive)).unwrap();
    assert!(tx.close());
    drop(tx.send(Counted::new(alive)));
    check("closed with one in the buffer", 1);
    drop(tx);
    check("still to be received", 1);
    drop(rx);
    check("both sides gone", 0);
    let (tx, rx) = chan(3);
    tx.send(Counted::new(alive)).unwrap();
    drop(rx.recv());
    (0..3).for_each(|_| tx.send(Counted::new(alive)).unwrap());
    check("a buffer that wraps around", 3);
    drop(rx);
    check("no receiver", 0);
    drop(tx);
    check("nobody", 0);
}

#[test]
fn a_panic_in_a_drop_leaves_no_value_behind() {
    struct Panics(#[expect(dead_code, reason = "dropped with it")] Counted, bool);
    impl Drop for Panics {
        fn drop(&mut self) {
            assert!(!self.1, "as asked");
        }
    }
    let alive = Arc::new(AtomicUsize::new(0));
    let (tx, rx) = chan(4);
    for i in 0..4 {
        tx.send(Panics(Counted::new(&alive), i == 1)).unwrap();
    }
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(rx)));
    assert!(dropped.is_err(), "the panic arrives");
    assert_eq!(alive.load(SeqCst), 0);
    assert!(tx.is_closed());
}

#[test]
fn a_time_limit_is_waited_for() {
    let (tx, rx) = chan(1);
    let start = Instant::now();
    assert_eq!(rx.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
    assert!(start.elapsed() >= SHORT);
    let deadline = Instant::now() + SHORT;
    assert_eq!(rx.recv_deadline(deadline), Err(RecvTimeoutError::Timeout));
    assert!(Instant::now() >= deadline);
    tx.send(1).unwrap();
    let start = Instant::now();
    assert_eq!(tx.send_timeout(2, SHORT), Err(SendTimeoutError::Timeout(2)));
    assert!(start.elapsed() >= SHORT);
    let deadline = Instant::now() + SHORT;
    assert_eq!(tx.send_deadline(2, deadline), Err(SendTimeoutError::Timeout(2)));
    assert!(Instant::now() >= deadline);
    assert_eq!(rx.recv_timeout(Duration::MAX), Ok(1), "a limit beyond the clock is none");
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty), "what was given back does not arrive");
    assert_eq!(rx.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
}

/// Sends and receives values of an unusual type; `make(i)` must differ from `make(i + 1)` if it can.
fn moves_intact<T: Send + PartialEq + Debug + 'static>(make: fn(u8) -> T) {
    for capacity in [0, 2] {
        let (tx, rx) = chan(capacity);
        let sender = Crew::Threads.spawn(move || (0..100).for_each(|i| tx.send(make(i)).unwrap()));
        let got: Vec<_> = rx.iter().collect();
        assert_eq!(got, (0..100).map(make).collect::<Vec<_>>());
        sender.join();
    }
}

#[test]
fn values_of_any_size_and_alignment_arrive_intact() {
    #[repr(align(512))]
    #[derive(Debug, PartialEq)]
    struct Aligned(u8);
    #[derive(Debug, PartialEq)]
    struct Nothing;
    moves_intact(|_| Nothing);
    moves_intact(Aligned);
    moves_intact(|i| [i; 5000]);
    moves_intact(|i| vec![i; 3]);
    moves_intact(|i| (i, u64::from(i), Some(Box::new(i))));
}

#[test]
fn a_buffer_of_nothing_still_has_a_capacity() {
    let (tx, rx) = chan(3);
    (0..3).for_each(|_| tx.send(()).unwrap());
    assert_eq!(tx.try_send(()), Err(TrySendError::Full(())));
    assert_eq!(rx.try_iter().count(), 3);
}

#[test]
fn the_rest_of_the_interface_answers() {
    let (tx, rx) = chan::<u8>(2);
    let (other, _rx) = chan::<u8>(2);
    assert!(tx.same_channel(&tx.clone()) && !tx.same_channel(&other));
    assert!(rx.same_channel(&rx.clone()) && !rx.same_channel(&_rx));
    assert!(tx.is_empty() && rx.is_empty() && !tx.is_full());
    tx.send(1).unwrap();
    tx.send(2).unwrap();
    assert!(tx.is_full() && rx.is_full() && rx.len() == 2 && rx.capacity() == 2);
    assert_eq!(format!("{tx:?}"), "Sender { len: 2, capacity: 2, closed: false }");
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 2]);
    let (zero, _rx) = chan::<u8>(0);
    assert!(zero.is_empty() && zero.is_full());
    struct NotDebug;
    let error = SendError(NotDebug);
    assert_eq!(format!("{error:?}: {error}"), "SendError(..): send on a closed channel");
    let error: Box<dyn std::error::Error> = Box::new(TrySendError::Full(1));
    assert_eq!(error.to_string(), "send on a full channel");
}

#[test]
#[should_panic(expected = "larger than the address space")]
fn an_impossible_capacity_is_refused() {
    let _ = chan::<u64>(usize::MAX);
}

#[derive(Clone, Copy, Debug)]
enum Op {
    TrySend(u8),
    TryRecv,
    SendNow(u8),
    RecvNow,
    Close,
    CloneAndDrop,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => any::<u8>().prop_map(Op::TrySend),
        4 => Just(Op::TryRecv),
        2 => any::<u8>().prop_map(Op::SendNow),
        2 => Just(Op::RecvNow),
        1 => Just(Op::CloneAndDrop),
        1 => Just(Op::Close),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: count(500, 10) as u32, failure_persistence: None, ..ProptestConfig::default()
    })]

    /// One thread sees a bounded queue. Waiting is tried with a limit of zero.
    #[test]
    fn behaves_as_a_bounded_queue(capacity in 0usize..5, ops in prop::collection::vec(op(), 0..60)) {
        let (tx, rx) = chan::<u8>(capacity);
        let mut queue = VecDeque::new();
        let mut closed = false;
        for op in ops {
            match op {
                Op::TrySend(v) | Op::SendNow(v) => {
                    let expected = if closed {
                        Err(TrySendError::Closed(v))
                    } else if queue.len() == capacity {
                        Err(TrySendError::Full(v))
                    } else {
                        queue.push_back(v);
                        Ok(())
                    };
                    let got = if matches!(op, Op::TrySend(_)) { tx.try_send(v) } else {
                        tx.send_timeout(v, Duration::ZERO).map_err(|e| match e {
                            SendTimeoutError::Timeout(v) => TrySendError::Full(v),
                            SendTimeoutError::Closed(v) => TrySendError::Closed(v),
                        })
                    };
                    prop_assert_eq!(got, expected);
                }
                Op::TryRecv | Op::RecvNow => {
                    let empty = if closed { TryRecvError::Closed } else { TryRecvError::Empty };
                    let got = if matches!(op, Op::TryRecv) { rx.try_recv() } else {
                        rx.recv_timeout(Duration::ZERO).map_err(|e| match e {
                            RecvTimeoutError::Timeout => TryRecvError::Empty,
                            RecvTimeoutError::Closed => TryRecvError::Closed,
                        })
                    };
                    prop_assert_eq!(got, queue.pop_front().ok_or(empty));
                }
                Op::Close => {
                    prop_assert_eq!(tx.close(), !closed);
                    closed = true;
                }
                Op::CloneAndDrop => drop((tx.clone(), rx.clone())),
            }
            prop_assert_eq!((rx.len(), tx.is_closed()), (queue.len(), closed));
        }
        drop(tx);
        prop_assert_eq!(rx.iter().collect::<Vec<_>>(), Vec::from(queue));
    }
}
