//! A plain field that several Ms write without a lock, as far as a trace can know it.
//!
//! A store that sets is claimed before it is done, one that clears after. So a trace can tell that a field
//! *may* be set, and that it *surely* is, and between the two it must be silent.

/// Knowledge of one such field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag {
    /// The last store that set it was claimed with this number.
    set: u64,
    /// The last store that cleared it was claimed with this number.
    clear: u64,
    /// It was surely set before this number was claimed; `u64::MAX` if that is not known.
    sure: u64,
    /// Stores that set it and were claimed, but may not be done.
    underway: u16,
    may: bool,
}

impl Flag {
    pub(crate) const CLEAR: Self = Self { set: 0, clear: 0, sure: u64::MAX, underway: 0, may: false };

    /// A store that sets it was claimed.
    #[inline]
    pub(crate) fn setting(&mut self, seq: u64) {
        self.may = true;
        self.set = seq;
        self.underway += 1;
    }

    /// The store that was claimed as `claimed` was done before its M claimed `seq`.
    #[inline]
    pub(crate) fn was_set(&mut self, claimed: u64, seq: u64) {
        self.underway = self.underway.saturating_sub(1);
        if self.may && claimed >= self.clear {
            self.sure = self.sure.min(seq);
        }
    }

    /// A store cleared it after its M had claimed `since`, and before it claimed `seq`.
    #[inline]
    pub(crate) fn cleared(&mut self, since: u64, seq: u64) {
        self.sure = u64::MAX;
        self.clear = seq;
        self.may = self.underway > 0 || self.set > since;
    }

    /// Whether a read may find it set.
    #[inline]
    pub(crate) fn may_be_set(&self) -> bool {
        self.may
    }

    /// Whether every read after `seq` was claimed finds it set.
    #[inline]
    pub(crate) fn surely_set(&self, seq: u64) -> bool {
        self.sure < seq
    }
}
