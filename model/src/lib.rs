//! Executable reference model of Go's goroutine state rules.

#![forbid(unsafe_code)]

pub mod check;
pub mod profile;
pub mod rules;
pub mod space;

pub use profile::Profile;
pub mod machine;
