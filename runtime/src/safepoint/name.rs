//! What the name of a function says of it.

use super::decline::Decline;

/// See [`Decline`] for those that are not preemptible by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A crate of the user's, `core`, `alloc`, a collection.
    User,
    /// Plumbing of std that may stand between user code and user code: `catch_unwind`.
    Between,
    /// The frame in which the runtime calls the goroutine's function.
    Root,
    /// Not preemptible.
    Not(Decline),
}

/// Crates that are part of std, or that this runtime calls with its own state: locks, and tables of the thread.
const STD: &[&str] = &[
    "std",
    "__rustc",
    "compiler_builtins",
    "panic_unwind",
    "panic_abort",
    "unwind",
    "std_detect",
    "addr2line",
    "backtrace",
    "framehop",
    "gimli",
    "miniz_oxide",
    "object",
    "rustc_demangle",
    "mio",
];

/// The part of std that is no more than its callers' code: no locks, nothing of the thread.
const STD_PLAIN: &[&str] = &["std::collections::hash::"];

/// See [`Class::Between`].
const BETWEEN: &[&str] = &[
    "std::panicking::catch_unwind",
    "std::panicking::try",
    "std::panic::catch_unwind",
    "std::sys::backtrace::__rust_begin_short_backtrace",
];

/// What compilers call for arithmetic that has no instruction: nothing but that, in whatever language.
const WIDE: &[&str] = &[
    "__udivti3",
    "__umodti3",
    "__udivmodti4",
    "__divti3",
    "__modti3",
    "__divmodti4",
    "__multi3",
    "__muloti4",
    "__ashlti3",
    "__ashrti3",
    "__lshrti3",
    "__floattidf",
    "__floatuntidf",
    "__fixdfti",
    "__fixunsdfti",
];

/// This crate, as its symbols name it.
fn own() -> &'static str {
    let path = module_path!();
    path.split_once("::").map_or(path, |(own, _)| own)
}

/// The class of a symbol, and its name for people.
pub(super) fn classify(symbol: &str) -> (Class, String) {
    if symbol == "__rust_try" {
        return (Class::Between, symbol.to_owned());
    }
    let Ok(demangled) = rustc_demangle::try_demangle(symbol) else {
        if WIDE.contains(&symbol) {
            return (Class::User, symbol.to_owned());
        }
        return (Class::Not(Decline::NotRust), symbol.to_owned());
    };
    let name = format!("{demangled:#}");
    (class_of(&name), name)
}

fn class_of(name: &str) -> Class {
    if is_root(name) {
        return Class::Root;
    }
    if BETWEEN.iter().any(|path| is_at_or_below(name, path)) {
        return Class::Between;
    }
    let (of, by) = heads(name);
    let denied = |path: &str| {
        let root = path.split("::").next().unwrap_or_default();
        if root == own() {
            return Some(Decline::Runtime);
        }
        let plain = STD_PLAIN.iter().any(|plain| path.starts_with(plain));
        (STD.contains(&root) && !plain).then_some(Decline::Std)
    };
    if let Some(decline) = denied(of) {
        return Class::Not(decline);
    }
    // `<&T as std::io::Read>::read` is std's; `<user::Type as std::io::Read>::read` is the user's.
    let of_a_crate = of.contains("::") && !["core::", "alloc::"].iter().any(|root| of.starts_with(root));
    match by.and_then(denied) {
        Some(decline) if !of_a_crate => Class::Not(decline),
        _ => Class::User,
    }
}

/// The function that calls the function of a goroutine, and is never inlined: `proc/body.rs`.
fn is_root(name: &str) -> bool {
    name.strip_prefix(own()).is_some_and(|rest| is_at_or_below(rest, "::proc::body::body"))
}

/// Whether `name` is `path`, an instance of it, or inside it.
fn is_at_or_below(name: &str, path: &str) -> bool {
    name.strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::") || rest.starts_with('<'))
}

