//! What a judged trace contributes to a report, whoever recorded it.

use std::path::Path;

use sigurg_traces::source::{Options, UnknownKinds, open};
use sigurg_traces::{Event, Kind};

use super::Done;
use crate::check::judge::{How, Judged, Rejected, Tally, Verdict, judge_seeing};
use crate::report::coverage::Observer;
use crate::report::data::{Finding, Grade, Known};
use crate::timeline::{self, Part};

/// Events before and after the one at fault that a finding tells.
const CONTEXT: (usize, usize) = (120, 12);

/// Judges a trace, and counts what it holds. The coverage of a refused trace does not count.
pub(super) fn judged(path: &Path) -> (Judged, Done) {
    let mut observer = Observer::default();
    let judged =
        judge_seeing(path, &How::default(), &Tally::default(), Some(&mut |event| observer.see(event)));
    let mut done = Done::default();
    done.figure("events", judged.events);
    if let Verdict::Accepted(accepted) = &judged.verdict {
        let (mut coverage, histograms) = observer.end();
        coverage.count(&accepted.summary);
        done.coverage = coverage;
        done.histograms =
            histograms.into_iter().map(|(name, histogram)| (name.to_owned(), histogram)).collect();
    }
    (judged, done)
}

/// A refused trace as a finding, with its signature: the rule, and the kind of event that broke it. Neither goroutines nor
/// threads nor times are part of that, so the same fault has the same signature wherever it shows. The caller adds unit and repro.
pub(super) fn refused(path: &Path, rejected: &Rejected) -> (String, Finding) {
    let (before, after) = CONTEXT;
    let part = Part::Around(rejected.seq, before, after);
    let window = timeline::read(path, part).ok().map(|(window, _)| window);
    let signature = format!("trace:{}:{}", rejected.rule, kind_of(path, rejected.seq));
    let finding = Finding {
        story: rejected.story.clone(),
        state: Known::all(&rejected.state),
        window,
        ..Finding::new(Grade::Fail, rejected.rule, &*rejected.message)
    };
    (signature, finding)
}

/// What kind of event that is: `g_status.Gwaiting>Grunnable.ready`.
fn kind_of(path: &Path, seq: u64) -> String {
    let Ok(mut reader) = open(path, Options { unknown_kinds: UnknownKinds::Count }) else {
        return "unread".into();
    };
    let mut found: Option<Event> = None;
    while let Ok(Some(event)) = reader.next() {
        if event.seq == seq {
            found = Some(event);
            break;
        }
    }
    let Some(event) = found else { return "order".into() };
    let tag = event.kind.tag();
    let site = match reader.symbols().resolve(event.site) {
        "" => String::new(),
        site => format!(".{site}"),
    };
    match event.kind {
        Kind::GStatus { from, to, .. } => format!("{tag}.{from}>{to}{site}"),
        Kind::PStatus { from, to, .. } => format!("{tag}.{from}>{to}{site}"),
        Kind::RunqPut { q, .. } | Kind::RunqGet { q, .. } | Kind::RunqSteal { q, .. } => {
            format!("{tag}.{q}{site}")
        }
        _ => format!("{tag}{site}"),
    }
}
