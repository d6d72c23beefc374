//! A scenario: one small program for a whole run, from which every driver makes the same goroutines.
//!
//! It is data: written by people ([`text`]), drawn at random ([`make`]), cut down by the shrinker, kept as a file. A driver
//! ([`play`]) runs it in a runtime, [`expect`] says what must come out.
//!
//! 1. *A scenario ends, whatever the schedule.* [`check`] accepts only programs of which this can be shown: what goroutines wait
//!    for is handed over by channels with one end on each side, by counting tokens, by flags that stay set, and
//!    by locks in whose sections nobody waits for another. Such a network is determinate (Kahn): if one
//!    order of its steps comes to the end, then all do. So one sequential run decides.
//! 2. *What comes out is known before*, for the same reason: how each goroutine ends, what went through each channel, how often
//!    each lock was taken, and what each goroutine computed. Where several goroutines receive from one channel, who
//!    gets what is open, and only the sum is known.
//! 3. What runs for ever is a daemon: it gives nothing to anybody, nobody waits for it, and the run ends beside it.
//!
//! Invariant of the code: [`repair`] makes a good scenario out of any, by leaving things out; so generators and the shrinker
//! need to know nothing of the rules.

pub mod check;
pub mod expect;
pub mod library;
pub mod make;
pub mod play;
pub mod property;
pub mod repair;
pub mod situation;
pub mod text;
pub mod walk;

use std::fmt;

pub use situation::Situation;

/// Index of a channel of the scenario.
pub type Chan = u8;
/// Index of a mutex.
pub type Mutex = u8;
/// Index of a flag.
pub type Flag = u8;
/// Index of a goroutine.
pub type Go = u8;

/// A program for a whole run.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Scenario {
    /// Its name: a word.
    pub name: String,
    /// What it is about, for people: lines of text.
    pub about: Vec<String>,
    /// Ps.
    pub procs: u8,
    /// Channels.
    pub channels: Vec<Channel>,
    /// Names of the mutexes. A goroutine that holds one takes only later ones.
    pub mutexes: Vec<String>,
    /// Names of the flags.
    pub flags: Vec<String>,
    /// Signals from outside.
    pub storm: Option<Storm>,
    /// The goroutines. Those that nobody spawns are there at the start.
    pub goroutines: Vec<Goroutine>,
    /// What must happen in some run of it, or it shows nothing.
    pub sometimes: Vec<Situation>,
}

/// A channel of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// How many values it holds; 0: sender and receiver meet.
    pub capacity: u16,
}

/// SIGURG that nobody of the runtime asked for, sent to each of its threads in turn. It has an end, after which everything must go
/// on as if it had never been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storm {
    /// Microseconds between two signals.
    pub every_us: u32,
    /// How many.
    pub signals: u32,
}

/// One goroutine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goroutine {
    /// Its name.
    pub name: String,
    /// Whether it is not waited for.
    pub daemon: bool,
    /// What it does.
    pub body: Vec<Op>,
}

