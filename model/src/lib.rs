//! Executable reference model of Go's goroutine state rules.
//!
//! - [`rules`] is the law: tables and small pure functions under the ids of the facts. suspendG stands in
//!   [`rules::suspend`], the choice between yielding and parking in [`rules::preempt`].
//! - [`check`] judges a trace by it, one event at a time.
//! - [`machine`] is the protocol as a finite transition system, for a search of every interleaving through
//!   the seam [`space`].
//! - [`profile`] is what differs between releases, as data.
//!
//! ```
//! use sigurg_model::rules::preempt::Choice;
//! use sigurg_model::rules::suspend::Branch;
//! use sigurg_traces::GStatus;
//!
//! // suspendG asks a running G to stop, claims one that does not run, and waits where another holds it.
//! assert_eq!(Branch::of(GStatus::Running), Branch::Request);
//! assert_eq!(Branch::of(GStatus::Waiting), Branch::Claim);
//! assert_eq!(Branch::of(GStatus::Scanpreempted), Branch::HeldByOther);
//! // The G parks for its suspender only if one has set preemptStop.
//! assert_eq!(Choice::of(true), Choice::Park);
//! ```
//!
//! The model never fails on input, it answers. It has no unsafe code, no threads, no input or output and no
//! clock. What it covers and what it leaves out stands in its README.

#![forbid(unsafe_code)]

pub mod check;
pub mod machine;
pub mod profile;
pub mod rules;
pub mod space;

pub use profile::Profile;
