//! `conformance check`: are these traces legal?

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::Instant;

use indicatif::HumanCount;
use sigurg_model::Profile;
use sigurg_model::rules::{p_status, transition};
use sigurg_traces::UnknownKinds;

use super::check_json;
use super::output::{Out, Status, complain, name, note};
use super::progress::Events;
use crate::check::files::{Compared, Files, Trace};
use crate::check::judge::{Accepted, How, Judged, Rejected, Tally, Verdict, profile_names};

/// Is this trace legal? Reads each FILE, puts its events in a legal order, and judges them by the rules of
/// the release that recorded it.
///
/// A trace is JSON Lines or the binary form, plain, .gz or .zst. Rejected traces are told with the rule, the
/// event, what led there and what would have been legal. A folder of recordings may be given whole: a
/// NAME.manifest.json is compared with its trace NAME, a labels.json says which rule each trace must break,
/// README.md is left out. Anything else that is not a trace is an error.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Traces; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Judge by these rules instead of those of the release in the header: go1.14 to go1.27, or sigurg
    #[arg(long, value_name = "NAME", value_parser = profile)]
    profile: Option<&'static Profile>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    /// How many files to judge at once [default: all processors]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Leave out events of unknown kinds, and say how many, instead of refusing the file
    #[arg(long)]
    allow_unknown_kinds: bool,
}

