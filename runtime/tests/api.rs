//! Starting goroutines and waiting for them: what a user may rely on.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Duration;

use proptest::prelude::*;
use sigurg::pool::{BlockingPool, JobError, RejectionPolicy};
use sigurg::sync::Mutex;
use sigurg::{GoBuilder, GoStatus, chan, go, join, scope, yield_now};

/// Runs `main` on a runtime with so many processors.
fn on<T: Send>(procs: u32, main: impl FnOnce() -> T + Send) -> T {
    // SAFETY: nothing taken from a thread_local! lives across a blocking call in these tests.
    let runtime = unsafe { sigurg::Builder::new().gomaxprocs(procs).build() };
    runtime.expect("a runtime").run(main)
}

/// What a panic was made of.
fn payload<T: Copy + 'static>(panic: &(dyn std::any::Any + Send)) -> Option<T> {
    panic.downcast_ref().copied()
}

/// Counts its drops.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_goroutine_gives_what_it_returns() {
    for procs in [1, 2, 4] {
        let sum = on(procs, || {
            let handles: Vec<_> = (0..1000_u64).map(|i| go(move || i)).collect();
            handles.into_iter().map(|handle| handle.join().unwrap()).sum::<u64>()
        });
        assert_eq!(sum, 499_500, "{procs} processors");
    }
}

#[test]
fn a_panic_is_an_error_at_join_and_ends_only_its_goroutine() {
    let (first, second) = on(2, || {
        let panics = go(|| panic_any(7_u8));
        let lives = go(|| 8_u8);
        (panics.join().map_err(|panic| payload::<u8>(&*panic)), lives.join().unwrap())
    });
    assert_eq!((first, second), (Err::<(), _>(Some(7)), 8));
}

#[test]
fn what_a_goroutine_returns_is_dropped_once_whether_somebody_asks_or_not() {
    let drops = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&drops);
    on(2, move || {
        let (tx, rx) = chan::<()>(0);
        for i in 0..100 {
            let (result, tx) = (Counted(Arc::clone(&count)), tx.clone());
            let handle = go(move || {
                let _ends_last = tx;
                result
            });
            match i % 3 {
                0 => drop(handle.join().unwrap()),
                1 => drop(handle),
                _ => {
                    while !handle.is_finished() {
                        yield_now();
                    }
                }
            }
        }
        drop(tx);
        // The last sender goes with the last closure; a result may be dropped a moment later.
        assert!(rx.recv().is_err());
        while count.load(SeqCst) < 100 {
            yield_now();
        }
    });
    assert_eq!(drops.load(SeqCst), 100);
}

#[test]
fn a_plain_thread_can_join_and_is_waited_for() {
    let total = on(2, || {
        let (release, held) = chan::<()>(0);
        let handles: Vec<_> = (0..4)
            .map(|i| {
                let held = held.clone();
                go(move || held.recv().map_or(i, |()| unreachable!("nothing is sent here")))
            })
            .collect();
        let thread = std::thread::spawn(move || handles.into_iter().map(|h| h.join().unwrap()).sum::<i32>());
        // A thread of std blocks its thread: outside the scheduler.
        release.close();
        sigurg::blocking(|| thread.join()).unwrap()
    });
    assert_eq!(total, 6);
}

#[test]
fn names_and_ids_are_those_of_the_goroutine_itself() {
    on(2, || {
        let handle = GoBuilder::new().name("parser").stack_size(1 << 20).spawn(sigurg::current);
        let (id, name) = (handle.id(), handle.name().map(str::to_owned));
        let own = handle.join().unwrap();
        assert_eq!((own.id(), own.name()), (id, Some("parser")));
        assert_eq!(name.as_deref(), Some("parser"));
        // The G is used again: the name must not stick.
        for _ in 0..100 {
            let unnamed = go(sigurg::current).join().unwrap();
            assert_eq!(unnamed.name(), None);
            assert!(unnamed.id() > id);
        }
    });
    assert!(sigurg::try_current().is_none(), "a plain thread is no goroutine");
}

#[test]
fn a_stack_is_as_large_as_asked() {
    fn deep(n: usize) -> usize {
        let frame = std::hint::black_box([n; 128]);
        if n == 0 { frame[0] } else { deep(n - 1) + 1 + std::hint::black_box(frame)[0] - n }
    }
    // At least 1 KiB a frame.
    assert_eq!(on(1, || GoBuilder::new().stack_size(16 << 20).spawn(|| deep(8000)).join().unwrap()), 8000);
}

#[test]
fn status_says_what_a_goroutine_does() {
    on(1, || {
        let (tx, rx) = chan::<()>(0);
        let waits = go(move || rx.recv().is_err());
        assert_eq!(waits.status(), GoStatus::Runnable, "it has had no processor yet");
        while waits.status() == GoStatus::Runnable {
            yield_now();
        }
        assert_eq!(waits.status().to_string(), "chan receive");
        tx.close();
        while !waits.is_finished() {
            yield_now();
        }
        assert_eq!(waits.status().to_string(), "dead");
        assert!(waits.join().unwrap());
    });
}

