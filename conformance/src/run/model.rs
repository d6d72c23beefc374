//! The layer that searches the model: each configuration shows the hazards that it must show, and nothing else.

use sigurg_model::machine::family::When;
use sigurg_model::space::Promise;

use super::{Done, Layer, Plan, Task, Until, Watch, again};
use crate::explore::{Limits, Progress, Stop};
use crate::report::coverage::edge_name;
use crate::report::data::{Finding, Grade, Step};
use crate::survey::edges;
use crate::survey::{self, Outcome, Verdict, select, survey};

/// The unit that looks for the edges of the protocol, and the states next to the start that it looks at, of each configuration.
const EDGES: &str = "edges";
const STATES: usize = 30_000;

/// The exhaustive search of the model.
#[derive(Debug)]
pub struct Model {
    /// Whether the large configurations are searched, too.
    pub nightly: bool,
    /// What one search may use.
    pub limits: Limits,
}

impl Layer for Model {
    fn name(&self) -> &'static str {
        "model"
    }

    fn about(&self) -> &'static str {
        "every interleaving of bounded worlds, by exhaustive search"
    }

    fn share(&self) -> u32 {
        6
    }

    fn plan(&self) -> Result<Vec<Plan>, String> {
        let configs = select(&[], self.nightly).expect("no name is asked for");
        let plan = |(config, when): &(sigurg_model::machine::config::Config, When)| Plan {
            name: config.name.into(),
            about: match when {
                When::Always => config.about.into(),
                When::Nightly => format!("{} (nightly)", config.about),
            },
        };
        let edges = Plan {
            name: EDGES.into(),
            about: "what a trace can show of one goroutine: every change of it that the model has".into(),
        };
        Ok(configs.iter().map(plan).chain([edges]).collect())
    }

    fn again(&self) -> bool {
        false
    }

    fn try_one(&self, task: &Task<'_>) -> Done {
        if task.unit == EDGES {
            return reach();
        }
        let configs = select(&[task.unit.to_owned()], true).expect("a unit is a configuration");
        let (config, _) = configs.into_iter().next().expect("it is there");
        let outcome = survey(config, &self.limits, &[], &Search { until: task.until, watch: task.watch });
        if outcome.stopped == Some(Stop::Told) {
            return Done::default();
        }
        done(&outcome)
    }
}

/// The edges of the protocol, each with a shortest way of the model to it.
fn reach() -> Done {
    let edges = edges::all_edges(STATES);
    let way = |walk: &edges::Walk| {
        let faces: Vec<_> = walk.faces.iter().map(ToString::to_string).collect();
        format!("{}: {}", walk.config, faces.join(" > "))
    };
    Done {
        grade: Some(Grade::Pass),
        reach: edges.iter().map(|(edge, walk)| (edge_name(*edge), way(walk))).collect(),
        ..Done::default()
    }
    .with("edges", edges.len() as u64)
}

/// Tells how a search is getting on, and ends it.
struct Search<'a> {
    until: &'a Until,
    watch: &'a dyn Watch,
}

impl Progress for Search<'_> {
    fn level(&self, depth: u32, states: u64, frontier: u64, _transitions: u64) {
        self.watch.inside(&format!("depth {depth}, {states} states, {frontier} of them ahead"));
    }

    fn is_over(&self) -> bool {
        self.until.over().is_some()
    }

    fn promises(&self, promises: &[Promise]) {
        self.watch.inside(&format!("all states known, checking {} promises", promises.len()));
    }
}

fn done(outcome: &Outcome) -> Done {
    let name = outcome.config.name;
    let mut done = Done::default()
        .with("states", outcome.states)
        .with("transitions", outcome.transitions)
        .with("depth", outcome.depth.into())
        .with("search ms", ((outcome.seconds + outcome.seconds_after) * 1e3) as u64);
    for found in &outcome.found {
        if found.expected {
            done.shown.push((found.id.into(), 1));
            done.coverage.hazards.insert(format!("{} {name}", found.id), 1);
        } else {
            let title = format!("{name}: {}", found.title);
            let mut finding = finding(name, found.id, title);
            finding.story.clone_from(&found.story);
            finding.steps = steps(&found.story);
            done.findings.push((signature(found.id, name), finding));
        }
    }
    for id in &outcome.missing {
        let title = format!("{name} must show {id}, and does not any more");
        done.findings.push((signature(&format!("missing-{id}"), name), finding(name, id, title)));
    }
    (done.grade, done.why) = match outcome.verdict {
        Verdict::Broken => (Some(Grade::Fail), done.findings[0].1.title.clone()),
        Verdict::Incomplete | Verdict::Limited => {
            let why = outcome.stopped.map_or_else(String::new, |stop| stop.to_string());
            (Some(Grade::Error), format!("not searched whole: {why}"))
        }
        Verdict::Conforms if outcome.found.is_empty() => (Some(Grade::Pass), String::new()),
        Verdict::Conforms => {
            let told = |found: &survey::Found| format!("{} in {} moves", found.id, found.length);
            let all: Vec<_> = outcome.found.iter().map(told).collect();
            (Some(Grade::Interesting), format!("shows {}, as it must", all.join(", ")))
        }
    };
    if outcome.verdict == Verdict::Incomplete {
        let title = format!("{name}: {}", done.why);
        let finding = Finding { grade: Grade::Error, ..finding(name, "incomplete search", title) };
        done.findings.push((signature("incomplete", name), finding));
    }
    done
}

fn signature(id: &str, name: &str) -> String {
    format!("model:{id}:{name}")
}

fn finding(name: &str, rule: &str, title: String) -> Finding {
    Finding::new(Grade::Fail, rule, title)
        .of(format!("model {name}"), again::call(&format!("explore --config {name}")))
}

/// The lines of a story, ` 12. deed | state`, taken apart again.
fn steps(story: &str) -> Vec<Step> {
    let step = |line: &str| {
        let (head, state) = line.split_once(" | ")?;
        let (_, deed) = head.split_once(". ")?;
        Some(Step { deed: deed.into(), state: state.into() })
    };
    story.lines().skip(1).filter_map(step).collect()
}
