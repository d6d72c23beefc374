//! Schedules: who had a turn, for how long, and how it ended.

use std::fmt;
use std::str::FromStr;

/// Who can have a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Actor {
    /// The thread of that number, from 0: the main thread.
    Thread(u16),
    /// The same, after it has taken the signal that is pending for it.
    Signal(u16),
    /// Time passes until the first sleeper is due; while somebody computes, by 50 ms at most.
    Clock,
}

impl Actor {
    /// The thread that has the turn; none if it is the clock.
    pub fn thread(self) -> Option<u16> {
        match self {
            Self::Thread(at) | Self::Signal(at) => Some(at),
            Self::Clock => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thread(at) => write!(f, "t{at}"),
            Self::Signal(at) => write!(f, "s{at}"),
            Self::Clock => f.write_str("clock"),
        }
    }
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The schedule wanted it.
    Chosen,
    /// The thread sleeps.
    Slept,
    /// The thread spins, or said that others should go first.
    GaveWay,
    /// The thread has ended.
    Ended,
}

impl End {
    /// As it is written.
    fn mark(self) -> &'static str {
        match self {
            Self::Chosen => "",
            Self::Slept => "z",
            Self::GaveWay => "y",
            Self::Ended => "x",
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chosen => "goes on",
            Self::Slept => "sleeps",
            Self::GaveWay => "gives way",
            Self::Ended => "has ended",
        })
    }
}

/// One turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// Whose.
    pub actor: Actor,
    /// Operations that the thread did, not counting the one it stood at. Of the clock: nanoseconds beyond the deadline.
    pub amount: u32,
    /// How it ended.
    pub end: End,
}

/// All turns of an execution, up to the end of its main thread.
///
/// As text, one word for each turn: `t2:140` is 140 operations of thread 2, `s2:7z` the signal of thread 2 and 7 operations,
/// after which it slept (`y`: gave way, `x`: ended), `clock:0` the time.
///
/// ```
/// use sigurg_shuttle::sim::Schedule;
///
/// let schedule: Schedule = "t0:31z clock:0 t2:140 s2:7x".parse().unwrap();
/// assert_eq!(schedule.slices.len(), 4);
/// assert_eq!(schedule.to_string(), "t0:31z clock:0 t2:140 s2:7x");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Schedule {
    /// In order.
    pub slices: Vec<Slice>,
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}{}", self.actor, self.amount, self.end.mark())
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, slice) in self.slices.iter().enumerate() {
            write!(f, "{}{slice}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

/// A word that is no turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseScheduleError {
    word: String,
}

impl fmt::Display for ParseScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no turn: t2:140, s2:7z, clock:0", self.word)
    }
}

impl std::error::Error for ParseScheduleError {}

impl FromStr for Slice {
    type Err = ParseScheduleError;

    fn from_str(word: &str) -> Result<Self, ParseScheduleError> {
        let parse = || {
            let (actor, rest) = word.split_once(':')?;
            let end = match rest.chars().next_back()? {
                'z' => End::Slept,
                'y' => End::GaveWay,
                'x' => End::Ended,
                _ => End::Chosen,
            };
            let amount = rest.strip_suffix(end.mark())?.parse().ok()?;
            let actor = match actor {
                "clock" => Actor::Clock,
                _ if actor.starts_with('t') => Actor::Thread(actor[1..].parse().ok()?),
                _ if actor.starts_with('s') => Actor::Signal(actor[1..].parse().ok()?),
                _ => return None,
            };
            Some(Self { actor, amount, end })
        };
        parse().ok_or_else(|| ParseScheduleError { word: word.to_owned() })
    }
}

impl FromStr for Schedule {
    type Err = ParseScheduleError;

    fn from_str(text: &str) -> Result<Self, ParseScheduleError> {
        let slices = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { slices })
    }
}