/// The path that a name begins with; of `<A as B>::f`, the paths of `A` and of `B`, without pointers and references.
fn heads(name: &str) -> (&str, Option<&str>) {
    let Some(inner) = name.strip_prefix('<') else { return (bare(name), None) };
    let mut depth = 0usize;
    let mut at_as = None;
    for (i, c) in inner.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            // An arrow is no bracket.
            '>' if inner[..i].ends_with('-') => {}
            '>' if depth == 0 => {
                return match at_as {
                    Some(at) => (head_of_type(&inner[..at]), Some(bare(&inner[at + 4..i]))),
                    None => (head_of_type(&inner[..i]), None),
                };
            }
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 && inner[i..].starts_with(" as ") => at_as = Some(i),
            _ => {}
        }
    }
    (bare(name), None)
}

/// Without what may stand before a path in a type.
fn head_of_type(name: &str) -> &str {
    let mut rest = name;
    loop {
        let before = rest;
        for prefix in ["&", "*const ", "*mut ", "mut ", "dyn ", "[", "("] {
            rest = rest.strip_prefix(prefix).unwrap_or(rest);
        }
        if rest.len() == before.len() {
            return if rest.starts_with('<') { heads(rest).0 } else { bare(rest) };
        }
    }
}

/// A path up to its generics.
fn bare(name: &str) -> &str {
    &name[..name.find(['<', ' ', '{', '[', ';', ',', ')']).unwrap_or(name.len())]
}

/// Whether a function may return the address of a thread-local though it accesses none itself: std's accessors of keys with a
/// destructor announce themselves by what they call on a dead thread, and ours return the M.
pub(super) fn hands_out_thread(name: &str) -> bool {
    name.starts_with("std::thread::local::panic_access_error")
        || name.strip_prefix(own()).is_some_and(|rest| {
            ["::proc::must_getm", "::proc::must_current", "::proc::adopt::settle_slow"]
                .iter()
                .any(|path| is_at_or_below(rest, path))
        })
}

/// Whether it accesses a thread-local and hands out nothing of it. Whether the thread is unwinding, as guards of std's locks
/// ask, is for a goroutine the same on every thread: one that unwinds stays, and nothing else runs there meanwhile. So is which goroutine it is.
pub(super) fn keeps_to_itself(name: &str) -> bool {
    const OWN: &[&str] = &[
        "::lock::acquirem",
        "::lock::releasem",
        "::proc::current_g",
        "::proc::current_g_with_p",
        "::proc::preempt::guard_is_poisoned",
    ];
    name == "std::panicking::panic_count::is_zero_slow_path"
        || name.strip_prefix(own()).is_some_and(|rest| OWN.iter().any(|path| is_at_or_below(rest, path)))
}

/// Whether calls of it by [`Class::Between`] are its own business: the counting of panics, which keeps nothing.
pub(super) fn is_panic_count(name: &str) -> bool {
    ["std::panicking::", "core::panicking::", "__rustc::", "std::panic"]
        .iter()
        .any(|path| name.starts_with(path))
}

/// Whether it is a way to an allocator, of which tail calls may leave no frame.
pub(super) fn is_allocator(name: &str) -> bool {
    const SHIMS: &[&str] =
        &["__rust_alloc", "__rust_dealloc", "__rust_realloc", "__rust_alloc_zeroed", "__rg_", "__rdl_"];
    let last = name.strip_prefix("__rustc::").unwrap_or(name);
    SHIMS.iter().any(|shim| last.starts_with(shim))
        || name.contains(" as core::alloc::global::GlobalAlloc>::")
}

