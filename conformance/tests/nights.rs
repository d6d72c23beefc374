//! Reports beside reports: what planted bugs and speed add to one, what changed since the last, and the trend.

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use common::{Folder, Ran, arg, command, small};
use serde_json::Value;
use sigurg_conformance::report::data::{Ended, Finding, Grade, Layer, Report, Round, Run, Shard, Unit};
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
            "not run in this report: model, sim, fuzz, native, mutants, bench, loom, miri, address, thread"
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
    assert!(ran.stdout.contains("fuzz, native, mutants, bench, address, thread\n"), "{ran:?}");
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

#[test]
fn what_is_much_slower_than_the_median_of_the_last_reports_is_said() {
    let mut report = measured(9, 140);
    for (day, ns) in [(1, 100), (2, 101), (3, 500)] {
        report.remember(&measured(day, ns));
    }
    let slower = |report: &Report| View::new(report).changes.unwrap().slower;
    let said = slower(&report);
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0], "B2/p1/k2 ns_per_op: 140, 1.39 times worse than 101, the median of 3 reports");
    // Slower, and not a broken rule.
    assert_eq!(View::new(&report).verdict, Verdict::Conforms);
    // Of two reports nothing can be said, nor of what is within the noise.
    let mut few = measured(9, 140);
    let mut little = measured(9, 130);
    for (day, ns) in [(1, 100), (2, 100)] {
        few.remember(&measured(day, ns));
        little.remember(&measured(day, ns));
    }
    little.remember(&measured(3, 100));
    assert_eq!((slower(&few), slower(&little)), (Vec::new(), Vec::new()));
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
