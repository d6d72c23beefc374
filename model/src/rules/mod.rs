//! The law: Go's rules as data and as small pure functions, under the ids of the facts page.

pub mod hazard;
pub mod lines;
pub mod p_status;
pub mod preempt;
pub mod primitive;
pub mod queue;
pub mod rule;
pub mod sequence;
pub mod suspend;
pub mod transition;
