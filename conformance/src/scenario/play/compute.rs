//! Computing on a real processor, so that preemption at the wrong place, or with one register lost, shows.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::{black_box, spin_loop};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::runtime::Machine;
use crate::scenario::expect::{Kernel, PER_US};

/// The processor that this runs on.
#[derive(Clone, Copy, Debug)]
pub struct Processor;

/// Iterations between two excursions into malloc.
const PIECE: u64 = 50;

impl Machine for Processor {
    fn compute(kernel: &mut Kernel, us: u32) {
        // All in registers meanwhile: general ones, flags of the loop, and vectors.
        black_box(&mut *kernel).run(u64::from(us) * PER_US);
    }

    fn alloc(kernel: &mut Kernel, us: u32) {
        thread_local!(static KEPT: RefCell<HashMap<u64, String>> = RefCell::default());
        let mut left = u64::from(us) * PER_US;
        while left > 0 {
            let piece = left.min(PIECE);
            kernel.run(piece);
            left -= piece;
            // Nothing in here blocks, so the thread is the same at its end.
            KEPT.with_borrow_mut(|kept| {
                if kept.len() > 64 {
                    kept.clear();
                }
                kept.insert(kernel.word % 1_000, black_box(kernel.word.to_string()));
            });
        }
    }

    fn block(us: u32) {
        std::thread::sleep(Duration::from_micros(us.into()));
    }

    fn now_us() -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed().as_micros() as u64
    }

    fn spin() {
        spin_loop();
    }

    fn round() {}

    fn stack(bytes: usize) -> usize {
        // Frames of a build without optimisation, and std's own.
        bytes + (64 << 10)
    }
}

/// Words on a goroutine's stack that only it writes.
#[derive(Debug)]
pub struct Canary([u64; 16]);

impl Canary {
    /// As it must stay, for goroutine number `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(std::array::from_fn(|i| (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ i as u64))
    }

    /// Whether it has stayed so.
    #[must_use]
    pub fn lives(&self, seed: u64) -> bool {
        // Not `==`: for so many bytes that is a call of `bcmp`, after each step, which a sanitizer takes long to check.
        let words = black_box(&self.0).iter().zip(Self::new(seed).0);
        words.fold(0, |differ, (word, expected)| differ | (word ^ expected)) == 0
    }
}

/// Goes down `kib` KiB of stack and back up, with words on each that must stay; whether they did.
#[inline(never)]
#[must_use]
pub fn grow(kib: u16) -> bool {
    let mut page = [u64::from(kib); 128];
    let below = kib <= 1 || grow(kib - 1);
    below && black_box(&mut page).iter().all(|&word| word == u64::from(kib))
}
