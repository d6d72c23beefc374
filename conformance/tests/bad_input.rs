//! Bad input: exit status 2, the file, the place and the reason on standard error, nothing on standard output.

mod common;

use std::path::Path;

use common::{Folder, arg, run, run_with, small, small_lines};
use serde_json::Value;

/// `check FILE` must refuse the file and say each of these.
#[track_caller]
fn refused(path: &Path, says: &[&str]) {
    let ran = run(["check", arg(path)]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.stderr.starts_with(&format!("error: {}: ", path.display())), "names the file: {ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    for say in says {
        assert!(ran.stderr.contains(say), "says {say:?}: {ran:?}");
    }

    let ran = run(["check", "--json", arg(path)]);
    let json = ran.json();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    let counts = ["files", "accepted", "rejected", "unreadable"].map(|key| json[key].as_u64());
    assert_eq!(counts, [Some(1), Some(0), Some(0), Some(1)], "{json}");
    let result = &json["results"][0];
    assert_eq!((&result["verdict"], &result["rule"]), (&Value::from("unreadable"), &Value::Null), "{json}");
    assert_eq!(result["file"], arg(path), "{json}");
}

/// Changes line `number` (from 1) of the small recording.
fn with_line(folder: &Folder, number: usize, change: impl FnOnce(&str) -> String) -> std::path::PathBuf {
    let mut lines = small_lines();
    let changed = change(&lines[number - 1]);
    assert_ne!(changed, lines[number - 1], "the change changes something");
    lines[number - 1] = changed;
    folder.lines("changed.jsonl", &lines)
}

#[test]
fn an_empty_file_is_refused() {
    let folder = Folder::new();
    refused(&folder.file("empty.jsonl", ""), &["empty"]);
    refused(&folder.file("empty.jsonl.gz", ""), &["empty"]);
}

#[test]
fn half_a_file_is_refused_in_every_form() {
    let folder = Folder::new();
    let lines = small_lines();
    let half = &lines[..lines.len() / 2];
    refused(&folder.lines("half.jsonl", half), &["line 2205", "truncated", "4407 events", "after 2203"]);
    let text = lines.join("\n");
    refused(&folder.file("half-line.jsonl", &text[..text.len() / 2]), &["line "]);
    let gz = std::fs::read(small()).unwrap();
    refused(&folder.file("half.jsonl.gz", &gz[..gz.len() / 2]), &["line ", "gzip"]);
    for name in ["whole.sgtr", "whole.sgtr.zst", "whole.sgtr.gz", "whole.jsonl.zst"] {
        let whole = folder.path(name);
        assert_eq!(run(["convert", arg(&small()), arg(&whole)]).status, Some(0));
        let bytes = std::fs::read(whole).unwrap();
        // A packed stream of a single block ends before anything came out of it.
        let place = match name {
            "whole.sgtr" | "whole.sgtr.gz" => "byte ",
            _ => "the zstd stream is damaged or truncated",
        };
        refused(&folder.file(&format!("half-{name}"), &bytes[..bytes.len() / 2]), &[place]);
    }
}

#[test]
fn a_header_that_is_none_is_refused() {
    let folder = Folder::new();
    let lines = small_lines();
    refused(&folder.lines("headless.jsonl", &lines[1..]), &["line 1", "must be the header"]);
    let schema =
        |_: &str| lines[0].replace("\"schema\":1", "\"schema\":2").replace("\"schema\": 1", "\"schema\": 2");
    refused(&with_line(&folder, 1, schema), &["line 1", "schema 2 is not supported"]);
    let producer = |line: &str| line.replace("go1.27.3", "go1.99.1");
    refused(&with_line(&folder, 1, producer), &["header", "go1.99.1", "--profile", "go1.27"]);
    refused(&folder.file("list.json", "[1, 2, 3]\n"), &["line 1", "not a trace"]);
}

#[test]
fn a_line_that_is_no_event_is_refused() {
    let folder = Folder::new();
    let line = |change: &dyn Fn(&str) -> String, says: &[&str]| {
        refused(&with_line(&folder, 100, change), &[&["line 100"], says].concat());
    };
    let kind = |line: &str| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        event["k"] = "g_teleport".into();
        event.to_string()
    };
    line(&kind, &["unknown kind", "g_teleport"]);
    let without = |field: &'static str| {
        move |line: &str| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            event.as_object_mut().unwrap().remove(field);
            event.to_string()
        }
    };
    for field in ["k", "seq", "t_ns", "m", "p", "on", "by"] {
        line(&without(field), &[&format!("`{field}`")]);
    }
    line(&|line| line[..line.len() / 2].to_owned(), &["column"]);
    line(&|_| String::new(), &[]);
    line(&|line| line.replace("\"on\"", "\"on\":\"moon\",\"was\""), &["on"]);
}

