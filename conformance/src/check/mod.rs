//! Is this trace legal? The answer for one file, and for many.
//!
//! - [`judge`]: one trace, read, ordered and judged;
//! - [`beside`]: what lies beside traces and is none: manifests, lists of labels, README.md;
//! - [`census`]: what a trace holds, to be compared with its manifest;
//! - [`measure`]: figures of a trace: waits in time slices, signals per stop;
//! - [`files`]: all arguments of a call, on several threads, answered in their order.
//!
//! Invariant: every argument is accounted for. It is judged, unreadable, or named as what it is instead.

pub mod beside;
pub mod census;
pub mod files;
pub mod judge;
pub mod measure;
