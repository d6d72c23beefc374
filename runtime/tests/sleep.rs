//! Time as a user of the runtime sees it: on goroutines.

use std::time::{Duration, Instant};

use sigurg::{Builder, go, time};

fn run<T: Send + 'static>(procs: u32, main: impl FnOnce() -> T + Send + 'static) -> T {
    // SAFETY: nothing here keeps a value of a thread-local across a blocking call.
    let runtime = unsafe { Builder::new().gomaxprocs(procs).build() }.expect("a runtime of the default size");
    runtime.run(main)
}

#[test]
fn a_crowd_of_sleepers_wakes_and_none_too_early() {
    for procs in [1, 2] {
        run(procs, || {
            let sleepers: Vec<_> = (0..2_000u64)
                .map(|i| {
                    go(move || {
                        let duration = Duration::from_micros(i * 7 % 10_000);
                        let start = Instant::now();
                        time::sleep(duration);
                        (duration, start.elapsed())
                    })
                })
                .collect();
            for sleeper in sleepers {
                let (duration, slept) = sleeper.join().expect("a sleeper does not panic");
                assert!(slept >= duration, "slept {slept:?} instead of {duration:?}");
            }
        });
    }
}

#[test]
fn whoever_sleeps_less_wakes_first_though_it_came_last() {
    run(1, || {
        let start = Instant::now();
        let long = go(|| time::sleep(Duration::from_secs(3_600)));
        let short = go(|| time::sleep(Duration::from_millis(1)));
        short.join().expect("a sleeper does not panic");
        assert!(start.elapsed() < Duration::from_secs(3_600));
        drop(long);
    });
}

#[test]
fn a_ticker_on_a_goroutine_keeps_its_beat() {
    run(2, || {
        let period = Duration::from_millis(1);
        let start = Instant::now();
        let mut ticker = time::interval(period);
        let ticks: Vec<_> = (0..20).map(|_| ticker.tick()).collect();
        assert!(start.elapsed() >= 20 * period);
        for pair in ticks.windows(2) {
            let apart = pair[1] - pair[0];
            assert!(!apart.is_zero() && apart.as_nanos() % period.as_nanos() == 0, "{apart:?} apart");
        }
    });
}

#[test]
fn a_deadline_that_has_passed_does_not_wait() {
    run(1, || {
        time::sleep_until(Instant::now());
        time::sleep(Duration::ZERO);
    });
}
