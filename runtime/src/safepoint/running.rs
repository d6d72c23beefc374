//! The map of the program that runs: made once, in the background, and never freed.

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::path::Path;
use std::thread;

use super::decline::{Decline, Unavailable};
use super::image::Image;
use super::map::{Map, analyse};
use super::walk::{Place, walk};
use crate::arch::ExtendedState;
use crate::facade::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::facade::atomic::{AtomicBool, AtomicPtr};
use crate::throw::Stderr;

/// What is needed to inject calls in this process.
pub(crate) struct Running {
    map: Map,
    /// What the processor saves.
    pub(crate) extended: ExtendedState,
}

/// What came of making the map.
type Outcome = Result<Running, Unavailable>;

static OUTCOME: AtomicPtr<Outcome> = AtomicPtr::new(std::ptr::null_mut());
static BEGUN: AtomicBool = AtomicBool::new(false);

/// The map, if it is there. Safe in a signal handler.
pub(crate) fn running() -> Result<&'static Running, Decline> {
    // Acquire pairs with the Release in `make_in_background`. SAFETY: null, or what was leaked there.
    match unsafe { OUTCOME.load(Acquire).as_ref() } {
        None => Err(Decline::NotReady),
        Some(outcome) => outcome.as_ref().map_err(|_| Decline::NoMap),
    }
}

impl Running {
    /// Whether the goroutine with this `stack`, on which the interrupted code of this thread runs, may be stopped at `place` by an
    /// injected call.
    ///
    /// # Safety
    ///
    /// `stack` is mapped.
    pub(crate) unsafe fn proves(&self, place: Place, stack: &Range<usize>) -> Result<(), Decline> {
        // SAFETY: by the contract.
        unsafe { walk(&self.map, place, stack) }
    }
}

/// Has a plain thread make the map, the first time. Called where making a thread is allowed (`proc/template.rs`).
pub(crate) fn make_in_background() {
    // Relaxed: only one of the callers is to go on.
    if BEGUN.swap(true, Relaxed) {
        return;
    }
    let make = || {
        let outcome = make();
        if let Err(why) = &outcome {
            use std::fmt::Write as _;
            // Nobody is left to hear of an error.
            let _ = writeln!(Stderr, "sigurg: goroutines are not moved by injected calls: {why}");
        }
        // Release pairs with the Acquire in `running`.
        OUTCOME.store(Box::into_raw(Box::new(outcome)), Release);
    };
    // Where there is no thread to be had there is no map either: goroutines are stopped in their handlers.
    let _ = thread::Builder::new().name("sigurg-safepoints".into()).spawn(make);
}

fn make() -> Outcome {
    let extended = ExtendedState::of_this_machine()?;
    let image = Image::read(Path::new("/proc/self/exe"))?;
    let loaded = Loaded::find()?;
    // It may have been changed in memory, or be another one: an emulator's.
    for text in &image.texts {
        let range = text.range();
        let at = range.start.wrapping_add(loaded.bias)..range.end.wrapping_add(loaded.bias);
        if !loaded.code.iter().any(|code| code.start <= at.start && at.end <= code.end) {
            return Err(Unavailable::NotThisProgram);
        }
        // SAFETY: code that is mapped, as the loader says, and does not change.
        let memory = unsafe {
            std::slice::from_raw_parts(
                std::ptr::with_exposed_provenance::<u8>(at.start as usize),
                text.bytes.len(),
            )
        };
        if memory != &*text.bytes {
            return Err(Unavailable::NotThisProgram);
        }
    }
    let own = (make as *const ()).addr() as u64;
    if image.text_at(own.wrapping_sub(loaded.bias)).is_none() {
        return Err(Unavailable::InLibrary);
    }
    Ok(Running { map: Map::new(&analyse(&image)?, loaded.bias), extended })
}

/// Where the loader put the executable.
struct Loaded {
    bias: u64,
    /// What is readable and executable.
    code: Vec<Range<u64>>,
}

impl Loaded {
    fn find() -> Result<Self, Unavailable> {
        /// The executable comes first.
        unsafe extern "C" fn first(info: *mut libc::dl_phdr_info, _: usize, to: *mut c_void) -> c_int {
            // SAFETY: the loader's description of a module, valid for this call, and the pointer given below.
            let (info, to) = unsafe { (&*info, &mut *to.cast::<Option<Loaded>>()) };
            // SAFETY: the loader's table of the module's segments.
            let segments =
                unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
            const READ_EXECUTE: u32 = libc::PF_R | libc::PF_X;
            let code = segments
                .iter()
                .filter(|s| s.p_type == libc::PT_LOAD && s.p_flags & READ_EXECUTE == READ_EXECUTE)
                .map(|s| info.dlpi_addr + s.p_vaddr..info.dlpi_addr + s.p_vaddr + s.p_memsz);
            *to = Some(Loaded { bias: info.dlpi_addr, code: code.collect() });
            1
        }
        let mut found: Option<Self> = None;
        // SAFETY: the callback gets the pointer to `found`, which outlives the call.
        unsafe { libc::dl_iterate_phdr(Some(first), (&raw mut found).cast()) };
        found.ok_or(Unavailable::NotThisProgram)
    }
}
