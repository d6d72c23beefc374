//! System calls, and threads of C that call into Go (T07, T08, T34 to T38, PS10 to PS16).
//!
//! Since 1.26 a P stays Prunning and wired while its M is in a system call, and is taken under the scan bit
//! of the G. Before, it became Psyscall and was taken by a compare-and-swap on its own status; then the
//! look at `gcwaiting` came after the P was published, and nothing could slip through.

use super::scheduler::{unwire, wire};
use super::state::{MPc, PStat, State, Status};
use super::step::{Act, Move};
use super::{Machine, OnM};

impl Machine {
    pub(super) fn syscall_steps(&self, on: &mut OnM<'_, impl FnMut(Move, State)>) {
        let profile = &self.config.profile;
        let (s, i, g) = (on.s, on.i, on.g());
        let gp = s.g[g];
        let by_scan_bit = profile.retakes_by_scan_bit;
        let has_ps = self.config.procs.is_some();
        match on.m().pc() {
            // reentersyscall.
            MPc::SyscallGuard => {
                let to = if has_ps && profile.entersyscall_yields_to_stw {
                    MPc::SyscallCheckStw
                } else {
                    MPc::SyscallCas
                };
                on.must(Act::SyscallGuard, to, |n| n.g[g].set_poison(true));
            }
            MPc::SyscallCheckStw => {
                let after = if by_scan_bit { MPc::SyscallCas } else { MPc::InSyscall };
                if s.world.gcwaiting() {
                    on.must(Act::SyscallSeesStw, MPc::SyscallGiveP, |_| {});
                } else {
                    on.must(Act::SyscallSeesNoStw, after, |_| {});
                }
            }
            // entersyscallHandleGCWait (PS12), entersyscall_gcwait (PS16): under sched.lock.
            MPc::SyscallGiveP if self.sched_is_locked(s) => {}
            MPc::SyscallGiveP => {
                let after = if by_scan_bit { MPc::SyscallCas } else { MPc::InSyscall };
                let p = s.m[i].p().map(usize::from).filter(|&p| {
                    let held = if by_scan_bit {
                        s.p[p].m() == Some(i as u8)
                    } else {
                        s.p[p].status() == PStat::Syscall
                    };
                    held && s.world.gcwaiting()
                });
                match p {
                    Some(p) => on.must(Act::SyscallGivesP, after, |n| unwire(n, i, p, PStat::Gcstop)),
                    None => on.must(Act::SyscallKeepsP, after, |_| {}),
                }
            }
            MPc::SyscallCas => {
                let to = if has_ps && !by_scan_bit { MPc::SyscallReleaseP } else { MPc::InSyscall };
                on.cas_from_running(Act::Syscall, Status::Syscall, to);
            }
            MPc::SyscallReleaseP => on.must(Act::SyscallReleaseP, MPc::SyscallCheckStw, |n| {
                let p = usize::from(s.m[i].p().expect("an M that enters a system call holds a P"));
                // The M remembers it as m.oldp.
                n.p[p].set_status(PStat::Syscall);
                n.p[p].set_m(None);
            }),
            MPc::InSyscall => {
                let back = if by_scan_bit || !has_ps { MPc::ExitsyscallCas } else { MPc::ExitsyscallP };
                on.may(Act::SyscallReturns, back, |_| {});
                if self.config.c_threads {
                    on.may(Act::ReturnsToC, MPc::DropmCas, |_| {});
                }
            }
            // exitsyscall.
            MPc::ExitsyscallCas => {
                if !gp.scan() {
                    let to = if has_ps && by_scan_bit { MPc::ExitsyscallP } else { MPc::ExitsyscallGuard };
                    on.must(Act::Exitsyscall, to, |n| n.g[g].set_status(Status::Running));
                }
            }
            MPc::ExitsyscallP => self.find_p_after_syscall(on),
            MPc::ExitsyscallGuard => on.must(Act::ExitsyscallGuard, MPc::User, |n| {
                n.g[g].set_poison(gp.preempt());
            }),
            MPc::ExitsyscallNoP => {
                if !gp.scan() {
                    on.must(Act::ExitsyscallNoP, MPc::ExitsyscallDrop, |n| {
                        n.g[g].set_status(Status::Runnable);
                    });
                }
            }
            MPc::ExitsyscallDrop => on.must(Act::ExitsyscallDrop, MPc::ExitsyscallPut, |n| {
                n.g[g].set_m(None);
                n.m[i].set_curg(None);
            }),
            MPc::ExitsyscallPut => on.must(Act::PutGlobal, MPc::Idle, |n| {
                self.put_global(n, g);
                n.m[i].set_gp(None);
                n.m[i].set_p(None);
            }),

            // cgocallback: needm, and exitsyscall from there; back to C through entersyscall and dropm.
            MPc::InC => on.may(Act::CallsGo, MPc::NeedmEnter, |_| {}),
            MPc::NeedmEnter => {
                if !gp.scan() {
                    on.must(Act::Needm, MPc::ExitsyscallCas, |n| {
                        n.g[g].set_status(Status::Syscall);
                        if profile.clears_pending_in_needm {
                            n.m[i].set_pending(false);
                        }
                    });
                }
            }
            MPc::DropmCas => {
                if !gp.scan() {
                    on.must(Act::Dropm, MPc::DropmClear, |n| n.g[g].set_status(Status::Deadextra));
                }
            }
            MPc::DropmClear => on.must(Act::DropmClear, MPc::InC, |n| n.g[g].set_stop(false)),
            _ => unreachable!("not a step of a system call"),
        }
    }

    /// exitsyscall wants a P: the one it had, or any idle one.
    fn find_p_after_syscall(&self, on: &mut OnM<'_, impl FnMut(Move, State)>) {
        let (s, i) = (on.s, on.i);
        let with_p = if self.config.profile.exitsyscall_runs_first {
            MPc::ExitsyscallGuard
        } else {
            MPc::ExitsyscallCas
        };
        let had = s.m[i].p().map(usize::from);
        let still_has = had.is_some_and(|p| match self.config.profile.retakes_by_scan_bit {
            true => s.p[p].m() == Some(i as u8),
            // PS14: Psyscall -> Pidle -> Prunning.
            false => s.p[p].status() == PStat::Syscall,
        });
        let idle =
            self.each_p().find(|&p| s.p[p].status() == PStat::Idle).filter(|_| !self.sched_is_locked(s));
        match (had, idle) {
            (Some(p), _) if still_has => on.must(Act::ExitsyscallHasP, with_p, |n| wire(n, i, p)),
            (_, Some(p)) => on.must(Act::ExitsyscallTakesP, with_p, |n| wire(n, i, p)),
            _ => on.must(Act::ExitsyscallWithoutP, MPc::ExitsyscallNoP, |n| n.m[i].set_p(None)),
        }
    }
}
