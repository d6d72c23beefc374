//! Statics: each execution has its own, or it would depend on those before.

use std::ops::Deref;

use super::machine::with;

/// A static that begins anew in each execution.
pub(crate) struct Global<T: 'static> {
    init: fn() -> T,
}

impl<T> Global<T> {
    pub(crate) const fn new(init: fn() -> T) -> Self {
        Self { init }
    }
}

impl<T> Deref for Global<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let key = (&raw const *self).addr();
        with(|machine| match machine {
            // SAFETY: stored under the address of this static, and so a `T`; it stays as long as the execution does,
            // and nothing of the execution outlives it.
            Some(machine) => unsafe { machine.global(key, || Box::new((self.init)())).cast::<T>().as_ref() },
            None => panic!("the runtime was called outside of an execution"),
        })
    }
}

/// Defines a static that begins anew in each execution.
macro_rules! global {
    ($(#[$meta:meta])* static $name:ident: $type:ty = $init:expr;) => {
        $(#[$meta])*
        static $name: $crate::facade::Global<$type> = $crate::facade::Global::new(|| $init);
    };
}
pub(crate) use global;
