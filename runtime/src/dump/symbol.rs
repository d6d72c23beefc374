//! Frames as text.

use std::fmt::Write as _;
use std::io;

use super::unwind::Frame;

/// Frames written of a long stack: half from each end. Go: `tracebackInnerFrames`, `tracebackOuterFrames`.
const FRAMES: usize = 100;

/// Writes `frames`, two lines each: the function, then file and line. Inlined functions are frames of their own here.
/// Files and lines need debug information, names a symbol table; without them there are addresses.
pub(crate) fn write_frames(out: &mut dyn io::Write, frames: &[Frame]) -> io::Result<()> {
    let elided = if frames.len() > FRAMES { FRAMES / 2..frames.len() - FRAMES / 2 } else { 0..0 };
    for frame in &frames[..elided.start] {
        out.write_all(describe(frame).as_bytes())?;
    }
    if !elided.is_empty() {
        writeln!(out, "...{} frames elided...", elided.len())?;
    }
    for frame in &frames[elided.end..] {
        out.write_all(describe(frame).as_bytes())?;
    }
    Ok(())
}

fn describe(frame: &Frame) -> String {
    let mut text = String::new();
    backtrace::resolve(std::ptr::without_provenance_mut(frame.address), |symbol| {
        // Writing to a string cannot fail.
        let _ = match symbol.name() {
            Some(name) => writeln!(text, "{name:#}()"),
            None => writeln!(text, "{:#x}", frame.address),
        };
        if let Some(file) = symbol.filename() {
            let _ = writeln!(text, "\t{}:{}", file.display(), symbol.lineno().unwrap_or(0));
        }
    });
    if text.is_empty() {
        let _ = writeln!(text, "{:#x}", frame.address);
    }
    text
}
