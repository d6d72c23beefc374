//! The map: what each function is, and how to find its caller.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use super::code;
use super::decline::{Decline, Unavailable};
use super::image::Image;
use super::name::{Class, classify};
use super::rows::{self, Row};
use super::taint::{Facts, spread};

/// What the map says of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// A goroutine may be stopped in it, and in what it calls.
    Preemptible,
    /// A goroutine may be stopped in what it calls.
    Caller,
    /// The same, and as [`Preemptible`](Self::Preemptible): where a goroutine's own function is called, which is often inlined here. Walks
    /// end here.
    Root,
    /// Neither.
    No(Decline),
}

impl Verdict {
    /// A short name for machines: `preemptible`, `caller`, `root`, or that of the reason. It does not change between versions.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Preemptible => "preemptible",
            Self::Caller => "caller",
            Self::Root => "root",
            Self::No(decline) => decline.id(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preemptible => f.pad("a goroutine may be stopped here and go on in another thread"),
            Self::Caller => f.pad("it may be stopped in what this calls"),
            Self::Root => f.pad("where the runtime calls the goroutine's function"),
            Self::No(decline) => decline.fmt(f),
        }
    }
}

/// A function, for people.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) names: Vec<Box<str>>,
    pub(super) verdict: Verdict,
}

/// All that is found out about an executable.
pub(super) struct Analysis {
    /// In the order of addresses, without overlap.
    pub(super) functions: Vec<Known>,
    /// The rows of each.
    rows: Vec<Vec<Row>>,
    base: u64,
}

impl fmt::Debug for Analysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analysis").field("functions", &self.functions.len()).finish_non_exhaustive()
    }
}

/// Looks at every function of `image`.
pub(super) fn analyse(image: &Image) -> Result<Analysis, Unavailable> {
    let base = image.start();
    let entries = rows::read(image.eh_frame.0, &image.eh_frame.1, base)?;
    let named: Vec<_> = entries.iter().map(|entry| names(image, &(entry.start..entry.end))).collect();
    let facts: Vec<_> = entries
        .iter()
        .zip(&named)
        .map(|(entry, (class, names))| Facts { class: *class, names, body: code::read(image, entry) })
        .collect();
    let find = |address: u64| {
        let i = entries.partition_point(|entry| entry.start <= address).checked_sub(1)?;
        (address < entries[i].end).then_some(i)
    };
    let why = spread(&facts, find);
    let verdicts: Vec<_> = facts
        .iter()
        .zip(why)
        .zip(&entries)
        .map(|((facts, why), entry)| match (facts.class, why) {
            (Class::Not(decline), _) | (_, Some(decline)) => Verdict::No(decline),
            _ if entry.rows.is_empty() => Verdict::No(Decline::Unwind),
            (Class::User, None) => Verdict::Preemptible,
            (Class::Between, None) => Verdict::Caller,
            (Class::Root, None) => Verdict::Root,
        })
        .collect();
    drop(facts);
    let mut functions = Vec::with_capacity(entries.len());
    let mut rows = Vec::with_capacity(entries.len());
    for ((entry, (_, names)), verdict) in entries.into_iter().zip(named).zip(verdicts) {
        functions.push(Known { start: entry.start, end: entry.end, names, verdict });
        rows.push(entry.rows);
    }
    Ok(Analysis { functions, rows, base })
}

