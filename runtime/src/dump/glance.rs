//! What a dump says of one goroutine, taken in one glance.
//!
//! 1. The goroutine stands still while its stack is copied (`suspend_g`); the walk, which allocates, comes after it goes on: it
//!    may have been stopped inside malloc, and whoever waits for malloc's lock must not keep it there.
//! 2. So a glance is a fixed size, and holds the innermost part of a very deep stack only.
//! 3. A goroutine that runs is stopped for the glance, but not waited for longer than the caller has patience: it may be inside
//!    `preempt_off`. Then, and of one in a system call, only the words of its G are looked at: its stack is in use.

use std::fmt;

use super::target;
use super::unwind::{Frame, Registers, Unwinder};
use crate::api::names;
use crate::facade::atomic::AtomicUsize;
use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::nanotime;
use crate::g::G;
use crate::m::M;
use crate::proc::{Attempt, resume_g, suspend_g_until};
use crate::status::GStatus;
use crate::waitreason::WaitReason;

/// Words of stack that are copied: 256 KiB.
const WORDS: usize = 32 << 10;
/// Bytes of a name that are shown.
const NAME: usize = 128;

/// The goroutine at the moment of the glance.
#[derive(Clone, Copy)]
struct Head {
    goid: u64,
    parent: u64,
    status: GStatus,
    reason: WaitReason,
    /// Nanoseconds that it has waited, as far as is known.
    waited: i64,
    /// The M that it runs on.
    on: Option<i32>,
    locked: bool,
    name: [u8; NAME],
    name_len: usize,
}

/// A place to take glances in; made once, used for many goroutines.
pub(crate) struct Glance {
    head: Option<Head>,
    /// Words of the stack from `sp` on, `len` of them.
    words: Box<[usize]>,
    len: usize,
    sp: usize,
    /// Where a goroutine that stopped in a signal handler was interrupted.
    interrupted: Option<Registers>,
    entry: usize,
}

impl Glance {
    pub(crate) fn new() -> Self {
        Self { head: None, words: vec![0; WORDS].into(), len: 0, sp: 0, interrupted: None, entry: 0 }
    }

    /// Looks at `gp`; `false` if it is no goroutine just now. `mp` looks for a suspendable goroutine or for none; one that runs
    /// is given until `deadline`, nanoseconds of the monotonic clock, to stop. Allocates nothing.
    pub(crate) fn take(&mut self, gp: &'static G, mp: &'static M, deadline: i64) -> bool {
        self.forget();
        let before = Head::of(gp, gp.status.load().base());
        match before.status {
            GStatus::Idle | GStatus::Dead => return false,
            GStatus::Syscall => self.head = Some(before),
            _ => match suspend_g_until(mp, gp, deadline) {
                Attempt::Dead => return false,
                Attempt::GaveUp => self.head = Some(before),
                Attempt::Suspended(suspended) => {
                    // What it was doing before it was stopped for this.
                    let ran =
                        suspended.ran() && before.status == GStatus::Running && before.goid == gp.goid();
                    self.copy(gp, if ran { before } else { Head::of(gp, gp.status.load().base()) });
                    resume_g(mp, suspended);
                }
            },
        }
        true
    }

    /// Looks at the goroutine that calls, whose frames it knows.
    pub(crate) fn take_own(&mut self, gp: &'static G) {
        self.forget();
        let mut head = Head::of(gp, gp.status.load().base());
        // SAFETY: its own name.
        head.keep_name(unsafe { names::get(gp) });
        self.head = Some(head);
    }

    /// Looks at `gp` when nothing runs any more; `false` if it is no goroutine.
    pub(crate) fn take_last(&mut self, gp: &'static G) -> bool {
        self.forget();
        let head = Head::of(gp, gp.status.load().base());
        match head.status {
            GStatus::Idle | GStatus::Dead => return false,
            GStatus::Waiting | GStatus::Runnable | GStatus::Preempted => self.copy(gp, head),
            _ => self.head = Some(head),
        }
        true
    }

    fn forget(&mut self) {
        self.len = 0;
        self.interrupted = None;
    }

