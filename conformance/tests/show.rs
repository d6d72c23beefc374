//! `show`: what is wanted of a trace, one line an event; and `convert`, which must lose nothing.

mod common;

use common::{Folder, arg, recordings, run, small, small_lines};
use serde_json::Value;

/// Shows the small recording with these options: the lines after the heading.
#[track_caller]
fn shown(options: &[&str]) -> Vec<String> {
    let small = small();
    let ran = run([&["show", arg(&small)], options].concat());
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{options:?}: {ran:?}");
    let mut lines = ran.stdout.lines().map(str::to_owned);
    assert!(lines.next().is_some_and(|heading| heading.contains("seq")), "{options:?}");
    lines.collect()
}

fn seq(line: &str) -> u64 {
    let number = line.trim_start_matches(['>', ' ']).split(' ').next().unwrap();
    number.parse().unwrap_or_else(|e| panic!("{line}: {e}"))
}

/// The numbers of the events of the small recording that `wanted` wants.
fn expected(wanted: impl Fn(&Value) -> bool) -> Vec<u64> {
    let events = small_lines();
    let events = events[1..].iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| wanted(event)).map(|event| event["seq"].as_u64().unwrap()).collect()
}

#[test]
fn every_event_of_every_recording_is_one_line() {
    for path in
        recordings("go", "w12-p2-s501.jsonl.gz").into_iter().chain(recordings("go", "w11-p4-s113.jsonl.gz"))
    {
        let events = run(["check", "--json", arg(&path)]).json()["events"].as_u64().unwrap();
        let ran = run(["show", arg(&path)]);
        assert_eq!(
            (ran.status, ran.stdout.lines().count() as u64),
            (Some(0), events + 1),
            "{}",
            path.display()
        );
    }
}

#[test]
fn a_status_change_is_told_in_words_of_go() {
    let lines = shown(&["--events", "15..15"]);
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].ends_with("G1 Grunnable -> Grunning (casgstatus, execute) ver 3 of struct 1"),
        "{lines:?}"
    );
    let park = shown(&["--g", "1"]).into_iter().find(|line| line.contains("-> Gwaiting (")).unwrap();
    assert!(park.contains(", park_m), reason \"") || park.contains("casGToWaiting"), "{park}");
}

#[test]
fn columns_stand_still() {
    let lines = shown(&["--events", "..2000"]);
    // The last column begins at the same place in all lines.
    let begin = lines[0].find("procresize").unwrap();
    for line in &lines {
        assert!(line.as_bytes()[begin - 1] == b' ' && line.as_bytes()[begin] != b' ', "{line}");
    }
}

#[test]
fn filters_give_exactly_what_they_name() {
    let seqs = |options: &[&str]| shown(options).iter().map(|line| seq(line)).collect::<Vec<_>>();
    assert_eq!(seqs(&["--g", "1"]), expected(|e| e["g"] == 1 || e["by"] == 1));
    assert_eq!(seqs(&["--gs", "2"]), expected(|e| e["gs"] == 2));
    assert_eq!(seqs(&["--m", "0"]), expected(|e| e["m"] == 0 || e["target_m"] == 0));
    assert_eq!(seqs(&["--events", "100..200"]), (100..=200).collect::<Vec<_>>());
    assert_eq!(seqs(&["--events", "4400.."]), (4400..=4406).collect::<Vec<_>>());
    let both = expected(|e| {
        (e["g"] == 1 || e["by"] == 1) && (e["m"] == 0 || e["target_m"] == 0) && e["seq"].as_u64() <= Some(500)
    });
    assert_eq!(seqs(&["--g", "1", "--m", "0", "--events", "..500"]), both);
}

#[test]
fn a_neighbourhood_has_its_context_and_marks_its_middle() {
    let seqs = |options: &[&str]| shown(options).iter().map(|line| seq(line)).collect::<Vec<_>>();
    assert_eq!(seqs(&["--around", "900", "--context", "3"]), (897..=903).collect::<Vec<_>>());
    assert_eq!(seqs(&["--around", "0", "--context", "2"]), [0, 1, 2]);
    assert_eq!(seqs(&["--around", "4406", "--context", "2"]), [4404, 4405, 4406]);
    let marked: Vec<_> =
        shown(&["--around", "900"]).into_iter().filter(|line| line.starts_with('>')).collect();
    assert_eq!(marked.iter().map(|line| seq(line)).collect::<Vec<_>>(), [900]);
    // With a filter the neighbours are those that fit.
    let of_g1 = expected(|e| e["g"] == 1 || e["by"] == 1);
    let at = of_g1.iter().position(|&seq| seq > 900).unwrap();
    let around = of_g1[at].to_string();
    assert_eq!(seqs(&["--around", &around, "--context", "2", "--g", "1"]), of_g1[at - 2..=at + 2]);
}

