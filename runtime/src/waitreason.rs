//! Why a goroutine waits: what dumps and traces say. Go: `waitReason` (runtime2.go), same words.

/// Defines the reasons with their words.
macro_rules! reasons {
    ($($(#[$meta:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// See the module.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum WaitReason { $($(#[$meta])* $name),+ }

        impl WaitReason {
            pub(crate) const ALL: &[Self] = &[$(Self::$name),+];

            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
        }
    };
}

reasons! {
    Zero = "",
    ChanReceive = "chan receive",
    ChanSend = "chan send",
    Select = "select",
    SelectNoCases = "select (no cases)",
    Sleep = "sleep",
    IoWait = "IO wait",
    SyncMutexLock = "sync.Mutex.Lock",
    SyncRWMutexRLock = "sync.RWMutex.RLock",
    SyncRWMutexLock = "sync.RWMutex.Lock",
    SyncCondWait = "sync.Cond.Wait",
    SyncWaitGroupWait = "sync.WaitGroup.Wait",
    /// Ours: Go has no counterpart.
    SyncOnce = "sync.Once",
    Semacquire = "semacquire",
    /// Ours: Go has no join.
    Join = "join",
    /// Ours: for a job of a blocking pool.
    Pool = "blocking pool",
    Preempted = "preempted",
    StoppingTheWorld = "stopping the world",
    FlushProcCaches = "flushing proc caches",
    /// Go: of a goroutine that scans stacks, its own among them.
    StackScan = "garbage collection scan",
}

impl WaitReason {
    /// Whether a goroutine that waits for it works on g0 meanwhile. Go: `isWaitingForSuspendG`.
    pub(crate) fn is_for_suspend_g(self) -> bool {
        matches!(self, Self::StoppingTheWorld | Self::FlushProcCaches | Self::StackScan)
    }

    pub(crate) fn from_index(index: u8) -> Self {
        Self::ALL.get(usize::from(index)).copied().unwrap_or(Self::Zero)
    }
}
