//! `orderings [--bless]`: shows of every ordering in the lock-free parts that it is needed.
//!
//! One at a time is made weaker, at one place of the sources; then some model must fail. Prints each place, and ends with 1
//! if `ORDERINGS.md` does not say just this; `--bless` writes it there. What no model shows must be explained there,
//! by hand, in the second table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sigurg_loom::MODELS;

/// A model that takes so much longer is as good as failed: it goes round in a circle.
const PATIENCE: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    if let [flag, model] = &args[..]
        && flag == "--model"
    {
        let (_, check) = MODELS.iter().find(|(name, _)| name == model).expect("a model");
        check();
        return ExitCode::SUCCESS;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = root.join("ORDERINGS.md");
    let text = fs::read_to_string(&page).expect("ORDERINGS.md");
    let (head, rest) = text.split_once("<!-- shown -->\n").expect("a mark in ORDERINGS.md");
    let (shown_before, rest) = rest.split_once("<!-- end -->\n").expect("a mark in ORDERINGS.md");

    let results = weaken_each(&sites());
    let mut shown =
        String::from("| place | ordering | weaker | the model that fails |\n| --- | --- | --- | --- |\n");
    let mut failed = false;
    for (weakening, killer) in &results {
        let row = weakening.row();
        match killer {
            Some(model) => _ = writeln!(shown, "{row} {model} |"),
            None if rest.contains(&row) => {}
            None => {
                failed = true;
                println!("no model fails, and nothing is said about it: {row}");
            }
        }
    }
    for line in rest.lines().filter(|line| line.starts_with("| `")) {
        let stands = |(weakening, killer): &(Weakening, Option<&str>)| {
            killer.is_none() && line.starts_with(&weakening.row())
        };
        if !results.iter().any(stands) {
            failed = true;
            println!("said not to be shown, but there is no such place or a model fails: {line}");
        }
    }
    if args.iter().any(|arg| arg == "--bless") {
        fs::write(&page, format!("{head}<!-- shown -->\n{shown}<!-- end -->\n{rest}"))
            .expect("writing ORDERINGS.md");
    } else if shown != shown_before {
        failed = true;
        println!("ORDERINGS.md is out of date (--bless):\n{shown}");
    }
    let killed = results.iter().filter(|(_, killer)| killer.is_some()).count();
    println!("{} weaker orderings, {killed} fail a model", results.len());
    ExitCode::from(u8::from(failed))
}

/// One place and a weaker ordering for it.
struct Weakening {
    /// As the models name it.
    site: String,
    weaker: &'static str,
    /// Models that come there, the fastest first.
    models: Vec<&'static str>,
    file: String,
    line: usize,
    /// How many places before this one look the same.
    again: usize,
    function: String,
    operation: String,
    ordering: String,
    code: String,
}

impl Weakening {
    fn looks(&self) -> (&str, &str, &str, &str, &str, &str) {
        (&self.file, &self.function, &self.code, &self.ordering, &self.operation, self.weaker)
    }

    fn row(&self) -> String {
        let Self { file, function, code, ordering, operation, weaker, again, .. } = self;
        let operation = if operation == "Failure" { " (failure)" } else { "" };
        let again = ["", " (second)", " (third)"].get(*again).copied().unwrap_or(" (later)");
        format!("| `{file}`, `{function}`: `{code}`{again} | {ordering}{operation} | {weaker} |")
    }
}

