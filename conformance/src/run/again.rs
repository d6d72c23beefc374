//! The one line that shows a finding again. It is the same in all forms of a report, and needs nothing but the sources: whoever stands in
//! them can give it to a shell as it is.

use crate::report::data::HERE;

/// How this program is called there, whether it was installed or not.
const PROGRAM: &str = "cargo run --release -p sigurg-conformance --";
/// Where a run goes that repeats another: not over the report that the line is read in.
const REPORT: &str = "target/again";

/// This program with these arguments.
pub(super) fn call(arguments: &str) -> String {
    format!("{PROGRAM} {arguments}")
}

/// `run` with these arguments.
pub(super) fn run(arguments: &str) -> String {
    call(&format!("run {arguments} --report {REPORT}"))
}

/// `replay` of what was kept in the report's folder under that name, with these options.
pub(super) fn replay(options: &str, kept: &str) -> String {
    call(&format!("replay {options}{HERE}/{kept}"))
}
