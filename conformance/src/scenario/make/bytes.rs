//! Scenarios out of bytes: those of a fuzzer, or of a seed.

use arbitrary::{Arbitrary, Result, Unstructured};

use super::{SHARED, Size, assemble};
use crate::scenario::{Op, Scenario, Storm};

/// How deep bodies are in each other.
const DEPTH: u8 = 3;

/// As small as simulation wants it. When the bytes are used up the rest is nothing, so that fewer bytes are less of a scenario.
impl<'a> Arbitrary<'a> for Scenario {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        scenario(bytes, Size::SIM)
    }
}

/// The scenario of that size that belongs to `seed`: always the same.
#[must_use]
pub fn from_seed(seed: u64, size: Size) -> Scenario {
    // SplitMix64: every seed gives other bytes, and all look random.
    let mut state = seed;
    let mut bytes = Vec::with_capacity(2048);
    while bytes.len() < 2048 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    let mut drawn =
        scenario(&mut Unstructured::new(&bytes), size).expect("numbers from ranges that are not empty");
    drawn.name = format!("seed-{seed}");
    drawn
}

fn scenario(bytes: &mut Unstructured<'_>, size: Size) -> Result<Scenario> {
    let procs = bytes.int_in_range(1..=4)?;
    let capacities = (0..bytes.int_in_range(0..=SHARED)?)
        .map(|_| Ok(if bytes.ratio(1, 2)? { 0 } else { bytes.int_in_range(1..=8)? }))
        .collect::<Result<_>>()?;
    let counts = (bytes.int_in_range(0..=SHARED)?, bytes.int_in_range(0..=SHARED)?);
    let storm = match size.signals > 0 && bytes.ratio(1, 4)? {
        true => Some(Storm {
            every_us: bytes.int_in_range(20..=1_000)?,
            signals: bytes.int_in_range(1..=size.signals)?,
        }),
        false => None,
    };
    let bodies = (0..bytes.int_in_range(1..=size.goroutines)?)
        .map(|_| Ok((bytes.ratio(1, 16)?, body(bytes, size, 0)?)))
        .collect::<Result<_>>()?;
    Ok(assemble(procs, capacities, counts, storm, bodies))
}

fn body(bytes: &mut Unstructured<'_>, size: Size, depth: u8) -> Result<Vec<Op>> {
    (0..bytes.int_in_range(0..=size.steps)?).map(|_| op(bytes, size, depth)).collect()
}

fn op(bytes: &mut Unstructured<'_>, size: Size, depth: u8) -> Result<Op> {
    let most = if depth < DEPTH { 26 } else { 23 };
    let kind = bytes.int_in_range(0..=most)?;
    Ok(match kind {
        0 => Op::Yield,
        1 | 2 => Op::Send(bytes.int_in_range(0..=SHARED - 1)?),
        3 | 4 => Op::Recv(bytes.int_in_range(0..=SHARED - 1)?),
        5 => Op::Set(bytes.int_in_range(0..=SHARED - 1)?),
        6 => Op::Await(bytes.int_in_range(0..=SHARED - 1)?),
        7 => Op::Park,
        8 => Op::Ready(bytes.arbitrary()?),
        9 => Op::Spawn(bytes.arbitrary()?),
        10 => Op::Join(bytes.arbitrary()?),
        11 => Op::LockThread,
        12 => Op::UnlockThread,
        // They leave the rest out: seldom.
        13 if bytes.ratio(1, 4)? => Op::Panic,
        14 if bytes.ratio(1, 4)? => Op::Exit,
        13 | 14 => Op::Join(0),
        15 if bytes.ratio(1, 4)? => Op::Burst(bytes.int_in_range(1..=300)?),
        15 if bytes.ratio(1, 3)? => Op::Shrink,
        15 => Op::Scan,
        16 => Op::Procs(bytes.int_in_range(1..=4)?),
        17 => Op::Grow(bytes.int_in_range(1..=64)?),
        18 => Op::Call(bytes.int_in_range(1..=size.times)?),
        kind @ 19..=23 => {
            let us = bytes.int_in_range(0..=size.us)?;
            match kind {
                19 => Op::Compute(us),
                20 => Op::Alloc(us),
                21 => Op::Sleep(us),
                22 => Op::Syscall(us),
                _ if bytes.ratio(1, 2)? => Op::Foreign(us),
                _ => Op::PreemptOff(us),
            }
        }
        24 => Op::Lock(bytes.int_in_range(0..=SHARED - 1)?, body(bytes, size, depth + 1)?),
        25 => Op::Repeat(bytes.int_in_range(1..=size.times)?, body(bytes, size, depth + 1)?),
        _ => Op::Forever(body(bytes, size, depth + 1)?),
    })
}
