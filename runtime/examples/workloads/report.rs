//! Measuring a pass, and the line that says what it gave.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::Args;

/// What a pass found out, besides the time that it took.
pub(crate) struct Pass {
    pub(crate) status: &'static str,
    pub(crate) ops: u64,
    /// Of the part that counts, where that is not the whole pass.
    pub(crate) measured: Option<Span>,
    pub(crate) figures: Map<String, Value>,
}

impl Default for Pass {
    fn default() -> Self {
        Self { status: "ok", ops: 0, measured: None, figures: Map::new() }
    }
}

/// Wall and processor time of something.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

/// Takes both times.
pub(crate) struct Watch {
    cpu: Duration,
    begin: Instant,
}

impl Watch {
    pub(crate) fn start() -> Self {
        Self { cpu: cpu_time(), begin: Instant::now() }
    }

    pub(crate) fn stop(self) -> Span {
        Span { wall: self.begin.elapsed(), cpu: cpu_time() - self.cpu }
    }
}

impl Pass {
    pub(crate) fn of(ops: u64) -> Self {
        Self { ops, ..Self::default() }
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.insert(name.into(), value.into());
    }

    /// Count, percentiles and maximum of durations, in microseconds.
    pub(crate) fn samples(&mut self, name: &str, mut samples: Vec<Duration>) {
        samples.sort_unstable();
        self.set(&format!("{name}_count"), samples.len());
        let Some(&last) = samples.last() else { return };
        let at = |q: f64| samples[(samples.len() - 1).min((q * samples.len() as f64) as usize)];
        self.set(&format!("{name}_p50"), micros(at(0.5)));
        self.set(&format!("{name}_p99"), micros(at(0.99)));
        self.set(&format!("{name}_max"), micros(last));
    }

    /// How evenly work was shared out.
    pub(crate) fn shares(&mut self, counts: &[u64]) {
        let (sum, squares) = counts.iter().fold((0.0, 0.0), |(sum, squares), &count| {
            let count = count as f64;
            (sum + count, squares + count * count)
        });
        let (least, most) = (counts.iter().min().copied(), counts.iter().max().copied());
        let ratio = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
        self.set("jain", ratio(sum * sum, counts.len() as f64 * squares));
        self.set("min_over_max", ratio(least.unwrap_or(0) as f64, most.unwrap_or(0) as f64));
    }
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e6
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

/// The line about one pass, which took `span` if it does not say otherwise.
pub(crate) fn line(name: &str, (peer, ver): (&str, &str), args: Args, pass: Pass, span: Span) -> Value {
    let span = pass.measured.unwrap_or(span);
    let mut line = json!({
        "w": name, "peer": peer, "ver": ver, "p": args.p, "n": args.n, "k": args.k,
        "status": pass.status, "ops": pass.ops, "wall_ms": millis(span.wall), "cpu_ms": millis(span.cpu),
        "rss_kb": memory("VmRSS"), "peak_kb": memory("VmHWM"),
    });
    let fields = line.as_object_mut().expect("made as an object");
    if pass.ops > 0 {
        fields.insert("ns_per_op".into(), json!(span.wall.as_nanos() as f64 / pass.ops as f64));
        fields.insert("ops_per_s".into(), json!(pass.ops as f64 / span.wall.as_secs_f64()));
    }
    fields.extend(pass.figures);
    line
}

/// User and system time of this process so far.
fn cpu_time() -> Duration {
    // SAFETY: all zero is a valid value of this plain C struct, and it is a valid place to write to.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, &mut usage), 0, "getrusage of oneself cannot fail");
        usage
    };
    let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// A line of /proc/self/status, in KiB.
pub(crate) fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("no {name} in {status}"))
}
