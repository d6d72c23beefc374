//! Reports beside reports: what planted bugs and speed add to one, what changed since the last, and the trend.

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use common::{Folder, Ran, arg, command, small};
use serde_json::Value;
use sigurg_conformance::report::data::{
    Ended, Finding, Grade, Known, Layer, Original, Report, Round, Run, Shard, Unit,
};
use sigurg_conformance::report::folder::read;
use sigurg_conformance::report::html::page;
use sigurg_conformance::report::summary::markdown;
use sigurg_conformance::report::view::{Verdict, View};

const DAY_MS: u64 = 24 * 3_600_000;

/// The report of a night with one layer.
fn night(day: u64, name: &str, layer: Layer) -> Report {
    let run = Run {
        campaign: String::new(),
        shard: Shard { index: 1, total: 1 },
        seed: day,
        budget_ms: None,
        began_ms: 1_790_000_000_000 + day * DAY_MS,
        took_ms: 1,
        ended: Ended::Done,
        place: BTreeMap::new(),
        not_asked: Vec::new(),
        layers: BTreeMap::from([(name.to_owned(), layer)]),
    };
    Report { runs: BTreeMap::from([(format!("run-{day}"), run)]), ..Report::default() }
}

/// One where a workload took that long.
fn measured(day: u64, ns: u64) -> Report {
    let round = |peer: &str, ns: u64| Round {
        round: 1,
        peer: peer.into(),
        status: "ok".into(),
        figures: BTreeMap::from([("ns_per_op".into(), ns * 1_000)]),
    };
    let unit = Unit {
        graded: BTreeMap::from([(Grade::Pass, 1)]),
        rounds: vec![round("sigurg", ns), round("go", 200)],
        ..Unit::default()
    };
    night(
        day,
        "bench",
        Layer { planned: 1, units: BTreeMap::from([("B2/p1/k2".into(), unit)]), ..Layer::default() },
    )
}

/// One with these findings, each in a unit of its name.
fn broken(day: u64, names: &[&str]) -> Report {
    let mut layer = Layer { planned: 1, ..Layer::default() };
    layer.units.insert("good".into(), Unit { graded: BTreeMap::from([(Grade::Pass, 1)]), ..Unit::default() });
    for name in names {
        let finding = Finding::new(Grade::Fail, "rule", *name).of(format!("go {name}"), "conformance".into());
        layer.findings.insert((*name).into(), finding);
        let (graded, found) = (BTreeMap::from([(Grade::Fail, 1)]), BTreeMap::from([((*name).to_owned(), 1)]));
        layer.units.insert((*name).into(), Unit { graded, found, ..Unit::default() });
    }
    night(day, "go", layer)
}

/// A planted bug that was found, and one that was not.
fn planted() -> Report {
    let unit = |grade, why: &str, figures: &[(&str, u64)]| Unit {
        about: "a planted bug".into(),
        graded: BTreeMap::from([(grade, 1)]),
        why: why.into(),
        figures: figures.iter().map(|(name, figure)| ((*name).to_owned(), *figure)).collect(),
        ..Unit::default()
    };
    let killed = unit(
        Grade::Pass,
        "killed by loom in 1.5 s: runq steal",
        &[("killed by loom", 1), ("ms to kill", 1_500)],
    );
    let lives = unit(Grade::Fail, "lives: all tests of unit pass", &[]);
    let finding =
        Finding::new(Grade::Fail, "R-01", "two: lives").of("mutants two".into(), "ci/mutants/run two".into());
    night(
        0,
        "mutants",
        Layer {
            planned: 2,
            units: BTreeMap::from([("one".into(), killed), ("two".into(), lives)]),
            findings: BTreeMap::from([("mutant two".into(), finding)]),
            ..Layer::default()
        },
    )
}

fn file(folder: &Folder, name: &str, report: &Report) -> PathBuf {
    folder.file(name, serde_json::to_string(report).unwrap())
}

