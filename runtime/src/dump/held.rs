//! Finds goroutines that block inside a thread-local: the one contract (see [`Builder::build`](crate::Builder::build)), as
//! far as a walk of the stack can see.
//!
//! A function that calls `LocalKey::with` and blocks in there goes on, perhaps, on another thread, with a reference into the
//! thread-local of the first. Its frame is on the stack while it blocks, and debug information tells of `with` even where it
//! was inlined.
//!
//! 1. The look comes *after* the goroutine was woken: the frames below are the same, no lock of the runtime is held any more,
//!    and so it may allocate.
//! 2. A path that was looked at is not looked at again: it is told by the return addresses in the innermost words of the stack.
//!    When the table of paths is full no new ones are looked at: the cost is bounded.
//! 3. Each function is reported once.
//! 4. A goroutine that is locked to its thread may hold what it likes.
//!
//! What it cannot see: guards and references that outlive `with`, and what a program without debug information inlined.
//! Switched on by `SIGURG_DEBUG=threadlocals=1` (report) or `=2` (report and end the process), and not by itself even in debug
//! builds: reading the debug information takes a tenth of a second and tens of megabytes in each process.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use super::own_frames;
use super::symbol::{Detail, Symbols};
use super::unwind::{Frame, loaded_code};
use crate::api::names;
use crate::config::ThreadLocals;
use crate::facade::atomic::Ordering::Relaxed;
use crate::facade::atomic::{AtomicU64, AtomicUsize};
use crate::g::G;
use crate::throw::{Stderr, fatal};
use crate::waitreason::WaitReason;

/// Words of the stack that tell one path from another, and paths that are told apart.
const WORDS: usize = 256;
const PATHS: usize = 4096;

/// Hashes of the paths that were looked at; 0 is a free place.
static SEEN: [AtomicU64; PATHS] = [const { AtomicU64::new(0) }; PATHS];

/// What is known of addresses, and whom was told of. Locked by goroutines, on their own stacks.
static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Known {
    /// Whether the functions at an address are inside a thread-local's `with`; the user's function if they are.
    holders: HashMap<usize, Option<String>>,
    reported: HashSet<String>,
}

/// Looks at the goroutine that calls, which was just woken from a wait for `why`.
pub(crate) fn check(gp: &'static G, why: WaitReason, what: ThreadLocals) {
    if gp.lockedm().is_some() || std::thread::panicking() || !is_new(path(gp)) {
        return;
    }
    let frames = own_frames();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut holders = frames
        .iter()
        .map(|frame| known.holders.entry(frame.address).or_insert_with(|| holder(*frame)).clone());
    let Some(function) = holders.find_map(|holder| holder) else { return };
    if !known.reported.insert(function.clone()) {
        return;
    }
    drop(known);
    report(gp, why, &function, &frames);
    if what == ThreadLocals::Fatal {
        fatal!("{function} blocked inside a thread-local");
    }
}

fn report(gp: &'static G, why: WaitReason, function: &str, frames: &[Frame]) {
    let mut text = format!("sigurg: {function} blocked [{}] inside a thread-local's `with`, ", why.as_str());
    // Writing to a string cannot fail; nobody is left to hear that stderr is closed.
    let _ = write!(text, "in goroutine {}", gp.goid());
    // SAFETY: its own name.
    if let Some(name) = unsafe { names::get(gp) } {
        let _ = write!(text, " ({name})");
    }
    text.push_str(".\nIt may have gone on on another thread: see sigurg::Builder::build. This is told once of each function.\n");
    Symbols::default().describe(&mut text, frames, Detail::User);
    let _ = std::fmt::Write::write_str(&mut Stderr, &text);
}

/// The user's function that is inside a thread-local's `with` at this frame, if one is.
fn holder(frame: Frame) -> Option<String> {
    let functions = Symbols::names(frame);
    functions.iter().any(|name| is_with(name)).then(|| {
        // Where `with` was not inlined, its caller is another frame: the closure, which comes before, says as much.
        let user = functions
            .iter()
            .find(|name| !is_with(name) && !name.trim_start_matches('<').starts_with("core::"));
        user.or(functions.first()).map_or_else(String::new, Clone::clone)
    })
}

/// `LocalKey::with` and its kin; `scoped_tls`, too.
fn is_with(name: &str) -> bool {
    let key = ["LocalKey<", "ScopedKey<"].iter().find_map(|key| name.split_once(key));
    key.is_some_and(|(_, rest)| rest.contains(">::with") || rest.contains(">::try_with"))
}

/// A hash of the return addresses on the innermost part of the stack of the caller, `gp`.
#[inline(never)]
fn path(gp: &'static G) -> u64 {
    static CODE: OnceLock<Range<usize>> = OnceLock::new();
    let code = CODE.get_or_init(loaded_code);
    let here = 0usize;
    let from = (&raw const here).addr() & !7;
    let to = gp.stack_hi().min(from + 8 * WORDS);
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for address in (from..to).step_by(8) {
        // SAFETY: a word of the caller's own stack, which is mapped and aligned. Relaxed: whatever it is.
        let word = unsafe { &*std::ptr::with_exposed_provenance::<AtomicUsize>(address) }.load(Relaxed);
        if code.contains(&word) {
            hash = (hash ^ word as u64).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(17);
        }
    }
    hash | 1
}

/// Whether that path is seen for the first time, and there is room to remember it.
fn is_new(path: u64) -> bool {
    let start = (path >> 40) as usize;
    for i in 0..16 {
        let place = &SEEN[(start + i) % PATHS];
        // Relaxed, both: nothing is handed over; two that see one path as new both look.
        match place.load(Relaxed) {
            0 => return place.compare_exchange(0, path, Relaxed, Relaxed).is_ok(),
            seen if seen == path => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_inside_a_thread_local_are_told_by_name() {
        for name in [
            "<std::thread::local::LocalKey<core::cell::Cell<u8>>>::with::<shop::f::{closure#0}, ()>()",
            "std::thread::local::LocalKey<T>::try_with()",
            "std::thread::local::LocalKey<core::cell::RefCell<T>>::with_borrow_mut()",
            "scoped_tls::ScopedKey<T>::with()",
        ] {
            assert!(is_with(name), "{name}");
        }
        for name in ["shop::with()", "std::thread::local::LocalKey<T>::set()", "<shop::Key<T>>::with()"] {
            assert!(!is_with(name), "{name}");
        }
    }

    #[test]
    fn a_path_is_new_once() {
        let path = 0x1234_5678_9abc_def1;
        assert!(is_new(path));
        assert!(!is_new(path));
    }
}
