//! Judging a whole recording.

use sigurg_model::Profile;
use sigurg_model::check::{Checker, Failure, Summary};

use crate::corpus::Recording;

/// The verdict on a recording under a profile.
pub(crate) fn judge(recording: &Recording, profile: &'static Profile) -> Result<Summary, Failure> {
    let mut checker = Checker::new(profile, &recording.options());
    for event in &recording.events {
        checker.event(event, &recording.symbols)?;
    }
    checker.finish()
}
