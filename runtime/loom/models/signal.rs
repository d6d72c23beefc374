//! `signal/mod.rs`: the word in which a signal is marked as sent and acknowledged.

use super::{Datum, join};
use crate::facade::loom::{Model, keep, spawn};
use crate::facade::osyield;
use crate::signal::SignalWord;

/// Of two who ask, one sends, unless the first signal was answered meanwhile; no signal is answered twice.
/// Bounded: three exchange the same word in loops.
pub(super) fn every_mark_is_followed_by_one_signal_and_every_signal_is_acknowledged() {
    Model::bounded(3).check(|| {
        let word = keep(SignalWord::new());
        let mark = || u64::from(word.mark().1);
        let senders = [spawn(mark), spawn(mark)];
        // The handler, for the first signal.
        while !word.is_pending() {
            osyield();
        }
        assert_eq!(word.acknowledge().1, 1);
        let sent: u64 = senders.into_iter().map(join).sum();
        assert_eq!(sent, 1 + u64::from(word.is_pending()), "the mark that is left is of a signal on its way");
        assert_eq!((word.generation(), word.version()), (1, 1 + sent));
    });
}

/// Who takes a mark away that no signal follows does not take the mark of somebody else.
pub(super) fn a_mark_is_taken_back_only_by_who_set_it() {
    Model::exhaustive().check(|| {
        let word = keep(SignalWord::new());
        let other = spawn(|| word.mark());
        let (version, first) = word.mark();
        if first {
            word.unmark(version);
        }
        let (_, other_first) = join(other);
        assert_eq!(word.is_pending(), other_first, "a signal is on its way exactly if somebody sent one");
    });
}

pub(super) fn the_handler_sees_the_request_and_the_asker_its_answer() {
    Model::exhaustive().check(|| {
        let word = keep(SignalWord::new());
        let (request, answer) = (keep(Datum::new()), keep(Datum::new()));
        let handler = spawn(|| {
            // As `do_sig_preempt` looks.
            while word.version() == 0 {
                osyield();
            }
            answer.set(request.get() + 1);
            word.acknowledge();
        });
        request.set(1);
        assert!(word.mark().1);
        while word.generation() == 0 {
            osyield();
        }
        assert_eq!(answer.get(), 2);
        join(handler);
    });
}
