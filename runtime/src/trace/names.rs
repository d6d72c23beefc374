//! The names in events: numbers that the writer turns back into words.
//!
//! 1. Numbers are the same in the whole process: first the sites, then the wait reasons, then names in use.
//! 2. A name once seen is found without a lock; a new one allocates, so only user code may bring it.

use std::ptr;

use sigurg_traces::{Kind, Sym, Symbols};

use super::Site;
use crate::facade::aside;
use crate::facade::atomic::AtomicPtr;
use crate::facade::atomic::Ordering::{AcqRel, Acquire};
use crate::waitreason::WaitReason;

/// How many names besides the fixed ones there can be: types of closures, mostly.
const ROOM: usize = 1 << 12;
/// The sites but for the one without a word, and the reasons likewise.
const SITES: u32 = Site::ALL.len() as u32 - 1;
const FIXED: u32 = SITES + WaitReason::ALL.len() as u32 - 1;

/// A hash table by address, which only grows.
static NAMES: [AtomicPtr<&'static str>; ROOM] = [const { AtomicPtr::new(ptr::null_mut()) }; ROOM];

/// The symbol of a wait reason.
#[inline]
pub(crate) fn reason(reason: WaitReason) -> Sym {
    match reason as u32 {
        0 => Sym::NONE,
        index => Sym(SITES + index),
    }
}

/// The symbol of `name`; none if there are too many names. Allocates: not on g0, not under a runtime lock.
pub(crate) fn intern(name: &'static str) -> Sym {
    if name.is_empty() {
        return Sym::NONE;
    }
    aside(|| find(name))
}

fn find(name: &'static str) -> Sym {
    // Multiplied so that the high bits depend on all; addresses of texts lie close together.
    let hash = (name.as_ptr().addr() as u64 ^ name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let start = (hash >> 40) as usize;
    let mut made: Option<Box<&'static str>> = None;
    for step in 0..ROOM {
        let at = (start + step) % ROOM;
        // Acquire pairs with the Release of the exchange below.
        let mut seen = NAMES[at].load(Acquire);
        if seen.is_null() {
            let new = Box::into_raw(made.take().unwrap_or_else(|| Box::new(name)));
            // Release publishes the name, Acquire takes that of who was faster.
            match NAMES[at].compare_exchange(ptr::null_mut(), new, AcqRel, Acquire) {
                Ok(_) => return Sym(FIXED + 1 + at as u32),
                Err(found) => {
                    // SAFETY: it came from `into_raw` and nobody else got it.
                    made = Some(unsafe { Box::from_raw(new) });
                    seen = found;
                }
            }
        }
        // SAFETY: not null, so a name that was published and is never freed.
        if ptr::eq(unsafe { *seen }, name) {
            return Sym(FIXED + 1 + at as u32);
        }
    }
    Sym::NONE
}

/// The names of one file.
pub(crate) struct Names {
    symbols: Symbols,
    /// By place in `NAMES`: the symbol in `symbols`, or none yet.
    known: Vec<Sym>,
}

impl Names {
    pub(crate) fn new() -> Self {
        let mut symbols = Symbols::new();
        for word in
            Site::ALL.iter().map(|site| site.as_str()).chain(WaitReason::ALL.iter().map(|r| r.as_str()))
        {
            symbols.intern(word);
        }
        debug_assert_eq!(symbols.len(), FIXED as usize, "two fixed names are alike");
        Self { symbols, known: vec![Sym::NONE; ROOM] }
    }

    pub(crate) fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    /// Puts the file's symbols in place of the process's.
    #[inline]
    pub(crate) fn translate(&mut self, kind: &mut Kind) {
        match kind {
            Kind::GStatus { reason: sym, .. }
            | Kind::Gopark { reason: sym, .. }
            | Kind::StwBegin { reason: sym }
            | Kind::StwStopped { reason: sym }
            | Kind::Newproc { entry: sym, .. } => *sym = self.of(*sym),
            _ => {}
        }
    }

    fn of(&mut self, sym: Sym) -> Sym {
        let Some(at) = sym.0.checked_sub(FIXED + 1) else { return sym };
        let at = at as usize;
        if !self.known[at].is_some() {
            // SAFETY: as in `intern`. Acquire pairs with the Release there.
            if let Some(name) = unsafe { NAMES[at].load(Acquire).as_ref() } {
                self.known[at] = self.symbols.intern(name);
            }
        }
        self.known[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_names_keep_their_numbers() {
        let names = Names::new();
        for (index, site) in Site::ALL.iter().enumerate() {
            assert_eq!(site.sym().0 as usize, index);
            assert_eq!(names.symbols().resolve(site.sym()), site.as_str());
        }
        for &of in WaitReason::ALL {
            assert_eq!(names.symbols().resolve(reason(of)), of.as_str());
        }
    }

    #[test]
    fn a_name_has_one_number_whoever_brings_it_first() {
        const WORDS: [&str; 6] = ["alpha", "beta", "gamma", "delta", "schedule", "sleep"];
        let all: Vec<Vec<Sym>> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4).map(|_| scope.spawn(|| WORDS.map(intern).to_vec())).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        let mut names = Names::new();
        for syms in &all {
            assert_eq!(syms, &all[0]);
            for (&sym, word) in syms.iter().zip(WORDS) {
                let mut kind = Kind::Newproc { entry: sym, parent: 1, parked: false };
                names.translate(&mut kind);
                let Kind::Newproc { entry, .. } = kind else { unreachable!() };
                assert_eq!(names.symbols().resolve(entry), word);
            }
        }
        assert_eq!(intern(""), Sym::NONE);
    }
}
