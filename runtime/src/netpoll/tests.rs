//! Tests of what sockets cannot show: lists, slots, tokens, the poller itself, and what the kernel does not help with.

use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::list::{List, Node};
use super::slab::Slab;
use super::{Dir, Netpoll, PollDesc};
use crate::facade::atomic::AtomicBool;
use crate::facade::atomic::Ordering::Relaxed;

/// Far more than anything here takes, far less than for ever.
const STUCK: Duration = Duration::from_secs(10);

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 8 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_list_is_a_queue_from_which_anybody_may_step_out(steps in prop::collection::vec((0..3u8, 0..6usize), 0..40)) {
        let nodes: Vec<_> = (0..6).map(Node::new).collect();
        let (mut list, mut oracle) = (List::new(), VecDeque::new());
        for (step, i) in steps {
            match step {
                0 if !oracle.contains(&i) => {
                    // SAFETY: the nodes outlive the list's use of them.
                    unsafe { list.push(&nodes[i]) };
                    oracle.push_back(i);
                }
                1 => {
                    list.remove(&nodes[i]);
                    oracle.retain(|&other| other != i);
                }
                // SAFETY: the nodes are alive.
                2 => prop_assert_eq!(list.pop().map(|node| unsafe { *(*node).value() }), oracle.pop_front()),
                _ => {}
            }
            let mut values = Vec::new();
            list.for_each(|&value| values.push(value));
            prop_assert_eq!(&values, oracle.make_contiguous());
            prop_assert_eq!(list.is_empty(), oracle.is_empty());
        }
    }
}

#[test]
fn each_slot_is_found_by_its_token_across_chunks() {
    // A static: chunks are never freed.
    static SLAB: Slab = Slab::new();
    let slab = &SLAB;
    let slots: Vec<_> = (0..if cfg!(miri) { 200 } else { 5_000 }).map(|_| slab.alloc().unwrap()).collect();
    let tokens: HashMap<_, _> = slots.iter().map(|slot| (Slab::token(slot), *slot)).collect();
    assert_eq!(tokens.len(), slots.len(), "two slots have one token");
    for (token, slot) in tokens {
        assert!(std::ptr::eq(slab.get(token).unwrap(), slot), "token {token:#x}");
    }
    assert!(slab.get(u32::MAX as usize).is_none());
    assert!(slab.get(usize::MAX).is_none());
}

#[test]
fn a_token_of_an_earlier_use_names_nobody() {
    // A static: chunks are never freed.
    static SLAB: Slab = Slab::new();
    let slab = &SLAB;
    let slot = slab.alloc().unwrap();
    let old = Slab::token(slot);
    assert!(slot.event(Dir::Read).is_none());
    assert_eq!((slot.seq(Dir::Read), slot.seq(Dir::Write)), (1, 0));
    slab.free(slot);
    assert!(slab.get(old).is_none());
    let again = slab.alloc().unwrap();
    assert!(std::ptr::eq(slot, again), "the slot is used again");
    assert!(slab.get(old).is_none());
    assert!(slab.get(Slab::token(again)).is_some());
    assert_eq!((again.seq(Dir::Read), again.seq(Dir::Write)), (0, 0), "a new use has seen no event");
}

#[test]
fn threads_that_take_and_give_back_never_share_a_slot() {
    let (threads, rounds) = if cfg!(miri) { (2, 20) } else { (4, 2_000) };
    // A static: chunks are never freed.
    static SLAB: Slab = Slab::new();
    let slab = &SLAB;
    let used: Vec<_> = (0..1024).map(|_| AtomicBool::new(false)).collect();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut mine = VecDeque::new();
                for round in 0..rounds {
                    let slot = slab.alloc().unwrap();
                    // Relaxed: an atomic step is all that is asked for.
                    assert!(
                        !used[slot.index() as usize].swap(true, Relaxed),
                        "slot {} has two users",
                        slot.index()
                    );
                    mine.push_back(slot);
                    if mine.len() > round % 50 {
                        let slot = mine.pop_front().unwrap();
                        used[slot.index() as usize].store(false, Relaxed);
                        slab.free(slot);
                    }
                }
            });
        }
    });
}

fn netpoll() -> &'static Netpoll {
    Box::leak(Box::new(Netpoll::new().unwrap()))
}

