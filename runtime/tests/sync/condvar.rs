use std::collections::VecDeque;
use std::time::Duration;

use sigurg::sync::{Condvar, Mutex};

use crate::crew::{Crew, on_all_crews, rounds, task, until};

on_all_crews!(
    no_notification_is_lost,
    notify_one_wakes_exactly_one_in_order,
    notify_all_wakes_all_who_wait,
    a_time_limit_ends_a_wait_with_the_mutex_held,
);

/// A queue of three places between producers and consumers: one lost notification stops it for ever.
fn no_notification_is_lost(crew: Crew) {
    let (pairs, items) = (3, rounds(10_000));
    let queue = Mutex::new(VecDeque::new());
    let (not_full, not_empty) = (Condvar::new(), Condvar::new());
    let sum = Mutex::new(0);
    let mut tasks = Vec::new();
    for _ in 0..pairs {
        tasks.push(task(|| {
            for item in 0..items {
                let mut queue = not_full.wait_while(queue.lock(), |queue| queue.len() == 3);
                queue.push_back(item);
                drop(queue);
                not_empty.notify_one();
            }
        }));
        tasks.push(task(|| {
            for _ in 0..items {
                let mut queue = not_empty.wait_while(queue.lock(), |queue| queue.is_empty());
                let item = queue.pop_front().unwrap();
                // Under the mutex, for a change.
                not_full.notify_one();
                drop(queue);
                *sum.lock() += item;
            }
        }));
    }
    crew.run(tasks);
    assert_eq!(sum.into_inner(), pairs * items * (items - 1) / 2);
}

#[derive(Default)]
struct Log {
    waiting: Vec<usize>,
    notified: usize,
    woken: Vec<usize>,
}

fn notify_one_wakes_exactly_one_in_order(crew: Crew) {
    let waiters = 6;
    let (log, changed) = (Mutex::new(Log::default()), Condvar::new());
    let mut tasks = Vec::new();
    tasks.push(task(|| {
        until(|| log.lock().waiting.len() == waiters);
        for expected in 1..=waiters {
            log.lock().notified = expected;
            changed.notify_one();
            until(|| log.lock().woken.len() >= expected);
        }
    }));
    for w in 0..waiters {
        let (log, changed) = (&log, &changed);
        tasks.push(task(move || {
            let mut now = log.lock();
            now.waiting.push(w);
            now = changed.wait(now);
            now.woken.push(w);
            assert!(
                now.woken.len() <= now.notified,
                "{:?} woke after {} notifications",
                now.woken,
                now.notified
            );
        }));
    }
    crew.run(tasks);
    let log = log.into_inner();
    assert_eq!(log.waiting, log.woken, "who waits longest is woken first");
}

fn notify_all_wakes_all_who_wait(crew: Crew) {
    let (waiters, generations) = (5, rounds(300));
    let (state, changed, arrived) = (Mutex::new((0, 0)), Condvar::new(), Condvar::new());
    let mut tasks = vec![task(|| {
        for _ in 0..generations {
            let mut now = arrived.wait_while(state.lock(), |(_, waiting)| *waiting < waiters);
            *now = (now.0 + 1, 0);
            drop(now);
            changed.notify_all();
        }
    })];
    for _ in 0..waiters {
        tasks.push(task(|| {
            for generation in 0..generations {
                let mut now = state.lock();
                now.1 += 1;
                arrived.notify_one();
                drop(changed.wait_while(now, |(current, _)| *current == generation));
            }
        }));
    }
    crew.run(tasks);
    assert_eq!(state.into_inner(), (generations, 0));
}

fn a_time_limit_ends_a_wait_with_the_mutex_held(crew: Crew) {
    let (value, changed) = (Mutex::new(0), Condvar::new());
    let short = Duration::from_millis(1);
    crew.run(
        (0..3)
            .map(|_| {
                task(|| {
                    let (mut guard, result) = changed.wait_timeout(value.lock(), short);
                    assert!(result.timed_out(), "nobody notifies");
                    assert!(value.try_lock().is_none(), "the mutex must be held again");
                    *guard += 1;
                    let (guard, result) = changed.wait_timeout_while(guard, short, |_| true);
                    assert!(result.timed_out());
                    let (_guard, result) = changed.wait_timeout_while(guard, short, |_| false);
                    assert!(!result.timed_out(), "there is nothing to wait for");
                })
            })
            .collect(),
    );
    changed.notify_all();
    assert_eq!(value.into_inner(), 3);
}
