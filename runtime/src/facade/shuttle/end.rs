//! The end of an execution by the runtime's own decision.

use std::io::Write;

use super::machine::with;
use super::sim::Failure;

/// No last task: what an execution dies of is told by whoever runs it.
pub(crate) fn last_task(_seconds: u32, _task: &mut dyn FnMut()) -> bool {
    false
}

/// Keeps what the runtime says for the report.
pub(crate) fn write_stderr(bytes: &[u8]) -> Option<usize> {
    with(|machine| match machine {
        Some(machine) => {
            machine.say(&String::from_utf8_lossy(bytes));
            Some(bytes.len())
        }
        None => std::io::stderr().write(bytes).ok(),
    })
}

/// A fault of the runtime ends the execution.
pub(crate) fn abort() -> ! {
    with(|machine| match machine {
        Some(machine) => machine.fail(Failure::Throw),
        None => std::process::abort(),
    })
}

/// A mistake of its user ends the execution.
pub(crate) fn exit(status: i32) -> ! {
    with(|machine| match machine {
        Some(machine) => machine.fail(Failure::Fatal),
        None => std::process::exit(status),
    })
}
