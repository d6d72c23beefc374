//! What libFuzzer is told beside the command line.
//!
//! It has the target initialize itself before it looks at its arguments, which the target may change meanwhile. The linker puts
//! [`initialize`] there (`build.rs`). Of a flag that stands twice the last counts, so the command line has the last word.

use std::ffi::{CStr, c_char, c_int};
use std::iter;
use std::ptr;
use std::slice;
use std::sync::OnceLock;

static FLAGS: OnceLock<Vec<&CStr>> = OnceLock::new();

/// libFuzzer is to begin with these; for the `init` of a target.
pub fn begin_with(flags: Vec<&'static CStr>) {
    FLAGS.get_or_init(|| flags);
}

unsafe extern "C" {
    fn __real_LLVMFuzzerInitialize(argc: *mut c_int, argv: *mut *mut *mut c_char) -> c_int;
}

/// # Safety
///
/// Called by libFuzzer, once, with the arguments of the process.
// SAFETY: the name is the one that the linker's `--wrap` looks for; nothing else has it.
#[unsafe(export_name = "__wrap_LLVMFuzzerInitialize")]
unsafe extern "C" fn initialize(argc: *mut c_int, argv: *mut *mut *mut c_char) -> c_int {
    // SAFETY: what this call stands for.
    let result = unsafe { __real_LLVMFuzzerInitialize(argc, argv) };
    // SAFETY: the arguments of the process, its name first.
    let (name, given) = unsafe { slice::from_raw_parts(*argv, *argc as usize) }.split_at(1);
    let ours = FLAGS.get().into_iter().flatten().map(|flag| flag.as_ptr().cast_mut());
    let all: Vec<_> = name.iter().copied().chain(ours).chain(given.iter().copied()).collect();
    let count = all.len() as c_int;
    let all = all.into_iter().chain(iter::once(ptr::null_mut())).collect::<Vec<_>>().leak();
    // SAFETY: the two words are the caller's to be changed; the new arguments are never freed, and nobody writes to them.
    unsafe { (*argc, *argv) = (count, all.as_mut_ptr()) };
    result
}
