//! `conformance report`: what is done with finished reports.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::beside::BesideArgs;
use super::output::{Out, Status, note};
use super::run::{bad, status, table};
use crate::report::data::Report;
use crate::report::folder::{self, Folder};

/// Work with finished reports.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    call: Call,
}

#[derive(Debug, clap::Subcommand)]
enum Call {
    Merge(MergeArgs),
}

pub(super) fn run(args: &Args, out: &mut Out) -> io::Result<Status> {
    let Call::Merge(args) = &args.call;
    merge(args, out)
}

/// Join the reports of shards, or of several machines, into one.
///
/// It does not matter in which order reports are given, nor how often.
#[derive(Debug, clap::Args)]
struct MergeArgs {
    /// Reports: files, or the folders that they lie in
    #[arg(value_name = "DIR", required = true)]
    from: Vec<PathBuf>,
    /// Where to write the joined report
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    beside: BesideArgs,
}

fn merge(args: &MergeArgs, out: &mut Out) -> io::Result<Status> {
    let folder = match Folder::ready(&args.out) {
        Ok(folder) => folder,
        Err(reason) => return Ok(bad(reason)),
    };
    let mut report = Report::default();
    for path in &args.from {
        let joined = folder::read(path).and_then(|other| {
            let from = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(Path::new("")) };
            folder.copy_kept(from, &other)?;
            report.join(other);
            Ok(())
        });
        if let Err(reason) = joined {
            return Ok(bad(reason));
        }
    }
    match args.beside.read() {
        Ok(beside) => beside.add_to(&mut report),
        Err(reason) => return Ok(bad(reason)),
    }
    let view = folder.view(&report);
    table(out, &view)?;
    if let Err(reason) = folder.write(&report, &view) {
        return Ok(bad(format!("the report cannot be written: {reason}")));
    }
    note(format_args!("{} runs joined", report.runs.len()));
    writeln!(out, "report: {}", folder.page().display())?;
    Ok(status(view.verdict))
}
