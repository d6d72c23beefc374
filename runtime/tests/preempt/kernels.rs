//! Code of every kind that a goroutine may be interrupted in; each kernel says when something is not as it should be.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ffi::{c_int, c_void};
use std::fmt::Write as _;
use std::hint::black_box;
use std::panic::{catch_unwind, panic_any, resume_unwind, set_hook, take_hook};
use std::rc::Rc;
use std::sync::Once;
use std::time::Duration;

use sigurg::{JoinHandle, time};

use crate::stage::{Stop, run, stopped, storm};
use crate::tier;

/// Code that a goroutine is stopped in.
#[derive(Clone, Copy)]
pub(crate) struct Kernel {
    pub(crate) name: &'static str,
    /// One round, which is different for each seed; panics if something is not as it was.
    pub(crate) round: fn(u64),
    /// It holds something of its thread: stopped in there it must go on on the same thread.
    #[allow(dead_code, reason = "only where goroutines are moved")]
    pub(crate) of_thread: bool,
}

impl Kernel {
    pub(crate) const fn new(name: &'static str, round: fn(u64)) -> Self {
        Self { name, round, of_thread: false }
    }

    const fn of_thread(name: &'static str, round: fn(u64)) -> Self {
        Self { of_thread: true, ..Self::new(name, round) }
    }

    /// A goroutine that does rounds until told to stop: how many.
    pub(crate) fn spawn(self, stop: &Stop) -> JoinHandle<u64> {
        let stop = stop.clone();
        let rounds = move || {
            let mut rounds = 0;
            while rounds == 0 || !stop.is_set() {
                rounds += 1;
                (self.round)(black_box(rounds));
            }
            rounds
        };
        tier::builder().name(self.name).stack_size(STACK).spawn(rounds)
    }
}

/// Room for the deep recursion.
const STACK: usize = 2 << 20;

pub(crate) const KERNELS: &[Kernel] = &[
    Kernel::new("HashMap", hash_map),
    Kernel::new("format!", formatting),
    Kernel::new("malloc and free", malloc),
    Kernel::new("a C function", c_library),
    Kernel::of_thread("a regular expression", regular_expression),
    Kernel::of_thread("a thread-local closure", thread_local_closure),
    Kernel::of_thread("thread-local Rc clones", thread_local_rc),
    Kernel::new("sorting", sorting),
    Kernel::new("128-bit arithmetic", wide_arithmetic),
    Kernel::new("floating point", floating_point),
    Kernel::new("deep recursion", deep_recursion),
    Kernel::of_thread("panics that are caught", panics),
    Kernel::of_thread("panics with a message", panics_with_a_message),
];

/// A goroutine for each kernel, until told to stop: something is not as it was if one panics.
pub(crate) fn hammer(kernels: &[Kernel], stop: &Stop) {
    let hogs: Vec<_> = kernels.iter().map(|kernel| (kernel.name, kernel.spawn(stop))).collect();
    for (name, hog) in hogs {
        hog.join().unwrap_or_else(|_| panic!("{name}: something is not as it was"));
    }
}

pub(crate) fn random(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

fn hash_map(seed: u64) {
    let (mut x, mut y) = (seed | 1, seed | 1);
    let map: HashMap<u64, u64> = (0..500).map(|i| (i, random(&mut x))).collect();
    for i in 0..500 {
        assert_eq!(map.get(&i), Some(&random(&mut y)), "key {i} of seed {seed}");
    }
}

fn formatting(seed: u64) {
    let mut text = String::new();
    for i in 0..100 {
        let _ = write!(text, "{:x}:{:?} ", seed.wrapping_add(i), f64::from(i as u32) / 8.0);
    }
    for (i, part) in text.split_whitespace().enumerate() {
        let (number, float) = part.split_once(':').expect("a colon");
        assert_eq!(u64::from_str_radix(number, 16), Ok(seed.wrapping_add(i as u64)));
        assert_eq!(float.parse(), Ok(i as f64 / 8.0));
    }
}

fn malloc(seed: u64) {
    let mut x = seed | 1;
    let mut blocks: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for i in 0..200 {
        let size = (random(&mut x) % 20_000) as usize;
        blocks.insert(random(&mut x) % 50, vec![size as u8; size]);
        if let Some(block) = blocks.remove(&(i % 50)) {
            assert!(block.iter().all(|byte| *byte == block.len() as u8), "a block of {} bytes", block.len());
        }
    }
}

fn c_library(seed: u64) {
    extern "C" fn compare(a: *const c_void, b: *const c_void) -> c_int {
        // SAFETY: qsort gives elements of the array below.
        let (a, b) = unsafe { (*a.cast::<u64>(), *b.cast::<u64>()) };
        a.cmp(&b) as c_int
    }
    let mut x = seed | 1;
    let mut numbers: Vec<u64> = (0..2_000).map(|_| random(&mut x)).collect();
    let sum = numbers.iter().fold(0u64, |sum, n| sum.wrapping_add(*n));
    let mut text = vec![b'x'; 100_000];
    text[99_999] = 0;
    // SAFETY: the array and its size; a string with its end.
    let length = unsafe {
        libc::qsort(numbers.as_mut_ptr().cast(), numbers.len(), 8, Some(compare));
        libc::strlen(text.as_ptr().cast())
    };
    assert!(numbers.is_sorted());
    assert_eq!(sum, numbers.iter().fold(0u64, |sum, n| sum.wrapping_add(*n)));
    assert_eq!(length, 99_999);
}

fn regular_expression(seed: u64) {
    thread_local!(static DATE: regex::Regex = regex::Regex::new(r"(\d{4})-(\d\d)-(\d\d)").expect("a pattern"));
    let text = format!(
        "{} {:04}-{:02}-{:02} {}",
        "ab-".repeat(100),
        seed % 9999,
        seed % 12,
        seed % 28,
        "1-".repeat(100)
    );
    DATE.with(|date| {
        let found = date.captures(&text).expect("a date");
        assert_eq!(found[1].parse(), Ok(seed % 9999));
        assert_eq!(found[3].parse(), Ok(seed % 28));
    });
}

fn thread_local_closure(seed: u64) {
    thread_local!(static VALUES: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) });
    VALUES.with(|values| {
        // Nobody else may be in here on this thread.
        let mut values = values.borrow_mut();
        assert!(values.is_empty());
        values.extend((0..2_000).map(|i| seed.wrapping_mul(i)));
        assert!(values.drain(..).eq((0..2_000).map(|i| seed.wrapping_mul(i))));
    });
}

