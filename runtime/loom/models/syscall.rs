//! `proc/syscall.rs`: a P in a system call is its goroutine's or sysmon's, never both's.

use super::stage::{Stage, on, stack_of};
use super::{Datum, join};
use crate::facade::loom::{Model, keep, spawn};
use crate::p::PStatus;
use crate::proc::syscall::{SyscallingThread, entersyscall, exitsyscall};
use crate::status::GStatus;
use crate::trace::Site;

/// What belongs to who has a P.
fn own(data: &'static [Datum; 2], id: i32) {
    let datum = &data[id as usize];
    datum.set(datum.get() + 1);
}

/// sysmon takes the P at any point of the call, or not at all; there is another idle one to come back to.
/// Bounded: both go through a hundred operations.
pub(super) fn a_p_is_retaken_from_a_system_call_only() {
    Model::bounded(2).check(|| {
        let stage = Stage::new(2);
        let data = keep([Datum::new(), Datum::new()]);
        let (mp, sysmon) = (stage.m_with(stage.p(0)), stage.m());
        let stack = stack_of(stage.running(mp));
        let (sched, pp) = (stage.sched, stage.p(0));
        sched.pidleput(&mut sched.lock.lock(), stage.p(1));
        let sysmon = spawn(move || {
            on(sysmon, || {
                let Some(thread) = SyscallingThread::block(sysmon, pp, Site::Retake) else { return };
                // It stands still meanwhile.
                stack.touch();
                thread.take_p(sysmon);
                thread.resume(sysmon);
                own(data, pp.id());
                sched.pidleput(&mut sched.lock.lock(), pp);
            });
        });
        on(mp, || {
            own(data, 0);
            entersyscall();
            exitsyscall();
            stack.touch();
            let Some(pp) = mp.p() else { panic!("there was an idle P") };
            own(data, pp.id());
            assert!(pp.m().is_some_and(|m| std::ptr::eq(m, mp)));
            assert_eq!(pp.status.load(), PStatus::Running);
            assert!(stack.gp.status.load().is(GStatus::Running));
        });
        join(sysmon);
        assert_eq!(sched.npidle.load(crate::facade::atomic::Ordering::Relaxed), 1, "one P runs, one is idle");
    });
}