/// One step of a goroutine. Durations are in microseconds, of real time natively and of virtual time in simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Computes in registers for that long: every instruction is one at which it can be stopped.
    Compute(u32),
    /// Computes in malloc, in thread-locals and in libraries for that long.
    Alloc(u32),
    /// So many calls of the runtime that are safe points and do nothing else.
    Call(u32),
    /// Lets others run. Go: `Gosched`.
    Yield,
    /// Sends the next number of this goroutine.
    Send(Chan),
    /// Receives a number.
    Recv(Chan),
    /// Does `body` with the mutex held, and counts.
    Lock(Mutex, Vec<Op>),
    /// Sets a flag for good.
    Set(Flag),
    /// Spins, without a call, until the flag is set.
    Await(Flag),
    /// Takes one token of its own, and waits until there is one.
    Park,
    /// Gives a goroutine a token.
    Ready(Go),
    /// Sleeps on a timer.
    Sleep(u32),
    /// A system call that blocks the thread, announced to the runtime.
    Syscall(u32),
    /// The same in code that knows nothing of the runtime.
    Foreign(u32),
    /// Starts a goroutine. Each is started once.
    Spawn(Go),
    /// Waits for one that it started.
    Join(Go),
    /// Starts so many goroutines that end at once, and waits for all.
    Burst(u16),
    /// Ties the goroutine to its thread.
    LockThread,
    /// Takes one such tie back.
    UnlockThread,
    /// Computes for that long and must not be preempted.
    PreemptOff(u32),
    /// Ends by a panic.
    Panic,
    /// Ends here.
    Exit,
    /// Uses so many KiB of stack, and gives them back.
    Grow(u16),
    /// Stops every other goroutine, one after the other, and reads its stack. Go: `suspendG`, `resumeG`.
    Scan,
    /// Gives back what stacks do not use: at every P, and of every goroutine, stopped one after the other. Go: `forEachP`, `shrinkstack`.
    Shrink,
    /// Changes the number of Ps; stops the world.
    Procs(u8),
    /// Does `body` so often.
    Repeat(u32, Vec<Op>),
    /// Does `body` for ever. In daemons only, as the last.
    Forever(Vec<Op>),
}

impl Op {
    /// What is inside.
    #[must_use]
    pub fn body(&self) -> Option<&[Self]> {
        match self {
            Self::Lock(_, body) | Self::Repeat(_, body) | Self::Forever(body) => Some(body),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn body_mut(&mut self) -> Option<&mut Vec<Self>> {
        match self {
            Self::Lock(_, body) | Self::Repeat(_, body) | Self::Forever(body) => Some(body),
            _ => None,
        }
    }

    /// Whether others can wait for what it does.
    #[must_use]
    pub fn gives(&self) -> bool {
        matches!(self, Self::Send(_) | Self::Set(_) | Self::Ready(_) | Self::Spawn(_))
    }

    /// Whether it can wait for what others do.
    #[must_use]
    pub fn takes(&self) -> bool {
        // With a buffer that is full, a sender waits for receivers.
        matches!(self, Self::Send(_) | Self::Recv(_) | Self::Await(_) | Self::Park | Self::Join(_))
    }
}

/// What is judged of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// The model accepts the trace; custody of every goroutine is part of that.
    Trace,
    /// The run comes to its end, faults or none.
    Termination,
    /// What comes out is what a sequential run gives.
    Results,
    /// Registers and stacks are as they were after every step.
    Canaries,
    /// suspendG sends a signal again only for one that was answered.
    RetryBudget,
    /// Nobody who can run is overtaken without end.
    Fairness,
    /// Goroutines, timers and queues are gone at the end.
    Resources,
}

impl Property {
    /// Every one.
    pub const ALL: &[Self] = &[
        Self::Trace,
        Self::Termination,
        Self::Results,
        Self::Canaries,
        Self::RetryBudget,
        Self::Fairness,
        Self::Resources,
    ];

    /// One word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Termination => "termination",
            Self::Results => "results",
            Self::Canaries => "canaries",
            Self::RetryBudget => "retry_budget",
            Self::Fairness => "fairness",
            Self::Resources => "resources",
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Scenario {
    /// The properties that this program cannot be asked for: daemons are still there at the end.
    #[must_use]
    pub fn gives_up(&self) -> Vec<Property> {
        if self.goroutines.iter().any(|g| g.daemon) { vec![Property::Resources] } else { Vec::new() }
    }

    /// Steps as they are written: what a shrinker makes fewer.
    #[must_use]
    pub fn size(&self) -> usize {
        fn count(body: &[Op]) -> usize {
            body.iter().map(|op| 1 + op.body().map_or(0, count)).sum()
        }
        self.goroutines.iter().map(|g| 1 + count(&g.body)).sum::<usize>() + usize::from(self.storm.is_some())
    }
}