#[test]
fn go_on_a_plain_thread_panics_and_says_so() {
    let panic = catch_unwind(|| go(|| ())).unwrap_err();
    let text = panic.downcast_ref::<&str>().copied().unwrap_or_default();
    assert!(text.contains("goroutine"), "{text:?}");
}

#[test]
fn scoped_goroutines_borrow_and_are_waited_for() {
    for procs in [1, 4] {
        let (total, seen) = on(procs, || {
            let values: Vec<u64> = (0..1000).collect();
            let seen = AtomicUsize::new(0);
            let total = Mutex::new(0);
            scope(|s| {
                for chunk in values.chunks(10) {
                    s.go(|| {
                        *total.lock() += chunk.iter().sum::<u64>();
                        seen.fetch_add(1, Relaxed);
                    });
                }
            });
            (*total.lock(), seen.into_inner())
        });
        assert_eq!((total, seen), (499_500, 100), "{procs} processors");
    }
}

#[test]
fn a_scope_waits_for_all_even_if_its_closure_panics() {
    let (panic, ended) = on(2, || {
        let ended = AtomicBool::new(false);
        let panic = catch_unwind(AssertUnwindSafe(|| {
            scope(|s| {
                s.go(|| {
                    (0..100).for_each(|_| yield_now());
                    ended.store(true, Relaxed);
                });
                panic_any(3_u8)
            })
        }));
        let panic: Box<dyn std::any::Any + Send> = match panic {
            Err(panic) => panic,
            Ok(()) => unreachable!(),
        };
        (payload::<u8>(&*panic), ended.load(Relaxed))
    });
    assert_eq!((panic, ended), (Some(3), true));
}

#[test]
fn a_scope_panics_for_goroutines_that_nobody_joined() {
    on(2, || {
        let unjoined = catch_unwind(|| scope(|s| drop(s.go(|| panic_any(1_u8)))));
        let text = unjoined.unwrap_err();
        assert_eq!(payload::<&str>(&*text), Some("a scoped goroutine panicked"));
        // Dropped after it has panicked.
        let late = catch_unwind(|| {
            scope(|s| {
                let handle = s.go(|| panic_any(1_u8));
                while !handle.is_finished() {
                    yield_now();
                }
            })
        });
        assert!(late.is_err());
        let joined = scope(|s| s.go(|| panic_any(2_u8)).join().map_err(|panic| payload::<u8>(&*panic)));
        assert_eq!(joined, Err::<(), _>(Some(2)));
    });
}

#[test]
fn scopes_nest_and_goroutines_of_a_scope_start_others_in_it() {
    let count = on(2, || {
        let count = AtomicUsize::new(0);
        scope(|s| {
            for _ in 0..10 {
                s.go(|| {
                    for _ in 0..10 {
                        s.go(|| scope(|inner| _ = inner.go(|| count.fetch_add(1, Relaxed))));
                    }
                });
            }
        });
        count.into_inner()
    });
    assert_eq!(count, 100);
}

fn fib(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (a, b) = join(|| fib(n - 2), || fib(n - 1));
    a + b
}

#[test]
fn join_runs_both_branches_however_deep() {
    for procs in [1, 2, 4] {
        assert_eq!(on(procs, || fib(16)), 987, "{procs} processors");
    }
}

#[test]
fn join_panics_as_its_first_branch_does_when_both_have_ended() {
    let run = |a: bool, b: bool| {
        on(2, move || {
            let ended = Cell::new(0);
            let other = AtomicUsize::new(0);
            let result = catch_unwind(AssertUnwindSafe(|| {
                join(
                    || {
                        ended.set(1);
                        if a { panic_any(1_u8) } else { 10 }
                    },
                    || {
                        (0..50).for_each(|_| yield_now());
                        other.store(1, Relaxed);
                        if b { panic_any(2_u8) } else { 20 }
                    },
                )
            }));
            (result.map_err(|panic| payload::<u8>(&*panic)), ended.get() + other.into_inner())
        })
    };
    assert_eq!(run(false, false), (Ok((10, 20)), 2));
    assert_eq!(run(true, false), (Err(Some(1)), 2));
    assert_eq!(run(false, true), (Err(Some(2)), 2));
    assert_eq!(run(true, true), (Err(Some(1)), 2));
}