/// Functions of libraries that are the same on all threads: they return nothing of the thread's, as `__errno_location` does.
pub(super) fn is_neutral_in_library(name: &str) -> bool {
    const NEUTRAL: &[&str] = &[
        "memcpy",
        "memmove",
        "memset",
        "memcmp",
        "bcmp",
        "memchr",
        "memrchr",
        "strlen",
        "malloc",
        "calloc",
        "realloc",
        "free",
        "posix_memalign",
        "aligned_alloc",
        "memalign",
        "abort",
        "_Unwind_Resume",
        "clock_gettime",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "atan2",
        "sinh",
        "cosh",
        "tanh",
        "asinh",
        "acosh",
        "atanh",
        "exp",
        "exp2",
        "exp10",
        "expm1",
        "log",
        "log2",
        "log10",
        "log1p",
        "pow",
        "cbrt",
        "hypot",
        "fma",
        "fmod",
        "sqrt",
        "floor",
        "ceil",
        "trunc",
        "round",
        "roundeven",
        "rint",
        "fmin",
        "fmax",
        "fdim",
        "sincos",
        "tgamma",
        "ldexp",
    ];
    let double = |name: &str| NEUTRAL.contains(&name);
    // The same for `f32`.
    double(name) || name.strip_suffix('f').is_some_and(double)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_of_a_name_decides() {
        let std = Class::Not(Decline::Std);
        let runtime = Class::Not(Decline::Runtime);
        for (name, class) in [
            ("shop::orders::next", Class::User),
            ("shop::orders::next::{closure#0}", Class::User),
            ("<shop::Order as core::fmt::Display>::fmt", Class::User),
            ("<shop::Order as std::io::Write>::write", Class::User),
            ("<&mut shop::Order as core::fmt::Write>::write_str", Class::User),
            ("core::slice::sort::stable::drift::sort::<u64, _>", Class::User),
            ("core::ptr::drop_glue::<std::sync::MutexGuard<u64>>", Class::User),
            ("<alloc::vec::Vec<std::string::String>>::reserve", Class::User),
            ("alloc::str::<impl str>::replace", Class::User),
            ("<[T] as alloc::slice::Concat>::concat", Class::User),
            ("<fn(shop::A) -> shop::B as core::ops::function::FnOnce<(shop::A,)>>::call_once", Class::User),
            ("std::collections::hash::map::HashMap<K,V,S>::insert", Class::User),
            ("<std::collections::hash::map::HashMap<u64, u64>>::insert", Class::User),
            ("hashbrown::raw::RawTable<T>::reserve_rehash", Class::User),
            ("std::io::Write::write_all", std),
            ("<std::io::stdio::Stdout as std::io::Write>::write", std),
            ("<&mut T as std::io::Read>::read", std),
            ("<&std::sync::Mutex<u64> as core::fmt::Debug>::fmt", std),
            ("<<std::io::Lines<B> as core::iter::Iterator>::next as shop::Next>::go", std),
            ("__rustc::__rust_alloc", std),
            ("gimli::read::cfi::parse", std),
            ("std::panicking::catch_unwind::do_call::<shop::main::{closure#0}, ()>", Class::Between),
            ("std::panicking::catch_unwind::<(), shop::f>", Class::Between),
            ("std::panic::catch_unwind::<shop::f, ()>", Class::Between),
            ("std::panic::catch_unwinding", std),
            ("std::panicking::rust_panic_with_hook", std),
        ] {
            assert_eq!(class_of(name), class, "{name}");
        }
        for (rest, class) in [
            ("::proc::body::body::<shop::main::{closure#0}, ()>", Class::Root),
            ("::proc::body::body", Class::Root),
            ("::proc::body::body_of_another", runtime),
            ("::chan::sender::Sender<T>::send", runtime),
        ] {
            assert_eq!(class_of(&format!("{}{rest}", own())), class, "{rest}");
        }
        assert_eq!(class_of(&format!("<{}::chan::Sender<T>>::send", own())), runtime);
    }

    #[test]
    fn symbols_that_are_not_rusts_are_not_preemptible() {
        for symbol in ["memcpy", "main", "_start", "_ZN4shop", "_RNv"] {
            assert_eq!(classify(symbol).0, Class::Not(Decline::NotRust), "{symbol}");
        }
        assert_eq!(classify("__rust_try").0, Class::Between);
        assert_eq!(classify("__udivti3").0, Class::User);
        assert_eq!(classify("_ZN4shop4next17h0123456789abcdefE"), (Class::User, "shop::next".to_owned()));
        assert_eq!(classify("_ZN4shop4next17h0123456789abcdefE.llvm.123").0, Class::User);
    }

    #[test]
    fn of_libraries_only_what_keeps_nothing_of_the_thread_is_neutral() {
        assert!(["malloc", "memcpy", "sinf", "pow"].iter().all(|name| is_neutral_in_library(name)));
        let others =
            ["__errno_location", "pthread_self", "__tls_get_addr", "pthread_getspecific", "f", "write"];
        assert!(!others.iter().any(|name| is_neutral_in_library(name)));
    }
}
