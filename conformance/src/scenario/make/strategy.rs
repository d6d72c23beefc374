//! Scenarios for proptest.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{SHARED, Size, assemble};
use crate::scenario::{Op, Scenario, Storm};

/// Scenarios of that size. They shrink to fewer goroutines, fewer steps, shorter times.
pub fn scenarios(size: Size) -> impl Strategy<Value = Scenario> {
    let capacity = prop_oneof![Just(0), 1..=8u16];
    let storm =
        (20..=1_000u32, 1..=size.signals.max(1)).prop_map(|(every_us, signals)| Storm { every_us, signals });
    let storm = match size.signals {
        0 => Just(None).boxed(),
        _ => option::weighted(0.25, storm).boxed(),
    };
    let goroutine = (prop::bool::weighted(1.0 / 16.0), vec(op(size), 0..=size.steps.into()));
    (
        1..=4u8,
        vec(capacity, 0..=SHARED.into()),
        (0..=SHARED, 0..=SHARED),
        storm,
        vec(goroutine, 1..=size.goroutines.into()),
    )
        .prop_map(|(procs, capacities, counts, storm, bodies)| {
            assemble(procs, capacities, counts, storm, bodies)
        })
}

fn op(size: Size) -> impl Strategy<Value = Op> {
    let index = || 0..SHARED;
    let us = || 0..=size.us;
    let talk = prop_oneof![
        index().prop_map(Op::Send),
        index().prop_map(Op::Recv),
        index().prop_map(Op::Set),
        index().prop_map(Op::Await),
        Just(Op::Park),
        any::<u8>().prop_map(Op::Ready),
        any::<u8>().prop_map(Op::Spawn),
        any::<u8>().prop_map(Op::Join),
    ];
    let time = prop_oneof![
        us().prop_map(Op::Compute),
        us().prop_map(Op::Alloc),
        us().prop_map(Op::Sleep),
        us().prop_map(Op::Syscall),
        us().prop_map(Op::Foreign),
        us().prop_map(Op::PreemptOff),
    ];
    let other = prop_oneof![
        Just(Op::Yield),
        (1..=size.times).prop_map(Op::Call),
        Just(Op::LockThread),
        Just(Op::UnlockThread),
        (1..=64u16).prop_map(Op::Grow),
        Just(Op::Scan),
        Just(Op::Shrink),
        (1..=300u16).prop_map(Op::Burst),
        (1..=4u8).prop_map(Op::Procs),
    ];
    let end = prop_oneof![Just(Op::Panic), Just(Op::Exit)];
    let plain = prop_oneof![4 => talk, 3 => time, 3 => other, 1 => end];
    plain.prop_recursive(3, 24, size.steps.into(), move |inner| {
        let body = || vec(inner.clone(), 0..=usize::from(size.steps));
        prop_oneof![
            (index(), body()).prop_map(|(mutex, body)| Op::Lock(mutex, body)),
            (1..=size.times, body()).prop_map(|(times, body)| Op::Repeat(times, body)),
            body().prop_map(Op::Forever),
        ]
    })
}
