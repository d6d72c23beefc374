//! What the engine of `cargo fuzz` came to, as a layer of a report: the logs that `ci/fuzz` leaves.
//!
//! 1. A log is one run of one target, and its id comes from what stands in it: joined twice it counts once.
//! 2. What is measured of a corpus (entries, bytes, features) is that of one engine: two runs are two rows, and are not added up in tables.
//! 3. A log that breaks off before the engine said that it was done, and without a finding, is an error of the harness.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sigurg_model::rules::rule::Rule;

use super::data::{Ended, Finding, Grade, Layer, Report, Run, Shard, Unit};

/// The name of the layer.
pub(super) const LAYER: &str = "libfuzzer";
/// What it is.
pub(super) const ABOUT: &str =
    "fuzz targets, guided by the coverage of the code, with AddressSanitizer, by libFuzzer";
/// What brings it into a report.
pub(super) const HOW: &str = "ci/fuzz, then --fuzz target/fuzz";

/// Kinds of findings: how the file begins that the engine leaves, and the figure.
pub(super) const KINDS: [(&str, &str); 5] = [
    ("crash-", "crashes"),
    ("timeout-", "timeouts"),
    ("oom-", "out of memory"),
    ("leak-", "leaks"),
    ("slow-unit-", "slow inputs"),
];

/// The logs in `folder`, `TARGET.log`, as one report.
///
/// # Errors
/// What cannot be read, and why; or that there is nothing.
pub fn read(folder: &Path) -> Result<Report, String> {
    let fault = |path: &Path, e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let mut report = Report::default();
    let entries = fs::read_dir(folder).map_err(|e| fault(folder, &e))?;
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()
        .map_err(|e| fault(folder, &e))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    paths.sort();
    for path in paths {
        let target = path.file_stem().unwrap_or_default().to_string_lossy();
        // What a target prints may be anything.
        let text = String::from_utf8_lossy(&fs::read(&path).map_err(|e| fault(&path, &e))?).into_owned();
        let log = Log::of(&text).ok_or_else(|| fault(&path, &"no log of ci/fuzz"))?;
        let id = format!("{}-{LAYER}-{target}-{}", log.began_ms, log.seed);
        report.join(Report { runs: BTreeMap::from([(id, log.run(&target))]), ..Report::default() });
    }
    if report.runs.is_empty() { Err(fault(folder, &"no logs of ci/fuzz")) } else { Ok(report) }
}

/// What stands in a log.
#[derive(Debug, Default)]
struct Log {
    began_ms: u64,
    seed: u64,
    took_ms: u64,
    figures: BTreeMap<&'static str, u64>,
    /// The file of a finding, as the engine names it.
    left: Option<String>,
    /// What was wrong, in a line; and the end of the log from there.
    says: String,
    story: String,
    is_done: bool,
}

/// The end of a log that is kept of a finding, in lines.
const TOLD: usize = 80;

impl Log {
    /// `None` if the first line is not the one that `ci/fuzz` begins with.
    fn of(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let began_ms = lines.next()?.strip_prefix("began ")?.trim().parse().ok()?;
        let mut log = Self { began_ms, ..Self::default() };
        let lines: Vec<_> = lines.collect();
        for (at, line) in lines.iter().enumerate() {
            log.line(line);
            let is_panic = line.starts_with("thread ") && line.contains("panicked at");
            if log.says.is_empty() && (is_panic || line.contains("ERROR: ")) {
                // Of a panic the words stand in the next line.
                let says = if is_panic { lines.get(at + 1).unwrap_or(line) } else { line };
                log.says = without_process(says).trim().to_owned();
                log.story = lines[at..].iter().take(TOLD).copied().collect::<Vec<_>>().join("\n");
            }
        }
        Some(log)
    }