/// The class and the names of the function at `range`: of several names, which are of identical functions made one, the one
/// that allows least decides.
fn names(image: &Image, range: &Range<u64>) -> (Class, Vec<Box<str>>) {
    let from = image.symbols.partition_point(|(at, _)| *at < range.start);
    let symbols = &image.symbols[from..];
    let symbols = &symbols[..symbols.partition_point(|(at, _)| *at < range.end)];
    let mut class: Option<Class> = None;
    let mut names = Vec::new();
    for (_, symbol) in symbols {
        let (this, name) = classify(symbol);
        names.push(name.into());
        class = Some(match (class, this) {
            (Some(Class::Not(decline)), _) | (_, Class::Not(decline)) => Class::Not(decline),
            (None, this) => this,
            (Some(before), this) if before == this => this,
            // User code that is not known to be called by the runtime alone is no end of a walk.
            (Some(_), _) => Class::Between,
        });
    }
    // A symbol inside says nothing of what stands before it.
    let begins = symbols.first().is_some_and(|(at, _)| *at == range.start);
    (class.filter(|_| begins).unwrap_or(Class::Not(Decline::NoSymbol)), names)
}

/// A function, for the handler.
struct Function {
    /// Distance from the base.
    start: u32,
    end: u32,
    /// Its rows.
    rows: u32,
    count: u16,
    verdict: u8,
}

/// Numbers of verdicts: these, then the reasons.
const PREEMPTIBLE: u8 = 0;
const CALLER: u8 = 1;
const ROOT: u8 = 2;
const NO: u8 = 3;

/// See the module.
pub(super) struct Map {
    /// Where the code is in memory.
    base: usize,
    functions: Box<[Function]>,
    rows: Box<[Row]>,
}

impl Map {
    /// The map for code that is loaded `bias` above where the executable says.
    pub(super) fn new(analysis: &Analysis, bias: u64) -> Self {
        let mut rows: Vec<Row> = Vec::new();
        let mut shared = HashMap::new();
        let mut functions = Vec::with_capacity(analysis.functions.len());
        for (known, of) in analysis.functions.iter().zip(&analysis.rows) {
            let distance = |address: u64| (address - analysis.base) as u32;
            let mut function = Function {
                start: distance(known.start),
                end: distance(known.end),
                rows: 0,
                count: 0,
                verdict: match known.verdict {
                    Verdict::Preemptible => PREEMPTIBLE,
                    Verdict::Caller => CALLER,
                    Verdict::Root => ROOT,
                    Verdict::No(decline) => NO + decline as u8,
                },
            };
            // Nobody walks through the others. Most functions unwind like some other.
            if function.verdict < NO
                && let Ok(count) = u16::try_from(of.len())
            {
                function.count = count;
                function.rows = *shared.entry(&of[..]).or_insert_with(|| {
                    let at = rows.len() as u32;
                    rows.extend(of);
                    at
                });
            }
            functions.push(function);
        }
        let base = (analysis.base + bias) as usize;
        Self { base, functions: functions.into(), rows: rows.into() }
    }

    /// What is at `pc`, an address in memory: the verdict of the function, and its row. Safe in a signal handler.
    pub(super) fn at(&self, pc: usize) -> Result<(Verdict, Row), Decline> {
        let distance =
            pc.checked_sub(self.base).and_then(|d| u32::try_from(d).ok()).ok_or(Decline::Outside)?;
        let i = self.functions.partition_point(|function| function.start <= distance);
        let Some(function) = i.checked_sub(1).and_then(|i| self.functions.get(i)) else {
            return Err(Decline::Outside);
        };
        if distance >= function.end {
            let inside = self.functions.last().is_some_and(|last| distance < last.end);
            return Err(if inside { Decline::NoUnwindEntry } else { Decline::Outside });
        }
        let verdict = match function.verdict {
            PREEMPTIBLE => Verdict::Preemptible,
            CALLER => Verdict::Caller,
            ROOT => Verdict::Root,
            no => return Err(Decline::from_index(no - NO).unwrap_or(Decline::NoMap)),
        };
        let from = function.rows as usize;
        let rows = self.rows.get(from..from + usize::from(function.count)).unwrap_or_default();
        let row = rows.partition_point(|row| row.from <= distance - function.start).checked_sub(1);
        row.and_then(|i| rows.get(i)).map(|row| (verdict, *row)).ok_or(Decline::Unwind)
    }
}
