use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::*;

/// Long enough that a test that waits for it has failed.
const LONG: Duration = Duration::from_secs(30);

/// A job that says that it has begun and ends when told to.
struct Gate {
    begun: Receiver<()>,
    end: Sender<()>,
}

impl Gate {
    fn hold<T: Send + 'static>(pool: &BlockingPool, result: T) -> (Self, PoolHandle<T>) {
        let ((say, begun), (end, wait)) = (channel(), channel());
        let job = move || {
            say.send(()).unwrap();
            wait.recv().unwrap();
            result
        };
        let handle = pool.submit(job).unwrap();
        (Self { begun, end }, handle)
    }
}

/// A pool whose only thread is held, with the gate that holds it.
fn held(capacity: usize, policy: RejectionPolicy) -> (BlockingPool, Gate, PoolHandle<()>) {
    let builder = BlockingPool::builder().core_threads(1).max_threads(1).queue_capacity(capacity);
    let pool = builder.rejection(policy).build();
    let (gate, handle) = Gate::hold(&pool, ());
    gate.begun.recv().unwrap();
    (pool, gate, handle)
}

#[test]
fn every_job_runs_once_and_gives_its_result() {
    let jobs = if cfg!(miri) { 20 } else { 5_000 };
    let pool = BlockingPool::builder().core_threads(2).max_threads(4).queue_capacity(jobs).build();
    let runs = Arc::new(AtomicUsize::new(0));
    let handles: Vec<_> = (0..jobs)
        .map(|i| {
            let runs = Arc::clone(&runs);
            pool.submit(move || (runs.fetch_add(1, SeqCst), i).1).unwrap()
        })
        .collect();
    for (i, handle) in handles.into_iter().enumerate() {
        assert_eq!(handle.join().unwrap(), i);
    }
    pool.shutdown();
    assert!(pool.await_termination(LONG));
    assert_eq!(runs.load(SeqCst), jobs);
    let metrics = pool.metrics();
    assert_eq!((metrics.completed, metrics.queued, metrics.active, metrics.threads), (jobs as u64, 0, 0, 0));
    assert!((1..=4).contains(&metrics.largest), "{metrics:?}");
}

#[test]
fn threads_grow_to_the_core_then_the_queue_fills_then_they_grow_to_the_greatest_number() {
    let pool = BlockingPool::builder().core_threads(1).max_threads(2).queue_capacity(1).build();
    let (first, first_handle) = Gate::hold(&pool, 1);
    first.begun.recv().unwrap();
    let queued = pool.submit(|| 2).unwrap();
    assert_eq!((pool.metrics().threads, pool.metrics().queued), (1, 1));
    let (third, third_handle) = Gate::hold(&pool, 3);
    third.begun.recv().unwrap();
    assert_eq!((pool.metrics().threads, pool.metrics().queued), (2, 1), "overtook the queue on a new thread");
    assert!(matches!(pool.submit(|| 4).unwrap_err().reason, Reason::Full));
    first.end.send(()).unwrap();
    third.end.send(()).unwrap();
    assert_eq!([first_handle, queued, third_handle].map(|handle| handle.join().unwrap()), [1, 2, 3]);
}

#[test]
fn abort_gives_the_job_back() {
    let (pool, gate, held) = held(0, RejectionPolicy::Abort);
    let rejected = pool.submit(|| "mine").unwrap_err();
    assert_eq!((rejected.job)(), "mine");
    gate.end.send(()).unwrap();
    held.join().unwrap();
}

#[test]
fn caller_runs_lets_whoever_submits_do_the_work() {
    let (pool, gate, held) = held(0, RejectionPolicy::CallerRuns);
    let here = std::thread::current().id();
    let handle = pool.submit(|| std::thread::current().id()).unwrap();
    assert!(handle.is_finished());
    assert_eq!(handle.join().unwrap(), here);
    gate.end.send(()).unwrap();
    held.join().unwrap();
}

#[test]
fn discard_drops_the_new_job_and_its_handle_says_so() {
    let (pool, gate, held) = held(0, RejectionPolicy::Discard);
    let value = Arc::new(());
    let captured = Arc::clone(&value);
    let handle = pool.submit(move || drop(captured)).unwrap();
    assert!(matches!(handle.join(), Err(JobError::Discarded)));
    assert_eq!(Arc::strong_count(&value), 1);
    assert_eq!(pool.metrics().discarded, 1);
    gate.end.send(()).unwrap();
    held.join().unwrap();
}