fn timed(f: impl FnOnce()) -> Duration {
    let start = Instant::now();
    f();
    start.elapsed()
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no timerfd")]
fn events_reach_both_directions_and_none_after_the_end_of_the_registration() {
    let netpoll = netpoll();
    let (a, mut b) = UnixStream::pair().unwrap();
    let slot = netpoll.slab.alloc().unwrap();
    netpoll.open(a.as_fd(), slot).unwrap();
    netpoll.poll(0, |_| unreachable!("nobody waits"));
    assert_eq!((slot.seq(Dir::Read), slot.seq(Dir::Write)), (0, 1), "what is there at first is reported");
    netpoll.poll(0, |_| unreachable!("nobody waits"));
    assert_eq!((slot.seq(Dir::Read), slot.seq(Dir::Write)), (0, 1), "an edge is reported once");
    b.write_all(b"x").unwrap();
    netpoll.poll(-1, |_| unreachable!("nobody waits"));
    assert_eq!(slot.seq(Dir::Read), 1);

    // A duplicate keeps the kernel's end alive, so an event would still come if it were asked for.
    let _duplicate = a.try_clone().unwrap();
    netpoll.close(a.as_raw_fd(), slot);
    let again = netpoll.slab.alloc().unwrap();
    assert!(std::ptr::eq(slot, again));
    b.write_all(b"y").unwrap();
    netpoll.poll(0, |_| unreachable!("nobody waits"));
    assert_eq!((slot.seq(Dir::Read), slot.seq(Dir::Write)), (0, 0));
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no timerfd")]
fn an_event_that_is_still_in_the_kernel_when_its_slot_changes_hands_is_not_the_new_owners() {
    let netpoll = netpoll();
    let (a, mut b) = UnixStream::pair().unwrap();
    let slot = netpoll.slab.alloc().unwrap();
    netpoll.open(a.as_fd(), slot).unwrap();
    b.write_all(b"x").unwrap();
    // As if the registration had ended after the kernel handed the event out.
    netpoll.slab.free(slot);
    assert!(std::ptr::eq(slot, netpoll.slab.alloc().unwrap()));
    netpoll.poll(0, |_| unreachable!("nobody waits"));
    assert_eq!((slot.seq(Dir::Read), slot.seq(Dir::Write)), (0, 0));
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no timerfd")]
fn a_wake_is_kept_for_the_next_poll_that_may_block() {
    let netpoll = netpoll();
    netpoll.wake();
    netpoll.wake();
    // This one sees the event, but it was not meant for it.
    netpoll.poll(0, |_| unreachable!("nobody waits"));
    assert!(timed(|| netpoll.poll(-1, |_| unreachable!("nobody waits"))) < STUCK);
    // And not for the one after: it may see a stale event, but then only once.
    let delay = Duration::from_millis(5);
    netpoll.poll(1, |_| unreachable!("nobody waits"));
    assert!(timed(|| netpoll.poll(delay.as_nanos() as i64, |_| unreachable!("nobody waits"))) >= delay);
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no timerfd")]
fn every_wake_ends_a_poll_that_blocks() {
    let netpoll = netpoll();
    let rounds = 2_000;
    let (tx, rx) = mpsc::channel();
    let poller = thread::spawn(move || {
        for round in 0..rounds {
            netpoll.poll(-1, |_| unreachable!("nobody waits"));
            tx.send(round).unwrap();
        }
    });
    let mut ended = 0;
    while ended < rounds {
        netpoll.wake();
        // A wake-up that was lost would leave the poller asleep. One may end two polls: its event can come late.
        ended = rx.recv_timeout(STUCK).expect("the poller sleeps through a wake-up") + 1;
    }
    poller.join().unwrap();
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no timerfd")]
fn a_delay_is_kept_to_a_fraction_of_a_millisecond() {
    let netpoll = netpoll();
    for delay in [50_000, 300_000, 1_000_000, 1_500_000] {
        let delay = Duration::from_nanos(delay);
        // The best of many: a busy machine delays most, a delay that is rounded to milliseconds is late each time.
        let late = (0..1_000).map(|_| {
            let took = timed(|| netpoll.poll(delay.as_nanos() as i64, |_| unreachable!("nobody waits")));
            took.checked_sub(delay).unwrap_or_else(|| panic!("a poll of {delay:?} ended after {took:?}"))
        });
        assert!(
            late.into_iter().any(|late| late < Duration::from_micros(400)),
            "polls of {delay:?} are late"
        );
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no timerfd")]
fn a_second_poller_returns_at_once() {
    let netpoll = netpoll();
    let poller = thread::spawn(|| netpoll.poll(-1, |_| unreachable!("nobody waits")));
    while !netpoll.polling.load(Relaxed) {
        thread::yield_now();
    }
    assert!(timed(|| netpoll.poll(-1, |_| unreachable!("nobody waits"))) < STUCK);
    assert!(!poller.is_finished());
    netpoll.wake();
    poller.join().unwrap();
}

/// Of a socket that is closed the kernel tells everybody, too; here only the descriptor's own word can.
#[test]
#[cfg_attr(miri, ignore = "Miri has no timerfd")]
fn an_eviction_alone_wakes_who_waits_in_either_direction() {
    for dir in [Dir::Read, Dir::Write] {
        let (done, result) = mpsc::channel();
        thread::spawn(move || {
            // SAFETY: nothing of a thread_local! lives across a blocking call of the runtime here.
            let runtime = unsafe { crate::Builder::new().gomaxprocs(1).build() }.unwrap();
            runtime.run(|| {
                let (a, _b) = UnixStream::pair().unwrap();
                a.set_nonblocking(true).unwrap();
                while (&a).write(&[0; 4096]).is_ok() {}
                let pd = PollDesc::new();
                crate::scope(|scope| {
                    let waits = scope.go(|| {
                        loop {
                            // An edge of the other direction may have come with the registration.
                            match pd.wait(a.as_fd(), dir, pd.seen(dir), None) {
                                Ok(_) => {}
                                Err(e) => break e.kind(),
                            }
                        }
                    });
                    while !matches!(waits.status(), crate::GoStatus::Waiting(_)) {
                        crate::yield_now();
                    }
                    pd.evict();
                    done.send(waits.join().unwrap()).unwrap();
                });
            });
        });
        let kind = result.recv_timeout(STUCK).unwrap_or_else(|e| panic!("{dir:?} waits for ever: {e}"));
        assert_eq!(kind, std::io::ErrorKind::ConnectionAborted);
    }
}