const EXAMPLES: &str = "\
Examples:
  conformance check trace.jsonl.gz
  conformance check traces/corpus/go/*
  zstdcat trace.sgtr.zst | conformance check -
  conformance check --profile go1.26 trace.jsonl       would this be legal in Go 1.26?
  conformance check --json traces/* | jq '.results[] | select(.verdict != \"accepted\")'

Exit status:
  0  every trace is accepted
  1  a trace is rejected, a manifest disagrees with its trace, or a trace labelled as broken is accepted
  2  a file is no trace, damaged or truncated, or the call is bad";

fn profile(name: &str) -> Result<&'static Profile, String> {
    Profile::by_name(name).ok_or_else(|| format!("known profiles are {}", profile_names()))
}

/// How the call as a whole ended.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) events: u64,
    pub(super) accepted: u64,
    pub(super) rejected: u64,
    pub(super) unreadable: u64,
    /// Traces that have a label, and those of them that were rejected by its rule.
    pub(super) labelled: u64,
    pub(super) as_labelled: u64,
    /// Traces that have a label and were accepted nevertheless.
    pub(super) missed: u64,
}

impl Counts {
    fn count(&mut self, trace: &Trace, judged: &Judged) {
        self.events += judged.events;
        let rule = match &judged.verdict {
            Verdict::Accepted(_) => {
                self.accepted += 1;
                None
            }
            Verdict::Rejected(rejected) => {
                self.rejected += 1;
                Some(rejected.rule)
            }
            Verdict::Unreadable(_) => {
                self.unreadable += 1;
                return;
            }
        };
        if let Some(label) = &trace.label {
            self.labelled += 1;
            self.as_labelled += u64::from(rule == Some(label));
            self.missed += u64::from(rule.is_none());
        }
    }

    fn status(&self, compared: &[Compared]) -> Status {
        let disagrees = compared.iter().any(|compared| matches!(compared, Compared::Disagrees(_)));
        if self.unreadable > 0 {
            Status::Bad
        } else if self.rejected > 0 || self.missed > 0 || disagrees {
            Status::Broken
        } else {
            Status::Conforms
        }
    }
}

pub(super) fn run(args: Args, out: &mut Out) -> io::Result<Status> {
    if args.files.iter().filter(|path| *path == Path::new("-")).count() > 1 {
        complain("standard input (`-`) can be read only once");
        return Ok(Status::Bad);
    }
    let begin = Instant::now();
    let files = Files::new(&args.files);
    for (path, what) in &files.skipped {
        note(format_args!("skipped: {}: not a trace ({what})", path.display()));
    }
    let how = How {
        profile: args.profile,
        unknown_kinds: if args.allow_unknown_kinds { UnknownKinds::Count } else { UnknownKinds::Refuse },
        ..How::default()
    };
    let jobs = args.jobs.unwrap_or_else(|| available_parallelism().unwrap_or(NonZeroUsize::MIN));
    let mut counts = Counts::default();
    let mut written = Ok(());
    let tally = Tally::default();
    let bar = Events::new(&tally, files.traces.len() as u64);
    let tell = |trace: &Trace, judged: &Judged| {
        counts.count(trace, judged);
        bar.done(counts.accepted + counts.rejected + counts.unreadable);
        bar.behind(|| {
            if let Verdict::Unreadable(unreadable) = &judged.verdict {
                complain(format_args!("{}: {unreadable}", name(&trace.path)));
            } else if !args.json && written.is_ok() {
                written = answer(out, trace, judged).and_then(|()| out.flush());
            }
        });
    };
    let judged = files.judge(&how, jobs, &tally, || bar.tick(), tell);
    drop(bar);
    written?;
    let compared = files.compare(&judged);
    for ((path, _), compared) in files.manifests.iter().zip(&compared) {
        if *compared == Compared::NoTrace {
            note(format_args!(
                "skipped: {}: not a trace (manifest of one that was not given)",
                path.display()
            ));
        }
    }
    if args.json {
        check_json::write(out, &files, &judged, &compared, &counts)?;
    } else {
        manifests(out, &files, &compared)?;
        if files.traces.len() > 1 && counts.accepted + counts.rejected > 0 {
            summary(out, &counts, begin.elapsed().as_secs_f64())?;
        }
    }
    if files.traces.is_empty() {
        complain("no trace among the files");
        return Ok(Status::Bad);
    }
    Ok(counts.status(&compared))
}

/// The answer to one readable trace.
fn answer(out: &mut Out, trace: &Trace, judged: &Judged) -> io::Result<()> {
    let (file, profile) = (name(&trace.path), judged.profile.map_or("", |profile| profile.name));
    match &judged.verdict {
        Verdict::Accepted(accepted) => {
            let rows = rows(accepted, judged.profile);
            writeln!(out, "accepted  {file}: {} events, {profile}, {rows}", HumanCount(judged.events))?;
            for (count, what) in [
                (judged.unknown_kinds, "of unknown kinds were left out"),
                (accepted.summary.unjudged, "from the first lost one on were read, not judged"),
                (accepted.cut_off, "at the cut end could not be put in order and were not judged"),
            ] {
                if count > 0 {
                    writeln!(out, "    {} events {what}", HumanCount(count))?;
                }
            }
            if let Some(label) = &trace.label {
                writeln!(out, "    but its label says that it breaks {label}")?;
            }
        }
        Verdict::Rejected(rejected) => {
            let Rejected { rule, seq, line, .. } = &**rejected;
            let line = line.map_or_else(String::new, |line| format!(", line {line}"));
            writeln!(out, "rejected  {file}: {rule} at event {seq}{line}, {profile}")?;
            for line in rejected.story.lines() {
                writeln!(out, "    {line}")?;
            }
            match &trace.label {
                Some(label) if label == rule => writeln!(out, "    as its label says")?,
                Some(label) => writeln!(out, "    but its label says that it breaks {label}")?,
                None => {}
            }
        }
        Verdict::Unreadable(_) => {}
    }
    Ok(())
}

/// How many rows of the tables of G and P a trace took, of those that its release has.
fn rows(accepted: &Accepted, profile: Option<&'static Profile>) -> String {
    let within = |releases| profile.is_some_and(|profile| profile.within(releases));
    let holds = |row: &&transition::Row| profile.is_some_and(|profile| row.holds(profile));
    let g_rows = transition::ROWS.iter().filter(holds).count();
    let p_rows = p_status::ROWS.iter().filter(|row| within(row.releases)).count();
    let taken = |rows: &[u64]| rows.iter().filter(|&&count| count > 0).count();
    let summary = &accepted.summary;
    format!(
        "rows taken: {} of {g_rows} of G, {} of {p_rows} of P",
        taken(&summary.rows),
        taken(&summary.p_rows)
    )
}

fn manifests(out: &mut Out, files: &Files, compared: &[Compared]) -> io::Result<()> {
    for ((path, _), compared) in files.manifests.iter().zip(compared) {
        if let Compared::Disagrees(lines) = compared {
            writeln!(out, "companion {}: disagrees with its trace", path.display())?;
            for line in lines {
                writeln!(out, "    {line}")?;
            }
        }
    }
    let count = |what: &dyn Fn(&Compared) -> bool| compared.iter().filter(|compared| what(compared)).count();
    let agree = count(&|compared| *compared == Compared::Agrees);
    let not_accepted = count(&|compared| *compared == Compared::NotAccepted);
    if agree > 0 {
        writeln!(out, "companions: {agree} manifests agree with their traces")?;
    }
    if not_accepted > 0 {
        writeln!(out, "companions: {not_accepted} manifests not compared, their traces were not accepted")?;
    }
    Ok(())
}

fn summary(out: &mut Out, counts: &Counts, seconds: f64) -> io::Result<()> {
    let Counts { events, accepted, rejected, unreadable, .. } = *counts;
    if counts.labelled > 0 {
        let Counts { labelled, as_labelled, .. } = counts;
        writeln!(out, "labels: {as_labelled} of {labelled} rejected by the rule that their label names")?;
    }
    writeln!(
        out,
        "{} traces, {} events: {accepted} accepted, {rejected} rejected, {unreadable} unreadable; {seconds:.1} s",
        accepted + rejected + unreadable,
        HumanCount(events),
    )
}
