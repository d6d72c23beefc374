//! What `run` calls in processes of their own: parts of its work that may crash or hang. Not for people.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::Build;
use super::output::Status;
use super::run::bad;
use crate::run::fuzz::hunt;
use crate::run::sim::try_unit;
use crate::run::{Draw, programs};

/// Runs one program of the native layer.
#[derive(Debug, clap::Args)]
pub(super) struct ProgramArgs {
    name: String,
    #[arg(long)]
    procs: u32,
    #[arg(long)]
    seed: u64,
    #[arg(long)]
    trace: PathBuf,
}

pub(super) fn program(args: &ProgramArgs, build: Build) -> Status {
    let Some(program) = programs::by_name(&args.name) else {
        return bad(format!("there is no program {:?}", args.name));
    };
    end_with_parent();
    let mut draw = Draw::new(args.seed, &format!("{}/p{}", args.name, args.procs));
    match build(sigurg::Builder::new().gomaxprocs(args.procs).trace(&args.trace)) {
        Ok(runtime) => {
            runtime.run(|| (program.run)(&mut draw));
            Status::Conforms
        }
        Err(e) => bad(format!("no runtime: {e}")),
    }
}

/// Runs one unit of the layer of fuzzing.
#[derive(Debug, clap::Args)]
pub(super) struct FuzzArgs {
    target: String,
    #[arg(long)]
    seed: u64,
    #[arg(long)]
    corpus: PathBuf,
    #[arg(long)]
    out: PathBuf,
}

pub(super) fn fuzz(args: &FuzzArgs, build: Build) -> Status {
    end_with_parent();
    match hunt(&args.target, args.seed, build, &args.corpus, &args.out) {
        Ok(true) => Status::Conforms,
        Ok(false) => Status::Broken,
        Err(reason) => bad(reason),
    }
}

/// Does one unit of the layer of the simulator.
#[derive(Debug, clap::Args)]
pub(super) struct SimArgs {
    unit: String,
    #[arg(long)]
    seed: u64,
    #[arg(long)]
    ms: Option<u64>,
    #[arg(long)]
    out: PathBuf,
    #[arg(long)]
    keep: PathBuf,
}

pub(super) fn sim(args: SimArgs) -> Status {
    end_with_parent();
    match try_unit(&args.unit, args.seed, args.ms.map(Duration::from_millis), &args.out, args.keep) {
        Ok(()) => Status::Conforms,
        Err(reason) => bad(reason),
    }
}

/// Whoever started this may be gone: then so is its pipe.
fn end_with_parent() {
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(Status::Bad as i32);
    });
}
