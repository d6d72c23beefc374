//! What a search engine must know of the model, and nothing more.
//!
//! The model has no threads and no clock, so the engine that walks its state space lives elsewhere; this
//! trait is the seam. Invariants that an implementation keeps:
//! 1. A state is exact: two states with the same [`Packed`] value are the same state.
//! 2. `successors` is a function of the state alone and visits them in a fixed order.
//! 3. `canonical` maps a state to the smallest of its symmetric images; successors of an image are the
//!    images of the successors.

/// A state, exact, in at most 126 bits: bits 63 and 127 are always zero, so that an engine may use them
/// as marks in its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Packed(pub u128);

impl Packed {
    /// The bits that no state uses.
    pub const MARKS: u128 = 1 << 127 | 1 << 63;
}

/// Something that a search can find: a broken invariant, or a hazard that a profile is known to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Rule or hazard id, such as `INV-24` or `R-51`.
    pub id: &'static str,
    /// One sentence.
    pub title: &'static str,
    /// Whether the profile under search is known to have it. An unexpected finding is a broken rule.
    pub expected: bool,
}

/// A promise that nobody waits for ever.
///
/// It is broken by a run that from some moment on stays inside the region, in which the environment makes
/// no more free choice from then on, and which is weakly fair to every obliged actor; also by a state of the
/// region in which no obliged actor can move (a dead end).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// What it means to break it.
    pub finding: Finding,
    /// Which region, as [`Space::waits`] knows it.
    pub region: u8,
}

/// A finite transition system.
pub trait Space: Sync {
    /// One step, named: who did what. Small and plain, so that it can be shown in a story.
    type Move: Copy + Eq + core::fmt::Debug + Send;

    /// The initial states.
    fn initial(&self) -> Vec<Packed>;

    /// Calls `visit` with each enabled move and the state it leads to.
    fn successors(&self, state: Packed, visit: &mut impl FnMut(Self::Move, Packed));

    /// The representative of the state's symmetry class; the state itself where symmetry is off.
    fn canonical(&self, state: Packed) -> Packed {
        state
    }

    /// The safety findings of this space; bit `i` of [`Space::broken`] speaks of entry `i`. At most 32.
    fn findings(&self) -> &[Finding];

    /// Which safety findings the state shows, as a bit set; 0 for nearly every state.
    fn broken(&self, state: Packed) -> u32;

    /// The liveness promises of this space.
    fn promises(&self) -> &[Promise];

    /// Whether the state lies in the region: the waiter of the promise is waiting.
    fn waits(&self, state: Packed, region: u8) -> bool;

    /// The obliged actor (below 32) that makes this move, or `None` for a free choice of the environment,
    /// which may be refused for ever (a system call need not return, a user program need not call).
    fn actor(&self, state: Packed, step: Self::Move) -> Option<u8>;

    /// The move in words, for a story: who, and what it means.
    fn narrate(&self, state: Packed, step: Self::Move) -> String;

    /// The state in words, for a story: what matters of it, in one line.
    fn describe(&self, state: Packed) -> String;
}
