//! Why no call was injected, and why there is no map at all.

use std::fmt;
use std::io;

/// Defines the reasons with their ids and what they mean.
macro_rules! declines {
    ($($(#[$doc:meta])* $name:ident = $id:literal),+ $(,)?) => {
        /// Why a goroutine that may be moved at any instruction was not stopped by an injected call this time, or why a function is not
        /// preemptible. [`Metrics`](crate::Metrics) counts each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Decline { $($(#[$doc])* $name),+ }

        impl Decline {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// A short name for machines: it does not change between versions.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id),+ }
            }
        }
    };
}

declines! {
    /// The map is being made.
    NotReady = "not_ready",
    /// There is no map of this executable.
    NoMap = "no_map",
    /// The goroutine is locked to its thread.
    Locked = "locked",
    /// The goroutine is unwinding: std counts panics by thread.
    Panicking = "panicking",
    /// Not enough room on its stack for all registers.
    LowStack = "low_stack",
    /// The processor holds state that cannot be saved: matrix tiles.
    ExtendedState = "extended_state",
    /// Not in the executable: a shared library (malloc, for one), the kernel's page, or code made at run time.
    Outside = "outside",
    /// The function has no entry in the unwind tables.
    NoUnwindEntry = "no_unwind_entry",
    /// Unwind tables that the map cannot express.
    Unwind = "unwind",
    /// The function has no symbol.
    NoSymbol = "no_symbol",
    /// C, assembly, or a symbol that is not Rust's.
    NotRust = "not_rust",
    /// std, or what it is made of: locks, and state of the thread.
    Std = "std",
    /// This crate.
    Runtime = "runtime",
    /// It accesses a thread-local.
    ThreadLocal = "thread_local",
    /// It calls a function that accesses a thread-local, and may hold the address.
    CallsThreadLocal = "calls_thread_local",
    /// A function that accesses a thread-local jumps to it, and may have left it the address.
    AfterThreadLocal = "after_thread_local",
    /// It calls foreign code that is not known to be the same on all threads.
    ForeignCall = "foreign_call",
    /// An instruction that depends on the thread: a system call, a segment base, protection keys, tiles.
    Machine = "machine",
    /// Bytes that are no instructions.
    Undecodable = "undecodable",
    /// The stack does not look as the unwind tables say.
    BrokenStack = "broken_stack",
    /// More frames than are looked at.
    DeepStack = "deep_stack",
}

impl Decline {
    /// Whether the goroutine may be found elsewhere if it is asked again soon.
    pub(crate) fn may_pass(self) -> bool {
        !matches!(self, Self::NotReady | Self::NoMap | Self::Locked | Self::ExtendedState)
    }

    pub(super) fn from_index(index: u8) -> Option<Self> {
        Self::ALL.get(usize::from(index)).copied()
    }

    /// What it means.
    const fn words(self) -> &'static str {
        match self {
            Self::NotReady => "the map is being made",
            Self::NoMap => "there is no map of this executable",
            Self::Locked => "the goroutine is locked to its thread",
            Self::Panicking => "the goroutine is unwinding",
            Self::LowStack => "not enough room on the stack",
            Self::ExtendedState => "the processor holds state that cannot be saved",
            Self::Outside => "not in the executable",
            Self::NoUnwindEntry => "no entry in the unwind tables",
            Self::Unwind => "unwind tables that the map cannot express",
            Self::NoSymbol => "no symbol",
            Self::NotRust => "not Rust",
            Self::Std => "std",
            Self::Runtime => "the runtime",
            Self::ThreadLocal => "accesses a thread-local",
            Self::CallsThreadLocal => "calls a function that accesses a thread-local",
            Self::AfterThreadLocal => "jumped to by a function that accesses a thread-local",
            Self::ForeignCall => "calls unknown foreign code",
            Self::Machine => "an instruction that depends on the thread",
            Self::Undecodable => "bytes that are no instructions",
            Self::BrokenStack => "the stack is not as the unwind tables say",
            Self::DeepStack => "too many frames",
        }
    }
}

impl fmt::Display for Decline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

/// Why an executable has no safe-point map, or why none is used.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unavailable {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It is no executable, or a damaged one.
    Malformed(String),
    /// Calls are injected on x86-64 only.
    Architecture,
    /// It has no symbol table: built with `strip = true`. `strip = "debuginfo"` keeps it.
    Stripped,
    /// It has no unwind tables.
    NoUnwindTables,
    /// It is not the program that runs.
    NotThisProgram,
    /// This crate is in a shared library.
    InLibrary,
    /// The process has shadow stacks (CET), which an injected call would break.
    ShadowStack,
    /// The processor cannot save its extended state by XSAVE, or has state of a kind that this crate does not know.
    ExtendedState(u64),
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "cannot read the executable: {error}"),
            Self::Malformed(why) => write!(f, "not an executable that can be understood: {why}"),
            Self::Architecture => f.write_str("not an x86-64 executable"),
            Self::Stripped => {
                f.write_str("the executable has no symbol table: build it without `strip = true`")
            }
            Self::NoUnwindTables => f.write_str("the executable has no unwind tables"),
            Self::NotThisProgram => f.write_str("the executable is not the program that runs"),
            Self::InLibrary => f.write_str("the runtime is in a shared library, not in the executable"),
            Self::ShadowStack => f.write_str("the process has shadow stacks"),
            Self::ExtendedState(bits) => write!(f, "the processor has state of unknown kinds: {bits:#x}"),
        }
    }
}

impl std::error::Error for Unavailable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable(error) => Some(error),
            _ => None,
        }
    }
}
