//! The map of the program of these tests, walked from every instruction.

use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::mem;
use std::path::Path;
use std::ptr;
use std::sync::OnceLock;

use super::super::Decline;
use super::super::image::Image;
use super::super::map::{Analysis, Map, Verdict, analyse};
use super::super::walk::walk;

fn own() -> Analysis {
    analyse(&Image::read(Path::new("/proc/self/exe")).expect("an image")).expect("a map")
}

#[test]
fn functions_are_classified_by_name_and_by_body() {
    let analysis = own();
    let all = |root: &str, verdict: Verdict| {
        let is = |f: &&super::super::map::Known| f.names.first().is_some_and(|name| name.starts_with(root));
        let of: Vec<_> = analysis.functions.iter().filter(is).collect();
        assert!(!of.is_empty() && of.iter().all(|f| f.verdict == verdict), "{root}: {of:#?}");
    };
    all("std::thread::current", Verdict::No(Decline::Std));
    all("sigurg::proc::schedule", Verdict::No(Decline::Runtime));
    all("<core::fmt::Formatter>::pad", Verdict::Preemptible);
    let is = |wanted| analysis.functions.iter().filter(|f| f.verdict == Verdict::No(wanted)).count();
    assert!(is(Decline::NotRust) > 0);
    let preemptible = analysis.functions.iter().filter(|f| f.verdict == Verdict::Preemptible).count();
    assert!(preemptible > 100, "{preemptible} of {}", analysis.functions.len());
}

/// Code that is walked through: it counts as the user's here.
mod walked {
    use super::black_box;

    #[inline(never)]
    pub(super) fn fib(n: u64) -> u64 {
        if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
    }

    /// Frames of many sizes, and registers that are saved and not.
    #[inline(never)]
    pub(super) fn frames(depth: u64, seed: u64) -> u64 {
        let small = black_box([seed; 3]);
        if depth == 0 {
            return small[0];
        }
        let (a, b, c) = (frames(depth - 1, seed ^ 1), depth * seed, seed / depth);
        let large = black_box([a.wrapping_add(b); 100]);
        let d = fib(depth % 3);
        large.iter().fold(0, |x, y| x ^ y).wrapping_add(c).wrapping_add(d).wrapping_add(small[2])
    }

    #[inline(never)]
    pub(super) fn deep(depth: u64) -> u64 {
        if depth == 0 { super::step_a_little() } else { black_box(deep(depth - 1)) + 1 }
    }
}

/// What the handler needs, and found.
struct Stepped {
    map: Map,
    top: usize,
    steps: usize,
    proved: usize,
    first_wrong: Option<(usize, Decline)>,
    deep: usize,
}

static mut STEPPED: *mut Stepped = ptr::null_mut();

/// Walks from the instruction after which the processor trapped.
extern "C" fn trapped(_: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: set by the test of this process that steps, which waits for this; the handler's context.
    let (stepped, place) = unsafe { (&mut *STEPPED, crate::signal::context::place(context)) };
    stepped.steps += 1;
    // SAFETY: from the stack pointer up to the frame of the test.
    match unsafe { walk(&stepped.map, place, &(place.sp - 128..stepped.top)) } {
        Ok(()) => stepped.proved += 1,
        Err(Decline::DeepStack) => stepped.deep += 1,
        Err(decline) => stepped.first_wrong = stepped.first_wrong.or(Some((place.pc, decline))),
    }
}

/// Traps after every instruction, or not any more.
fn step(on: bool) {
    /// Sets the trap flag to rdi.
    #[unsafe(naked)]
    extern "C" fn set_trap(on: u64) {
        std::arch::naked_asm!(
            ".cfi_startproc",
            "pushfq",
            ".cfi_adjust_cfa_offset 8",
            "and qword ptr [rsp], ~0x100",
            "shl rdi, 8",
            "or qword ptr [rsp], rdi",
            "popfq",
            ".cfi_adjust_cfa_offset -8",
            "ret",
            ".cfi_endproc",
        )
    }
    set_trap(on.into());
}

#[inline(never)]
fn step_a_little() -> u64 {
    step(true);
    black_box(1);
    step(false);
    0
}

/// Runs `f` as the runtime runs a goroutine's function, with every instruction between two `step`s walked from.
fn stepped(f: impl FnOnce() -> u64) -> Stepped {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        // SAFETY: a handler of a signal that nothing else in this process uses.
        unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = trapped as extern "C" fn(_, _, _) as usize;
            action.sa_flags = libc::SA_SIGINFO;
            assert_eq!(libc::sigaction(libc::SIGTRAP, &action, ptr::null_mut()), 0);
        }
    });
    let mut analysis = own();
    for function in &mut analysis.functions {
        let no = matches!(function.verdict, Verdict::No(_));
        if no && function.names.iter().any(|name| name.contains("::safepoint::tests::")) {
            function.verdict = Verdict::Preemptible;
        }
    }
    let symbol = analysis.functions.iter().find(|f| f.names.iter().any(|n| n.ends_with("walked::fib")));
    let fib = (walked::fib as *const ()).addr() as u64;
    let bias = fib.wrapping_sub(symbol.expect("fib").start);
    let local = 0usize;
    let mut stepped = Stepped {
        map: Map::new(&analysis, bias),
        top: (&raw const local).addr() + 1024,
        steps: 0,
        proved: 0,
        first_wrong: None,
        deep: 0,
    };
    // SAFETY: one test of a process steps, see the lock below; read by the handler of this thread only.
    unsafe { STEPPED = &raw mut stepped };
    black_box(crate::proc::body(f));
    stepped
}

/// One at a time.
static STEPS: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[test]
fn every_instruction_of_prologues_and_epilogues_can_be_walked_from() {
    let _one = STEPS.lock();
    let stepped = stepped(|| {
        step(true);
        let sum = walked::fib(9) + walked::frames(6, 7);
        step(false);
        sum
    });
    assert!(stepped.steps > 1000, "{} steps", stepped.steps);
    let wrong = stepped.first_wrong.map(|(pc, decline)| format!("{pc:#x}: {decline}"));
    assert_eq!((wrong, stepped.proved), (None, stepped.steps));
}

#[test]
fn a_walk_has_a_bound() {
    let _one = STEPS.lock();
    let shallow = stepped(|| walked::deep(100));
    assert_eq!((shallow.first_wrong, shallow.deep), (None, 0));
    assert!(shallow.proved > 0);
    let deep = stepped(|| walked::deep(1000));
    assert_eq!((deep.first_wrong, deep.proved), (None, 0));
    assert!(deep.deep > 0);
}
