//! The functions that events name, by Go's names.

use sigurg_traces::Sym;

/// Defines the sites with their words.
macro_rules! sites {
    ($($name:ident = $word:literal),+ $(,)?) => {
        /// A function of the runtime, as an event names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Site { $($name),+ }

        impl Site {
            pub(crate) const ALL: &[Self] = &[$(Self::$name),+];

            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
        }
    };
}

sites! {
    None = "",
    Newproc1 = "newproc1",
    Newproc = "newproc",
    Runqput = "runqput",
    Schedule = "schedule",
    Execute = "execute",
    ParkM = "park_m",
    Gopark = "gopark",
    Goready = "goready",
    Ready = "ready",
    Injectglist = "injectglist",
    GoschedM = "gosched_m",
    GopreemptM = "gopreempt_m",
    GoschedImpl = "goschedImpl",
    GoyieldM = "goyield_m",
    Goexit0 = "goexit0",
    Gdestroy = "gdestroy",
    Gfput = "gfput",
    Gfget = "gfget",
    FindRunnable = "findRunnable",
    Wirep = "wirep",
    Releasep = "releasepNoTrace",
    Procresize = "procresize",
    PInit = "(*p).init",
    PDestroy = "(*p).destroy",
    Wakep = "wakep",
    Startm = "startm",
    Stopm = "stopm",
    Handoffp = "handoffp",
    Resetspinning = "resetspinning",
    Stoplockedm = "stoplockedm",
    Startlockedm = "startlockedm",
    Rescue = "rescue",
    Gcstopm = "gcstopm",
    Mexit = "mexit",
    Mstart = "mstart",
    Entersyscall = "entersyscall",
    Reentersyscall = "reentersyscall",
    Entersyscallblock = "entersyscallblock",
    EntersyscallHandleGCWait = "entersyscallHandleGCWait",
    Exitsyscall = "exitsyscall",
    ExitsyscallNoP = "exitsyscallNoP",
    ExitsyscallTryGetP = "exitsyscallTryGetP",
    SetBlockOnExitSyscall = "setBlockOnExitSyscall",
    SyscallingThreadResume = "syscallingThread.resume",
    TakeP = "syscallingThread.takeP",
    GcstopP = "syscallingThread.gcstopP",
    Retake = "retake",
    Adopt = "adopt",
    Recall = "recall",
    Sysmon = "sysmon",
    WakePreempt = "wakePreempt",
    Preemptone = "preemptone",
    Preemptall = "preemptall",
    Newstack = "newstack",
    DoSigPreempt = "doSigPreempt",
    Sigfwdgo = "sigfwdgo",
    PreemptPark = "preemptPark",
    StopTheWorldWithSema = "stopTheWorldWithSema",
    StartTheWorldWithSema = "startTheWorldWithSema",
    ForEachP = "forEachP",
    RunSafePointFn = "runSafePointFn",
    Shrinkstack = "shrinkstack",
    Releasem = "releasem",
    SuspendG = "suspendG",
    ResumeG = "resumeG",
    Markroot = "markroot",
}

impl Site {
    /// Its symbol: a trace begins with the sites in their order.
    #[inline]
    pub(crate) fn sym(self) -> Sym {
        Sym(self as u32)
    }
}
