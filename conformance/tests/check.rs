//! `check`: recordings of Go are accepted, broken ones rejected by the rule of their label, in every form.

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::{Folder, arg, command, recordings, run, run_with, small, small_lines};
use serde_json::{Value, json};

#[test]
fn every_recording_of_go_is_accepted() {
    let files = recordings("go", ".jsonl.gz");
    let ran = run(["check", "--json"].into_iter().chain(files.iter().map(|path| arg(path))));
    let json = ran.json();
    let rejected: Vec<_> =
        json["results"].as_array().unwrap().iter().filter(|r| r["verdict"] != "accepted").collect();
    assert!(rejected.is_empty(), "{rejected:#?}");
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(json["files"], files.len());
    assert_eq!(json["accepted"], files.len());
    assert_eq!(json["events"], 1_171_790);
}

#[test]
fn every_broken_recording_is_rejected_by_the_rule_of_its_label() {
    let files = recordings("negative", "");
    let ran = run(["check", "--json"].into_iter().chain(files.iter().map(|path| arg(path))));
    let json = ran.json();
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("labels.json: not a trace"), "{}", ran.stderr);
    let results = json["results"].as_array().unwrap();
    assert_eq!(results.len(), recordings("negative", ".jsonl.gz").len());
    let wrong: Vec<_> =
        results.iter().filter(|r| r["rule"] != r["label"] || r["verdict"] != "rejected").collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(json["labels"], json!({ "labelled": results.len(), "as_labelled": results.len() }));
    for result in results {
        assert!(result["seq"].is_u64() && result["message"].is_string(), "{result}");
        assert!(result["facts"].as_array().is_some_and(|facts| !facts.is_empty()), "{result}");
    }
}

#[test]
fn the_answer_has_the_promised_fields_in_their_order() {
    let rejected = recordings("negative", "neg-02-double_ready-a.jsonl.gz").remove(0);
    let ran = run(["check", "--json", arg(&small()), arg(&rejected)]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(1), ""));
    assert_eq!(ran.stdout.lines().count(), 1);
    let order = [
        "\"files\":2,",
        "\"events\":",
        "\"accepted\":1,",
        "\"rejected\":1,",
        "\"unreadable\":0,",
        "\"results\":[",
    ];
    let at: Vec<_> =
        order.iter().map(|key| ran.stdout.find(key).unwrap_or_else(|| panic!("{key}"))).collect();
    assert!(at.is_sorted(), "{}", ran.stdout);
    let json = ran.json();
    let [accepted, rejected] = [0, 1].map(|i| &json["results"][i]);
    assert_eq!(
        [
            &accepted["verdict"],
            &accepted["events"],
            &accepted["rule"],
            &accepted["seq"],
            &accepted["message"]
        ],
        [&json!("accepted"), &json!(4407), &Value::Null, &Value::Null, &Value::Null],
    );
    let is_t10 = |line: &&String| line.contains(r#""from":"Grunnable","to":"Grunning""#);
    let executed = small_lines().iter().filter(is_t10).count();
    assert!(executed > 50);
    assert_eq!([&accepted["profile"], &accepted["rows"]["T10"]], [&json!("go1.27"), &json!(executed)]);
    assert_eq!(
        [&rejected["verdict"], &rejected["rule"], &rejected["seq"], &rejected["profile"], &rejected["place"]],
        [&json!("rejected"), &json!("double_ready"), &json!(5808), &json!("go1.26"), &json!("line 5810")],
    );
    assert_eq!(json["events"].as_u64(), Some(4407 + rejected["events"].as_u64().unwrap()));
}

#[test]
fn a_rejection_names_rule_event_history_and_what_is_legal() {
    let rejected = recordings("negative", "neg-02-double_ready-a.jsonl.gz").remove(0);
    let ran = run(["check", arg(&rejected)]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(1), ""));
    for part in [
        "double_ready at event 5808, line 5810, go1.26",
        "5806: M6",
        "allowed:",
        "INV-44",
        "(casgstatus, ready)",
    ] {
        assert!(ran.stdout.contains(part), "{part}:\n{}", ran.stdout);
    }
}

#[test]
fn every_form_of_a_trace_gets_the_same_verdict() {
    let folder = Folder::new();
    for original in [small(), recordings("negative", "neg-08-two_owners-a.jsonl.gz").remove(0)] {
        let verdict = |path: &Path| {
            let mut result = run(["check", "--json", arg(path)]).json()["results"][0].take();
            // Lines are a matter of the form.
            result.as_object_mut().unwrap().remove("place");
            result.as_object_mut().unwrap().remove("file");
            result
        };
        let expected = verdict(&original);
        for form in ["jsonl", "jsonl.gz", "jsonl.zst", "sgtr", "sgtr.gz", "sgtr.zst"] {
            let path = folder.path(&format!("trace.{form}"));
            let ran = run(["convert", arg(&original), arg(&path)]);
            assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{form}");
            assert_eq!(verdict(&path), expected, "{form}");
            let bytes = std::fs::read(&path).unwrap();
            let piped = run_with(["check", "--json", "-"], &bytes).json();
            assert_eq!(piped["results"][0]["verdict"], expected["verdict"], "{form}");
            assert_eq!(piped["results"][0]["file"], "-", "{form}");
        }
    }
}