#[test]
fn lanes_have_one_column_for_each_m() {
    let lines = shown(&["--events", "880..920", "--lanes"]);
    assert_eq!(lines.len(), 41);
    let ms = expected(|e| (880..=920).contains(&e["seq"].as_u64().unwrap())).len();
    assert_eq!(ms, 41);
    let bars: Vec<_> = lines.iter().map(|line| line.matches(" |").count()).collect();
    assert!(bars.iter().max() >= Some(&2) && bars.iter().all(|&bars| bars >= 1), "{lines:#?}");
}

#[test]
fn what_does_not_occur_is_said() {
    let small = small();
    for (options, says) in [
        (["--g", "424242"], "goroutine 424242"),
        (["--gs", "424242"], "G struct 424242"),
        (["--m", "424242"], "M424242"),
        (["--around", "4407"], "no event 4407; the trace has events 0 to 4406"),
        (["--events", "4407.."], "no event 4407"),
    ] {
        let ran = run([&["show", arg(&small)], &options[..]].concat());
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{options:?}: {ran:?}");
        assert!(ran.stderr.contains(says) && ran.stderr.contains(arg(&small)), "{options:?}: {ran:?}");
    }
}

#[test]
fn a_broken_trace_is_shown_all_the_same() {
    let path = recordings("negative", "neg-37-same_ver-a.jsonl.gz").remove(0);
    let ran = run(["show", arg(&path), "--around", "1663", "--context", "1"]);
    assert_eq!((ran.status, ran.stdout.lines().count()), (Some(0), 4), "{ran:?}");
}

#[test]
fn a_conversion_there_and_back_loses_nothing() {
    let folder = Folder::new();
    let json = folder.path("a.jsonl");
    assert_eq!(run(["convert", arg(&small()), arg(&json)]).status, Some(0));
    let text = std::fs::read_to_string(&json).unwrap();
    assert_eq!(text.lines().count(), small_lines().len());
    for (line, original) in text.lines().zip(small_lines()) {
        let (mut line, mut original): (Value, Value) =
            (serde_json::from_str(line).unwrap(), serde_json::from_str(&original).unwrap());
        // `lo` may be left out where it says nothing.
        for event in [&mut line, &mut original] {
            if event["lo"] == event["seq"] {
                event.as_object_mut().unwrap().remove("lo");
            }
        }
        assert_eq!(line, original);
    }
    for form in ["sgtr", "sgtr.gz", "sgtr.zst", "jsonl.gz", "jsonl.zst"] {
        let (there, back) = (folder.path(&format!("b.{form}")), folder.path("back.jsonl"));
        assert_eq!(run(["convert", arg(&json), arg(&there)]).status, Some(0), "{form}");
        assert_eq!(run(["convert", arg(&there), arg(&back)]).status, Some(0), "{form}");
        assert_eq!(std::fs::read_to_string(&back).unwrap(), text, "{form}");
        assert_eq!(run(["convert", arg(&there), "-"]).stdout, text, "{form}");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path("")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".part")), "{left:?}");
}

#[test]
fn a_conversion_that_fails_leaves_nothing_behind() {
    let folder = Folder::new();
    let lines = small_lines();
    let half = folder.lines("half.jsonl", &lines[..1000]);
    let there = folder.file("there.sgtr", "what was there before");
    let ran = run(["convert", arg(&half), arg(&there)]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.stderr.contains("half.jsonl: line 1001: truncated"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "what was there before");
    assert_eq!(std::fs::read_dir(folder.path("")).unwrap().count(), 2);
    let ran = run(["convert", arg(&small()), arg(&folder.path("no/such/folder.sgtr"))]);
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("folder.sgtr: cannot be written"), "{ran:?}");
}
