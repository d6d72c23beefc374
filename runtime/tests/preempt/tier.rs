//! How goroutines are stopped here: in their signal handlers.

pub(crate) use crate::stage::parked as stopped;

/// How such goroutines are made.
pub(crate) fn builder() -> sigurg::GoBuilder {
    sigurg::GoBuilder::new()
}
