//! How goroutines are stopped here: in their signal handlers.

pub(crate) use sigurg::go;

pub(crate) use crate::stage::parked as stopped;
