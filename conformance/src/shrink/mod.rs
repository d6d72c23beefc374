//! Makes what fails smaller, as long as it still fails the same way.
//!
//! The engine knows only that a subject has lists of parts ([`Subject`]): it takes runs of them away, large ones first (delta
//! debugging), then makes what is left simpler, and begins again until nothing helps. What a part is, a step of a program or a
//! step of a schedule, is the subject's business ([`case`]).
//!
//! 1. What is returned failed: it is the best that was seen to fail, as it was then run, whenever the time is over.
//! 2. It ends: every step that is kept makes the subject smaller.

pub mod case;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::time::Instant;

/// Something that can be made smaller.
pub trait Subject: Clone {
    /// Lists of parts that can be taken away: how many each has. Neighbours belong together.
    fn lists(&self) -> Vec<usize>;
    /// Without those parts of list number `list`; `None` if they cannot go, or nothing changes.
    #[must_use]
    fn without(&self, list: usize, parts: Range<usize>) -> Option<Self>;
    /// With one thing made simpler: all ways to, the most promising first.
    #[must_use]
    fn simpler(&self) -> Vec<Self>;
    /// How large it is: what is to become less. Never more by [`without`](Self::without) and [`simpler`](Self::simpler).
    fn size(&self) -> u64;
}

/// How far it has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Size at the beginning.
    pub from: u64,
    /// Size of the best so far.
    pub to: u64,
    /// Candidates tried.
    pub tried: u64,
    /// Of these, the ones that failed too.
    pub kept: u64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Shrunk<S> {
    /// The smallest that fails.
    pub best: S,
    /// How it went.
    pub progress: Progress,
    /// Whether nothing smaller fails, by these steps; else the time was over.
    pub done: bool,
}

/// Makes `subject`, which fails, smaller. `fails` tries one candidate: if it fails, the candidate as it was run, which may
/// differ from what was asked for. `tell` is told of each, with the best so far.
pub fn shrink<S: Subject>(
    subject: S,
    deadline: Instant,
    mut fails: impl FnMut(&S) -> Option<S>,
    mut tell: impl FnMut(&Progress, &S),
) -> Shrunk<S> {
    let size = subject.size();
    let mut run = Run {
        best: subject,
        progress: Progress { from: size, to: size, tried: 0, kept: 0 },
        deadline,
        fails: &mut fails,
        tell: &mut tell,
    };
    let done = run.all();
    Shrunk { best: run.best, progress: run.progress, done }
}

struct Run<'a, S> {
    best: S,
    progress: Progress,
    deadline: Instant,
    fails: &'a mut dyn FnMut(&S) -> Option<S>,
    tell: &'a mut dyn FnMut(&Progress, &S),
}

/// The time is over.
struct Over;

impl<S: Subject> Run<'_, S> {
    /// Whether it came to its end.
    fn all(&mut self) -> bool {
        loop {
            let before = self.progress.kept;
            if self.fewer().is_err() || self.simpler().is_err() {
                return false;
            }
            if self.progress.kept == before {
                return true;
            }
        }
    }

    /// Takes parts away: halves, quarters, down to single ones. From the end, where least depends on them.
    fn fewer(&mut self) -> Result<(), Over> {
        for list in 0..self.best.lists().len() {
            let parts = |best: &S| best.lists()[list];
            let mut run = parts(&self.best);
            while run > 0 {
                let mut end = parts(&self.best);
                while end > 0 {
                    let start = end.saturating_sub(run);
                    if let Some(candidate) = self.best.without(list, start..end) {
                        self.keep_if_it_fails(candidate)?;
                    }
                    end = start.min(parts(&self.best));
                }
                run /= 2;
            }
        }
        Ok(())
    }

    fn simpler(&mut self) -> Result<(), Over> {
        'again: loop {
            for candidate in self.best.simpler() {
                if self.keep_if_it_fails(candidate)? {
                    continue 'again;
                }
            }
            return Ok(());
        }
    }

    fn keep_if_it_fails(&mut self, candidate: S) -> Result<bool, Over> {
        // What is not smaller could come again.
        if candidate.size() >= self.best.size() {
            return Ok(false);
        }
        if Instant::now() >= self.deadline {
            return Err(Over);
        }
        let ran = (self.fails)(&candidate).filter(|ran| ran.size() < self.best.size());
        let failed = ran.is_some();
        self.progress.tried += 1;
        if let Some(ran) = ran {
            self.progress.kept += 1;
            self.progress.to = ran.size();
            self.best = ran;
        }
        (self.tell)(&self.progress, &self.best);
        Ok(failed)
    }
}
