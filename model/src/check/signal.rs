//! The preemption signal of an M: sent only while none is pending, acknowledged once, counted by one.
//!
//! A send is claimed after the mark is set, an acknowledgement before it is cleared; so between two sends
//! lies an acknowledgement, and before it its send.

use sigurg_traces::{Event, GStatus, Kind};

use super::Checker;
use super::violation::{Verdict, broken};
use crate::rules::rule::Rule;
use crate::rules::sequence::Place;
use crate::rules::transition::known;

impl Checker {
    pub(crate) fn preempt_m(&mut self, e: &Event, target: i32, sent: bool) -> Verdict {
        self.known_m(target)?;
        let asked = self.m(e.m).asked_m;
        // Where Ms are used again, a later thread may have the struct of the one that was asked.
        let renewed = !self.claims && target > asked;
        if asked != target && !renewed && !self.may_signal_adopted(e) {
            return broken(
                Rule::ProgramOrder,
                format!("M{} signals M{target}", e.m),
                format!("M{asked}, which runs the G that it asked"),
            );
        }
        if !sent {
            // The mark was set already, perhaps by a send that is not claimed yet.
            return Ok(());
        }
        let gate = self.profile.has_signal_gate;
        let m = self.m(target);
        if m.pending && gate {
            return broken(
                Rule::SignalPair,
                format!("M{target} is sent a signal while one is pending"),
                "not sent: the mark is set (preemptM)",
            );
        }
        m.pending = true;
        self.stop_is_sent(e.m, target);
        Ok(())
    }

    /// X-ADOPT: nobody asks before a signal to an M whose G may run without a P; the monitor sends it, or who owns that G.
    /// Which Ms those are just now is not known of streams.
    pub(crate) fn may_signal_adopted(&self, e: &Event) -> bool {
        let m = &self.ms[(e.m + 1) as usize];
        let Kind::PreemptM { target_m, .. } = e.kind else { return false };
        self.profile.adopts_foreign_calls
            && if m.place == Place::Owning {
                let g = &self.gs[m.about as usize];
                g.m == target_m && g.status == GStatus::Scansyscall
            } else {
                m.monitor && !self.sequences.is_closed(m.place)
            }
    }

    /// A handler that stops nothing, of a stream.
    pub(crate) fn looks(&mut self, m: i32) -> Verdict {
        if core::mem::replace(&mut self.m(m).looking, true) {
            return self.handles_twice(m);
        }
        Ok(())
    }

    #[cold]
    fn handles_twice(&self, m: i32) -> Verdict {
        broken(
            Rule::SignalPair,
            format!("M{m} handles a signal twice before it acknowledges it"),
            "sig_ack after sig_preempt",
        )
    }

    /// A handler runs because a signal was sent.
    pub(crate) fn signal_handled(&mut self, m: i32, does: &str) -> Verdict {
        // Without claims a handler may be told before the send that it handles.
        let gate =
            self.profile.has_signal_gate && !self.foreign_signals && (self.claims || does != "handles");
        let state = self.m(m);
        if state.handling && does == "handles" {
            return self.handles_twice(m);
        }
        if !state.pending && gate {
            return broken(
                Rule::SignalPair,
                format!("M{m} {does} a signal that nobody sent"),
                "preempt_m first",
            );
        }
        state.handling = true;
        Ok(())
    }

    pub(crate) fn sig_ack(&mut self, e: &Event, generation: u64) -> Verdict {
        let looked = core::mem::take(&mut self.m(e.m).looking);
        let handled = self.m(e.m).handling || looked;
        if self.site_is(e.site, known::FOREIGN_SIGNAL) && self.profile.parks_in_handler {
            self.foreign_signal(e)?;
        } else {
            self.signal_handled(e.m, "acknowledges")?;
        }
        let state = self.m(e.m);
        let expected = state.generation + 1;
        if generation != expected {
            return broken(
                Rule::SignalPair,
                format!("M{} counts signal {generation}", e.m),
                format!("{expected}: one more than before"),
            );
        }
        if !handled {
            return broken(
                Rule::SignalPair,
                format!("M{} acknowledges a signal that its handler did not look at", e.m),
                "sig_preempt first (SR-3)",
            );
        }
        state.handling = false;
        state.pending = false;
        state.generation = generation;
        let curg = state.curg;
        let g = &mut self.gs[curg as usize];
        g.stop_told |= g.stop_sent && curg != 0;
        Ok(())
    }

    /// A signal that somebody outside sent: no mark is there to be cleared, but the acknowledgement counts.
    #[cold]
    fn foreign_signal(&mut self, e: &Event) -> Verdict {
        // The end of the send that set the mark may not be told yet, but its acknowledgement would have been.
        if self.m(e.m).pending {
            return broken(
                Rule::SignalPair,
                format!("M{} takes a signal for one of somebody else while one was sent to it", e.m),
                "the mark is set: that signal is acknowledged",
            );
        }
        Ok(())
    }
}