#[test]
fn a_goroutine_that_blocks_while_it_unwinds_stays_on_its_thread() {
    struct Blocks;
    impl Drop for Blocks {
        fn drop(&mut self) {
            assert!(std::thread::panicking());
            let thread = std::thread::current().id();
            (0..20).for_each(|_| sigurg::time::sleep(Duration::from_micros(200)));
            assert_eq!(std::thread::current().id(), thread);
        }
    }
    let (panicked, others) = on(4, || {
        let handles: Vec<_> = (0..8)
            .map(|i| {
                go(move || {
                    let _blocks = Blocks;
                    panic_any(i)
                })
            })
            .collect();
        // Meanwhile nobody else may believe that it is panicking.
        let others = (0..200).all(|_| !go(std::thread::panicking).join().unwrap());
        let payloads = handles.into_iter().map(|handle| payload::<i32>(&*handle.join().unwrap_err()));
        (payloads.collect::<Vec<_>>(), others)
    });
    assert!(others);
    assert_eq!(panicked, (0..8).map(Some).collect::<Vec<_>>());
}

#[test]
fn a_goroutine_locked_to_its_thread_never_changes_it() {
    on(4, || {
        let locked: Vec<_> = (0..4)
            .map(|_| {
                go(|| {
                    sigurg::lock_os_thread();
                    let thread = std::thread::current().id();
                    for _ in 0..50 {
                        yield_now();
                        sigurg::time::sleep(Duration::from_micros(50));
                        assert_eq!(std::thread::current().id(), thread);
                    }
                    sigurg::unlock_os_thread();
                })
            })
            .collect();
        locked.into_iter().for_each(|handle| handle.join().unwrap());
    });
}

#[test]
fn jobs_of_a_pool_park_the_goroutines_that_wait_for_them() {
    on(1, || {
        let pool = BlockingPool::builder().core_threads(2).max_threads(2).queue_capacity(100).build();
        let blocked = pool.submit(|| std::thread::sleep(Duration::from_millis(20))).unwrap();
        let waits = go(move || blocked.join().is_ok());
        // The only processor is free meanwhile.
        assert_eq!(go(|| 1).join().unwrap(), 1);
        assert!(waits.join().unwrap());
        let handles: Vec<_> = (0..50).map(|i| pool.submit(move || i).unwrap()).collect();
        assert_eq!(handles.into_iter().map(|handle| handle.join().unwrap()).sum::<i32>(), 1225);
        pool.shutdown();
        assert!(pool.await_termination(Duration::from_secs(30)));
    });
}

#[test]
fn a_job_that_its_caller_runs_lets_other_goroutines_run() {
    on(1, || {
        let builder = BlockingPool::builder().core_threads(1).max_threads(1).queue_capacity(0);
        let pool = Arc::new(builder.rejection(RejectionPolicy::CallerRuns).build());
        let (release, hold) = std::sync::mpsc::channel::<()>();
        let held = pool.submit(move || _ = hold.recv()).unwrap();
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let submitter = Arc::clone(&pool);
        // Runs its job itself, and that job waits for the main goroutine: on one processor.
        let caller = go(move || submitter.submit(move || _ = wait.recv()).unwrap().join());
        while caller.status() == GoStatus::Runnable {
            yield_now();
        }
        done.send(()).unwrap();
        assert!(caller.join().unwrap().is_ok());
        release.send(()).unwrap();
        assert!(!matches!(held.join(), Err(JobError::Discarded)));
    });
}

/// A tree of goroutines, each joined, dropped or scoped.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(u64),
    Panic,
    Join(Box<Tree>, Box<Tree>),
    Scope(Vec<Tree>),
    Go(Box<Tree>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![8 => (0..100_u64).prop_map(Tree::Leaf), 1 => Just(Tree::Panic)];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Tree::Join(Box::new(a), Box::new(b))),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Tree::Scope),
            inner.prop_map(|t| Tree::Go(Box::new(t))),
        ]
    })
}

impl Tree {
    /// What it adds up to; `None` if it panics.
    fn expected(&self) -> Option<u64> {
        match self {
            Self::Leaf(n) => Some(*n),
            Self::Panic => None,
            Self::Join(a, b) => Some(a.expected()? + b.expected()?),
            Self::Scope(all) => all.iter().map(Self::expected).sum(),
            Self::Go(one) => one.expected(),
        }
    }

    fn run(&self) -> u64 {
        match self {
            Self::Leaf(n) => *n,
            Self::Panic => panic_any("as the tree says"),
            Self::Join(a, b) => {
                let (a, b) = join(|| a.run(), || b.run());
                a + b
            }
            Self::Scope(all) => scope(|s| {
                let handles: Vec<_> = all.iter().map(|tree| s.go(|| tree.run())).collect();
                handles
                    .into_iter()
                    .map(|handle| handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                    .sum()
            }),
            Self::Go(one) => {
                let one = one.clone();
                go(move || one.run()).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_of_goroutines_adds_up_or_panics_as_one_thread_would(tree in tree(), procs in 1..4_u32) {
        let expected = tree.expected();
        let got = on(procs, || catch_unwind(AssertUnwindSafe(|| tree.run())).ok());
        prop_assert_eq!(got, expected);
    }
}
