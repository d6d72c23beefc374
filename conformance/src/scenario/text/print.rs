//! Writes the text form.

use std::fmt::{self, Display, Formatter};

use crate::scenario::{Op, Scenario};

impl Display for Scenario {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for line in &self.about {
            writeln!(f, "{}", format!("# {line}").trim_end())?;
        }
        writeln!(f, "scenario {}", self.name)?;
        writeln!(f, "procs {}", self.procs)?;
        for channel in &self.channels {
            writeln!(f, "channel {} {}", channel.name, channel.capacity)?;
        }
        for mutex in &self.mutexes {
            writeln!(f, "mutex {mutex}")?;
        }
        for flag in &self.flags {
            writeln!(f, "flag {flag}")?;
        }
        if let Some(storm) = self.storm {
            writeln!(f, "storm {} {}", Time(storm.every_us), storm.signals)?;
        }
        if !self.sometimes.is_empty() {
            let words: Vec<_> = self.sometimes.iter().map(|situation| situation.as_str()).collect();
            writeln!(f, "sometimes {}", words.join(" "))?;
        }
        for goroutine in &self.goroutines {
            writeln!(f)?;
            let kind = if goroutine.daemon { "daemon" } else { "go" };
            writeln!(f, "{kind} {} {{", goroutine.name)?;
            body(self, &goroutine.body, 1, f)?;
            writeln!(f, "}}")?;
        }
        Ok(())
    }
}

/// A time in the largest unit that fits.
struct Time(u32);

impl Display for Time {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            us if us > 0 && us % 1_000_000 == 0 => write!(f, "{}s", us / 1_000_000),
            us if us > 0 && us % 1_000 == 0 => write!(f, "{}ms", us / 1_000),
            us => write!(f, "{us}us"),
        }
    }
}

fn body(s: &Scenario, ops: &[Op], depth: usize, f: &mut Formatter<'_>) -> fmt::Result {
    for op in ops {
        let indent = 4 * depth;
        write!(f, "{:indent$}{}", "", head(s, op))?;
        match op.body() {
            None => writeln!(f)?,
            Some(ops) if ops.iter().all(|op| op.body().is_none()) && ops.len() <= 4 => {
                let ops: Vec<_> = ops.iter().map(|op| head(s, op)).collect();
                writeln!(f, " {{ {} }}", ops.join("; "))?;
            }
            Some(ops) => {
                writeln!(f, " {{")?;
                body(s, ops, depth + 1, f)?;
                writeln!(f, "{:indent$}}}", "")?;
            }
        }
    }
    Ok(())
}

/// A step without what is inside.
fn head(s: &Scenario, op: &Op) -> String {
    let chan = |chan: u8| &s.channels[usize::from(chan)].name;
    let go = |go: u8| &s.goroutines[usize::from(go)].name;
    let flag = |flag: u8| &s.flags[usize::from(flag)];
    match *op {
        Op::Compute(us) => format!("compute {}", Time(us)),
        Op::Alloc(us) => format!("alloc {}", Time(us)),
        Op::Call(times) => format!("call {times}"),
        Op::Yield => "yield".into(),
        Op::Send(c) => format!("send {}", chan(c)),
        Op::Recv(c) => format!("recv {}", chan(c)),
        Op::Lock(m, _) => format!("lock {}", s.mutexes[usize::from(m)]),
        Op::Set(name) => format!("set {}", flag(name)),
        Op::Await(name) => format!("await {}", flag(name)),
        Op::Park => "park".into(),
        Op::Ready(g) => format!("ready {}", go(g)),
        Op::Sleep(us) => format!("sleep {}", Time(us)),
        Op::Syscall(us) => format!("syscall {}", Time(us)),
        Op::Foreign(us) => format!("foreign {}", Time(us)),
        Op::Spawn(g) => format!("spawn {}", go(g)),
        Op::Burst(count) => format!("burst {count}"),
        Op::Join(g) => format!("join {}", go(g)),
        Op::LockThread => "lock_thread".into(),
        Op::UnlockThread => "unlock_thread".into(),
        Op::PreemptOff(us) => format!("preempt_off {}", Time(us)),
        Op::Panic => "panic".into(),
        Op::Exit => "exit".into(),
        Op::Grow(kib) => format!("grow {kib}KiB"),
        Op::Scan => "scan".into(),
        Op::Shrink => "shrink".into(),
        Op::Procs(procs) => format!("procs {procs}"),
        Op::Repeat(times, _) => format!("repeat {times}"),
        Op::Forever(_) => "forever".into(),
    }
}
