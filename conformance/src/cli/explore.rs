//! `conformance explore`: the exhaustive search of the model.

use std::io::{self, Write};
use std::num::NonZeroUsize;

use indicatif::HumanCount;
use sigurg_model::machine::config::Config;
use sigurg_model::machine::family::{When, all};

use super::explore_json;
use super::output::{Out, Status, complain};
use super::progress::Search;
use crate::explore::{Limits, Stop};
use crate::survey::{Outcome, Seen, Verdict, hazards, select, survey};

/// Search the model exhaustively: every interleaving of bounded configurations of goroutines, threads,
/// suspenders and signals.
///
/// In every state every invariant is checked, and on every endless run that nobody waits for ever. Where a
/// profile of Go has a known hazard (ids R-xx), the search must find it by itself and tell the shortest way to
/// it; where the sigurg profile repairs it, the search must find nothing. Both is checked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Search this configuration, or all of this family; may be given again [default: all but the nightly ones]
    #[arg(long, value_name = "NAME")]
    config: Vec<String>,
    /// Search the large configurations, too: hours, not seconds
    #[arg(long)]
    nightly: bool,
    /// Name the configurations and what each is for
    #[arg(long, conflicts_with_all = ["json", "stories"])]
    list: bool,
    /// Tell the counterexamples of expected hazards, too; told anyway if one configuration is searched
    #[arg(long)]
    stories: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    /// Threads that search [default: all processors]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Memory for one search [default: 4, if there is a nightly one 16]
    #[arg(long, value_name = "GiB", value_parser = clap::value_parser!(u64).range(1..=4096))]
    memory: Option<u64>,
    /// Stop at this distance from the initial state
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65_534))]
    max_depth: Option<u32>,
}

const EXAMPLES: &str = "\
Examples:
  conformance explore                               all default configurations
  conformance explore --list
  conformance explore --config stubborn             one family, under all its profiles
  conformance explore --config stubborn/go1.27      with the story of each hazard
  conformance explore --nightly --memory 16 --json

Exit status:
  0  every configuration shows the hazards that it must show, and nothing else
  1  an unexpected finding, a hazard that was not found, or a search that ended early without being told to
     (by --max-depth or --memory)
  2  the call is bad";

pub(super) fn run(args: Args, out: &mut Out) -> io::Result<Status> {
    let configs = match select(&args.config, args.nightly || args.list) {
        Ok(configs) => configs,
        Err(name) => {
            let names: Vec<_> = all().iter().map(|(config, _)| config.name).collect();
            complain(format_args!(
                "no configuration or family is named {name:?}; there are {}",
                names.join(", ")
            ));
            return Ok(Status::Bad);
        }
    };
    if args.list {
        return list(out, &configs);
    }
    let nightly = configs.iter().any(|(_, when)| *when == When::Nightly);
    let mut limits = Limits {
        memory_bytes: args.memory.unwrap_or(if nightly { 16 } else { 4 }) << 30,
        max_depth: args.max_depth,
        ..Limits::default()
    };
    limits.threads = args.threads.unwrap_or(limits.threads);
    let mut chosen = Vec::new();
    chosen.extend(args.max_depth.map(|_| Stop::Depth));
    chosen.extend(args.memory.map(|_| Stop::Memory));

    if !args.json {
        writeln!(
            out,
            "{:28}{:>13}{:>15}{:>7}{:>9}{:>13}",
            "", "states", "transitions", "depth", "seconds", "states/s"
        )?;
        out.flush()?;
    }
    let stories = args.stories || configs.len() == 1;
    let mut outcomes = Vec::with_capacity(configs.len());
    for (config, _) in configs {
        let outcome = survey(config, &limits, &chosen, &Search::new(config.name));
        if !args.json {
            line(out, &outcome)?;
            findings(out, &outcome, stories)?;
            out.flush()?;
        }
        outcomes.push(outcome);
    }
    let worst = verdict(&outcomes);
    if args.json {
        explore_json::write(out, &outcomes, worst, args.stories)?;
    } else {
        summary(out, &outcomes, worst)?;
    }
    Ok(match worst {
        Verdict::Conforms | Verdict::Limited => Status::Conforms,
        Verdict::Broken | Verdict::Incomplete => Status::Broken,
    })
}

/// The verdict on all: the gravest of the single ones.
fn verdict(outcomes: &[Outcome]) -> Verdict {
    let grave = [Verdict::Broken, Verdict::Incomplete, Verdict::Limited];
    let of = |verdict: &Verdict| outcomes.iter().any(|outcome| outcome.verdict == *verdict);
    grave.into_iter().find(of).unwrap_or(Verdict::Conforms)
}

fn list(out: &mut Out, configs: &[(Config, When)]) -> io::Result<Status> {
    for (config, when) in configs {
        let night = if *when == When::Nightly { " (nightly)" } else { "" };
        writeln!(out, "{:28}{}{night}", config.name, config.about)?;
        if !config.shows.is_empty() {
            writeln!(out, "{:28}must show {}", "", config.shows.join(", "))?;
        }
    }
    Ok(Status::Conforms)
}

fn line(out: &mut Out, outcome: &Outcome) -> io::Result<()> {
    let human = |count: u64| HumanCount(count).to_string();
    write!(
        out,
        "{:28}{:>13}{:>15}{:>7}{:>9.2}{:>13}  ",
        outcome.config.name,
        human(outcome.states),
        human(outcome.transitions),
        outcome.depth,
        outcome.seconds,
        human(outcome.states_per_second as u64),
    )?;
    match outcome.stopped {
        Some(stop) => writeln!(out, "incomplete: {stop}"),
        None if outcome.config.liveness => {
            writeln!(out, "complete, promises in {:.2} s", outcome.seconds_after)
        }
        None => writeln!(out, "complete"),
    }
}

fn findings(out: &mut Out, outcome: &Outcome, stories: bool) -> io::Result<()> {
    for found in &outcome.found {
        let expected = if found.expected { "expected" } else { "UNEXPECTED" };
        writeln!(out, "  {:7}{expected}, {} moves: {}", found.id, found.length, found.title)?;
        if stories || !found.expected {
            // The first line of a story is the title.
            for line in found.story.lines().skip(1) {
                writeln!(out, "    {line}")?;
            }
        }
    }
    for id in &outcome.missing {
        writeln!(out, "  {id:7}MISSING: this configuration must show it, and does not any more")?;
    }
    Ok(())
}

fn summary(out: &mut Out, outcomes: &[Outcome], worst: Verdict) -> io::Result<()> {
    let seen = hazards(outcomes);
    if !seen.is_empty() {
        writeln!(out)?;
    }
    for Seen { hazard, shown, absent, wrong, open } in &seen {
        let names = |list: &[&Outcome]| list.iter().map(|o| o.config.name).collect::<Vec<_>>().join(", ");
        let lists = [("shown by", shown), ("absent from", absent), ("WRONG in", wrong), ("open in", open)];
        let said: Vec<_> = lists
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(what, list)| format!("{what} {}", names(list)))
            .collect();
        writeln!(out, "{:7}{}", hazard.id(), said.join("; "))?;
    }
    let states: u64 = outcomes.iter().map(|outcome| outcome.states).sum();
    let seconds: f64 = outcomes.iter().map(|outcome| outcome.seconds + outcome.seconds_after).sum();
    writeln!(
        out,
        "\n{} configurations, {} states, {seconds:.1} s: {}",
        outcomes.len(),
        HumanCount(states),
        worst.as_str()
    )
}
