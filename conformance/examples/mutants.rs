//! Tries planted bugs: `ci/mutants/run`. Ends with 1 if one lives, with 2 if the call is wrong or one could not be tried.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::Parser;
use sigurg_conformance::mutants::{Mutants, SUITES, matrix};
use sigurg_conformance::report::data::{Grade, Layer as Record, Report, Shard};
use sigurg_conformance::report::view::View;
use sigurg_conformance::run::{Call, Layer, Until, Watch, place, run};

/// Applies each mutant, one plausible bug, to a copy of the sources, and runs the tests that must find it.
#[derive(Debug, Parser)]
#[command(name = "ci/mutants/run")]
struct Args {
    /// These mutants only
    names: Vec<String>,
    /// Those only that this layer must kill; may be given again
    #[arg(long, value_parser = SUITES.iter().map(|suite| suite.name).collect::<Vec<_>>())]
    layer: Vec<String>,
    /// How long the tests of one mutant may take, in seconds, without what is built for them
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    budget: u64,
    /// Where to write what came of it: a report, for `conformance report merge`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Instead: make so many simulated runs fail with each mutant that is named, and repeat and shrink them from what is kept
    #[arg(long, value_name = "RUNS", conflicts_with_all = ["layer", "json", "list"], requires = "names")]
    replays: Option<u32>,
    /// Say which there are, and try none
    #[arg(long)]
    list: bool,
}

/// Says which mutant is tried and what came of it.
struct Tell;

impl Watch for Tell {
    fn layer(&self, _: &'static str, units: u64) {
        println!("{units} mutants");
    }

    fn unit(&self, name: &str, done: u64, _: f64) {
        println!("{} {name}", done + 1);
    }

    fn inside(&self, what: &str) {
        println!("    {what}");
    }

    fn ended(&self, _: &'static str, _: &Record) {}
}

fn main() -> ExitCode {
    match tried(&Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn tried(args: &Args) -> Result<ExitCode, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from).join("mutants");
    fs::create_dir_all(&target)?;
    let target = target.canonicalize()?;
    let mutants = Mutants::new(&root, &target, Duration::from_secs(args.budget))?;
    if let Some(name) = args.names.iter().find(|name| mutants.all().iter().all(|it| it.name != **name)) {
        return Err(format!("there is no mutant {name}").into());
    }
    let asked = |name: &String, layer: &str| {
        (args.names.is_empty() || args.names.contains(name))
            && (args.layer.is_empty() || args.layer.iter().any(|asked| asked == layer))
    };
    let units: Vec<_> = mutants.all().iter().filter(|it| asked(&it.name, it.suite.name)).collect();
    if args.list {
        units.iter().for_each(|it| println!("{:8} {}: {} ({})", it.suite.name, it.name, it.bug, it.rule));
        return Ok(ExitCode::SUCCESS);
    }
    if units.is_empty() {
        return Err("none of these mutants is for one of these layers".into());
    }
    if let Some(runs) = args.replays {
        return replays(&mutants, &args.names, runs, &target);
    }
    let call = Call {
        seed: 1,
        budget: None,
        shard: Shard { index: 1, total: 1 },
        campaign: "mutants".into(),
        only: Vec::new(),
        units: units.iter().map(|it| it.name.clone()).collect(),
        place: place::describe(),
    };
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    let layers: [Box<dyn Layer>; 1] = [Box::new(mutants)];
    let report = run(&layers, &call, &Until::interrupted(interrupted), &Tell);
    conclude(&report, args.json.as_deref())
}

/// A failure is shrunk for so long at most, in seconds.
const SHRINK: &str = "10";

/// The example `replays` with each mutant, in a process for what fails and in another for what is repeated.
fn replays(
    mutants: &Mutants,
    names: &[String],
    runs: u32,
    target: &Path,
) -> Result<ExitCode, Box<dyn Error>> {
    let mut good = true;
    for name in names {
        println!("{name}");
        let folder = target.join("replays").join(name);
        // What an earlier call left.
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let folder = folder.to_str().ok_or("the folder of what is built has no name in UTF-8")?;
        good &= mutants.example(name, "replays", &["make", folder, &runs.to_string()])?.success()
            && mutants.example(name, "replays", &["repeat", folder, SHRINK])?.success();
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Prints the kill matrix and writes the report.
fn conclude(report: &Report, json: Option<&Path>) -> Result<ExitCode, Box<dyn Error>> {
    let view = View::new(report);
    print!("\n{}", matrix(&view));
    if let Some(file) = json {
        fs::write(file, serde_json::to_string(report)?).map_err(|e| format!("{}: {e}", file.display()))?;
    }
    let left: usize = view.layers.values().map(|layer| layer.left.len()).sum();
    Ok(match (view.graded(Grade::Fail), view.graded(Grade::Error), left) {
        (0, 0, 0) => ExitCode::SUCCESS,
        (0, ..) => ExitCode::from(2),
        _ => ExitCode::from(1),
    })
}
