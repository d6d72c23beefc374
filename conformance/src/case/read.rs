//! Reads a case, also one that was cut off where its process died.

use std::fmt;
use std::path::Path;

use super::{Case, Driver, Outcome};
use crate::scenario::text::parse;

/// Why a file is no case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseError {
    /// From 1; 0 for the file as a whole.
    pub line: usize,
    /// Why.
    pub reason: String,
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.reason),
            line => write!(f, "line {line}: {}", self.reason),
        }
    }
}

impl std::error::Error for CaseError {}

fn error(line: usize, reason: impl Into<String>) -> CaseError {
    CaseError { line, reason: reason.into() }
}

/// More steps than any run takes: a number in the file does not decide how much memory is used.
const MOST_STEPS: usize = 10_000_000;

/// The case in the file at `path`.
///
/// # Errors
/// That it cannot be read, or is no case.
pub fn read(path: &Path) -> Result<Case, CaseError> {
    let text = std::fs::read_to_string(path).map_err(|e| error(0, e.to_string()))?;
    parse_case(&text)
}

/// The lines of one section, and the number of the first.
struct Section<'a> {
    name: &'a str,
    first: usize,
    lines: Vec<&'a str>,
}

pub(super) fn parse_case(text: &str) -> Result<Case, CaseError> {
    let mut sections = vec![Section { name: "", first: 1, lines: Vec::new() }];
    for (index, line) in text.lines().enumerate() {
        match line.strip_prefix("== ") {
            Some(name) => sections.push(Section { name, first: index + 2, lines: Vec::new() }),
            None => sections.last_mut().expect("there is one").lines.push(line),
        }
    }
    let (driver, seed, versions) = head(&sections[0])?;
    let find = |name| sections.iter().find(|section| section.name == name);
    let section = find("scenario").ok_or_else(|| error(0, "there is no section \"scenario\""))?;
    let scenario = parse(&section.lines.join("\n"))
        .map_err(|e| error(section.first + e.line - 1, format!("column {}: {}", e.column, e.reason)))?;
    let schedule = find("schedule").map_or_else(|| Ok(Vec::new()), schedule)?;
    // The outcome is written with all that follows: one without an end was cut off.
    let whole = find("end").is_some();
    let outcome = match find("outcome").filter(|_| whole) {
        Some(section) => Some(outcome(section)?),
        None => None,
    };
    let trace = find("trace").map_or_else(String::new, |section| unindented(&section.lines));
    Ok(Case { driver, seed, versions, scenario, schedule, outcome, trace })
}

type Head = (Driver, u64, Vec<(String, String)>);

fn head(section: &Section<'_>) -> Result<Head, CaseError> {
    let mut lines = section.lines.iter().zip(section.first..);
    if lines.next().is_none_or(|(line, _)| *line != "sigurg-case 1") {
        return Err(error(1, "not a case: the first line is `sigurg-case 1`"));
    }
    let (mut driver, mut seed, mut versions) = (None, None, Vec::new());
    for (line, number) in lines {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "driver" => {
                let known = [Driver::Native, Driver::Sim];
                let found = known.into_iter().find(|driver| driver.as_str() == value);
                driver =
                    Some(found.ok_or_else(|| error(number, format!("no driver {value:?}: native, sim")))?);
            }
            "seed" => {
                seed = Some(value.parse().map_err(|_| error(number, format!("not a number: {value:?}")))?);
            }
            "version" => {
                let (what, version) = value.split_once(' ').unwrap_or((value, ""));
                versions.push((what.to_owned(), version.to_owned()));
            }
            _ => return Err(error(number, format!("{key:?} is not one of driver, seed, version"))),
        }
    }
    let missing = |what: &str| error(0, format!("there is no `{what}`"));
    Ok((driver.ok_or_else(|| missing("driver"))?, seed.ok_or_else(|| missing("seed"))?, versions))
}

fn schedule(section: &Section<'_>) -> Result<Vec<String>, CaseError> {
    let mut steps = Vec::new();
    for (line, number) in section.lines.iter().zip(section.first..) {
        let counted = line.rsplit_once(" x").and_then(|(step, times)| Some((step, times.parse().ok()?)));
        let (step, times): (&str, usize) = counted.unwrap_or((line, 1));
        if times > MOST_STEPS - steps.len() {
            return Err(error(number, format!("more than {MOST_STEPS} steps")));
        }
        steps.extend(std::iter::repeat_n(step.to_owned(), times));
    }
    Ok(steps)
}

fn outcome(section: &Section<'_>) -> Result<Outcome, CaseError> {
    let (first, rest) =
        section.lines.split_first().ok_or_else(|| error(section.first, "there is no outcome"))?;
    match first.split_once(' ') {
        None if *first == "passed" => Ok(Outcome::Passed),
        Some(("failed", signature)) => {
            Ok(Outcome::Failed { signature: signature.to_owned(), message: unindented(rest) })
        }
        _ => Err(error(section.first, format!("{first:?}: passed, or failed PROPERTY"))),
    }
}

fn unindented(lines: &[&str]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
    lines.join("\n")
}