#[test]
fn discard_oldest_makes_room_for_the_new_job() {
    let (pool, gate, held) = held(2, RejectionPolicy::DiscardOldest);
    let handles: Vec<_> = (0..4).map(|i| pool.submit(move || i).unwrap()).collect();
    gate.end.send(()).unwrap();
    let results: Vec<_> = handles.into_iter().map(|handle| handle.join().ok()).collect();
    assert_eq!(results, [None, None, Some(2), Some(3)]);
    held.join().unwrap();
}

#[test]
fn a_panic_is_the_jobs_error_and_the_thread_lives_on() {
    let pool = BlockingPool::builder().core_threads(1).max_threads(1).build();
    let job: fn() -> u32 = || std::panic::panic_any("as wanted");
    match pool.submit(job).unwrap().join() {
        Err(JobError::Panicked(panic)) => assert_eq!(panic.downcast_ref(), Some(&"as wanted")),
        other => panic!("{other:?}"),
    }
    assert_eq!(pool.submit(|| 7).unwrap().join().unwrap(), 7);
    assert_eq!(pool.metrics().largest, 1);
}

#[test]
fn shutdown_runs_what_is_queued_and_takes_no_more() {
    let (pool, gate, held) = held(4, RejectionPolicy::Abort);
    let queued = pool.submit(|| 7).unwrap();
    pool.shutdown();
    assert!(matches!(pool.submit(|| 8).unwrap_err().reason, Reason::ShutDown));
    assert!(!pool.await_termination(Duration::from_millis(5)), "a job still runs");
    gate.end.send(()).unwrap();
    held.join().unwrap();
    assert_eq!(queued.join().unwrap(), 7);
    assert!(pool.await_termination(LONG));
}

#[test]
fn shutdown_now_discards_what_is_queued() {
    let (pool, gate, held) = held(4, RejectionPolicy::Abort);
    let queued: Vec<_> = (0..3).map(|i| pool.submit(move || i).unwrap()).collect();
    assert_eq!(pool.shutdown_now(), 3);
    for handle in queued {
        assert!(matches!(handle.join(), Err(JobError::Discarded)));
    }
    gate.end.send(()).unwrap();
    held.join().unwrap();
    assert!(pool.await_termination(LONG));
    assert_eq!(pool.metrics().discarded, 3);
}

#[test]
fn surplus_threads_end_and_the_core_stays() {
    let builder = BlockingPool::builder().core_threads(1).max_threads(3).queue_capacity(0);
    let pool = builder.keep_alive(Duration::from_millis(5)).build();
    let held: Vec<_> = (0..3).map(|i| Gate::hold(&pool, i)).collect();
    for (gate, _) in &held {
        gate.begun.recv().unwrap();
        gate.end.send(()).unwrap();
    }
    held.into_iter().for_each(|(_, handle)| _ = handle.join().unwrap());
    let begin = std::time::Instant::now();
    while pool.metrics().threads > 1 {
        assert!(begin.elapsed() < LONG, "{:?}", pool.metrics());
        std::thread::yield_now();
    }
    // Ten times the keep-alive: the last one must not follow.
    std::thread::sleep(Duration::from_millis(50));
    let metrics = pool.metrics();
    assert_eq!((metrics.threads, metrics.largest), (1, 3));
}

#[test]
fn a_pool_without_a_core_still_runs_what_it_queues() {
    let pool = BlockingPool::builder().core_threads(0).max_threads(1).queue_capacity(8).build();
    let handles: Vec<_> = (0..8).map(|i| pool.submit(move || i).unwrap()).collect();
    assert_eq!(handles.into_iter().map(|handle| handle.join().unwrap()).sum::<i32>(), 28);
}

#[test]
fn jobs_that_meet_threads_whose_time_is_up_are_not_lost() {
    let rounds = if cfg!(miri) { 10 } else { 2_000 };
    let builder = BlockingPool::builder().core_threads(0).max_threads(2).queue_capacity(4);
    let pool = builder.keep_alive(Duration::from_micros(20)).build();
    for round in 0..rounds {
        let handle = pool.submit(move || round).unwrap();
        assert_eq!(handle.join().unwrap(), round);
        std::thread::sleep(Duration::from_micros(round % 40));
    }
}
