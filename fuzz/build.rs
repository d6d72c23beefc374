//! Has the linker put `src/stacks.rs` between instrumented code and the sanitizer, and `src/flags.rs` before the start of the targets.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for name in ["__asan_handle_no_return", "LLVMFuzzerInitialize"] {
        println!("cargo:rustc-link-arg-bins=-Wl,--wrap={name}");
    }
}
