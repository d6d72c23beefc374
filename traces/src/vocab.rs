//! The closed lists of words that events are made of, spelled as the interchange format spells them.
//!
//! Invariant: a word outside these lists is an error of the trace, never silently mapped to another one.

/// Defines an enum whose variants have one spelling each, and the way back from the spelling.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident: $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every word, in the order of definition; the discriminant is the index.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The spelling in traces.
            #[inline]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The word spelled `text`, if there is one.
            #[inline]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($word => Some(Self::$variant),)+ _ => None }
            }

            /// The word of discriminant `index`, if there is one.
            #[inline]
            pub fn from_index(index: u8) -> Option<Self> {
                Self::ALL.get(usize::from(index)).copied()
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use words;

/// Status of a G, scan bit included. The discriminant is Go's own number, with the scan bit moved
/// from `0x1000` to `0x10`, so that every status fits in five bits and dumps still compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are Go's; the facts stand in the model")]
pub enum GStatus {
    Idle = 0,
    Runnable = 1,
    Running = 2,
    Syscall = 3,
    Waiting = 4,
    Dead = 6,
    Copystack = 8,
    Preempted = 9,
    Leaked = 10,
    Deadextra = 11,
    Scanrunnable = 0x11,
    Scanrunning = 0x12,
    Scansyscall = 0x13,
    Scanwaiting = 0x14,
    Scanpreempted = 0x19,
    Scanleaked = 0x1a,
    Scandeadextra = 0x1b,
}

impl GStatus {
    /// The scan bit in [`GStatus`]'s numbering.
    pub const SCAN: u8 = 0x10;

    /// Every status.
    pub const ALL: &[Self] = &[
        Self::Idle,
        Self::Runnable,
        Self::Running,
        Self::Syscall,
        Self::Waiting,
        Self::Dead,
        Self::Copystack,
        Self::Preempted,
        Self::Leaked,
        Self::Deadextra,
        Self::Scanrunnable,
        Self::Scanrunning,
        Self::Scansyscall,
        Self::Scanwaiting,
        Self::Scanpreempted,
        Self::Scanleaked,
        Self::Scandeadextra,
    ];

    /// The spelling in traces and in Go's dumps.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "Gidle",
            Self::Runnable => "Grunnable",
            Self::Running => "Grunning",
            Self::Syscall => "Gsyscall",
            Self::Waiting => "Gwaiting",
            Self::Dead => "Gdead",
            Self::Copystack => "Gcopystack",
            Self::Preempted => "Gpreempted",
            Self::Leaked => "Gleaked",
            Self::Deadextra => "Gdeadextra",
            Self::Scanrunnable => "Gscanrunnable",
            Self::Scanrunning => "Gscanrunning",
            Self::Scansyscall => "Gscansyscall",
            Self::Scanwaiting => "Gscanwaiting",
            Self::Scanpreempted => "Gscanpreempted",
            Self::Scanleaked => "Gscanleaked",
            Self::Scandeadextra => "Gscandeadextra",
        }
    }

    /// The status spelled `text`, if there is one.
    #[inline]
    pub fn parse(text: &str) -> Option<Self> {
        let (base, scan) = match text.strip_prefix("Gscan") {
            Some(base) => (base, Self::SCAN),
            None => (text.strip_prefix('G')?, 0),
        };
        let base = match base {
            "idle" => Self::Idle,
            "runnable" => Self::Runnable,
            "running" => Self::Running,
            "syscall" => Self::Syscall,
            "waiting" => Self::Waiting,
            "dead" => Self::Dead,
            "copystack" => Self::Copystack,
            "preempted" => Self::Preempted,
            "leaked" => Self::Leaked,
            "deadextra" => Self::Deadextra,
            _ => return None,
        };
        Self::from_index(base as u8 | scan)
    }

    /// The status whose discriminant is `index`, if there is one.
    #[inline]
    pub const fn from_index(index: u8) -> Option<Self> {
        Some(match index {
            0 => Self::Idle,
            1 => Self::Runnable,
            2 => Self::Running,
            3 => Self::Syscall,
            4 => Self::Waiting,
            6 => Self::Dead,
            8 => Self::Copystack,
            9 => Self::Preempted,
            10 => Self::Leaked,
            11 => Self::Deadextra,
            0x11 => Self::Scanrunnable,
            0x12 => Self::Scanrunning,
            0x13 => Self::Scansyscall,
            0x14 => Self::Scanwaiting,
            0x19 => Self::Scanpreempted,
            0x1a => Self::Scanleaked,
            0x1b => Self::Scandeadextra,
            _ => return None,
        })
    }

    /// Whether the scan bit is set.
    #[inline]
    pub const fn has_scan(self) -> bool {
        self as u8 & Self::SCAN != 0
    }

    /// The status without the scan bit.
    #[inline]
    pub const fn base(self) -> Self {
        match Self::from_index(self as u8 & !Self::SCAN) {
            Some(base) => base,
            None => unreachable!(),
        }
    }

    /// The status with the scan bit set, where that combination exists.
    #[inline]
    pub const fn with_scan(self) -> Option<Self> {
        Self::from_index(self as u8 | Self::SCAN)
    }

    /// Go's number: the scan bit is `0x1000` there.
    pub const fn go_value(self) -> u32 {
        let base = (self as u8 & !Self::SCAN) as u32;
        if self.has_scan() { base | 0x1000 } else { base }
    }
}

