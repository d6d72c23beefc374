//! The same as Chrome trace JSON, which Perfetto and other viewers open: one track for each M, on it the goroutines, and
//! arrows from each signal to where it landed.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::{Value, json};
use sigurg_traces::{Event, GStatus, Kind, Symbols};

use crate::show::words::words;

/// The process that all tracks belong to.
const PID: u32 = 1;

/// Writes a trace, event by event.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    empty: bool,
    /// Spans that last, by G struct: the M, the goroutine, what it does, and since when.
    open: HashMap<u32, (i32, u64, GStatus, u64)>,
    /// Signals on their way, by the M that they are sent to.
    sent: HashMap<i32, u64>,
    arrows: u64,
    named: Vec<i32>,
    last_ns: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a file that says what it is of.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(mut out: W, name: &str) -> io::Result<Self> {
        write!(
            out,
            "{{\"displayTimeUnit\":\"ns\",\"otherData\":{},\"traceEvents\":[",
            json!({ "trace": name })
        )?;
        let mut writer = Self {
            out,
            empty: true,
            open: HashMap::new(),
            sent: HashMap::new(),
            arrows: 0,
            named: Vec::new(),
            last_ns: 0,
        };
        writer.put(&json!({ "ph": "M", "pid": PID, "name": "process_name", "args": { "name": name } }))?;
        Ok(writer)
    }

    fn put(&mut self, value: &Value) -> io::Result<()> {
        let comma = if self.empty { "\n" } else { ",\n" };
        self.empty = false;
        write!(self.out, "{comma}{value}")
    }

    /// Writes what `event` says.
    ///
    /// # Errors
    /// Those of the output.
    pub fn event(&mut self, event: &Event, symbols: &Symbols) -> io::Result<()> {
        let Event { m, t_ns, .. } = *event;
        self.last_ns = self.last_ns.max(t_ns);
        if !self.named.contains(&m) {
            self.named.push(m);
            let name = if m < 0 { "outside".into() } else { format!("M{m}") };
            self.put(
                &json!({ "ph": "M", "pid": PID, "tid": m, "name": "thread_name", "args": { "name": name } }),
            )?;
            self.put(&json!({ "ph": "M", "pid": PID, "tid": m, "name": "thread_sort_index", "args": { "sort_index": m } }))?;
        }
        if let (Kind::GStatus { from, to, .. }, Some(target)) = (event.kind, event.target)
            && from.base() != to.base()
        {
            if let Some((m, g, status, since)) = self.open.remove(&target.gs) {
                self.span(m, g, status, since, t_ns.max(since))?;
            }
            if matches!(to.base(), GStatus::Running | GStatus::Copystack | GStatus::Syscall) {
                self.open.insert(target.gs, (m, target.g, to.base(), t_ns));
            }
            return Ok(());
        }
        match event.kind {
            Kind::PreemptM { target_m, sent: true } => {
                self.arrows += 1;
                self.sent.insert(target_m, self.arrows);
                self.arrow("s", self.arrows, event)?;
            }
            Kind::SigAck { .. } => {
                if let Some(arrow) = self.sent.remove(&m) {
                    self.arrow("f", arrow, event)?;
                }
            }
            _ => {}
        }
        let args = json!({ "seq": event.seq, "what": words(event, symbols) });
        let name = event.kind.tag().to_string();
        self.put(
            &json!({ "ph": "i", "s": "t", "pid": PID, "tid": m, "ts": us(t_ns), "name": name, "args": args }),
        )
    }

    fn arrow(&mut self, phase: &str, id: u64, event: &Event) -> io::Result<()> {
        self.put(&json!({
            "ph": phase, "bp": "e", "id": id, "cat": "signal", "name": "SIGURG",
            "pid": PID, "tid": event.m, "ts": us(event.t_ns),
        }))
    }

    fn span(&mut self, m: i32, g: u64, status: GStatus, from: u64, to: u64) -> io::Result<()> {
        let what = if status == GStatus::Syscall { " (system call)" } else { "" };
        self.put(&json!({
            "ph": "X", "pid": PID, "tid": m, "ts": us(from), "dur": us(to - from),
            "name": format!("G{g}{what}"), "cat": status.as_str(), "args": { "g": g },
        }))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Those of the output.
    pub fn end(mut self) -> io::Result<()> {
        let last = self.last_ns;
        let mut open: Vec<_> = self.open.drain().map(|(_, span)| span).collect();
        open.sort_unstable();
        for (m, g, status, since) in open {
            self.span(m, g, status, since, last.max(since))?;
        }
        writeln!(self.out, "\n]}}")?;
        self.out.flush()
    }
}

/// Microseconds, as the format wants them, to the nanosecond.
fn us(ns: u64) -> Value {
    json!(ns as f64 / 1000.0)
}
