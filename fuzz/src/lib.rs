//! What all targets share: the counters that libFuzzer looks at beside code coverage, and what the address sanitizer is told.

mod stacks;

use std::ffi::{CStr, c_char};

use sigurg_conformance::fuzz::Met;

/// libFuzzer finds them by the name of their section, takes each value as one more thing that an input covers, and sets
/// them to zero before the next.
// SAFETY: bytes of any value; the section belongs to libFuzzer, which reads and writes bytes there, on the thread that fuzzes.
#[unsafe(link_section = "__libfuzzer_extra_counters")]
pub static MET: Met = Met::new();

/// Stacks are switched, natively and in simulation, so locals must stay on the stack that they belong to: the runtime asks where one is. Leaks are
/// not looked for: what a goroutine owns that never ends is never freed. The runtime's handler for overflowing stacks
/// stays.
const OPTIONS: &CStr = c"detect_stack_use_after_return=0:detect_leaks=0:allow_user_segv_handler=1";

// SAFETY: the name is the sanitizer's hook for exactly this, called once before the program begins.
#[unsafe(no_mangle)]
extern "C" fn __asan_default_options() -> *const c_char {
    OPTIONS.as_ptr()
}
