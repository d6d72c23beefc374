//! Waiting for several channels at once, as Go's `select` does.
//!
//! The [`select!`](crate::select!) macro is for a fixed set of operations. [`Select`] is for one that is only known at run
//! time; both are the same algorithm (`selectgo`).
//!
//! Among the operations that are ready each is chosen with the same probability. An operation on a closed channel is
//! ready: it fails at once. Exactly one operation takes place; the values of sends that were not chosen are dropped.

mod case;
mod macros;
mod rand;
mod selectgo;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

pub use case::{Case, RecvFrom, RecvOp, SendOp, SendTo};

use crate::chan::hchan::Until;

/// Most operations of one [`Select`].
pub const MAX_CASES: usize = 65_535;

/// A choice among operations that are only known at run time. Go: `reflect.Select`.
///
/// Operations are numbered from 0 in the order in which they are added. They are borrowed until the choice is made,
/// and answer afterwards with [`RecvOp::result`] and [`SendOp::result`].
///
/// ```no_run
/// use sigurg::select::{RecvOp, Select};
///
/// # let (receivers, done) = (vec![sigurg::chan::<u32>(1).1], sigurg::chan::<()>(0).1);
/// let mut inputs: Vec<_> = receivers.iter().map(|rx| RecvOp::new(rx)).collect();
/// let mut done = RecvOp::new(&done);
/// let mut select = Select::new();
/// inputs.iter_mut().for_each(|input| _ = select.recv(input));
/// let stop = select.recv(&mut done);
/// let chosen = select.select();
/// if chosen != stop {
///     println!("input {chosen}: {:?}", inputs[chosen].result());
/// }
/// ```
#[derive(Debug, Default)]
pub struct Select<'a> {
    cases: Vec<&'a Case<'a>>,
}

impl<'a> Select<'a> {
    /// A choice among nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a receive; its number.
    ///
    /// # Panics
    ///
    /// If there are [`MAX_CASES`] already, or the result of an earlier choice was not taken from `op`.
    pub fn recv<T>(&mut self, op: &'a mut RecvOp<'_, T>) -> usize {
        self.add(op.case())
    }

    /// Adds a send; its number.
    ///
    /// # Panics
    ///
    /// If there are [`MAX_CASES`] already, or `op` was chosen before.
    pub fn send<T>(&mut self, op: &'a mut SendOp<'_, T>) -> usize {
        self.add(op.case())
    }

    fn add(&mut self, case: &'a Case<'a>) -> usize {
        let number = self.cases.len();
        assert!(number < MAX_CASES, "a select has at most {MAX_CASES} cases");
        self.cases.push(case);
        number
    }

    /// Waits until one of the operations took place; its number. For ever if there is none.
    #[must_use]
    pub fn select(self) -> usize {
        match self.until(Until::Forever) {
            Some(chosen) => chosen,
            None => __private::never(),
        }
    }

    /// The number of the operation that took place, if one could without waiting.
    #[must_use]
    pub fn try_select(self) -> Option<usize> {
        self.until(Until::Now)
    }

    /// Waits for at most `timeout`.
    #[must_use]
    pub fn select_timeout(self, timeout: Duration) -> Option<usize> {
        self.until(Until::For(timeout))
    }

    /// Waits until `deadline` at most.
    #[must_use]
    pub fn select_deadline(self, deadline: Instant) -> Option<usize> {
        self.until(Until::At(deadline))
    }

    fn until(self, until: Until) -> Option<usize> {
        let n = self.cases.len();
        let mut orders = vec![0; 2 * n];
        let (pollorder, lockorder) = orders.split_at_mut(n);
        selectgo::selectgo(&self.cases, pollorder, lockorder, until)
    }
}

/// What the macro needs.
#[doc(hidden)]
pub mod __private {
    use super::case::Case;
    use super::selectgo::selectgo;
    pub use crate::chan::hchan::Until;

    /// Completes one of the cases, if one can be completed in time.
    #[inline]
    pub fn wait<const N: usize>(cases: [&Case<'_>; N], until: Until) {
        let (mut pollorder, mut lockorder) = ([0; N], [0; N]);
        selectgo(&cases, &mut pollorder, &mut lockorder, until);
    }

    /// Go: `block`.
    pub fn forever() -> ! {
        wait([], Until::Forever);
        never()
    }

    /// A select without limit returned without a choice.
    #[cold]
    pub fn never() -> ! {
        unreachable!("a select without time limit ends only by one of its operations")
    }
}
