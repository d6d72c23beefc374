//! `preempt_storm`: a scenario and turns, out of bytes, in the simulator, judged by the model while it runs.
//!
//! 1. It is a function of the bytes: what failed once fails again, and smaller bytes are a smaller run.
//! 2. What is found is left behind as a case, which `conformance replay` repeats and shrinks without the fuzzer.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use sigurg_shuttle::sim::Bytes;
use sigurg_traces::Tag;

use super::Met;
use super::code::{Bounds, decode, program};
use crate::scenario::Scenario;
use crate::scenario::check::check;
use crate::scenario::expect::Results;
use crate::sim::drive::{Drive, Ran};
use crate::sim::narrate::keep;

/// How large scenarios are here: some thousand operations, some hundred events. A burst fills the ring of a P and spills half of it; what
/// shows in the fourth round of a loop at the earliest is not looked for here.
pub const BOUNDS: Bounds = Bounds {
    steps: 24,
    goroutines: 6,
    times: 3,
    burst: 6,
    us: 32,
    us_together: 160,
    heavy_together: 20,
    signals: 8,
};

/// Programs that are kept: an engine changes the turns of one many times.
const KEPT: usize = 1_024;

#[derive(Clone)]
struct Program {
    scenario: Arc<Scenario>,
    expected: Arc<Results>,
}

thread_local! {
    static DRIVE: RefCell<Drive> = RefCell::new(Drive::new());
    static PROGRAMS: RefCell<HashMap<Vec<u8>, Program>> = RefCell::default();
}

/// The body of the target. The case of a failure is written to `folder`.
///
/// # Panics
///
/// If the run lacks a property: its signature, what is wrong, the scenario, and where the case is.
pub fn body(folder: &Path, data: &[u8], met: &Met) {
    let (program, turns) = read(data);
    let ran = run(&program, turns, met);
    if let Some(signature) = ran.signature() {
        panic!("{}", found(folder, &program, &ran, &signature));
    }
}

fn read(data: &[u8]) -> (Program, &[u8]) {
    let code = program(data);
    let turns = data.get(code.len() + 1..).unwrap_or_default();
    let known = PROGRAMS.with_borrow(|programs| programs.get(code).cloned());
    let program = known.unwrap_or_else(|| {
        let (scenario, _) = decode(code, &BOUNDS);
        let expected = check(&scenario).expect("what was repaired is good");
        let program = Program { scenario: Arc::new(scenario), expected: Arc::new(expected) };
        PROGRAMS.with_borrow_mut(|programs| {
            if programs.len() == KEPT {
                programs.clear();
            }
            programs.insert(code.to_vec(), program.clone());
        });
        program
    });
    (program, turns)
}

fn run(program: &Program, turns: &[u8], met: &Met) -> Ran {
    // Which event of one thread came after which of another: the order that a schedule made.
    let mut last = (-1, 0);
    let ran = DRIVE.with_borrow_mut(|drive| {
        drive.run_and_hear(&program.scenario, &program.expected, &mut Bytes::new(turns), &mut |event, _| {
            let tag = event.kind.tag() as usize;
            if event.m != last.0 {
                met.once(1 << 12 | (last.1 * Tag::ALL.len() + tag));
            }
            last = (event.m, tag);
        })
    });
    let summary = &ran.summary;
    for (row, &times) in summary.rows.iter().chain(&summary.p_rows).chain(&summary.steps).enumerate() {
        met.times(row, times);
    }
    for (&situation, &times) in &ran.judged.seen.situations {
        met.times(1 << 11 | situation as usize, times);
    }
    ran
}

/// What is said of a failure.
fn found(folder: &Path, program: &Program, ran: &Ran, signature: &str) -> String {
    let failures: Vec<_> = ran.judged.failures.iter().map(ToString::to_string).collect();
    let path = folder.join(format!("{}.case", signature.replace(':', "-")));
    let kept = DRIVE.with_borrow_mut(|drive| {
        keep(&path, drive, &program.scenario, &program.expected, &ran.outcome.schedule)
    });
    let (table, place) = match kept {
        Ok(told) => (told.table, format!("conformance replay {}", path.display())),
        Err(error) => (String::new(), format!("its case cannot be kept: {error}")),
    };
    format!("{}\n\n{}\n{table}\n{place}", failures.join("\n"), program.scenario)
}
