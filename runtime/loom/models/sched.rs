//! `sched.rs`, `p.rs`: Ms and Ps are found without a lock, by whoever goes through the lists.

use super::join;
use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::loom::{Model, keep, spawn};
use crate::m::M;
use crate::p::{P, PStatus};
use crate::proc::wake::acquirep;
use crate::sched::Sched;

use super::stage::Stage;

/// What whoever makes an M or a P writes there last.
const WHOLE: u32 = 7;

fn new_m(sched: &'static Sched) -> &'static M {
    let mp = keep(M::new(1, sched, 1));
    mp.syscalltick.store(WHOLE, Relaxed);
    mp
}

pub(super) fn an_m_that_is_found_is_whole() {
    Model::exhaustive().check(|| {
        let sched = Stage::new(1).sched;
        let maker = spawn(move || {
            let mp = new_m(sched);
            let _state = sched.lock.lock();
            assert!(sched.add_m(mp));
        });
        assert!(sched.ms().all(|mp| mp.syscalltick.load(Relaxed) == WHOLE));
        join(maker);
    });
}

fn a_p(find: fn(&'static Sched) -> Option<&'static P>) {
    Model::exhaustive().check(move || {
        let sched = Stage::new(1).sched;
        // Two are to be in use; the second is being made.
        sched.gomaxprocs.store(2, Relaxed);
        let maker = spawn(move || {
            let pp = keep(P::new(1));
            pp.schedtick.store(WHOLE, Relaxed);
            sched.add_p(pp);
        });
        if let Some(pp) = find(sched) {
            assert_eq!(pp.schedtick.load(Relaxed), WHOLE);
        }
        join(maker);
    });
}

pub(super) fn a_p_that_is_looked_up_is_whole() {
    a_p(|sched| sched.p(1));
}

pub(super) fn a_p_that_is_found_is_whole() {
    a_p(|sched| sched.ps().nth(1));
}

pub(super) fn a_p_that_runs_has_an_m_that_is_whole() {
    Model::exhaustive().check(|| {
        let stage = Stage::new(1);
        let (sched, pp) = (stage.sched, stage.p(0));
        let owner = spawn(move || acquirep(new_m(sched), pp));
        if pp.status.load() == PStatus::Running {
            let mp = pp.m().expect("its M was there before");
            assert_eq!(mp.syscalltick.load(Relaxed), WHOLE);
        }
        join(owner);
    });
}