#[test]
fn an_unknown_kind_can_be_left_out_and_is_counted() {
    let folder = Folder::new();
    let mut lines = small_lines();
    let events = lines.len() - 1;
    lines[0] = lines[0].replace("4407", "4408");
    lines.push(format!(r#"{{"k":"g_teleport","seq":{events},"t_ns":1,"m":0,"p":0,"on":"g","by":0}}"#));
    let path = folder.lines("kind.jsonl", &lines);
    refused(&path, &["line 4409", "unknown kind"]);
    let ran = run(["check", "--allow-unknown-kinds", arg(&path)]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("1 events of unknown kinds were left out"), "{ran:?}");
    let json = run(["check", "--json", "--allow-unknown-kinds", arg(&path)]).json();
    let result = &json["results"][0];
    assert_eq!((&result["unknown_kinds"], &result["events"]), (&1.into(), &4407.into()), "{json}");
}

#[test]
fn a_goroutine_that_was_never_created_is_refused() {
    let folder = Folder::new();
    let lines = small_lines();
    for kind in ["execute", "g_status", "runq_put", "gopark", "g_request"] {
        let find = |(_, line): &(usize, &String)| line.contains(&format!("\"{kind}\""));
        let (at, _) = lines.iter().enumerate().skip(500).find(find).expect(kind);
        for (field, id) in [("g", 424_242), ("gs", 424_242)] {
            let change = |line: &str| {
                let mut event: Value = serde_json::from_str(line).unwrap();
                event[field] = id.into();
                event.to_string()
            };
            refused(&with_line(&folder, at + 1, change), &[&format!("line {}", at + 1), "424242"]);
        }
    }
}

#[test]
fn random_bytes_are_refused() {
    let folder = Folder::new();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let bytes: Vec<u8> = (0..10 << 20)
        .map(|_| {
            // xorshift64: any bytes do.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect();
    refused(&folder.file("random", &bytes), &["line 1"]);
    // The same behind each magic number.
    for magic in [&b"\x1f\x8b"[..], b"\x28\xb5\x2f\xfd", b"SGTR"] {
        refused(&folder.file("random", [magic, &bytes].concat()), &[]);
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = Folder::new();
    refused(&folder.path("missing.jsonl"), &["cannot be opened"]);
    std::fs::create_dir(folder.path("folder.jsonl")).unwrap();
    refused(&folder.path("folder.jsonl"), &["directory"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    // Reading at its start is an I/O error even for the superuser.
    refused(Path::new("/proc/self/mem"), &["cannot be read"]);

    let folder = Folder::new();
    let path = folder.file("secret.jsonl", small_lines().join("\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::File::open(&path).is_ok() {
        eprintln!("SKIPPED: permissions do not bind this user, who can read everything");
    } else {
        refused(&path, &["cannot be opened", "ermission denied"]);
    }
}

#[test]
fn names_of_companions_let_nothing_pass_that_is_none() {
    let folder = Folder::new();
    for (name, content) in [
        ("x.manifest.json", "{}"),
        ("x.manifest.json", "half a {"),
        ("x.manifest.json", "[]"),
        ("labels.json", r#"[{"file":"x"}]"#),
        ("labels.json", ""),
    ] {
        refused(&folder.file(name, content), &[if name == "labels.json" { "labels" } else { "manifest" }]);
    }
    refused(&folder.file("notes.md", "# Notes\n"), &["not a trace"]);
    std::fs::create_dir(folder.path("README.md")).unwrap();
    refused(&folder.path("README.md"), &["directory"]);
}

#[test]
fn a_bad_file_among_good_ones_is_the_answer_of_the_call() {
    let folder = Folder::new();
    let bad = folder.file("bad.jsonl", "");
    let rejected = common::recordings("negative", ".jsonl.gz").remove(0);
    let ran = run(["check", arg(&small()), arg(&bad), arg(&rejected)]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stdout.contains("1 accepted, 1 rejected, 1 unreadable"), "{ran:?}");
    assert!(ran.stderr.contains("bad.jsonl: empty"), "{ran:?}");
}

#[test]
fn a_broken_rule_in_a_damaged_file_is_not_believed() {
    let folder = Folder::new();
    let rejected = common::recordings("negative", ".jsonl.gz").remove(0);
    let plain = folder.path("rejected.jsonl");
    assert_eq!(run(["convert", arg(&rejected), arg(&plain)]).status, Some(0));
    assert_eq!(run(["check", arg(&plain)]).status, Some(1));
    let text = std::fs::read_to_string(&plain).unwrap();
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    refused(&folder.lines("damaged.jsonl", &lines[..lines.len() - 1]), &["truncated"]);
}

#[test]
fn standard_input_is_refused_as_a_file_is() {
    let ran = run_with(["check", "-"], b"nonsense\n");
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.stderr.contains("standard input: line 1"), "{ran:?}");
    let ran = run_with(["check", "-", "-"], b"");
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("only once"), "{ran:?}");
}

#[test]
fn a_bad_call_says_what_would_be_good() {
    let small = small();
    let file = arg(&small);
    for (args, says) in [
        (vec!["check", "--profile", "go1.99", file], "go1.27"),
        (vec!["check", "--prefile", "go1.27", file], "--profile"),
        (vec!["check", "--jobs", "0", file], "--jobs"),
        (vec!["check"], "FILE"),
        (vec!["chekc", file], "check"),
        (vec![], "Usage"),
        (vec!["explore", "--config", "stubbern"], "stubborn/go1.27"),
        (vec!["explore", "--threads", "0"], "--threads"),
        (vec!["show", file, "--events", "9..3"], "after"),
        (vec!["show", file, "--events", "a..3"], "a"),
        (vec!["show", file, "--context", "3"], "--around"),
        (vec!["convert", file, "trace.txt"], ".sgtr"),
    ] {
        let ran = run(&args);
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(says), "{args:?} says {says:?}: {ran:?}");
    }
}

#[test]
fn a_call_without_a_trace_is_bad() {
    let folder = Folder::new();
    let ran = run(["check", arg(&folder.file("README.md", "# Read me\n"))]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.stderr.contains("skipped") && ran.stderr.contains("no trace among the files"), "{ran:?}");
}
