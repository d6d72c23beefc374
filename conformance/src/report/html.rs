//! The report as one page.
//!
//! Invariant: the page loads nothing, and says so: its policy forbids every request. What comes from a run is escaped by the template,
//! but for pictures, which `draw` escapes, and data for scripts, which cannot end their element.

/// What the template is given: names and whatever can be serialised.
macro_rules! given {
    (@ $name:ident) => { minijinja::Value::from(minijinja::value::Serde(&$name)) };
    (@ $name:ident $value:expr) => { minijinja::Value::from(minijinja::value::Serde(&$value)) };
    ($($name:ident $(=> $value:expr)?),* $(,)?) => {
        minijinja::context! { $($name => given!(@ $name $($value)?)),* }
    };
}

mod parts;

use minijinja::{Environment, Value};

use super::data::Grade;
use super::view::{Verdict, View};
use crate::timeline::{Doing, Window};

const PAGE: &str = include_str!("page/page.html");
const ONE: &str = include_str!("page/timeline.html");
const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/page.js");
const TIMELINE: &str = include_str!("../timeline/timeline.js");

/// The whole page of a report.
///
/// # Panics
/// If the page's own template is wrong; a test draws it.
#[must_use]
pub fn page(view: &View) -> String {
    let findings: Vec<Value> = view.findings.iter().enumerate().map(|(i, f)| parts::finding(i, f)).collect();
    let graded = |grade: Grade| given! { name => grade.as_str(), count => view.graded(grade) };
    let left: u64 = view.layers.values().map(|layer| layer.left.len() as u64).sum();
    let tallies = [
        graded(Grade::Pass),
        graded(Grade::Fail),
        graded(Grade::Error),
        graded(Grade::Interesting),
        given! { name => "skipped", count => view.graded(Grade::Skipped) + left },
        given! { name => "flaky", count => view.flaky.len() },
    ];
    render(
        PAGE,
        given! {
            class => match view.verdict {
                Verdict::Conforms => "conforms",
                Verdict::Broken => "broken",
                Verdict::Incomplete => "incomplete",
            },
            verdict => view.verdict.as_str(),
            missing => view.missing.iter().map(|missing| &missing.what).collect::<Vec<_>>(),
            when => parts::date(view.began_ms),
            took => parts::took(view.took_ms),
            tallies,
            flaky => view.flaky,
            changes => parts::changes(view),
            layers => parts::layers(view),
            findings,
            rules => parts::rules(view),
            checks => parts::checks(view),
            hazards => parts::hazards(view),
            graph => parts::graph(view),
            edges => parts::edges(view),
            signals => parts::signals(view),
            exploration => parts::exploration(view),
            go => parts::go(view),
            planted => parts::planted(view),
            fuzz => parts::fuzz(view),
            engine => parts::engine(view),
            speed => parts::speed(view),
            trend => parts::trend(view),
            runs => parts::runs(view),
            uncovered => parts::uncovered(view),
        },
    )
}

/// A page with nothing but the timeline of a trace.
///
/// # Panics
/// As [`page`].
#[must_use]
pub fn timeline(name: &str, about: &str, window: &Window) -> String {
    render(ONE, given! { name, about, window => script_data(window) })
}

fn render(page: &str, with: Value) -> String {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    environment.add_global("style", STYLE);
    environment.add_global("script", SCRIPT);
    environment.add_global("timeline", TIMELINE);
    environment.render_str(page, with).expect("the page's template is right")
}

