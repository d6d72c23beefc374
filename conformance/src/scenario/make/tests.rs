//! Whatever is drawn is a good scenario.

use arbitrary::{Arbitrary, Unstructured};
use proptest::prelude::*;

use super::*;
use crate::scenario::check::check;
use crate::scenario::repair::repair;

proptest! {
    #[test]
    fn whatever_proptest_draws_is_accepted(scenario in scenarios(Size::NATIVE)) {
        prop_assert!(check(&scenario).is_ok(), "{:?}\n{scenario}", check(&scenario));
    }

    #[test]
    fn whatever_bytes_give_is_accepted(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let scenario = Scenario::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
        prop_assert!(check(&scenario).is_ok(), "{:?}\n{scenario}", check(&scenario));
    }

    #[test]
    fn what_is_good_is_not_repaired(scenario in scenarios(Size::NATIVE)) {
        prop_assert_eq!(repair(scenario.clone()), scenario);
    }

    #[test]
    fn a_seed_gives_the_same_scenario_again(seed in any::<u64>()) {
        prop_assert_eq!(from_seed(seed, Size::NATIVE), from_seed(seed, Size::NATIVE));
    }
}

/// A generator whose scenarios lose everything that needs a partner would test nothing.
#[test]
fn steps_of_every_kind_survive_the_repair() {
    let mut kinds = std::collections::BTreeMap::<String, u32>::new();
    for seed in 0..2_000 {
        let scenario = from_seed(seed, Size::NATIVE);
        for goroutine in &scenario.goroutines {
            crate::scenario::walk::steps(goroutine, |op, _, _| {
                let name = format!("{op:?}");
                let name = name.split(['(', ' ']).next().unwrap().to_owned();
                *kinds.entry(name).or_default() += 1;
            });
        }
    }
    for kind in [
        "Compute",
        "Alloc",
        "Call",
        "Yield",
        "Send",
        "Recv",
        "Lock",
        "Set",
        "Await",
        "Park",
        "Ready",
        "Sleep",
        "Syscall",
        "Foreign",
        "Spawn",
        "Join",
        "LockThread",
        "UnlockThread",
        "PreemptOff",
        "Panic",
        "Exit",
        "Grow",
        "Burst",
        "Scan",
        "Procs",
        "Repeat",
        "Forever",
    ] {
        assert!(kinds.get(kind).is_some_and(|&count| count >= 20), "{kind}: {kinds:?}");
    }
}
