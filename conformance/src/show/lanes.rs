//! The same events as a table with one column for each M, so that one sees who did what meanwhile.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::line::{id, micros};

/// Columns of a lane: wider with few Ms.
const WIDEST: usize = 60;
const NARROWEST: usize = 16;
/// Columns of all lanes together, where that leaves each at least the narrowest.
const ALL: usize = 180;

/// What goes into a table: the number of an event, its time (ns), its M, and what it says.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Number of the event.
    pub seq: u64,
    /// When, in nanoseconds.
    pub t_ns: u64,
    /// Who, or -1.
    pub m: i32,
    /// What.
    pub words: String,
    /// Whether it is the one that was asked for.
    pub marked: bool,
}

/// Writes the table.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut impl Write, cells: &[Cell], seq_width: usize) -> io::Result<()> {
    let ms: Vec<i32> = cells.iter().map(|cell| cell.m).collect::<BTreeSet<_>>().into_iter().collect();
    let width = (ALL / ms.len().max(1)).clamp(NARROWEST, WIDEST);
    let mut row = |mark: char, seq: &str, time: &str, lane: &dyn Fn(i32) -> String| {
        let mut text = format!("{mark} {seq:>seq_width$} {time:>13}");
        for &m in &ms {
            text += &format!(" | {:width$}", cut(&lane(m), width));
        }
        writeln!(out, "{}", text.trim_end())
    };
    row(' ', "seq", "us", &|m| id('M', u64::try_from(m).ok()))?;
    for Cell { seq, t_ns, m, words, marked } in cells {
        let mark = if *marked { '>' } else { ' ' };
        row(mark, &seq.to_string(), &micros(*t_ns), &|lane| {
            if lane == *m { words.clone() } else { String::new() }
        })?;
    }
    Ok(())
}

/// `text`, cut to `width` columns, and visibly so.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}