    fn line(&mut self, line: &str) {
        let number = |text: &str| text.trim().parse::<u64>().ok();
        if let Some(seed) = line.strip_prefix("INFO: Seed: ").and_then(number) {
            self.seed = seed;
        } else if let Some(corpus) = line.strip_prefix("INFO: seed corpus: ") {
            let words: Vec<_> = corpus.split_whitespace().collect();
            self.put("seeds", after(&words, "files:").and_then(number));
            self.put("bytes of seeds", after(&words, "total:").and_then(size));
        } else if line.starts_with('#') && line.contains(" cov: ") {
            let words: Vec<_> = line.split_whitespace().collect();
            let corpus = after(&words, "corp:").and_then(|corpus| corpus.split_once('/'));
            let (entries, bytes) = corpus.unzip();
            let (entries, bytes) = (entries.and_then(number), bytes.and_then(size));
            if line.contains("INITED") {
                self.put("entries of the seeds", entries);
                self.put("features of the seeds", after(&words, "ft:").and_then(number));
            }
            self.put("entries", entries);
            self.put("bytes", bytes);
            self.put("code edges", after(&words, "cov:").and_then(number));
            self.put("features", after(&words, "ft:").and_then(number));
            self.put("executions", words[0].strip_prefix('#').and_then(number));
        } else if let Some((name, value)) = line.strip_prefix("stat::").and_then(|stat| stat.split_once(':'))
        {
            let figure = match name {
                "number_of_executed_units" => "executions",
                "average_exec_per_sec" => "executions a second",
                "new_units_added" => "new entries",
                "slowest_unit_time_sec" => "slowest input, s",
                "peak_rss_mb" => "memory, MiB",
                _ => return,
            };
            self.put(figure, number(value));
        } else if let Some(done) = line.strip_prefix("Done ") {
            let words: Vec<_> = done.split_whitespace().collect();
            if let (Some(runs), Some(seconds)) =
                (words.first().copied().and_then(number), after(&words, "in").and_then(number))
            {
                self.is_done = true;
                self.put("executions", Some(runs));
                self.took_ms = seconds * 1_000;
            }
        } else if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.left = Some(path.trim().to_owned());
        }
    }

    fn put(&mut self, name: &'static str, value: Option<u64>) {
        if let Some(value) = value {
            self.figures.insert(name, value);
        }
    }

    fn run(self, target: &str) -> Run {
        let name = self.left.as_deref().and_then(|path| path.rsplit('/').next());
        let kind = name.map(|name| KINDS.iter().find(|(begins, _)| name.starts_with(begins)));
        let (grade, signature, title) = match (&self.left, self.is_done) {
            (Some(_), _) => {
                let kind = kind.flatten().map_or("finding", |(begins, _)| begins.trim_end_matches('-'));
                let says = if self.says.is_empty() { kind } else { &self.says };
                (Grade::Fail, format!("{LAYER}:{target}:{kind}:{}", words(says)), says.to_owned())
            }
            (None, true) => (Grade::Pass, String::new(), String::new()),
            (None, false) => (
                Grade::Error,
                format!("{LAYER}:harness:{target}"),
                format!("{target}: the engine was not done"),
            ),
        };
        let mut figures: BTreeMap<_, _> =
            self.figures.iter().map(|(name, figure)| ((*name).to_owned(), *figure)).collect();
        if let Some((_, kind)) = kind.flatten() {
            figures.insert((*kind).to_owned(), 1);
        }
        let mut layer = Layer { about: ABOUT.into(), planned: 1, took_ms: self.took_ms, ..Layer::default() };
        let mut unit = Unit {
            about: format!("{target}, under libFuzzer"),
            graded: BTreeMap::from([(grade, 1)]),
            why: title.clone(),
            took_ms: self.took_ms,
            figures,
            ..Unit::default()
        };
        if grade != Grade::Pass {
            let at =
                self.left.as_deref().map(|path| path.find("fuzz/artifacts/").map_or(path, |at| &path[at..]));
            let repro =
                format!("cargo fuzz run {target}{}", at.map_or_else(String::new, |at| format!(" {at}")));
            let known = title.split(':').map(str::trim).find(|part| Rule::by_name(part).is_some());
            let rule =
                if grade == Grade::Fail { known.unwrap_or(LAYER).to_owned() } else { "harness".into() };
            let mut finding = Finding::new(grade, rule, title).of(format!("{LAYER} {target}"), repro);
            finding.story = self.story;
            unit.found.insert(signature.clone(), 1);
            layer.findings.insert(signature, finding);
        }
        layer.units.insert(target.to_owned(), unit);
        Run {
            campaign: LAYER.into(),
            shard: Shard { index: 1, total: 1 },
            seed: self.seed,
            budget_ms: None,
            began_ms: self.began_ms,
            took_ms: self.took_ms,
            ended: Ended::Done,
            place: BTreeMap::from([("sanitizer".into(), "address".into())]),
            not_asked: Vec::new(),
            layers: BTreeMap::from([(LAYER.to_owned(), layer)]),
        }
    }
}

/// The word after that one.
fn after<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    words.get(words.iter().position(|word| *word == name)? + 1).copied()
}

/// `300b`, `12Kb`, `3Mb`, in bytes.
fn size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match &text[digits.len()..] {
        "b" => 1,
        "Kb" => 1 << 10,
        "Mb" => 1 << 20,
        _ => return None,
    };
    Some(digits.parse::<u64>().ok()? * unit)
}

/// `==123==ERROR: …` without the number of the process.
fn without_process(line: &str) -> &str {
    line.strip_prefix("==").and_then(|rest| rest.split_once("==")).map_or(line, |(_, rest)| rest)
}

/// A line without what differs from one process to the next.
fn words(says: &str) -> String {
    let says = says.split(" on unknown address").next().unwrap_or(says);
    says.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).take(80).collect()
}
