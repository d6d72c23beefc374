//! Frames as text.
//!
//! Two lines a frame, as Go's: the function, then file and line. A function that was inlined is a frame of its own.
//! Names need a symbol table, lines debug information; without them there are addresses.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::rc::Rc;

use super::unwind::Frame;

/// Frames written of a long stack, half from each end. Go: `tracebackInnerFrames`, `tracebackOuterFrames`.
const FRAMES: usize = 100;

/// Whether frames of the runtime are left out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Everything.
    All,
    /// Of the runtime's own frames only the one that user code called; of those before user code's first, none.
    User,
}

/// A function that was executing.
struct Function {
    name: String,
    place: Option<String>,
}

/// What is known of addresses: goroutines share most of theirs.
#[derive(Default)]
pub(crate) struct Symbols {
    known: HashMap<usize, Rc<[Function]>>,
}

impl Symbols {
    /// Appends `frames` to `text`.
    pub(crate) fn describe(&mut self, text: &mut String, frames: &[Frame], detail: Detail) {
        let elided = if frames.len() > FRAMES { FRAMES / 2..frames.len() - FRAMES / 2 } else { 0..0 };
        let inner: Vec<_> = frames[..elided.start].iter().map(|&frame| self.functions(frame)).collect();
        let outer: Vec<_> = frames[elided.end..].iter().map(|&frame| self.functions(frame)).collect();
        let functions: Vec<&Function> = inner.iter().chain(&outer).flat_map(|list| list.iter()).collect();
        let inner: usize = inner.iter().map(|list| list.len()).sum();
        let shown = if detail == Detail::User { users_part(&functions) } else { 0..functions.len() };
        for (i, function) in functions.iter().enumerate() {
            if i == inner && !elided.is_empty() {
                // Writing to a string cannot fail, here and below.
                let _ = writeln!(text, "...{} frames elided...", elided.len());
            }
            if shown.contains(&i) {
                let _ = writeln!(text, "{}", function.name);
                if let Some(place) = &function.place {
                    let _ = writeln!(text, "\t{place}");
                }
            }
        }
    }

    /// The names of the functions at an address, the innermost first.
    pub(crate) fn names(frame: Frame) -> Vec<String> {
        resolve(frame.address).iter().map(|function| function.name.clone()).collect()
    }

    /// The functions at an address, the innermost first.
    fn functions(&mut self, frame: Frame) -> Rc<[Function]> {
        Rc::clone(self.known.entry(frame.address).or_insert_with(|| resolve(frame.address)))
    }
}

fn resolve(address: usize) -> Rc<[Function]> {
    let mut functions = Vec::new();
    // It takes what it is given for a return address, and looks one byte before that.
    backtrace::resolve(std::ptr::without_provenance_mut(address + 1), |symbol| {
        let name = symbol.name().map_or_else(|| format!("{address:#x}"), |name| format!("{name:#}()"));
        let place = symbol.filename().map(|file| match symbol.lineno() {
            Some(line) if line > 0 => format!("{}:{line}", file.display()),
            _ => file.display().to_string(),
        });
        functions.push(Function { name, place });
    });
    if functions.is_empty() {
        functions.push(Function { name: format!("{address:#x}"), place: None });
    }
    functions.into()
}

/// The frames to show for [`Detail::User`]; all, if there is no user code.
fn users_part(functions: &[&Function]) -> std::ops::Range<usize> {
    // The crate that walks the stack of who asks for a dump counts as ours.
    let runtime = |name: &str| {
        let name = name.trim_start_matches('<');
        name.starts_with("sigurg") || name.starts_with("backtrace::")
    };
    let start = functions.iter().position(|f| !runtime(&f.name));
    let plumbing = |name: &str| {
        let name = name.trim_start_matches('<');
        runtime(name)
            || ["std::", "core::", "alloc::", "__rust"].iter().any(|prefix| name.starts_with(prefix))
    };
    let end = functions.iter().rposition(|f| !plumbing(&f.name));
    match (start, end) {
        // Its last frame is what user code called.
        (Some(start), Some(end)) if start <= end => start.saturating_sub(1)..end + 1,
        _ => 0..functions.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(names: &[&str]) -> Vec<String> {
        let functions: Vec<_> =
            names.iter().map(|name| Function { name: (*name).to_owned(), place: None }).collect();
        let functions: Vec<_> = functions.iter().collect();
        users_part(&functions).map(|i| functions[i].name.clone()).collect()
    }

    #[test]
    fn of_the_runtime_only_what_the_user_called_is_shown() {
        let stack = [
            "sigurg::proc::mcall()",
            "sigurg::proc::park::gopark_with()",
            "<sigurg::chan::Receiver<T>>::recv()",
            "shop::wait()",
            "core::iter::fold()",
            "shop::main::{{closure}}()",
            "std::panicking::catch_unwind()",
            "sigurg::proc::newproc::start()",
            "sigurg_gostart()",
        ];
        assert_eq!(shown(&stack), stack[2..6]);
        assert_eq!(shown(&stack[3..]), stack[3..6], "nothing of the runtime on top");
        assert_eq!(shown(&stack[..3]), stack[..3], "no user code: everything");
        assert_eq!(shown(&stack[6..]), stack[6..]);
    }

    #[test]
    fn the_middle_of_a_long_stack_is_left_out() {
        let here = shown as *const () as usize;
        let mut text = String::new();
        Symbols::default().describe(&mut text, &vec![Frame { address: here }; 1000], Detail::All);
        assert_eq!(text.matches("tests::shown()\n\t").count(), 100, "{text}");
        assert!(text.contains("\n...900 frames elided...\n"), "{text}");
    }

    #[test]
    fn an_address_without_a_symbol_is_written_as_it_is() {
        let mut text = String::new();
        Symbols::default().describe(&mut text, &[Frame { address: 0x10 }], Detail::All);
        assert_eq!(text, "0x10\n");
    }
}
