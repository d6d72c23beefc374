//! Which functions of an executable a goroutine may be stopped in by an injected call, which not, and why: its safe-point map.
//! `safepoints [--json] [--summary] [BINARY]`; by default of this program itself.
//!
//! One line a function: what the map says of it, its size in bytes, its address, its name. Then how many there are of each
//! kind. `caller`: it may be on the stack, but not on top.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use sigurg::safepoint::{Function, SafePoints, Verdict};

struct Args {
    json: bool,
    summary: bool,
    binary: PathBuf,
}

fn args() -> Result<Args, lexopt::Error> {
    use lexopt::prelude::*;
    let mut args = Args { json: false, summary: false, binary: "/proc/self/exe".into() };
    let mut parser = lexopt::Parser::from_env();
    let mut given = false;
    while let Some(arg) = parser.next()? {
        match arg {
            Long("json") => args.json = true,
            Long("summary") => args.summary = true,
            Value(path) if !given => {
                args.binary = path.into();
                given = true;
            }
            _ => return Err(arg.unexpected()),
        }
    }
    Ok(args)
}

/// How many functions there are of each kind, and their bytes.
fn summary(map: &SafePoints) -> BTreeMap<&'static str, (u64, u64)> {
    let mut kinds = BTreeMap::<_, (u64, u64)>::new();
    for function in map.functions() {
        let (count, bytes) = kinds.entry(function.verdict().id()).or_default();
        *count += 1;
        *bytes += function.size();
    }
    kinds
}

/// A name is shown once; functions that were made one have several.
fn name(function: &Function<'_>) -> String {
    let mut names = function.names();
    let first = names.next().unwrap_or("?");
    match names.count() {
        0 => first.to_owned(),
        more => format!("{first} (and {more} more)"),
    }
}

fn write_text(args: &Args, map: &SafePoints, out: &mut impl Write) -> io::Result<()> {
    if !args.summary {
        for function in map.functions() {
            writeln!(
                out,
                "{:<18} {:>7} {:#012x} {}",
                function.verdict().id(),
                function.size(),
                function.address(),
                name(&function)
            )?;
        }
        writeln!(out)?;
    }
    let kinds = summary(map);
    let (count, bytes) = kinds.values().fold((0, 0), |(c, b), (count, bytes)| (c + count, b + bytes));
    writeln!(out, "{}: {count} functions, {bytes} bytes", args.binary.display())?;
    for (id, (count, bytes)) in kinds {
        let why = map.functions().map(|f| f.verdict()).find(|verdict| verdict.id() == id);
        let words = why.map_or_else(String::new, |verdict| verdict.to_string());
        writeln!(out, "{id:<18} {count:>7} functions {bytes:>9} bytes  {words}")?;
    }
    Ok(())
}

fn write_json(args: &Args, map: &SafePoints, out: &mut impl Write) -> io::Result<()> {
    let kinds: BTreeMap<_, _> = summary(map)
        .into_iter()
        .map(|(id, (count, bytes))| (id, json!({ "functions": count, "bytes": bytes })))
        .collect();
    let mut object = json!({ "binary": args.binary.display().to_string(), "summary": kinds });
    if !args.summary {
        let function = |f: Function<'_>| {
            json!({
                "address": f.address(),
                "size": f.size(),
                "verdict": f.verdict().id(),
                "preemptible": matches!(f.verdict(), Verdict::Preemptible | Verdict::Root),
                "names": f.names().collect::<Vec<_>>(),
            })
        };
        object["functions"] = map.functions().map(function).collect();
    }
    writeln!(out, "{object}")
}

fn run() -> Result<(), Box<dyn Error>> {
    let args = args()?;
    let map = SafePoints::of_file(&args.binary).map_err(|why| format!("{}: {why}", args.binary.display()))?;
    let mut out = BufWriter::new(io::stdout().lock());
    let written =
        if args.json { write_json(&args, &map, &mut out) } else { write_text(&args, &map, &mut out) };
    match written.and_then(|()| out.flush()) {
        // Whoever reads it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("safepoints: {error}");
            ExitCode::from(2)
        }
    }
}
