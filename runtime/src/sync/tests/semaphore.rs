//! [`Semaphore`] against an oracle: a number and a queue.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Duration;

use proptest::prelude::*;

use crate::sync::Semaphore;

/// What happens next, when all that came before has come to rest.
#[derive(Clone, Copy, Debug)]
enum Op {
    TryAcquire(usize),
    Release(usize),
    /// One more waiter.
    Acquire(usize),
    /// A waiter that gives up while another may stand behind it.
    GiveUpThenAcquire(usize, usize),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        (0..4usize).prop_map(Op::TryAcquire),
        (0..4usize).prop_map(Op::Release),
        (0..6usize).prop_map(Op::Acquire),
        (0..6usize, 0..6usize).prop_map(|(n, m)| Op::GiveUpThenAcquire(n, m)),
    ];
    prop::collection::vec(op, 1..if cfg!(miri) { 6 } else { 24 })
}

/// First come first served, written down.
#[derive(Default)]
struct Oracle {
    free: usize,
    waiting: VecDeque<(usize, Arc<AtomicBool>)>,
    served: Vec<Arc<AtomicBool>>,
}

impl Oracle {
    fn try_acquire(&mut self, n: usize) -> bool {
        let now = self.waiting.is_empty() && self.free >= n;
        self.free -= if now { n } else { 0 };
        now
    }

    fn acquire(&mut self, n: usize) -> Arc<AtomicBool> {
        let has = Arc::new(AtomicBool::new(false));
        self.waiting.push_back((n, Arc::clone(&has)));
        self.serve();
        has
    }

    fn release(&mut self, n: usize) {
        self.free += n;
        self.serve();
    }

    fn serve(&mut self) {
        while self.waiting.front().is_some_and(|(n, _)| *n <= self.free) {
            let (n, has) = self.waiting.pop_front().unwrap();
            self.free -= n;
            self.served.push(has);
        }
    }
}

fn until(what: impl Fn() -> bool) {
    while !what() {
        thread::yield_now();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 100 }, failure_persistence: None, ..Default::default() })]

    #[test]
    fn permits_go_first_come_first_served(start in 0..4usize, ops in ops()) {
        let semaphore = Semaphore::new(start);
        let mut oracle = Oracle { free: start, ..Default::default() };
        thread::scope(|s| {
            let acquire = |n: usize, has: Arc<AtomicBool>| {
                let semaphore = &semaphore;
                s.spawn(move || {
                    semaphore.acquire(n).forget();
                    has.store(true, SeqCst);
                });
            };
            for &op in &ops {
                match op {
                    Op::TryAcquire(n) => {
                        let got = semaphore.try_acquire(n);
                        assert_eq!(got.is_some(), oracle.try_acquire(n), "{op:?}");
                        got.into_iter().for_each(|permit| permit.forget());
                    }
                    Op::Release(n) => {
                        oracle.release(n);
                        semaphore.release(n);
                    }
                    Op::Acquire(n) => acquire(n, oracle.acquire(n)),
                    Op::GiveUpThenAcquire(n, m) => {
                        let now = oracle.try_acquire(n);
                        let semaphore = &semaphore;
                        let before = semaphore.waiting();
                        let first = s.spawn(move || semaphore.acquire_timeout(n, Duration::from_millis(2)).map(|p| p.forget()));
                        until(|| first.is_finished() || semaphore.waiting() > before);
                        acquire(m, oracle.acquire(m));
                        assert_eq!(first.join().unwrap().is_some(), now, "{op:?}");
                    }
                }
                // At rest: whoever is to be served is, and whoever is to wait does.
                until(|| oracle.served.iter().all(|has| has.load(SeqCst)));
                until(|| semaphore.waiting() == oracle.waiting.len());
                assert_eq!(semaphore.available(), oracle.free, "after {op:?}");
                assert!(oracle.waiting.iter().all(|(_, has)| !has.load(SeqCst)), "overtaken at {op:?}");
            }
            // Let everybody go home.
            oracle.release(1_000);
            semaphore.release(1_000);
        });
        prop_assert_eq!(semaphore.available(), oracle.free);
    }
}

#[test]
fn too_many_permits_are_refused_and_change_nothing() {
    let semaphore = Semaphore::new(Semaphore::MAX_PERMITS);
    for n in [1, usize::MAX] {
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| semaphore.release(n))).is_err());
    }
    assert_eq!(semaphore.available(), Semaphore::MAX_PERMITS);
    assert!(semaphore.try_acquire(usize::MAX).is_none());
}