fn run_in(folder: &Folder, args: &[&str]) -> Ran {
    let output = command().args(args).current_dir(folder.path("")).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A folder in which `run --only go` conforms.
fn good() -> Folder {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("traces/corpus/go")).unwrap();
    std::fs::create_dir_all(folder.path("traces/corpus/negative")).unwrap();
    std::fs::copy(small(), folder.path("traces/corpus/go").join(small().file_name().unwrap())).unwrap();
    folder
}

#[test]
fn planted_bugs_and_speed_become_part_of_a_report_in_all_its_forms() {
    let folder = good();
    let (mutants, bench) =
        (file(&folder, "mutants.json", &planted()), file(&folder, "bench.json", &measured(1, 100)));
    let ran = run_in(
        &folder,
        &["run", "--only", "go", "--report", "out", "--mutants", arg(&mutants), "--bench", arg(&bench)],
    );
    // A planted bug that lives says nothing against the runtime, but the verdict is not whole.
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(
        ran.stdout.contains("verdict: incomplete") && ran.stdout.contains("1 planted bugs are not found"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("ci/mutants/run two"), "{ran:?}");
    let text =
        |name: &str| std::fs::read_to_string(folder.path("out").join(name)).unwrap().replace("&#x2f;", "/");
    let page = text("index.html");
    assert!(
        page.contains("1 of 2 were found") && page.contains("×2.00") && page.contains("B2/p1/k2"),
        "{page}"
    );
    let summary = text("summary.md");
    assert!(summary.contains("2 mutants: 1 killed") && summary.contains("| 100 | 200 (2.00) |"), "{summary}");
    let junit = text("junit.xml");
    assert!(junit.contains("conformance.mutants") && junit.contains("conformance.bench"), "{junit}");
    assert_eq!(junit.matches("<failure").count(), 1, "{junit}");
    let data: Value = serde_json::from_str(&text("report.json")).unwrap();
    assert_eq!(data["runs"].as_object().unwrap().len(), 3);
}

#[test]
fn what_is_not_in_a_report_is_said_in_all_its_forms() {
    let folder = good();
    let ran = run_in(&folder, &["run", "--only", "go", "--report", "out"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(
        ran.stdout.contains(
            "not run in this report: model, sim, fuzz, native, mutants, bench, loom, miri, address, thread, libfuzzer"
        ),
        "{ran:?}"
    );
    for (name, says) in [
        ("index.html", "planted bugs that the tests must find: not run in this report"),
        ("summary.md", "Not run in this report: model"),
        ("junit.xml", "not run in this report: speed, beside Go and tokio"),
    ] {
        let text = std::fs::read_to_string(folder.path("out").join(name)).unwrap();
        assert!(text.contains(says), "{name}: {text}");
    }
}

#[test]
fn what_is_no_report_of_that_kind_is_refused_before_the_work() {
    let folder = good();
    file(&folder, "bench.json", &measured(1, 100));
    folder.file("old.json", r#"{"schema":99}"#);
    folder.file("none.json", "hello");
    folder.file("half.json", r#"{"schema":1,"runs":{"a":{"campaign":7}}}"#);
    folder.file("history/none.json", "hello");
    for (args, says) in [
        (["--mutants", "nowhere.json"], "nowhere.json: No such file"),
        (["--mutants", "bench.json"], "bench.json: this report has no layer mutants"),
        (["--bench", "old.json"], "old.json: schema 99 is not supported"),
        (["--bench", "none.json"], "none.json: not a report: expected value at line 1 column 1"),
        (
            ["--bench", "half.json"],
            "half.json: invalid type: integer `7`, expected a string at line 1 column 37",
        ),
        (["--history", "nowhere"], "nowhere: No such file"),
        (["--history", "history"], "none.json: not a report"),
    ] {
        for call in [
            &["run", "--only", "go", "--report", "out"][..],
            &["report", "merge", "bench.json", "--out", "out"],
        ] {
            let ran = run_in(&folder, &[call, &args].concat());
            assert_eq!((ran.status, &*ran.stdout), (Some(2), ""), "{args:?}: {ran:?}");
            assert!(ran.stderr.contains(says) && !ran.stderr.contains("units\n"), "{args:?}: {ran:?}");
        }
    }
}

#[test]
fn a_history_gives_changes_and_a_trend() {
    let folder = Folder::new();
    file(&folder, "nights/1.json", &broken(1, &[]));
    file(&folder, "nights/2.json", &broken(2, &["a", "b"]));
    file(&folder, "nights/3/report.json", &broken(3, &["a", "b"]));
    file(&folder, "4.json", &broken(4, &["a", "c"]));
    let ran = run_in(&folder, &["report", "merge", "4.json", "--out", "out", "--history", "nights"]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(
        ran.stdout.contains("since the last report: 1 newly failing, 1 newly fixed, 1 still failing"),
        "{ran:?}"
    );
    let view = View::new(&read(&folder.path("out")).unwrap());
    let changes = view.changes.as_ref().unwrap();
    assert_eq!(changes.verdict, "does not conform");
    assert_eq!(
        (&*changes.newly_failing, &*changes.newly_fixed),
        (&["c".to_owned()][..], &["b".to_owned()][..])
    );
    assert_eq!(changes.still_failing, [("a".to_owned(), 3)]);
    let verdicts: Vec<_> = view.history.iter().map(|night| &*night.verdict).collect();
    assert_eq!(verdicts, ["conforms", "does not conform", "does not conform"]);
    // The verdict, then what changed, then everything else; and four nights on the strip.
    let page = page(&view);
    let at = |what: &str| page.find(what).unwrap_or_else(|| panic!("no {what}"));
    assert!(
        at("<h1>Does not conform") < at("Since the last report")
            && at("Since the last report") < at("id=\"findings\"")
    );
    let strip = &page[at("<ol class=\"nights\"")..];
    assert_eq!(strip[..strip.find("</ol>").unwrap()].matches("<li").count(), 4);
    let summary = markdown(&view);
    assert!(summary.find("Since the last report") < summary.find("| layer |"), "{summary}");
    // The merged report as a baseline of the next brings all nights with it, and none twice.
    file(&folder, "5.json", &broken(5, &["a"]));
    let ran = run_in(
        &folder,
        &["report", "merge", "5.json", "--out", "next", "--baseline", "out", "--history", "nights"],
    );
    assert_eq!(ran.status, Some(1), "{ran:?}");
    let view = View::new(&read(&folder.path("next")).unwrap());
    assert_eq!(view.history.len(), 4);
    assert_eq!(view.findings["a"].nights, 4);
}

#[test]
fn a_merged_report_has_what_its_parts_kept_and_nothing_else() {
    let folder = good();
    let mut part = broken(1, &["a", "b"]);
    let layer = part.runs.values_mut().next().unwrap().layers.get_mut("go").unwrap();
    layer.findings.get_mut("a").unwrap().trace = Some("traces/a.sgt.zst".into());
    layer.findings.get_mut("b").unwrap().trace = Some("../../../etc/hostname".into());
    file(&folder, "part/report.json", &part);
    folder.file("part/traces/a.sgt.zst", "events");
    folder.file("part/traces/other", "not of a finding");
    // One lies beside a folder traces/ that is none of its own.
    file(&folder, "bench.json", &measured(2, 100));
    for _ in 0..2 {
        // Into itself, the second time.
        let ran = run_in(&folder, &["report", "merge", "part", "bench.json", "--out", "part"]);
        assert_eq!(ran.status, Some(1), "{ran:?}");
    }
    let ran = run_in(&folder, &["report", "merge", "part", "bench.json", "--out", "merged"]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert_eq!(std::fs::read_to_string(folder.path("merged/traces/a.sgt.zst")).unwrap(), "events");
    assert_eq!(std::fs::read_dir(folder.path("merged/traces")).unwrap().count(), 1);
}

#[test]
fn the_line_of_a_finding_leads_to_its_files_wherever_the_report_is_carried() {
    let folder = Folder::new();
    let mut part = broken(1, &["a"]);
    let layer = part.runs.values_mut().next().unwrap().layers.get_mut("go").unwrap();
    let finding = layer.findings.get_mut("a").unwrap();
    finding.repro = "conformance replay {report}/traces/a.case".into();
    finding.trace = Some("traces/a.input".into());
    finding.beside = vec!["traces/a.case".into()];
    finding.story = "see {report}/traces/a.input".into();
    file(&folder, "part/report.json", &part);
    folder.file("part/traces/a.case", "a case");
    folder.file("part/traces/a.input", "bytes");
    for (from, out, named) in [("part", "merged", "merged"), ("merged", "not plain", "'not plain'")] {
        let ran = run_in(&folder, &["report", "merge", from, "--out", out]);
        assert_eq!(ran.status, Some(1), "{ran:?}");
        assert_eq!(std::fs::read_to_string(folder.path(out).join("traces/a.case")).unwrap(), "a case");
        let line = format!("conformance replay {named}/traces/a.case");
        let plain = |text: &str| {
            [("&#x2f;", "/"), ("&#x27;", "'"), ("&apos;", "'")]
                .iter()
                .fold(text.to_owned(), |text, (is, of)| text.replace(is, of))
        };
        let text = |name: &str| plain(&std::fs::read_to_string(folder.path(out).join(name)).unwrap());
        for form in [ran.stdout.clone(), text("index.html"), text("junit.xml"), text("summary.md")] {
            assert!(form.contains(&line) && !form.contains("{report}"), "{line}: {form}");
        }
    }
}

/// What nextest writes: a test that passes, one that fails, one that is left out.
fn junit(uuid: &str, failure: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="2" skipped="0" failures="0" errors="0" uuid="{uuid}" timestamp="2026-11-22T15:25:06.317+00:00" time="7.520">
    <testsuite name="sigurg" tests="2" skipped="0" errors="0" failures="0">
        <testcase name="status::good" classname="sigurg" timestamp="2026-11-22T15:25:06.322+00:00" time="0.039"/>
        <testcase name="runq::steal" classname="sigurg" timestamp="2026-11-22T15:25:06.321+00:00" time="0.049">{failure}</testcase>
    </testsuite>
</testsuites>"#
    )
}

const ONE: &str = "5510f4a8-4834-4c28-824b-c3ef15121d2d";
const OTHER: &str = "5510f4a8-4834-4c28-824b-c3ef15121d2e";
const RACE: &str = r#"<failure message="thread 'main' panicked" type="test failure with exit code 101">Data race &lt;here&gt;</failure>"#;

#[test]
fn tests_under_other_tools_become_part_of_a_report_in_all_its_forms() {
    let folder = good();
    folder.file("tests/miri-1.xml", junit(ONE, ""));
    folder.file("tests/loom.xml", junit(OTHER, ""));
    let call = ["run", "--only", "go", "--report", "out", "--tests", "tests", "--tests", "tests"];
    let ran = run_in(&folder, &call);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("fuzz, native, mutants, bench, address, thread, libfuzzer\n"), "{ran:?}");
    let view = View::new(&read(&folder.path("out")).unwrap());
    assert_eq!(view.runs.len(), 3, "given twice, there once");
    assert_eq!((view.layers["miri"].planned, view.layers["miri"].graded[&Grade::Pass]), (2, 2));
    // Another seed, under which one fails.
    folder.file("tests/miri-3.xml", junit("5510f4a8-4834-4c28-824b-c3ef15121d2f", RACE));
    let ran = run_in(&folder, &["report", "merge", "out", "--out", "merged", "--tests", "tests"]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    let line = "ci/miri 3 -E 'binary_id(sigurg) & test(=runq::steal)'";
    let text = |name: &str| {
        let text = std::fs::read_to_string(folder.path("merged").join(name)).unwrap();
        [("&#x2f;", "/"), ("&#x27;", "'"), ("&apos;", "'"), ("&amp;", "&")]
            .iter()
            .fold(text, |text, (is, of)| text.replace(is, of))
    };
    for form in [ran.stdout.clone(), text("index.html"), text("junit.xml"), text("summary.md")] {
        assert!(form.contains(line), "{form}");
    }
    assert!(ran.stdout.contains("verdict: does not conform"), "{ran:?}");
    assert!(text("junit.xml").contains("Data race &lt;here&gt;"), "{}", text("junit.xml"));
    assert_eq!(View::new(&read(&folder.path("merged")).unwrap()).flaky, ["miri sigurg runq::steal"]);
}

#[test]
fn what_is_no_result_of_tests_is_refused_before_the_work() {
    for (name, text, says) in [
        ("tests/other.xml", junit(ONE, ""), "other is no layer of tests"),
        ("tests/miri.xml", "hello".into(), "tests/miri.xml: "),
        ("tests/miri.xml", junit(ONE, "").replace("timestamp", "stamp"), "no test in it, or not by nextest"),
        ("tests/readme", String::new(), "tests: no results of tests"),
    ] {
        let folder = good();
        folder.file(name, text);
        let ran = run_in(&folder, &["run", "--only", "go", "--report", "out", "--tests", "tests"]);
        assert_eq!((ran.status, &*ran.stdout), (Some(2), ""), "{name}: {ran:?}");
        assert!(ran.stderr.contains(says) && !ran.stderr.contains("units\n"), "{says}: {ran:?}");
    }
}

#[test]
fn a_report_does_not_come_before_itself() {
    let folder = Folder::new();
    file(&folder, "nights/1.json", &broken(1, &["a"]));
    let ran = run_in(&folder, &["report", "merge", "nights/1.json", "--out", "out", "--history", "nights"]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    let view = View::new(&read(&folder.path("out")).unwrap());
    assert_eq!((view.history.len(), view.changes), (0, None));
}

#[test]
fn ninety_nights_are_remembered_and_the_oldest_forgotten() {
    let mut report = broken(0, &[]);
    for day in 1..100 {
        let mut next = broken(day, &[]);
        next.remember(&report);
        report = next;
    }
    let view = View::new(&report);
    let days: Vec<_> =
        view.history.iter().map(|night| (night.began_ms - 1_790_000_000_000) / DAY_MS).collect();
    assert_eq!(days, (9..99).collect::<Vec<_>>());
}

/// A night in which one workload took that long in each round, and Go that long beside it.
fn rounds(day: u64, own: &[u64], go: u64) -> Report {
    let round = |round: usize, peer: &str, ns: u64| Round {
        round: round as u32,
        peer: peer.into(),
        status: "ok".into(),
        figures: BTreeMap::from([("ns_per_op".into(), ns * 1_000)]),
    };
    let mine = own.iter().enumerate().flat_map(|(i, ns)| [round(i, "sigurg", *ns), round(i, "go", go)]);
    let graded = BTreeMap::from([(Grade::Pass, own.len() as u64)]);
    let unit = Unit { graded, rounds: mine.collect(), ..Unit::default() };
    let units = BTreeMap::from([("B2/p1/k2".into(), unit)]);
    night(day, "bench", Layer { planned: 1, units, ..Layer::default() })
}

/// The last of these nights, which knows the others.
fn after(last: Report, earlier: impl IntoIterator<Item = Report>) -> View {
    let mut last = last;
    earlier.into_iter().for_each(|earlier| last.remember(&earlier));
    View::new(&last)
}

#[test]
fn a_regression_beyond_noise_is_interesting_and_said_in_all_forms() {
    let folder = Folder::new();
    for (day, ns) in [100, 101, 99, 100, 102, 98].into_iter().enumerate() {
        let name = format!("nights/{day}.json");
        file(&folder, &name, &rounds(day as u64, &[ns, ns + 1, ns + 2], 200));
    }
    file(&folder, "now.json", &rounds(9, &[140, 150, 138], 200));
    let ran = run_in(&folder, &["report", "merge", "now.json", "--out", "out", "--history", "nights"]);
    // Worth a look, and no broken rule.
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let says = "B2/p1/k2 ns_per_op: 140 (138 to 150 in 3 rounds), 1.39 times worse than 101, the median of 6 reports; noise reaches to";
    let text =
        |name: &str| std::fs::read_to_string(folder.path("out").join(name)).unwrap().replace("&#x2f;", "/");
    for form in [ran.stdout.clone(), text("index.html"), text("summary.md"), text("junit.xml")] {
        assert!(form.contains(says) && form.contains("beside go 1.39 times worse"), "{form}");
    }
    let view = View::new(&read(&folder.path("out")).unwrap());
    assert_eq!((view.graded(Grade::Interesting), view.graded(Grade::Pass)), (3, 0));
    let changes = view.changes.as_ref().unwrap();
    assert_eq!((changes.compared, &*changes.newly_interesting), (1, &["bench B2/p1/k2".to_owned()][..]));
    assert_eq!(view.verdict, Verdict::Conforms);
}

#[test]
fn what_may_be_noise_or_the_machine_is_no_regression() {
    let quiet = || (0..6).map(|day| rounds(day, &[100, 101, 102], 200));
    let loud = || (0..6).map(|day| rounds(day, &[100 + 12 * (day % 3), 100, 130], 200));
    let many = || (0..12).map(|day| rounds(day, &[100 + day % 3, 101, 102], 200));
    let slow: [(&str, View, usize); 8] = [
        ("of four reports nothing is said", after(rounds(20, &[180; 3], 200), quiet().take(4)), 0),
        ("less than a tenth", after(rounds(20, &[109; 3], 200), quiet()), 0),
        ("one round is as good as ever", after(rounds(20, &[140, 140, 100], 200), quiet()), 0),
        ("it varies as much anyway", after(rounds(20, &[150; 3], 200), loud()), 0),
        ("the whole machine is slow", after(rounds(20, &[140; 3], 280), quiet()), 0),
        ("faster", after(rounds(20, &[50; 3], 200), quiet()), 0),
        ("worse", after(rounds(20, &[115; 3], 200), quiet()), 1),
        ("worse, beside many reports", after(rounds(20, &[115; 3], 200), many()), 1),
    ];
    for (why, view, worse) in slow {
        let changes = view.changes.unwrap();
        assert_eq!(changes.slower.len(), worse, "{why}: {:?}", changes.slower);
    }
}

/// A log as `ci/fuzz` leaves it.
fn fuzzed(began_ms: u64, end: &str) -> String {
    format!(
        "began {began_ms}
INFO: Running with entropic power schedule (0xFF, 100).
INFO: Seed: 77
INFO:       15 files found in fuzz/corpus/runq_ops
INFO: seed corpus: files: 15 min: 1b max: 20b total: 300b rss: 30Mb
#16\tINITED cov: 100 ft: 200 corp: 9/180b exec/s: 0 rss: 35Mb
#64\tNEW    cov: 101 ft: 201 corp: 10/190b lim: 20 exec/s: 0 rss: 35Mb L: 10/20 MS: 1 ChangeByte-
{end}"
    )
}

const FUZZED: &str = "#1000\tDONE   cov: 150 ft: 1400 corp: 40/16Kb lim: 4096 exec/s: 333 rss: 40Mb
Done 1000 runs in 3 second(s)
stat::number_of_executed_units: 1000
stat::average_exec_per_sec:     333
stat::new_units_added:          31
stat::slowest_unit_time_sec:    0
stat::peak_rss_mb:              40
";
const CRASHED: &str = "thread '<unnamed>' (12) panicked at conformance/src/fuzz/runq.rs:7:5:
trace:queue_dup: gs 7 is on two queues
==123== ERROR: libFuzzer: deadly signal
artifact_prefix='fuzz/artifacts/runq_ops/'; Test unit written to /somewhere/fuzz/artifacts/runq_ops/crash-0123
stat::number_of_executed_units: 65
";

#[test]
fn what_a_fuzzing_engine_came_to_becomes_part_of_a_report_in_all_its_forms() {
    let folder = good();
    folder.file("fuzz/runq_ops.log", fuzzed(1_790_000_000_000, FUZZED));
    let call = ["run", "--only", "go", "--report", "out", "--fuzz", "fuzz", "--fuzz", "fuzz"];
    let ran = run_in(&folder, &call);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let view = View::new(&read(&folder.path("out")).unwrap());
    assert_eq!(view.runs.len(), 2, "given twice, there once");
    let figures = &view.layers["libfuzzer"].units["runq_ops"].figures;
    for (name, figure) in [
        ("executions", 1_000),
        ("executions a second", 333),
        ("seeds", 15),
        ("bytes of seeds", 300),
        ("entries of the seeds", 9),
        ("entries", 40),
        ("bytes", 16 << 10),
        ("new entries", 31),
        ("code edges", 150),
        ("features", 1_400),
        ("memory, MiB", 40),
    ] {
        assert_eq!(figures.get(name), Some(&figure), "{name}");
    }
    let text = |name: &str| std::fs::read_to_string(folder.path(name)).unwrap();
    assert!(text("out/index.html").contains("<td class=\"n\">1,400</td>"), "{}", text("out/index.html"));
    assert!(text("out/summary.md").contains("| runq_ops, libFuzzer | 1000 | 333 | 15 | 31 | 1400 | 150 |"));
    assert!(text("out/junit.xml").contains("conformance.libfuzzer"));
    // A later run that finds something, and one that was ended from outside.
    folder.file("more/runq_ops.log", fuzzed(1_790_000_100_000, CRASHED));
    let ran = run_in(&folder, &["report", "merge", "out", "--out", "merged", "--fuzz", "more"]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    let line = "cargo fuzz run runq_ops fuzz/artifacts/runq_ops/crash-0123";
    for form in
        [ran.stdout.clone(), text("merged/index.html"), text("merged/junit.xml"), text("merged/summary.md")]
    {
        let form = form.replace("&#x2f;", "/");
        assert!(form.contains(line) && form.contains("queue_dup"), "{form}");
    }
    let view = View::new(&read(&folder.path("merged")).unwrap());
    assert_eq!(view.findings.values().next().unwrap().finding.rule, "queue_dup");
    assert_eq!(view.layers["libfuzzer"].units["runq_ops"].figures["crashes"], 1);
    folder.file("cut/runq_ops.log", fuzzed(1_790_000_200_000, ""));
    let ran = run_in(&folder, &["report", "merge", "out", "--out", "other", "--fuzz", "cut"]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stdout.contains("runq_ops: the engine was not done"), "{ran:?}");
    folder.file("none/runq_ops.log", "hello");
    let ran = run_in(&folder, &["report", "merge", "out", "--out", "other", "--fuzz", "none"]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("no log of ci/fuzz"), "{ran:?}");
}

#[test]
fn how_far_it_was_looked_is_said_in_all_forms() {
    let folder = good();
    let said = "<system-out>explored 17 orders, all
explored 4000 orders, preemptions 3
</system-out>";
    folder.file("tests/loom.xml", junit(ONE, said));
    let call = ["run", "--only", "go", "--report", "out", "--tests", "tests"];
    let ran = run_in(&folder, &call);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let text = |name: &str| std::fs::read_to_string(folder.path("out").join(name)).unwrap();
    for form in [ran.stdout.clone(), text("index.html"), text("junit.xml"), text("summary.md")] {
        for says in ["4,017 orders", "exhaustive in 1 searches", "at most 3 in 1"] {
            assert!(form.contains(says), "{says}: {form}");
        }
    }
}

#[test]
fn what_was_found_stands_beside_what_it_was_made_smaller_to_and_what_the_model_knew() {
    let folder = Folder::new();
    let mut part = broken(1, &["a"]);
    let layer = part.runs.values_mut().next().unwrap().layers.get_mut("go").unwrap();
    let finding = layer.findings.get_mut("a").unwrap();
    finding.trace = Some("traces/a.case".into());
    finding.beside = vec!["traces/a.whole.case".into()];
    finding.original = Some(Original {
        file: "traces/a.whole.case".into(),
        repro: "conformance replay {report}/traces/a.whole.case".into(),
        sizes: vec![("turns".into(), 300, 12)],
    });
    let known = |what: &str, expected: &str, said: &str| Known {
        object: "G7".into(),
        what: what.into(),
        expected: expected.into(),
        said: Some(said.into()),
        differs: expected != said,
    };
    finding.state = vec![known("status", "Gwaiting", "Grunning"), known("queue", "nowhere", "nowhere")];
    file(&folder, "part/report.json", &part);
    folder.file("part/traces/a.case", "small");
    folder.file("part/traces/a.whole.case", "whole");
    let ran = run_in(&folder, &["report", "merge", "part", "--out", "out"]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    let text =
        |name: &str| std::fs::read_to_string(folder.path("out").join(name)).unwrap().replace("&#x2f;", "/");
    for form in [ran.stdout.clone(), text("index.html"), text("junit.xml"), text("summary.md")] {
        assert!(form.contains("conformance replay out/traces/a.whole.case"), "{form}");
        assert!(form.contains("Gwaiting") && form.contains("Grunning"), "{form}");
    }
    for form in [ran.stdout.clone(), text("junit.xml"), text("summary.md")] {
        assert!(form.contains("300 turns became 12") && !form.contains("nowhere"), "{form}");
    }
    let page = text("index.html");
    assert!(page.contains("<td>turns</td><td class=\"n\">300</td><td class=\"n\">12</td>"), "{page}");
    assert!(page.contains("<mark>Grunning</mark>") && !page.contains("<mark>nowhere</mark>"), "{page}");
    // Both can be opened from where the report lies.
    for (name, is) in [("a.case", "small"), ("a.whole.case", "whole")] {
        assert_eq!(text(&format!("traces/{name}")), is);
        assert!(page.contains(&format!("href=\"traces/{name}\"")), "{page}");
    }
}

#[test]
fn what_the_benchmarks_write_is_read() {
    if !Command::new("python3").arg("--version").output().is_ok_and(|it| it.status.success()) {
        eprintln!("skipped: no python3");
        return;
    }
    let folder = good();
    for (name, line) in [
        ("own", r#"{"status":"ok","ns_per_op":100.25,"cpu_ms":2,"ops":1000,"wall_ms":3}"#),
        ("peer", r#"{"status":"ok","ns_per_op":50.125,"cpu_ms":1,"ops":1000,"wall_ms":3}"#),
    ] {
        let path = folder.file(name, format!("#!/bin/sh\necho '{line}'\n"));
        let rights = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path, rights).unwrap();
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../ci/bench/run");
    let json = folder.path("bench.json");
    let of = |peer: &str, name: &str| format!("{peer}={}", folder.path(name).display());
    let ran = Command::new("python3")
        .args([script, "--cases", "B2/p1/k2", "-r", "2", "--peers", "sigurg,go", "--json", arg(&json)])
        .args(["--program", &of("sigurg", "own"), "--program", &of("go", "peer")])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let ran = run_in(&folder, &["run", "--only", "go", "--report", "out", "--bench", arg(&json)]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let report = read(&folder.path("out")).unwrap();
    let view = View::new(&report);
    let unit = &view.layers["bench"].units["B2/p1/k2"];
    assert_eq!(unit.rounds.len(), 4);
    assert_eq!((unit.rounds[0].figures["ns_per_op"], unit.graded[&Grade::Pass]), (100_250, 2));
    assert!(markdown(&view).contains("| B2/p1/k2 | ns_per_op | 100 | 50.1 (0.50) |"), "{}", markdown(&view));
    assert!(report.runs.values().any(|run| run.campaign == "bench" && run.place.contains_key("kernel")));
}