/// A window as data for the script, in an element that it cannot end.
fn script_data(window: &Window) -> String {
    let kind = |doing| u8::from(doing == Doing::Syscall);
    let spans: Vec<_> = window.spans.iter().map(|s| (s.m, s.g, kind(s.what), s.from_ns, s.to_ns)).collect();
    let mark = |row: &crate::timeline::Row| if row.marked { 2 } else { u8::from(row.signal) };
    let rows: Vec<_> = window.rows.iter().map(|r| (r.seq, r.t_ns, r.m, &r.words, mark(r))).collect();
    let data = serde_json::json!({ "ms": window.ms, "spans": spans, "rows": rows });
    // Only strings have that character, and it may be written so in them.
    data.to_string().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::data::{Ended, Finding, Known, Layer, Original, Report, Round, Run, Shard, Unit};
    use super::*;
    use crate::timeline::Row;

    const EVIL: &str = "</script><script>alert(1)</script><!-- \"'&";

    /// A report in which every text wants to be markup.
    fn evil() -> Report {
        let row = Row { seq: 1, t_ns: 2, m: 3, words: EVIL.into(), marked: true, signal: false };
        let window = Window { ms: vec![3], rows: vec![row], ..Window::default() };
        let finding = Finding {
            story: EVIL.into(),
            trace: Some(EVIL.into()),
            window: Some(window),
            steps: vec![super::super::data::Step { deed: EVIL.into(), state: EVIL.into() }],
            state: vec![Known {
                object: EVIL.into(),
                what: EVIL.into(),
                expected: EVIL.into(),
                said: Some(EVIL.into()),
                differs: true,
            }],
            original: Some(Original {
                file: EVIL.into(),
                repro: EVIL.into(),
                sizes: vec![(EVIL.into(), 2, 1)],
            }),
            ..Finding::new(Grade::Fail, EVIL, EVIL).of(EVIL.into(), EVIL.into())
        };
        let found = BTreeMap::from([(EVIL.to_owned(), 1)]);
        let graded = BTreeMap::from([(Grade::Fail, 1)]);
        let unit = Unit { about: EVIL.into(), why: EVIL.into(), graded, found, ..Unit::default() };
        let mut layer = Layer { about: EVIL.into(), planned: 1, ..Layer::default() };
        layer.units.insert(EVIL.into(), unit);
        layer.left.insert("other".into(), EVIL.into());
        layer.findings.insert(EVIL.into(), finding);
        layer.coverage.landings.insert(EVIL.into(), 1);
        let round = Round {
            round: 1,
            peer: EVIL.into(),
            status: EVIL.into(),
            figures: BTreeMap::from([(EVIL.into(), 1)]),
        };
        let measured = Unit { rounds: vec![round], ..unit_of(EVIL) };
        let speed = Layer { units: BTreeMap::from([(EVIL.into(), measured)]), ..Layer::default() };
        let hunted = Layer { units: BTreeMap::from([(EVIL.into(), unit_of(EVIL))]), ..Layer::default() };
        let run = Run {
            campaign: EVIL.into(),
            shard: Shard { index: 1, total: 1 },
            seed: 1,
            budget_ms: None,
            began_ms: 1_763_800_000_000,
            took_ms: 5,
            ended: Ended::Done,
            place: BTreeMap::from([(EVIL.into(), EVIL.into())]),
            not_asked: vec![EVIL.into()],
            layers: BTreeMap::from([
                (EVIL.into(), layer),
                ("bench".into(), speed),
                ("fuzz".into(), hunted.clone()),
                ("libfuzzer".into(), hunted),
            ]),
        };
        Report { runs: BTreeMap::from([(EVIL.into(), run)]), ..Report::default() }
    }

    fn unit_of(about: &str) -> Unit {
        Unit { about: about.into(), graded: BTreeMap::from([(Grade::Pass, 1)]), ..Unit::default() }
    }

    #[test]
    fn nothing_that_a_run_says_becomes_markup() {
        let page = page(&View::new(&evil()));
        assert!(!page.contains("alert(1)</script>") && !page.contains("<script>alert"), "{page}");
        let scripts = page.matches("<script").count();
        assert_eq!((scripts, page.matches("</script>").count()), (4, 4), "three of the page, one of data");
    }

    #[test]
    fn the_page_asks_for_nothing_but_itself() {
        for page in [
            page(&View::new(&evil())),
            page(&View::new(&Report::default())),
            timeline("a", "b", &Window::default()),
        ] {
            for asks in ["src=", "http://", "https://", "@import", "url(http"] {
                assert!(!page.contains(asks), "{asks}");
            }
            assert!(page.contains("default-src 'none'"));
        }
    }

    #[test]
    fn sections_without_data_say_why() {
        let page = page(&View::new(&Report::default()));
        for says in [
            "No earlier report was given",
            "No trace of this report",
            "was not searched",
            "No recording of Go",
            "needs earlier reports",
            "No fuzz target was run",
            "leaves its logs in",
            "No workload was measured",
            "No mutant was tried",
            "planted bugs that the tests must find: not run in this report",
        ] {
            assert!(page.contains(says), "{says}");
        }
    }
}
