//! coroswitch_m: a direct switch between two Gs, without a queue and without execute (T31 to T33).
//!
//! The one way from Gwaiting to Grunning for a G without an M. Requests of the G that is entered are not
//! reset, and the time slice goes on.

use super::scheduler::link;
use super::state::{MPc, State, Status};
use super::step::{Act, Move};
use super::{Machine, OnM};

impl Machine {
    pub(super) fn coro_steps(&self, on: &mut OnM<'_, impl FnMut(Move, State)>) {
        let (s, i, g) = (on.s, on.i, on.g());
        match on.m().pc() {
            MPc::CoroLeave => {
                if s.g[g].status() == Status::Running && !s.g[g].scan() {
                    on.must(Act::CoroLeave, MPc::CoroEnter, |n| {
                        n.g[g].set_status(Status::Waiting);
                        n.g[g].set_m(None);
                        link(n, i, 1 - g);
                    });
                }
            }
            // One bare compare-and-swap; a scan bit sends it the slow way.
            MPc::CoroEnter if s.g[g].scan() => on.must(Act::CoroEnterFails, MPc::CoroReady, |_| {}),
            MPc::CoroEnter => {
                on.must(Act::CoroEnter, MPc::User, |n| n.g[g].set_status(Status::Running));
            }
            MPc::CoroReady if !s.g[g].scan() => {
                on.must(Act::CoroReady, MPc::CoroRun, |n| n.g[g].set_status(Status::Runnable));
            }
            MPc::CoroRun if !s.g[g].scan() => {
                on.must(Act::CoroRun, MPc::User, |n| n.g[g].set_status(Status::Running));
            }
            MPc::CoroReady | MPc::CoroRun => {}
            _ => unreachable!("not a step of coroswitch"),
        }
    }
}
