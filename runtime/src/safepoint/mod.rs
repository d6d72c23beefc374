//! Where a goroutine may be stopped by an injected call and go on in another thread: the safe-point map of an executable.
//!
//! Go's compiler marks safe points; Rust's does not. So the map is made from the finished executable: every function is
//! decoded once, and one is *preemptible* only if nothing in it can hold the address of a thread-local. A goroutine that
//! [may be moved at any instruction](crate::GoBuilder::injectable) is stopped by an injected call if the instruction is in a
//! preemptible function and so are all callers up to the frame in which the runtime called it; else it is stopped in its
//! signal handler, as every other goroutine is.
//!
//! 1. *It fails closed.* What cannot be read, decoded, named or unwound is not preemptible, with a reason ([`Decline`]); an executable
//!    that cannot be read as a whole has no map ([`Unavailable`]).
//! 2. *Names* (`name`): a function of std, of this crate, or of no crate (C, assembly) is not preemptible: locks and state of the
//!    thread are in there. `core`, `alloc` and the generic collections are.
//! 3. *Bodies* (`code`, `taint`): nor is one that accesses a thread-local, calls what does (the address may be what it returned), is jumped to
//!    from what does (a tail call may have left it the address), calls unknown foreign code, or has an instruction that depends on
//!    the thread.
//! 4. *Walking* (`rows`, `walk`) runs in the signal handler: no allocation, no lock, a bounded number of frames, and it reads nothing but the map
//!    and the goroutine's own stack.
//! 5. The map is made by a plain thread, which never holds a P, when the first goroutine over-runs that could use it
//!    (`running`); until then no program pays for it.
//!
//! What it cannot see, and so is left to the promise that its users make: a value that was *moved* out of a thread-local (a clone of an `Rc`),
//! and a thread-local's address that an indirect tail call hands on (`KEY.with(f)` with a function pointer or `dyn Fn`).
//!
//! Go: `isAsyncSafePoint`, `pcdatavalue2` of `_PCDATA_UnsafePoint` (preempt.go).

mod code;
mod decline;
mod image;
mod map;
mod name;
mod rows;
mod running;
mod taint;
#[cfg(test)]
mod tests;
mod walk;

use std::path::Path;

pub use decline::{Decline, Unavailable};
pub use map::Verdict;

use image::Image;
pub(crate) use running::{Running, make_in_background, running};
pub(crate) use walk::Place;

/// The safe-point map of an executable, with names, to look at.
///
/// ```no_run
/// use sigurg::safepoint::{SafePoints, Verdict};
///
/// let map = SafePoints::of_file("/proc/self/exe")?;
/// let preemptible = map.functions().filter(|f| f.verdict() == Verdict::Preemptible).count();
/// println!("{preemptible} of {} functions", map.functions().count());
/// # Ok::<(), sigurg::safepoint::Unavailable>(())
/// ```
#[derive(Debug)]
pub struct SafePoints {
    analysis: map::Analysis,
}

impl SafePoints {
    /// The map of the executable at `path`, as a process that runs it would make it.
    ///
    /// # Errors
    ///
    /// Why it has none.
    pub fn of_file(path: impl AsRef<Path>) -> Result<Self, Unavailable> {
        Ok(Self { analysis: map::analyse(&Image::read(path.as_ref())?)? })
    }

    /// Its functions, in the order of addresses. A function is what one unwind table entry describes.
    pub fn functions(&self) -> impl Iterator<Item = Function<'_>> {
        self.analysis.functions.iter().map(|known| Function { known })
    }
}

/// A function of an executable.
#[derive(Clone, Copy, Debug)]
pub struct Function<'a> {
    known: &'a map::Known,
}

impl<'a> Function<'a> {
    /// Its names, demangled: identical functions may have been made one.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.known.names.iter().map(|name| &**name)
    }

    /// Where it begins, as the executable says: a position independent one is loaded elsewhere.
    pub fn address(&self) -> u64 {
        self.known.start
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.known.end - self.known.start
    }

    /// What the map says of it.
    pub fn verdict(&self) -> Verdict {
        self.known.verdict
    }
}
