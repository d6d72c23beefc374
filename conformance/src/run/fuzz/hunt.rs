//! What the process of a fuzz target does: the seeds, then inputs that are made of them, each through the body.
//!
//! 1. What is done depends on the target, the seed and the corpus only, so a unit repeats what another machine found. Real threads have a
//!    say in `preempt_storm_native`.
//! 2. An input is on the disk before it is run: a crash or a hang, of which this process learns nothing, has it, too.
//! 3. The guide is what the model and the bodies tell ([`Met`]), not code coverage: an input that met something new, or a known thing more
//!    often, is one that others are made of. Code coverage needs the sanitizer's build, which is cargo-fuzz's part.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::path::Path;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::super::Draw;
use crate::fuzz::{Met, TARGETS, native, storm, trace};
use crate::scenario::play::native::Build;

/// Changes that are made at once, at most.
const CHANGES: u64 = 4;
/// Tries to make smaller what fails.
const TRIES: usize = 400;

/// The input that is run now, in the folder of the process.
pub(super) const INPUT: &str = "input";
/// The input that failed, before it was made smaller.
pub(super) const WHOLE: &str = "whole";
/// What a body leaves behind of a failure: a folder in there.
pub(super) const LEFT: &str = "left";
/// What came of it ([`Hunted`]), once all are run.
pub(super) const HUNTED: &str = "hunted.json";
/// What a body panicked with ([`Found`]).
pub(super) const FOUND: &str = "found.json";

/// A target: its name, what its bytes are, and inputs that are made in one unit, beside the seeds.
pub(super) const ALL: [(&str, &str, u64); 5] = [
    ("runq_ops", "operations on run queues, against plain deques", 10_000),
    ("trace_reader", "traces, whole and damaged, through readers, writers and judge", 3_000),
    ("model_walk", "steps of the model, against what the search rests on", 4_000),
    ("preempt_storm", "scenarios and turns in simulation, judged by the model", 3_000),
    ("preempt_storm_native", "scenarios and storms of SIGURG on real threads, judged by the model", 60),
];

/// What a unit came to that found nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Hunted {
    /// Inputs that were run, seeds included.
    pub(super) executions: u64,
    pub(super) seeds: u64,
    pub(super) seed_bytes: u64,
    /// Inputs that met something new, beside the seeds.
    pub(super) new: u64,
    pub(super) new_bytes: u64,
    /// Different counters that were met, each once for every power of two of how often.
    pub(super) features: u64,
    /// In how many executions each counter was met.
    pub(super) met: BTreeMap<usize, u64>,
}

/// What a unit found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) executions: u64,
    /// What the body panicked with.
    pub(super) message: String,
    /// Where, in the sources.
    pub(super) at: String,
}

type Body = Box<dyn Fn(&[u8], &Met)>;

/// Runs a unit. Whether nothing was found; what came of it is in `folder`.
///
/// # Errors
/// What cannot be read or written, or that there is no such target.
pub fn hunt(target: &str, seed: u64, build: Build, corpus: &Path, folder: &Path) -> Result<bool, String> {
    let fault = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
    let (_, _, made) = ALL.iter().find(|(name, ..)| *name == target).ok_or("there is no such target")?;
    let left = folder.join(LEFT);
    fs::create_dir_all(&left).map_err(|e| fault(&left, e))?;
    let body: Body = match target {
        "preempt_storm" => Box::new(move |bytes, met| storm::body(&left, bytes, met)),
        "preempt_storm_native" => Box::new(move |bytes, met| native::body(build, &left, bytes, met)),
        _ => {
            let known = TARGETS.iter().find(|known| known.name == target).ok_or("it has no body")?;
            Box::new(known.body)
        }
    };
    // What a body panics with goes to the report; on the terminal nobody would find it among its own tries.
    set_hook(Box::new(|info| {
        let at = info.location().map_or_else(String::new, ToString::to_string);
        *AT.lock().unwrap_or_else(|e| e.into_inner()) = at;
    }));
    let input = folder.join(INPUT);
    let mut hunt = Hunt {
        body,
        draw: Draw::new(seed, target),
        pool: seeds(&corpus.join(target))?,
        longest: 0,
        known: HashSet::new(),
        hunted: Hunted::default(),
        input: File::create_new(&input).map_err(|e| fault(&input, e))?,
    };
    hunt.longest = 2 * hunt.pool.iter().map(Vec::len).max().unwrap_or(0);
    match hunt.all(*made, target == "trace_reader").map_err(|e| fault(&input, e))? {
        None => put(&folder.join(HUNTED), &hunt.hunted).map(|()| true),
        Some(mut found) => {
            if target != "preempt_storm_native" {
                let whole = fs::read(&input).map_err(|e| fault(&input, e))?;
                let kept = folder.join(WHOLE);
                fs::write(&kept, &whole).map_err(|e| fault(&kept, e))?;
                found = hunt.smaller(&whole, found).map_err(|e| fault(&input, e))?;
            }
            put(&folder.join(FOUND), &found).map(|()| false)
        }
    }
}