impl core::fmt::Display for GStatus {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

words! {
    /// Status of a P.
    #[allow(missing_docs, reason = "the names are Go's; the facts stand in the model")]
    PStatus: Idle = "Pidle", Running = "Prunning", Syscall = "Psyscall", Gcstop = "Pgcstop", Dead = "Pdead",
}

words! {
    /// The primitive through which a G status word was changed (PR2 to PR9).
    #[allow(missing_docs, reason = "the names are Go's; the facts stand in the model")]
    Via:
    Casgstatus = "casgstatus",
    Castogscanstatus = "castogscanstatus",
    CasfromGscanstatus = "casfrom_Gscanstatus",
    CasGToPreemptScan = "casGToPreemptScan",
    CasGFromPreempted = "casGFromPreempted",
    CasGToWaiting = "casGToWaiting",
    CasGToWaitingForSuspendG = "casGToWaitingForSuspendG",
    /// The name of [`Via::CasGToWaitingForSuspendG`] in Go 1.23.
    CasGToWaitingForGC = "casGToWaitingForGC",
    /// A bare compare-and-swap on the word.
    Direct = "direct",
}

words! {
    /// The stack on which the recorded code ran.
    Stack:
    /// The G's own.
    G = "g",
    /// The M's scheduler stack.
    G0 = "g0",
    /// The M's signal stack.
    Gsignal = "gsignal",
}

words! {
    /// A value written to `stackguard0`.
    Guard:
    /// Poisoned so that the next prologue traps.
    Preempt = "preempt",
    /// `lo + guard`.
    Normal = "normal",
    /// Poisoned around a fork.
    Fork = "fork",
    /// Poisoned by a test hook.
    ForceMove = "force_move",
    /// The stack was freed.
    Zero = "zero",
}

words! {
    /// A request field of a G.
    #[allow(missing_docs, reason = "the names are Go's; the facts stand in the model")]
    Field:
    Preempt = "preempt",
    PreemptStop = "preempt_stop",
    PreemptShrink = "preempt_shrink",
    Stackguard0 = "stackguard0",
}

words! {
    /// A run queue.
    Queue:
    /// The one-slot queue of a P.
    Runnext = "runnext",
    /// The ring of a P.
    Local = "local",
    /// The list under `sched.lock`.
    Global = "global",
    /// Gs set aside while user scheduling is disabled.
    Disabled = "disabled",
    /// Whichever it was on (taken because its P is removed).
    None = "none",
}

words! {
    /// How a G was put on a queue.
    PutHow:
    /// Alone.
    One = "one",
    /// With others.
    Batch = "batch",
    /// The thief keeps the rest of a steal.
    Steal = "steal",
    /// At the head of the global queue.
    Head = "head",
}

words! {
    /// How a G was taken off a queue.
    TakeHow:
    /// One, to be run.
    Pop = "pop",
    /// Half of a full ring, on its way to the global queue.
    Spill = "spill",
    /// The whole queue of a P.
    Drain = "drain",
    /// Its P is removed.
    Destroy = "destroy",
}

words! {
    /// Why a wanted asynchronous preemption was declined.
    Reject:
    /// The signal did not interrupt the G that the M runs (AS-01).
    NotCurg = "not_curg",
    /// No P, locks held, in malloc, `preemptoff`, P not running, or in a system call (AS-02 to AS-07).
    MNotPreemptible = "m_not_preemptible",
    /// Not enough room on the stack (AS-08).
    NoStackSpace = "no_stack_space",
    /// The PC is in no known function (AS-10).
    NotGoCode = "not_go_code",
    /// The compiler or the table marks the PC as unsafe (AS-12).
    UnsafePoint = "unsafe_point",
    /// No map of locals, or assembly (AS-13).
    AsmOrNoLocalsMap = "asm_or_no_locals_map",
    /// The innermost function belongs to the runtime (AS-14).
    RuntimePackage = "runtime_package",
    /// The G is in secret mode (AS-09).
    Secret = "secret",
    /// Another reason.
    Other = "other",
}

words! {
    /// Phase of the collector.
    Phase:
    /// Not marking.
    Off = "off",
    /// Marking.
    Mark = "mark",
    /// Ending the mark.
    MarkTermination = "mark_termination",
}
