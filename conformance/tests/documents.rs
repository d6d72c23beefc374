//! What the front pages say is there, and what is there is on them.

use std::fs;
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(name)).unwrap()
}

/// The files and folders that a page names, in code or as the target of a link.
fn paths(text: &str) -> Vec<&str> {
    const FOLDERS: [&str; 6] = ["runtime/", "traces/", "model/", "conformance/", "fuzz/", "ci/"];
    text.split(['`', '(', ')', ' ', '\n'])
        .filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)) || word.ends_with(".md"))
        .map(|word| word.trim_end_matches('*'))
        .collect()
}

#[test]
fn every_path_on_a_front_page_exists() {
    for name in ["README.md", "ARCHITECTURE.md"] {
        let text = page(name);
        let paths = paths(&text);
        assert!(paths.len() > 5, "{name} names next to nothing: {paths:?}");
        for path in paths {
            assert!(Path::new(ROOT).join(path).exists(), "{name}: there is no {path}");
        }
    }
}

#[test]
fn everything_in_the_runtime_is_on_the_map() {
    let text = page("ARCHITECTURE.md");
    let paths = paths(&text);
    for entry in fs::read_dir(Path::new(ROOT).join("runtime/src")).unwrap() {
        let entry = entry.unwrap();
        let end = if entry.file_type().unwrap().is_dir() { "/" } else { "" };
        let path = format!("runtime/src/{}{end}", entry.file_name().to_str().unwrap());
        assert!(
            path.ends_with("lib.rs") || paths.contains(&&*path),
            "ARCHITECTURE.md does not tell of {path}"
        );
    }
}

#[test]
fn the_program_of_the_front_page_is_an_example() {
    let example = page("runtime/examples/hello.rs");
    let program = &example[example.find("use sigurg").unwrap()..];
    assert!(
        page("README.md").contains(&format!("```rust,no_run\n{program}```")),
        "README.md and hello.rs differ"
    );
}

/// What falls to some part of a night falls to one part, and nothing is left out.
#[test]
fn the_parts_of_a_night_are_all_of_it() {
    let list = |more: &[&str]| {
        let script = Path::new(ROOT).join("ci/nightly");
        let ran = std::process::Command::new(script).arg("--list").args(more).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        let text = String::from_utf8(ran.stdout).unwrap();
        // The main job is shared out in itself.
        let (main, others): (Vec<_>, Vec<_>) =
            text.lines().map(str::to_owned).partition(|line| line.starts_with("ci/conformance "));
        assert_eq!(main.len(), 1, "{text}");
        others
    };
    let mut whole = list(&[]);
    assert!(whole.len() > 10, "{whole:?}");
    whole.sort();
    for total in [1, 3, 20] {
        let shards = (1..=total).flat_map(|index| list(&["--shard", &format!("{index}/{total}")]));
        let mut shards: Vec<_> = shards.collect();
        shards.sort();
        assert_eq!(shards, whole, "{total}");
    }
}

/// What a workflow or a manifest calls is there, and may be run.
#[test]
fn every_script_that_ci_calls_exists() {
    use std::os::unix::fs::PermissionsExt;
    for folder in [".github/workflows", "ci/kubernetes", ".clusterfuzzlite"] {
        for entry in fs::read_dir(Path::new(ROOT).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let words = text.split(|c: char| c.is_whitespace() || "\"'[],".contains(c));
            for script in words.filter(|word| word.starts_with("ci/") && !word.ends_with(".yaml")) {
                let there = fs::metadata(Path::new(ROOT).join(script));
                let may_run = there.is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0);
                assert!(
                    may_run || script.ends_with("Dockerfile"),
                    "{}: {script} cannot be run",
                    path.display()
                );
            }
        }
    }
}