#[test]
fn answers_come_in_the_order_of_the_arguments_whatever_the_threads() {
    let mut files = recordings("negative", ".jsonl.gz");
    files.reverse();
    let call = |jobs: &str| {
        let ran =
            run(["check", "--json", "--jobs", jobs].into_iter().chain(files.iter().map(|path| arg(path))));
        let json = ran.json();
        json["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["file"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let expected: Vec<_> = files.iter().map(|path| arg(path).to_owned()).collect();
    assert_eq!((call("1"), call("7")), (expected.clone(), expected));
}

#[test]
fn another_profile_is_another_verdict() {
    // Go 1.27 knows changes that Go 1.21 does not.
    let ran = run(["check", "--json", "--profile", "go1.21", arg(&small())]);
    let result = &ran.json()["results"][0];
    assert_eq!((ran.status, &result["profile"]), (Some(1), &json!("go1.21")));
    assert_eq!(result["verdict"], "rejected");
}

/// A manifest of the small recording, made by counting it here.
fn manifest() -> Value {
    let lines = small_lines();
    let header: Value = serde_json::from_str(&lines[0]).unwrap();
    let mut manifest = json!({ "header": header, "kinds": {}, "transitions": [] });
    let (mut gs, mut ms) = (BTreeSet::new(), BTreeSet::new());
    for line in &lines[1..] {
        let event: Value = serde_json::from_str(line).unwrap();
        let count = &mut manifest["kinds"][event["k"].as_str().unwrap()];
        *count = json!(count.as_u64().unwrap_or(0) + 1);
        gs.extend(event["gs"].as_u64());
        ms.extend(event["m"].as_u64());
        if event["k"] == "g_status" {
            let [from, to, via, site] = ["from", "to", "via", "fn"].map(|key| &event[key]);
            let change = json!({ "from": from, "to": to, "via": via, "fn": site, "count": 1 });
            manifest["transitions"].as_array_mut().unwrap().push(change);
        }
    }
    manifest["g_structs"] = gs.len().into();
    manifest["ms"] = ms.len().into();
    manifest
}

#[test]
fn a_manifest_is_compared_with_its_trace() {
    let folder = Folder::new();
    let trace = folder.lines("run.jsonl", &small_lines());
    let good = manifest();
    let call = |manifest: &Value| {
        let manifest = folder.file("run.manifest.json", manifest.to_string());
        let args = ["check", arg(&trace), arg(&manifest)];
        (
            run(args),
            run(["--json"].iter().fold(args.to_vec(), |mut args, flag| {
                args.push(flag);
                args
            }))
            .json(),
        )
    };

    let (ran, json) = call(&good);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("1 manifests agree"), "{ran:?}");
    assert_eq!((&json["files"], &json["companions"][0]["verdict"]), (&json!(1), &json!("agrees")), "{json}");

    let changed = |change: &dyn Fn(&mut Value)| {
        let mut manifest = good.clone();
        change(&mut manifest);
        manifest
    };
    for (bad, says) in [
        (changed(&|m| m["kinds"]["execute"] = 7.into()), "states 7 execute events"),
        (changed(&|m| m["kinds"]["coro_to"] = 7.into()), "states 7 coro_to events, the trace has 0"),
        (changed(&|m| _ = m["kinds"].as_object_mut().unwrap().remove("gopark")), "states 0 gopark events"),
        (changed(&|m| m["ms"] = 99.into()), "states 99 Ms"),
        (changed(&|m| m["g_structs"] = 99.into()), "states 99 G structs"),
        (changed(&|m| m["transitions"][0]["count"] = 99.into()), "Gidle -> Gdead"),
        (changed(&|m| m["header"]["seed"] = 99.into()), "header"),
    ] {
        let (ran, json) = call(&bad);
        assert_eq!(ran.status, Some(1), "{says}: {ran:?}");
        assert!(ran.stdout.contains(says), "{says}: {ran:?}");
        assert_eq!(json["companions"][0]["verdict"], "disagrees", "{json}");
        assert_eq!((&json["accepted"], &json["unreadable"]), (&json!(1), &json!(0)), "{json}");
    }
}

#[test]
fn a_manifest_whose_trace_is_not_given_is_named_and_left_out() {
    let folder = Folder::new();
    let manifest = folder.file("other.manifest.json", manifest().to_string());
    let ran = run(["check", arg(&small()), arg(&manifest)]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("other.manifest.json") && ran.stderr.contains("not given"), "{ran:?}");
}

#[test]
fn a_trace_that_is_labelled_as_broken_and_accepted_is_not_conformance() {
    let folder = Folder::new();
    let trace = folder.lines("fine.jsonl", &small_lines());
    let labels = folder.file("labels.json", r#"[{"file":"fine.jsonl","rule":"queue_dup"}]"#);
    let ran = run(["check", arg(&trace), arg(&labels)]);
    assert_eq!(ran.status, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("its label says that it breaks queue_dup"), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    use std::process::Stdio;

    let files = recordings("negative", ".jsonl.gz");
    let all: Vec<_> = files.iter().map(|path| arg(path)).collect();
    let small = small();
    for args in
        [[&["check"], &all[..]].concat(), vec!["show", arg(&small)], vec!["convert", arg(&small), "-"]]
    {
        let mut child = command().args(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Closed before anything is read.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        let expected = if args[0] == "check" { 1 } else { 0 };
        assert_eq!((output.status.code(), &*stderr), (Some(expected), ""), "{:?}", args[0]);
    }
}

#[test]
fn help_teaches_examples_and_exit_statuses() {
    for call in [
        &["--help"][..],
        &["check", "--help"],
        &["explore", "--help"],
        &["show", "--help"],
        &["convert", "--help"],
    ] {
        let ran = run(call);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{call:?}");
        assert!(
            ran.stdout.contains("Examples:") && ran.stdout.contains("Exit status:"),
            "{call:?}: {}",
            ran.stdout
        );
    }
    assert_eq!(run(["--version"]).stdout, concat!("conformance ", env!("CARGO_PKG_VERSION"), "\n"));
}
