//! Statics: one for the process. (In simulation each execution has its own, or it would depend on those before.)

/// Defines a static that begins anew in each execution.
macro_rules! global {
    ($(#[$meta:meta])* static $name:ident: $type:ty = $init:expr;) => {
        $(#[$meta])*
        static $name: $type = $init;
    };
}
pub(crate) use global;
