//! What scheduler models start from: a runtime without threads of its own, with Ms, Ps and goroutines as asked.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use super::Datum;
use crate::arch;
use crate::config::{Config, Debug, Hooks};
use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::loom::keep;
use crate::facade::setm;
use crate::g::G;
use crate::m::M;
use crate::p::P;
use crate::proc::schedule::run_here;
use crate::proc::wake::acquirep;
use crate::sched::Sched;
use crate::status::GStatus;

pub(super) struct Stage {
    pub(super) sched: &'static Sched,
}

impl Stage {
    /// With `procs` Ps, which nobody has.
    pub(super) fn new(procs: u32) -> Self {
        let config = Config {
            gomaxprocs: procs,
            stack_size: 16 << 10,
            thread_name: String::new(),
            hooks: Hooks::default(),
            injectable: false,
            // No signals.
            debug: Debug { asyncpreemptoff: true, ..Debug::default() },
            seed: 1,
        };
        let sched = keep(Sched::new(config, None).expect("a poller and address space"));
        sched.gomaxprocs.store(procs, Relaxed);
        (0..procs).for_each(|id| sched.add_p(keep(P::new(id as i32))));
        Self { sched }
    }

    pub(super) fn p(&self, id: usize) -> &'static P {
        self.sched.p(id).expect("one of the Ps asked for")
    }

    /// A new M with that P.
    pub(super) fn m_with(&self, pp: &'static P) -> &'static M {
        let mp = self.m();
        acquirep(mp, pp);
        mp
    }

    /// A new M.
    pub(super) fn m(&self) -> &'static M {
        let mut state = self.sched.lock.lock();
        let id = state.mnext;
        state.mnext += 1;
        let mp = keep(M::new(id, self.sched, 1));
        assert!(self.sched.add_m(mp));
        drop(state);
        mp
    }

    /// Ends the runtime: Ms that sleep leave. What happens from here on is not explored.
    pub(super) fn end(&self) {
        ::loom::stop_exploring();
        self.sched.ended.store(true, Relaxed);
        self.sched.ms().for_each(|mp| mp.park.wakeup());
        self.sched.template.wakeup();
    }

    /// A goroutine in that status.
    pub(super) fn g(&self, status: GStatus) -> &'static G {
        let gp = self.sched.slab.alloc(self.sched, self.sched.slab.default_class()).expect("address space");
        assert!(gp.status.cas(GStatus::Idle, status).is_ok());
        gp
    }

    /// A goroutine that runs on `mp`.
    pub(super) fn running(&self, mp: &'static M) -> &'static G {
        let gp = self.g(GStatus::Runnable);
        run_here(mp, gp);
        gp
    }
}

/// What a goroutine hands over with itself: whoever runs it or looks at it does so alone.
pub(super) fn stack_of(gp: &'static G) -> Stack {
    Stack { datum: keep(Datum::new()), gp }
}

#[derive(Clone, Copy)]
pub(super) struct Stack {
    datum: &'static Datum,
    pub(super) gp: &'static G,
}

impl Stack {
    /// Something runs on it, or looks at it.
    pub(super) fn touch(self) {
        self.datum.set(self.datum.get() + 1);
    }

    pub(super) fn touched(self) -> u32 {
        self.datum.get()
    }
}

/// Calls `f` on this thread as that of `mp`; `None` if the runtime ended meanwhile. Once for an M.
pub(super) fn on<T, F: FnOnce() -> T>(mp: &'static M, f: F) -> Option<T> {
    struct Call<F, T> {
        mp: &'static M,
        f: Option<F>,
        result: Option<thread::Result<T>>,
    }
    extern "C" fn call<T, F: FnOnce() -> T>(arg: *mut ()) -> ! {
        // SAFETY: `arg` is the `Call` below, which waits for this.
        let call = unsafe { &mut *arg.cast::<Call<F, T>>() };
        call.result = call.f.take().map(|f| catch_unwind(AssertUnwindSafe(f)));
        // SAFETY: as `leave`; but loom may have failed, so not by its word.
        unsafe { arch::gogo(call.mp.g0_sp.as_ptr().read()) }
    }
    setm(Some(mp));
    let mut at = Call { mp, f: Some(f), result: None };
    // SAFETY: this thread's own stack; nothing else uses what is saved.
    unsafe { arch::g0_enter(mp.g0_sp.as_ptr(), call::<T, F>, (&raw mut at).cast()) };
    let result = at.result.map(|result| result.unwrap_or_else(|panic| resume_unwind(panic)));
    setm(None);
    result
}
