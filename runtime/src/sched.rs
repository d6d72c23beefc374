//! What all Ms and Ps of a runtime share.

pub(crate) struct Sched {}
