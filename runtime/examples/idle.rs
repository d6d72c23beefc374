//! What a runtime costs that has nothing to do: one JSON line with the share of one processor that it used.
//!
//! `cargo run --release -p sigurg --example idle -- SECONDS` (10 if left out). Its goroutines wait on channels, in the network
//! and in a far-off timer, as those of an idle server do.

use std::io::Read;
use std::time::{Duration, Instant};

use sigurg::net::UnixStream;
use sigurg::{blocking, chan, go, time};

/// Processor time of this process so far, user and system.
fn cpu_time() -> Duration {
    // SAFETY: all zeros is a valid value of this plain struct.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: a place to write to; the call cannot fail for the own process.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let duration = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
    };
    duration(usage.ru_utime) + duration(usage.ru_stime)
}

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let seconds = std::env::args().nth(1).map_or(Ok(10), |text| text.parse())?;
    // SAFETY: nothing taken from a thread_local! lives across a blocking call in this program.
    let runtime = unsafe { sigurg::Builder::new().build()? };
    runtime.run(|| {
        let (_never, waits) = chan::<()>(0);
        for _ in 0..100 {
            let waits = waits.clone();
            go(move || waits.recv());
        }
        let (mut here, _there) = UnixStream::pair()?;
        go(move || here.read(&mut [0]));
        go(|| time::sleep(Duration::from_secs(3600)));
        // What was started comes to rest.
        time::sleep(Duration::from_millis(500));
        let (start, before) = (Instant::now(), cpu_time());
        blocking(|| std::thread::sleep(Duration::from_secs(seconds)));
        let (wall, cpu) = (start.elapsed(), cpu_time() - before);
        println!(
            "{{\"workload\":\"idle\",\"procs\":{},\"wall_s\":{:.3},\"cpu_us\":{},\"cpu_percent\":{:.4}}}",
            sigurg::gomaxprocs(),
            wall.as_secs_f64(),
            cpu.as_micros(),
            100.0 * cpu.as_secs_f64() / wall.as_secs_f64()
        );
        Ok(())
    })
}
