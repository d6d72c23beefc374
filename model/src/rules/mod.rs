//! The law: Go's rules as data and as small pure functions, under the ids of the facts page.

pub mod hazard;
pub mod preempt;
pub mod suspend;
pub mod p_status;
pub mod primitive;
pub mod queue;
pub mod rule;
pub mod sequence;
pub mod transition;