fn thread_local_rc(seed: u64) {
    thread_local!(static SHARED: Rc<u64> = Rc::new(7));
    SHARED.with(|shared| {
        let before = Rc::strong_count(shared);
        let clones: Vec<_> = (0..500 + seed % 500).map(|_| Rc::clone(shared)).collect();
        assert_eq!(Rc::strong_count(shared), before + clones.len());
        drop(clones);
        assert_eq!(Rc::strong_count(shared), before);
    });
}

fn sorting(seed: u64) {
    let mut x = seed | 1;
    let mut numbers: Vec<u64> = (0..3_000).map(|_| random(&mut x)).collect();
    let xor = numbers.iter().fold(0, |a, b| a ^ b);
    numbers.sort();
    assert!(numbers.is_sorted() && xor == numbers.iter().fold(0, |a, b| a ^ b));
}

fn wide_arithmetic(seed: u64) {
    let prime = (1u128 << 127) - 1;
    let (mut a, mut sum) = (u128::from(seed) + 2, 0u128);
    for i in 1..2_000u128 {
        a = a.wrapping_mul(0x2545_f491_4f6c_dd1d_9e37_79b9).wrapping_add(i);
        assert_eq!((a / prime) * prime + a % prime, a, "step {i} of seed {seed}");
        sum = sum.wrapping_add(a);
        assert_eq!(sum.wrapping_sub(a).wrapping_add(a), sum);
    }
    black_box(sum);
}

fn floating_point(seed: u64) {
    let sum = || {
        let mut x = seed | 1;
        (0..5_000).map(|_| (random(&mut x) as f64).sqrt().sin() * 1.000_1).sum::<f64>()
    };
    assert_eq!(black_box(sum()).to_bits(), black_box(sum()).to_bits(), "seed {seed}");
}

fn deep_recursion(seed: u64) {
    #[inline(never)]
    fn down(depth: u64, seed: u64) -> u64 {
        let here = black_box([depth ^ seed; 8]);
        let below = if depth == 0 { 0 } else { down(depth - 1, seed) };
        assert!(here.iter().all(|word| *word == depth ^ seed), "at depth {depth} of seed {seed}");
        below + 1
    }
    // Half a megabyte and more.
    assert_eq!(down(4_000, seed), 4_001);
}

fn panics(seed: u64) {
    struct Count<'a>(&'a RefCell<u64>);
    impl Drop for Count<'_> {
        fn drop(&mut self) {
            *self.0.borrow_mut() += 1;
        }
    }
    #[inline(never)]
    fn down(depth: u64, dropped: &RefCell<u64>) {
        let _count = Count(dropped);
        match depth {
            // No message.
            0 => resume_unwind(Box::new(42u64)),
            _ => down(depth - 1, dropped),
        }
        black_box(());
    }
    let dropped = RefCell::new(0);
    let depth = seed % 20;
    let panic = catch_unwind(std::panic::AssertUnwindSafe(|| down(depth, &dropped))).expect_err("a panic");
    assert_eq!(panic.downcast_ref(), Some(&42u64));
    assert_eq!(*dropped.borrow(), depth + 1);
    assert!(!std::thread::panicking());
}

/// All of it: the count of panics, the hook with its lock, the unwinding through frames that drop.
fn panics_with_a_message(seed: u64) {
    struct Expected(u64);
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !info.payload().is::<Expected>() {
                before(info);
            }
        }));
    });
    let kept = vec![seed; 10];
    let panic = catch_unwind(|| {
        let copies: Vec<_> = kept.iter().map(|number| Box::new(*number)).collect();
        if copies.iter().map(|copy| **copy).fold(0, u64::wrapping_add) == seed.wrapping_mul(10) {
            panic_any(Expected(seed));
        }
    });
    let panic = panic.expect_err("a panic");
    assert!(panic.downcast_ref().is_some_and(|Expected(number)| *number == seed));
    assert!(!std::thread::panicking());
}

#[test]
fn a_loop_inside_any_code_lets_others_run_on_one_p_and_nothing_is_corrupted() {
    for kernel in KERNELS {
        run(1, || {
            let stop = Stop::default();
            let hog = kernel.spawn(&stop);
            let before = stopped();
            // Each of these wakes only because the hog was stopped.
            for _ in 0..10 {
                time::sleep(Duration::from_millis(1));
            }
            stop.set();
            hog.join().unwrap_or_else(|_| panic!("{}: something is not as it was", kernel.name));
            assert!(stopped() - before >= 5, "{}: stopped {} times only", kernel.name, stopped() - before);
        });
    }
}

#[test]
fn code_of_every_kind_finds_everything_as_it_was_under_a_storm() {
    storm(2, Duration::from_secs(4), 500, |stop| hammer(KERNELS, stop));
}
