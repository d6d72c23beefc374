//! Going through the steps of a goroutine, with the place of each.

use super::{Goroutine, Op};

/// A step by its index in the body, and in the bodies around it, outermost first.
pub type Path = Vec<usize>;

/// Where a step stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around {
    /// How often it is done for each time its goroutine runs; saturating.
    pub times: u64,
    /// The last mutex that is held.
    pub holds: Option<u8>,
    /// Whether it is inside `Forever`.
    pub forever: bool,
    /// How many bodies are around it.
    pub depth: usize,
}

/// Calls `visit` for every step of `goroutine`, in the order of the text, with its place.
pub fn steps<'a>(goroutine: &'a Goroutine, mut visit: impl FnMut(&'a Op, &Path, Around)) {
    let mut path = Path::new();
    body(&goroutine.body, &mut path, Around { times: 1, ..Around::default() }, &mut visit);
}

fn body<'a>(ops: &'a [Op], path: &mut Path, around: Around, visit: &mut impl FnMut(&'a Op, &Path, Around)) {
    for (index, op) in ops.iter().enumerate() {
        path.push(index);
        visit(op, path, around);
        let mut inside = Around { depth: around.depth + 1, ..around };
        match op {
            Op::Repeat(times, _) => inside.times = around.times.saturating_mul(u64::from(*times)),
            Op::Lock(mutex, _) => inside.holds = Some(*mutex),
            Op::Forever(_) => inside.forever = true,
            _ => {}
        }
        if let Some(ops) = op.body() {
            body(ops, path, inside, visit);
        }
        path.pop();
    }
}

/// The step at `path`.
#[must_use]
pub fn at<'a>(ops: &'a [Op], path: &[usize]) -> Option<&'a Op> {
    let (&first, rest) = path.split_first()?;
    let op = ops.get(first)?;
    if rest.is_empty() { Some(op) } else { at(op.body()?, rest) }
}

/// Takes the step at `path` away, with all that is inside; whether there was one.
pub fn remove(ops: &mut Vec<Op>, path: &[usize]) -> bool {
    match path {
        [] => false,
        &[last] => {
            let there = last < ops.len();
            if there {
                ops.remove(last);
            }
            there
        }
        [first, rest @ ..] => {
            ops.get_mut(*first).and_then(Op::body_mut).is_some_and(|body| remove(body, rest))
        }
    }
}

/// Keeps the steps of which `keep` says so, the outermost first; what is inside a step that goes, goes with it.
pub fn retain(ops: &mut Vec<Op>, around: Around, keep: &mut impl FnMut(&mut Op, Around) -> bool) {
    ops.retain_mut(|op| {
        if !keep(op, around) {
            return false;
        }
        let mut inside = Around { depth: around.depth + 1, ..around };
        match op {
            Op::Repeat(times, _) => inside.times = around.times.saturating_mul(u64::from(*times)),
            Op::Lock(mutex, _) => inside.holds = Some(*mutex),
            Op::Forever(_) => inside.forever = true,
            _ => {}
        }
        if let Some(body) = op.body_mut() {
            retain(body, inside, keep);
        }
        true
    });
}