/// Where the last panic was.
static AT: Mutex<String> = Mutex::new(String::new());

fn put(path: &Path, what: &impl Serialize) -> Result<(), String> {
    let text = serde_json::to_string(what).expect("only JSON types");
    fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

/// The seeds in a folder, by name.
fn seeds(folder: &Path) -> Result<Vec<Vec<u8>>, String> {
    let fault = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(fault)? {
        paths.push(entry.map_err(fault)?.path());
    }
    paths.sort();
    let seeds: Vec<_> = paths.iter().map(fs::read).collect::<Result<_, _>>().map_err(fault)?;
    if seeds.is_empty() { Err(format!("{}: no seeds", folder.display())) } else { Ok(seeds) }
}

struct Hunt {
    body: Body,
    draw: Draw,
    /// Inputs that others are made of.
    pool: Vec<Vec<u8>>,
    /// No input that is made is longer: a long one takes long, and what it meets is only more of the same.
    longest: usize,
    /// Counters that were met, each with the power of two of how often.
    known: HashSet<(usize, u32)>,
    hunted: Hunted,
    /// Stays open: a file that is cut and closed is one that some file systems bring to the disk at once.
    input: File,
}

impl Hunt {
    /// The seeds, and then `made` others, until one fails.
    fn all(&mut self, made: u64, traces: bool) -> std::io::Result<Option<Found>> {
        let length = |inputs: &[Vec<u8>]| inputs.iter().map(|input| input.len() as u64).sum();
        (self.hunted.seeds, self.hunted.seed_bytes) = (self.pool.len() as u64, length(&self.pool));
        for seed in 0..self.pool.len() {
            let input = self.pool[seed].clone();
            if let Some(found) = self.one(&input)?.1 {
                return Ok(Some(found));
            }
        }
        for _ in 0..made {
            let input = self.make(traces);
            let (is_new, found) = self.one(&input)?;
            if found.is_some() {
                return Ok(found);
            }
            if is_new {
                self.hunted.new += 1;
                self.hunted.new_bytes += input.len() as u64;
                self.pool.push(input);
            }
        }
        self.hunted.features = self.known.len() as u64;
        Ok(None)
    }

    /// Runs one input: whether it met something new, and what it found.
    fn one(&mut self, input: &[u8]) -> std::io::Result<(bool, Option<Found>)> {
        self.input.write_all_at(input, 0)?;
        self.input.set_len(input.len() as u64)?;
        self.hunted.executions += 1;
        let met = Met::new();
        let ran = catch_unwind(AssertUnwindSafe(|| (self.body)(input, &met)));
        if let Err(panic) = ran {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let message =
                text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words");
            let at = AT.lock().unwrap_or_else(|e| e.into_inner()).clone();
            let found = Found { executions: self.hunted.executions, message: message.to_owned(), at };
            return Ok((false, Some(found)));
        }
        let mut is_new = false;
        for (counter, times) in met.counts() {
            *self.hunted.met.entry(counter).or_default() += 1;
            is_new |= self.known.insert((counter, times.ilog2()));
        }
        Ok((is_new, None))
    }

    /// An input out of one that is known, or out of two.
    fn make(&mut self, traces: bool) -> Vec<u8> {
        let base = self.pick().clone();
        // Bytes that are changed blindly hardly ever are a trace.
        if traces && self.below(2) == 0 {
            let seed = self.draw.between(0, u64::MAX - 1);
            if let Some(damaged) = trace::mutate(&base, seed, self.longest) {
                return damaged;
            }
        }
        let mut input = base;
        for _ in 0..self.draw.between(1, CHANGES) {
            self.change(&mut input);
        }
        input.truncate(self.longest);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let byte = self.draw.between(0, 255) as u8;
        if input.is_empty() {
            return input.push(byte);
        }
        let at = self.below(input.len());
        let end = (at + self.draw.between(1, 16) as usize).min(input.len());
        match self.below(6) {
            0 => input[at] = byte,
            1 => input[at] ^= 1 << (byte & 7),
            2 => input.insert(at, byte),
            3 => drop(input.drain(at..end)),
            4 => {
                let part = input[at..end].to_vec();
                input.splice(at..at, part);
            }
            _ => {
                let other = self.pick();
                let from = at.min(other.len());
                let tail = other[from..].to_vec();
                input.splice(at.., tail);
            }
        }
    }

    fn pick(&mut self) -> &Vec<u8> {
        let at = self.below(self.pool.len());
        &self.pool[at]
    }

    /// Below `n`, which is not 0.
    fn below(&mut self, n: usize) -> usize {
        self.draw.between(0, n as u64 - 1) as usize
    }

    /// A smaller input that fails alike; it is the one on the disk at the end, and the last that was run.
    fn smaller(&mut self, input: &[u8], found: Found) -> std::io::Result<Found> {
        let mut best = input.to_vec();
        let wanted = signature(&found.message);
        let (mut part, mut tries) = (best.len() / 2, 0);
        while part > 0 && tries < TRIES {
            let mut at = 0;
            while at < best.len() && tries < TRIES {
                tries += 1;
                let mut shorter = best.clone();
                shorter.drain(at..(at + part).min(best.len()));
                let fails = self.one(&shorter)?.1;
                if fails.is_some_and(|fails| signature(&fails.message) == wanted) {
                    best = shorter;
                } else {
                    at += part;
                }
            }
            part /= 2;
        }
        let executions = found.executions;
        // What it leaves behind is then that of the smallest.
        Ok(self.one(&best)?.1.map_or(found, |small| Found { executions, ..small }))
    }
}

/// What failed, without what differs from one input to the next: a body's message begins with it, and of other panics it is the first
/// words without numbers.
pub(super) fn signature(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_prefix("assertion `left == right` failed: ").unwrap_or(line);
    let words = line.split_once(": ").map_or(line, |(signature, _)| signature);
    let words: String = words.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).take(80).collect();
    words.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hunt for a body that fails on a byte, and meets what it reads.
    fn hunt(folder: &Path, body: impl Fn(&[u8], &Met) + 'static) -> Hunt {
        Hunt {
            body: Box::new(body),
            draw: Draw::new(7, "test"),
            pool: vec![b"some bytes to begin with".to_vec()],
            longest: 64,
            known: HashSet::new(),
            hunted: Hunted::default(),
            input: File::create(folder.join(INPUT)).unwrap(),
        }
    }

    #[test]
    fn what_is_found_is_made_smaller_and_is_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let mut hunt = hunt(folder.path(), |bytes, met| {
            bytes.iter().for_each(|byte| met.once((*byte).into()));
            assert!(!bytes.contains(&0xee), "byte: it is {} long", bytes.len());
        });
        let found = hunt.all(100_000, false).unwrap().expect("one in some hundred has that byte");
        let input = || fs::read(folder.path().join(INPUT)).unwrap();
        let found = hunt.smaller(&input(), found).unwrap();
        assert_eq!((signature(&found.message), input()), ("byte".into(), vec![0xee]));
        assert_eq!(found.message, "byte: it is 1 long");
    }

    #[test]
    fn what_meets_something_new_is_what_others_are_made_of() {
        let folder = tempfile::tempdir().unwrap();
        // Four steps, each of which needs the one before: blindly that is one input in four thousand millions.
        let mut hunt = hunt(folder.path(), |bytes, met| {
            let steps = bytes.iter().zip(b"GMPS").take_while(|(is, wanted)| is == wanted).count();
            (0..=steps).for_each(|step| met.once(step));
            assert!(steps < 4, "all four");
        });
        let found = hunt.all(1_000_000, false).unwrap().expect("it is guided");
        assert!(found.executions < 200_000 && hunt.hunted.new >= 3, "{found:?}");
    }

    #[test]
    fn the_same_seed_makes_the_same_inputs() {
        let folder = tempfile::tempdir().unwrap();
        let made = || {
            let mut hunt = hunt(folder.path(), |bytes, met| met.once(bytes.len()));
            assert!(hunt.all(500, false).unwrap().is_none());
            (hunt.pool, hunt.hunted.met)
        };
        assert_eq!(made(), made());
    }

    #[test]
    fn a_signature_is_the_same_for_the_same_fault() {
        for (message, is) in [
            ("trace:queue_dup: gs 7 is on two queues\nmore", "trace:queue_dup"),
            ("assertion `left == right` failed: recount: status word of gs 7", "recount"),
            ("index out of bounds: the len is 3 but the index is 5", "index out of bounds"),
            ("range end index 17 out of range for slice", "range end index ## out of range for slice"),
        ] {
            assert_eq!(signature(message), is);
        }
    }
}