fn run(model: &str, set: &[(&str, &str)]) -> (bool, String) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--model", model])
        .envs(set.iter().copied())
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this program again");
    let started = Instant::now();
    let passed = loop {
        match child.try_wait().expect("a child") {
            Some(status) => break status.success(),
            None if started.elapsed() > PATIENCE => {
                child.kill().expect("a child");
                break false;
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let output = child.wait_with_output().expect("a child");
    (passed, String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Every place whose ordering could be weaker, with the models that come there.
fn sites() -> BTreeMap<String, Vec<&'static str>> {
    let mut models: Vec<_> = each(MODELS, |&(model, _)| {
        let started = Instant::now();
        let (passed, output) = run(model, &[("SIGURG_LOOM_SITES", "1")]);
        assert!(passed, "{model} fails as it is");
        (started.elapsed(), model, output)
    });
    models.sort_unstable();
    let mut sites = BTreeMap::<String, Vec<_>>::new();
    for (_, model, output) in &models {
        for site in output.lines().filter_map(|line| line.strip_prefix("site ")) {
            let at = sites.entry(site.to_owned()).or_default();
            at.push(*model);
        }
    }
    sites
}

fn weaken_each(sites: &BTreeMap<String, Vec<&'static str>>) -> Vec<(Weakening, Option<&'static str>)> {
    let mut weakenings: Vec<_> = sites.iter().flat_map(|(site, models)| weaker(site, models)).collect();
    weakenings.sort_by(|a, b| (&a.file, a.line, a.weaker).cmp(&(&b.file, b.line, b.weaker)));
    for i in 1..weakenings.len() {
        if let Some(before) = weakenings[..i].iter().rfind(|before| before.looks() == weakenings[i].looks()) {
            weakenings[i].again = before.again + 1;
        }
    }
    let killers = each(&weakenings, |it| {
        let set = format!("{} {}", it.site, it.weaker);
        let killer = it.models.iter().copied().find(|model| !run(model, &[("SIGURG_LOOM_WEAKEN", &set)]).0);
        println!("{} {}", it.row(), killer.unwrap_or("-"));
        killer
    });
    weakenings.into_iter().zip(killers).collect()
}

/// The next weaker orderings there.
fn weaker(site: &str, models: &[&'static str]) -> Vec<Weakening> {
    let words: Vec<_> = site.split(' ').collect();
    let [place, operation, ordering] = words[..] else { panic!("not a site: {site}") };
    let mut place = place.rsplitn(3, ':');
    let (_column, line, path) = (place.next(), place.next(), place.next());
    let line: usize = line.and_then(|line| line.parse().ok()).expect("a line");
    // The compiler names sources by the way from the root of the workspace.
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join(path.expect("a file"));
    let text = fs::read_to_string(&path).expect("a file of the sources");
    let lines: Vec<_> = text.lines().collect();
    let function = lines[..line].iter().rev().find_map(|line| {
        let name = line.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
        let name = name.trim_start_matches("pub ").trim_start_matches("unsafe ").strip_prefix("fn ")?;
        name.split(['(', '<']).next()
    });
    let file = path.to_string_lossy();
    let file = file.rsplit_once("/src/").map_or(&*file, |(_, file)| file);
    let next: &[_] = match (operation, ordering) {
        ("Load" | "Failure", "SeqCst") => &["Acquire"],
        ("Store", "SeqCst") => &["Release"],
        (_, "SeqCst") => &["AcqRel"],
        (_, "AcqRel") => &["Acquire", "Release"],
        _ => &["Relaxed"],
    };
    let weakening = |weaker| Weakening {
        site: site.to_owned(),
        weaker,
        models: models.to_vec(),
        file: file.to_owned(),
        line,
        again: 0,
        function: function.unwrap_or("-").to_owned(),
        operation: operation.to_owned(),
        ordering: ordering.to_owned(),
        code: lines[line - 1].trim().replace('|', "\\|"),
    };
    next.iter().copied().map(weakening).collect()
}

/// `f` of each, in order, on as many threads as there are processors.
fn each<T: Sync, R: Send>(all: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((i, it)) = {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    all.get(i).map(|it| (i, it))
                } {
                    let result = f(it);
                    results.lock().expect("no panic").push((i, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("no panic");
    results.sort_unstable_by_key(|(i, _)| *i);
    results.into_iter().map(|(_, result)| result).collect()
}
