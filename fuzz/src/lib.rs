//! What all targets share: the counters that libFuzzer looks at beside code coverage, and what the address sanitizer is told.

mod flags;
mod stacks;

use std::ffi::{CStr, c_char};

use sigurg_conformance::fuzz::Met;

pub use flags::begin_with;
pub use stacks::unmark;

/// libFuzzer finds them by the name of their section, takes each value as one more thing that an input covers, and sets
/// them to zero before the next.
// SAFETY: bytes of any value; the section belongs to libFuzzer, which reads and writes bytes there, on the thread that fuzzes.
#[unsafe(link_section = "__libfuzzer_extra_counters")]
pub static MET: Met = Met::new();

/// Stacks are switched, natively and in simulation, so locals must stay on the stack that they belong to: the runtime asks where one is. Leaks are
/// not looked for: what a goroutine owns that never ends is never freed. The runtime's handler for overflowing stacks
/// stays.
///
/// Freed memory is kept from use for as long as an execution lasts, not for hundreds of them: each would have pages from the kernel. Where
/// something was allocated is told by one frame; of goroutines the sanitizer finds no other. New memory is not filled with
/// a pattern: what is reported is the same without it.
const OPTIONS: &CStr = c"detect_stack_use_after_return=0:detect_leaks=0:allow_user_segv_handler=1:\
quarantine_size_mb=16:malloc_context_size=1:max_malloc_fill_size=0";

// SAFETY: the name is the sanitizer's hook for exactly this, called once before the program begins.
#[unsafe(no_mangle)]
extern "C" fn __asan_default_options() -> *const c_char {
    OPTIONS.as_ptr()
}