    /// Copies what is to be known of `gp`, which stays where it is. Allocates nothing.
    fn copy(&mut self, gp: &'static G, mut head: Head) {
        // SAFETY: it does not run on.
        head.keep_name(unsafe { names::get(gp) });
        if head.status == GStatus::Waiting {
            let now = nanotime();
            // Relaxed: the holder's while it waits. Who waits is noted when it is first seen waiting, as in Go.
            match gp.waitsince.load(Relaxed) {
                0 => gp.waitsince.store(now, Relaxed),
                since => head.waited = now - since,
            }
        }
        self.head = Some(head);
        self.entry = gp.entry.load(Relaxed).addr();
        let handler = gp.lockedm().map_or(std::ptr::null_mut(), |mp| mp.interrupted.load(Relaxed));
        // SAFETY: null, or what the kernel saved for a handler that waits until this goroutine goes on.
        self.interrupted = unsafe { handler.cast::<libc::ucontext_t>().as_ref() }.map(target::interrupted);
        self.sp = self.interrupted.map_or_else(|| gp.sp.load(Relaxed), |registers| registers.sp);
        if (gp.stack_lo()..gp.stack_hi()).contains(&self.sp) && self.sp.is_multiple_of(8) {
            self.len = ((gp.stack_hi() - self.sp) / 8).min(WORDS);
            for (i, word) in self.words[..self.len].iter_mut().enumerate() {
                // SAFETY: a word of its stack, which is mapped and aligned. Atomic, for others may write what lies there:
                // borrowed values, nodes of queues. Relaxed: return addresses were handed over with the status.
                *word = unsafe { &*std::ptr::with_exposed_provenance::<AtomicUsize>(self.sp + i * 8) }
                    .load(Relaxed);
            }
        }
    }

    /// The frames of its stack, if that was looked at.
    pub(crate) fn frames(&self, unwinder: &mut Unwinder) -> Vec<Frame> {
        let read = |address: usize| {
            let offset = address.checked_sub(self.sp)?;
            offset.is_multiple_of(8).then(|| self.words[..self.len].get(offset / 8).copied())?
        };
        let Some(from) = self.interrupted.or_else(|| target::saved(self.sp, read)) else { return Vec::new() };
        let mut frames = unwinder.walk(from, read);
        // Has never run: what it will run says more than where it begins.
        if self.interrupted.is_none() && frames.len() == 1 && self.entry != 0 {
            frames[0] = Frame { address: self.entry };
        }
        frames
    }

    /// Goid of its creator, 0 if it has none.
    pub(crate) fn parent(&self) -> u64 {
        self.head.map_or(0, |head| head.parent)
    }
}

/// The head line, in Go's words: `goroutine 12 [chan receive, 3 minutes]: name`. Formatting allocates nothing.
impl fmt::Display for Glance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(head) = &self.head else { return Ok(()) };
        write!(f, "goroutine {} [{}", head.goid, head.state())?;
        let minutes = head.waited / 60_000_000_000;
        if minutes >= 1 {
            write!(f, ", {minutes} minutes")?;
        }
        if let Some(m) = head.on {
            write!(f, " on M{m}")?;
        }
        if head.locked {
            f.write_str(", locked to thread")?;
        }
        f.write_str("]:")?;
        match std::str::from_utf8(&head.name[..head.name_len]).unwrap_or_default() {
            "" => Ok(()),
            name => write!(f, " {name}"),
        }
    }
}

impl Head {
    /// What may be looked at at any time.
    fn of(gp: &'static G, status: GStatus) -> Self {
        let running = matches!(status, GStatus::Running | GStatus::Syscall);
        Self {
            goid: gp.goid(),
            // Relaxed: a goroutine's own for all its life.
            parent: gp.parent.load(Relaxed),
            status,
            reason: gp.waitreason(),
            waited: 0,
            on: gp.m().filter(|_| running).map(M::id),
            locked: gp.lockedm().is_some(),
            name: [0; NAME],
            name_len: 0,
        }
    }

    fn keep_name(&mut self, name: Option<&str>) {
        let name = name.unwrap_or("");
        self.name_len = name.floor_char_boundary(NAME);
        self.name[..self.name_len].copy_from_slice(&name.as_bytes()[..self.name_len]);
    }

    fn state(&self) -> &'static str {
        match self.status {
            GStatus::Idle => "idle",
            GStatus::Runnable => "runnable",
            GStatus::Running => "running",
            GStatus::Syscall => "syscall",
            GStatus::Waiting if self.reason == WaitReason::Zero => "waiting",
            GStatus::Waiting => self.reason.as_str(),
            GStatus::Dead => "dead",
            GStatus::Copystack => "copystack",
            GStatus::Preempted => "preempted",
        }
    }
}
