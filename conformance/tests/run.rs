//! `run` and `report merge`: the verdict, and that all forms of a report say the same.

mod common;

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use common::{Folder, Ran, arg, command, recordings, small};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use sigurg_conformance::report::folder::read;
use sigurg_conformance::report::view::{Verdict, View};

/// Calls the command in a folder.
fn run_in(folder: &Path, args: &[&str]) -> Ran {
    let output = command().args(args).current_dir(folder).stdin(Stdio::null()).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A folder with a corpus of these recordings of Go.
fn corpus(recordings: &[PathBuf]) -> Folder {
    let folder = Folder::new();
    for kind in ["go", "negative"] {
        std::fs::create_dir_all(folder.path("traces/corpus").join(kind)).unwrap();
    }
    for path in recordings {
        std::fs::copy(path, folder.path("traces/corpus/go").join(path.file_name().unwrap())).unwrap();
    }
    folder
}

fn text(folder: &Folder, name: &str) -> String {
    std::fs::read_to_string(folder.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// What a call shows that says the same when it is made again; the name of the report is its last argument.
fn the_same_twice(folder: &Folder, call: &[&str]) -> View {
    let essences = ["first", "second"].map(|out| {
        let ran = run_in(&folder.path(""), &[call, &[out]].concat());
        assert_eq!(ran.status, Some(0), "{ran:?}");
        essence(&folder.path(out))
    });
    assert_eq!(essences[0], essences[1]);
    View::new(&read(&folder.path("first")).unwrap())
}

/// A view as data, without what depends on the clock.
fn essence(path: &Path) -> Value {
    let view = View::new(&read(path).unwrap());
    let mut value = serde_json::json!({
        "verdict": view.verdict, "layers": view.layers, "findings": view.findings, "graded": view.graded, "missing": view.missing,
    });
    fn forget(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.remove("took_ms");
                fields.remove("search ms");
                fields.values_mut().for_each(forget);
            }
            Value::Array(items) => items.iter_mut().for_each(forget),
            _ => {}
        }
    }
    forget(&mut value);
    value
}

#[test]
fn what_conforms_ends_with_zero_and_four_files() {
    let folder = corpus(&[small()]);
    let ran = run_in(folder.path("").as_path(), &["run", "--only", "go", "--seed", "7", "--report", "out"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("verdict: conforms") && ran.stderr.contains("seed 7"), "{ran:?}");
    assert!(text(&folder, "out/junit.xml").contains("errors=\"0\""));
    assert!(text(&folder, "out/summary.md").starts_with("# Conformance: conforms"));
    assert!(text(&folder, "out/index.html").contains("<h1>Conforms</h1>"));
    let report: Value = serde_json::from_str(&text(&folder, "out/report.json")).unwrap();
    assert_eq!(report["schema"], 1);
}

#[test]
fn a_broken_rule_is_told_alike_everywhere() {
    let broken = recordings("negative", "neg-00-drop_ready-a.jsonl.gz");
    let folder = corpus(&[broken, vec![small()]].concat());
    let ran = run_in(folder.path("").as_path(), &["run", "--only", "go", "--report", "out"]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    let program = "cargo run --release -p sigurg-conformance --";
    let repro =
        format!("{program} run --only go --unit go/neg-00-drop_ready-a.jsonl.gz --report target/again");
    let forms = ["out/junit.xml", "out/summary.md", "out/index.html"].map(|name| text(&folder, name));
    for form in forms.iter().chain([&ran.stdout]) {
        // The page writes / as a reference.
        let form = form.replace("&#x2f;", "/");
        assert!(form.contains(&repro) && form.contains("status_chain"), "{form}");
        // What the model knew, and what the event says.
        assert!(form.contains("Gwaiting") && form.contains("Grunnable"), "{form}");
        assert!(form.to_lowercase().contains("does not conform") || form.contains("<failure"), "{form}");
    }
    // And the line does show it again, and leaves the report as it is.
    let args: Vec<&str> = repro[program.len() + 1..].split(' ').collect();
    let again = run_in(folder.path("").as_path(), &args);
    assert_eq!(again.status, Some(1), "{again:?}");
    assert_eq!(text(&folder, "out/index.html"), forms[2]);
    let view = View::new(&read(&folder.path("target/again")).unwrap());
    let failure = view.findings.values().next().expect("a finding");
    let window = failure.finding.window.as_ref().expect("its events");
    assert_eq!(window.rows.iter().filter(|row| row.marked).count(), 1);
}

#[test]
fn three_shards_joined_are_one_run() {
    let few = recordings("go", "-p2-s101.jsonl.gz");
    let folder =
        corpus(&[few, recordings("go", "-p4-s102.jsonl.gz"), recordings("negative", "a.jsonl.gz")].concat());
    seeds_of_fuzz_targets(&folder);
    let here = folder.path("");
    // One pass of a fixed amount of work, in every layer that is a function of its seed.
    let mut call = vec!["run", "--only", "go,model,sim,fuzz", "--seed", "3"];
    let recordings = ["go", "negative"].map(|kind| {
        let entries = std::fs::read_dir(folder.path("traces/corpus").join(kind)).unwrap();
        entries.map(|entry| format!("{kind}/{}", entry.unwrap().file_name().display())).collect::<Vec<_>>()
    });
    let recordings = recordings.concat();
    call.extend(recordings.iter().flat_map(|unit| ["--unit", unit]));
    for unit in [
        "timer/sigurg",
        "queues/go1.27",
        "reasons/go1.27",
        "edges",
        "tight_loop",
        "lost_wakeup",
        "random/1",
        "runq_ops",
    ] {
        call.extend(["--unit", unit]);
    }
    call.push("--report");
    let whole = run_in(&here, &[&call[..], &["whole"]].concat());
    for i in 1..=3 {
        let (shard, out) = (format!("{i}/3"), format!("part-{i}"));
        let ran = run_in(&here, &[&call[..], &[&out, "--shard", &shard]].concat());
        assert!(matches!(ran.status, Some(0 | 1)), "{ran:?}");
        let did = read(&folder.path(&out)).unwrap();
        let units = did.runs.values().flat_map(|run| run.layers.values()).map(|layer| layer.units.len());
        assert!(units.sum::<usize>() > 0, "part {i} did nothing");
    }
    // In another order, and one of them twice.
    let merged = run_in(
        &here,
        &["report", "merge", "part-3", "part-1", "part-2/report.json", "part-1", "--out", "merged"],
    );
    assert_eq!(merged.status, whole.status, "{merged:?}");
    let whole = essence(&folder.path("whole"));
    assert_eq!(essence(&folder.path("merged")), whole);
    for layer in ["go", "model", "sim", "fuzz"] {
        assert_ne!(whole["layers"][layer]["units"], serde_json::json!({}), "{layer}");
    }
}

/// The seeds of the fuzz targets, in a folder as the repository has it.
fn seeds_of_fuzz_targets(folder: &Folder) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/runq_ops");
    let to = folder.path("fuzz/corpus/runq_ops");
    std::fs::create_dir_all(&to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn the_fuzz_layer_does_the_same_under_the_same_seed_and_says_what_it_lacks() {
    let folder = Folder::new();
    seeds_of_fuzz_targets(&folder);
    let here = folder.path("");
    let call = ["run", "--only", "fuzz", "--unit", "runq_ops", "--seed", "5", "--report"];
    let view = the_same_twice(&folder, &call);
    let layer = &view.layers["fuzz"];
    let unit = &layer.units["runq_ops"];
    assert!(unit.figures["executions"] > unit.figures["seeds"] && layer.coverage.met.len() > 20, "{unit:?}");
    // A target without seeds is an error of the harness: neither pass nor fail.
    let ran = run_in(&here, &["run", "--only", "fuzz", "--unit", "model_walk", "--report", "third"]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stdout.contains("corpus/model_walk: No such file"), "{ran:?}");
}

#[test]
fn the_native_layer_runs_and_records_the_runtime() {
    let folder = Folder::new();
    let here = folder.path("");
    let call = [
        "run",
        "--only",
        "native",
        "--unit",
        "channels/p2",
        "--unit",
        "timers/p1",
        "--seed",
        "5",
        "--report",
        "out",
    ];
    let ran = run_in(&here, &call);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let view = View::new(&read(&folder.path("out")).unwrap());
    let coverage = &view.layers["native"].coverage;
    assert!(coverage.rows.keys().any(|row| row.starts_with("T11 ")), "{:?}", coverage.rows);
    assert!(!coverage.pairs.is_empty());
}

#[test]
fn the_sim_layer_runs_scenarios_and_does_the_same_under_the_same_seed() {
    let folder = Folder::new();
    let call =
        ["run", "--only", "sim", "--unit", "tight_loop", "--unit", "random/3", "--seed", "5", "--report"];
    let view = the_same_twice(&folder, &call);
    let layer = &view.layers["sim"];
    assert_eq!(layer.units["tight_loop"].figures["executions"], 6);
    assert!(layer.units["tight_loop"].shown["stopped_by_signal"] > 0, "{:?}", layer.units["tight_loop"]);
    assert!(!layer.coverage.edges.is_empty() && !layer.coverage.rows.is_empty());
}

#[test]
fn a_comparison_says_what_is_new_and_what_is_gone() {
    let broken = recordings("negative", "neg-00-drop_ready-a.jsonl.gz");
    let folder = corpus(&[broken.clone(), vec![small()]].concat());
    let here = folder.path("");
    let call = ["run", "--only", "go", "--report"];
    run_in(&here, &[&call[..], &["first"]].concat());
    let second = run_in(&here, &[&call[..], &["second", "--baseline", "first"]].concat());
    assert!(second.stdout.contains("1 still failing"), "{second:?}");
    std::fs::remove_file(folder.path("traces/corpus/go").join(broken[0].file_name().unwrap())).unwrap();
    let third = run_in(&here, &[&call[..], &["third", "--baseline", "second"]].concat());
    assert_eq!(third.status, Some(0), "{third:?}");
    assert!(third.stdout.contains("1 newly fixed"), "{third:?}");
    assert_eq!(View::new(&read(&folder.path("third")).unwrap()).history.len(), 2);
}

#[test]
fn an_interrupted_run_reports_what_was_done() {
    let folder = Folder::new();
    let mut child = command()
        .args(["run", "--only", "native", "--budget", "10m", "--report", "out"])
        .current_dir(folder.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("units") {
        line.clear();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "it ended before it began");
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(2), "{rest}");
    let view = View::new(&read(&folder.path("out")).unwrap());
    assert_eq!(view.verdict, Verdict::Incomplete);
    assert!(view.missing.iter().any(|missing| missing.what.contains("interrupted")), "{:?}", view.missing);
    assert!(text(&folder, "out/index.html").contains("<h1>Incomplete</h1>"));
}

#[test]
fn what_cannot_be_done_is_said_before_the_work_begins() {
    let folder = corpus(&[small()]);
    let here = folder.path("");
    folder.file("a-file", "");
    folder.file("old.json", r#"{"schema":99}"#);
    folder.file("none.json", "hello");
    for (args, says) in [
        (&["--report", "a-file/out"][..], "no report can be written to a-file/out"),
        (&["--unit", "nobody"], "no layer has a unit \"nobody\""),
        (&["--baseline", "nowhere"], "nowhere"),
        (&["--baseline", "old.json"], "schema 99 is not supported"),
        (&["--baseline", "none.json"], "not a report"),
        (&["--shard", "4/3"], "there are 1 to 3"),
        (&["--shard", "0/3"], "there are 1 to 3"),
        (&["--budget", "5"], "a number and s, m or h"),
        (&["--budget", "0s"], "between a second and a year"),
        (&["--only", "nothing"], "invalid value 'nothing'"),
    ] {
        let ran = run_in(&here, &[&["run"], args].concat());
        assert_eq!(ran.status, Some(2), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(says) && !ran.stderr.contains("units\n"), "{args:?}: {ran:?}");
    }
}

/// No file may become longer than 100 KiB, and whoever tries is told so: as on a disk that is full.
#[test]
fn a_full_disk_is_said_before_the_work_begins() {
    let folder = corpus(&[small()]);
    let script = "trap '' XFSZ; ulimit -f 100; exec \"$0\" run --only go --report out";
    let mut sh = std::process::Command::new("bash");
    let ran = sh
        .args(["-c", script, env!("CARGO_BIN_EXE_conformance")])
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!((ran.status.code(), ran.stdout), (Some(2), Vec::new()), "{said}");
    assert!(
        said.starts_with("error: no report can be written to out: ") && !said.contains("units"),
        "{said}"
    );
}

#[test]
fn without_recordings_the_layer_is_skipped_and_the_verdict_incomplete() {
    let folder = Folder::new();
    let ran = run_in(folder.path("").as_path(), &["run", "--only", "go", "--report", "out"]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stdout.contains("layer go was skipped: there is no folder traces/corpus"), "{ran:?}");
    assert!(text(&folder, "out/junit.xml").contains("<skipped"));
}

#[test]
fn a_timeline_can_be_had_of_any_trace() {
    let folder = Folder::new();
    let (page, perfetto) = (folder.path("t.html"), folder.path("t.json"));
    let trace = small();
    let ran = common::run(["show", arg(&trace), "--html", arg(&page), "--perfetto", arg(&perfetto)]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let whole: Value = serde_json::from_str(&std::fs::read_to_string(&perfetto).unwrap()).unwrap();
    let events = whole["traceEvents"].as_array().unwrap();
    let of = |phase: &'static str| events.iter().filter(move |event| event["ph"] == phase);
    assert!(of("X").count() > 100 && of("i").count() > 1_000);
    assert!(of("X").all(|span| span["dur"].as_f64().unwrap() >= 0.0));
    // An arrow that lands was sent.
    assert!(of("f").all(|end| of("s").any(|begin| begin["id"] == end["id"])));
    let page = std::fs::read_to_string(&page).unwrap();
    assert!(page.contains("data-timeline=\"trace\"") && page.contains("Events 0 to"));
    let absent =
        common::run(["show", arg(&trace), "--around", "999999", "--html", arg(&folder.path("n.html"))]);
    assert_eq!(absent.status, Some(2), "{absent:?}");
    assert!(absent.stderr.contains("there is no such event"), "{absent:?}");
}
