//! The named scenarios: text files, each with what it is about and what must happen in it.
//!
//! They are part of the program, so that the command has them wherever it runs. [`not_staged`] lists what is known from the
//! field or from the rules and is no scenario, with the reason.

use super::Scenario;
use super::text::parse;

/// Lists the files under their folder.
macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../scenarios/", $name, ".scenario")))),+]
    };
}

/// Name and text of each.
const FILES: &[(&str, &str)] = files![
    "tight_loop",
    "unsafe_point_livelock",
    "signal_flood",
    "eintr_slow_calls",
    "vector_state",
    "off_means_off",
    "after_syscall",
    "forced_prologue",
    "bad_task_wedges_runtime",
    "budget_corner",
    "small_stacks",
    "execute_clobber",
    "swallowed_signal",
    "stale_p_preempt",
    "several_suspenders",
    "scanned_while_runnable",
    "dead_and_reused",
    "parks_called_off",
    "stopped_again",
    "stop_the_world_amid_handoffs",
    "scan_bit_hides_a_p",
    "lost_wakeup",
    "thieves_at_runnext",
    "full_rings",
    "everything_locked",
    "many_senders",
];

/// Every named scenario, in the order of the list.
///
/// # Panics
/// If a file of the library is not a scenario; a test reads all.
#[must_use]
pub fn all() -> Vec<Scenario> {
    FILES.iter().map(|(name, text)| parse(text).unwrap_or_else(|e| panic!("{name}.scenario: {e}"))).collect()
}

/// The scenario of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<Scenario> {
    all().into_iter().find(|scenario| scenario.name == name)
}

/// What is known and is no scenario here: a name of the field or an id of the rules, and why.
#[must_use]
pub const fn not_staged() -> &'static [(&'static str, &'static str)] {
    &[
        ("foreign_host", "another handler must be there before the runtime; sigaction is not for safe code"),
        ("frameless_code", "nothing looks at frames before it stops a goroutine in its handler"),
        ("portability_hang", "a fault of one compiler on MIPS"),
        ("blocking_detector", "a wish for a tool, not a behaviour"),
        (
            "tls_across_yield",
            "the contract of the runtime forbids it; a program that does it has no defined outcome",
        ),
        ("R-02", "stacks are not copied"),
        ("R-05", "handlers that a sanitizer of C delays"),
        ("R-12", "there is no collector whose credit a scan could flush"),
        ("R-21", "there are no coroutine switches"),
        ("R-22", "there are no coroutine switches"),
        ("R-29", "needs Psyscall, which is gone since 1.26"),
        ("R-33", "the runtime has no goroutines of its own"),
        ("R-34", "nothing unwinds a stack before it stops a goroutine in its handler"),
        ("R-35", "MIPS"),
        ("R-37", "darwin"),
        ("R-39", "Windows"),
        ("R-42", "by design; asyncpreemptoff is a variable of the process: runtime/tests/preempt/seed.rs"),
        ("R-43", "threads that are no goroutines are no part of a scenario: runtime/tests"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Field names of issues that became scenarios.
    const FIELD: [&str; 16] = [
        "tight_loop",
        "unsafe_point_livelock",
        "signal_flood",
        "eintr_slow_calls",
        "vector_state",
        "off_means_off",
        "foreign_host",
        "frameless_code",
        "after_syscall",
        "forced_prologue",
        "portability_hang",
        "bad_task_wedges_runtime",
        "blocking_detector",
        "budget_corner",
        "small_stacks",
        "tls_across_yield",
    ];

    #[test]
    fn every_file_is_a_scenario_of_its_name() {
        for ((name, _), scenario) in FILES.iter().zip(all()) {
            assert_eq!(scenario.name, *name);
            assert!(!scenario.about.is_empty(), "{name} does not say what it is about");
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), FILES.len(), "a file is not on the list");
    }

    #[test]
    fn what_is_known_is_a_scenario_or_has_a_reason_not_to_be() {
        let all = all();
        let ids = (1..=52).map(|n| format!("R-{n:02}"));
        let staged = |id: &str| {
            let named = |about: &[String]| about.iter().any(|line| line.contains(id));
            all.iter().any(|scenario| scenario.name == id || named(&scenario.about))
        };
        for id in ids.chain(FIELD.map(str::to_owned)) {
            let excused = not_staged().iter().any(|(what, _)| *what == id);
            assert!(staged(&id) != excused, "{id}: staged {}, excused {excused}", staged(&id));
        }
    }

    #[test]
    fn every_situation_is_one_that_a_scenario_is_there_for() {
        for situation in super::super::Situation::ALL {
            let wanted = all().iter().any(|scenario| scenario.sometimes.contains(situation));
            assert!(wanted || COMMON.contains(situation), "{situation}");
        }
    }

    /// Situations that are everywhere, or that no scenario can promise.
    const COMMON: [super::super::Situation; 6] = {
        use super::super::Situation::*;
        [Ended, SuspendedBySignal, SuspendersMet, SignalSpared, ReturnedWithoutP, ParkCalledOff]
    };
}
