//! From an interrupted instruction to the frame in which the runtime called the goroutine.
//!
//! Runs in a signal handler: see the invariants of the module above.

use std::ops::Range;

use super::decline::Decline;
use super::map::{Map, Verdict};
use super::rows::Base;

/// Frames that are looked at; each costs two binary searches, some 50 ns.
const FRAMES: usize = 200;

/// Where a goroutine was interrupted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) pc: usize,
    pub(crate) sp: usize,
    pub(crate) bp: usize,
}

/// Whether the goroutine with this `stack` may be stopped at `place` by an injected call.
///
/// # Safety
///
/// `stack` is the caller's own and mapped.
pub(super) unsafe fn walk(map: &Map, place: Place, stack: &Range<usize>) -> Result<(), Decline> {
    let Place { mut pc, mut sp, mut bp } = place;
    // What executes is the interrupted instruction, and in callers the one before their return address.
    let mut back = 0;
    for depth in 0..FRAMES {
        let (verdict, row) = map.at(pc - back)?;
        match verdict {
            Verdict::Root => return Ok(()),
            Verdict::Preemptible => {}
            Verdict::Caller if depth > 0 => {}
            Verdict::Caller => return Err(Decline::Std),
            Verdict::No(decline) => return Err(decline),
        }
        let base = match row.base() {
            Base::Rsp => sp,
            Base::Rbp => bp,
            Base::None => return Err(Decline::Unwind),
        };
        let frame = base.checked_add(row.cfa()).ok_or(Decline::BrokenStack)?;
        // Frames grow upwards, and all of this one but its red zone is above the stack pointer.
        if frame <= sp || frame > stack.end {
            return Err(Decline::BrokenStack);
        }
        // A saved register below the stack pointer was restored already: epilogues do not say so.
        if let Some(saved) = row.rbp().and_then(|at| frame.checked_add_signed(at as isize))
            && saved >= sp
        {
            // SAFETY: by the contract.
            bp = unsafe { word(saved, stack) }.ok_or(Decline::BrokenStack)?;
        }
        // SAFETY: by the contract.
        pc = unsafe { word(frame - 8, stack) }.ok_or(Decline::BrokenStack)?;
        if pc == 0 {
            return Err(Decline::BrokenStack);
        }
        sp = frame;
        back = 1;
    }
    Err(Decline::DeepStack)
}

/// The word at `address`, if it is in `stack`.
///
/// # Safety
///
/// `stack` is mapped.
#[inline]
unsafe fn word(address: usize, stack: &Range<usize>) -> Option<usize> {
    if address < stack.start || address.checked_add(8)? > stack.end {
        return None;
    }
    // SAFETY: mapped, says the caller; volatile, for it is the memory of whoever was interrupted; an address may be odd there.
    Some(unsafe { crate::arch::peek(address) })
}
