//! Atomics whose every operation is a place where the turn of the thread may end.
//!
//! Orderings are kept for the compiler's sake only: one thread of the process runs everything.

pub(crate) use core::sync::atomic::{Ordering, compiler_fence};

use core::sync::atomic as real;

use super::machine::point;

pub(crate) fn fence(_: Ordering) {
    point();
}

/// Defines an atomic and the operations that are named.
macro_rules! atomic {
    ($name:ident $(<$t:ident>)?, $real:ty, $value:ty $(, $op:ident)*) => {
        #[derive(Debug)]
        #[repr(transparent)]
        pub(crate) struct $name $(<$t>)? ($real);

        impl $(<$t>)? $name $(<$t>)? {
            #[inline]
            pub(crate) const fn new(value: $value) -> Self {
                Self(<$real>::new(value))
            }

            #[inline]
            pub(crate) fn load(&self, order: Ordering) -> $value {
                point();
                self.0.load(order)
            }

            #[inline]
            pub(crate) fn store(&self, value: $value, order: Ordering) {
                point();
                self.0.store(value, order);
            }

            #[inline]
            pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                point();
                self.0.swap(value, order)
            }

            #[inline]
            pub(crate) fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                point();
                self.0.compare_exchange(current, new, success, failure)
            }

            #[inline]
            pub(crate) fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, new, success, failure)
            }

            /// A load and exchanges, as the real one.
            #[inline]
            pub(crate) fn fetch_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut f: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut seen = self.load(fetch);
                while let Some(new) = f(seen) {
                    match self.compare_exchange(seen, new, set, fetch) {
                        Ok(_) => return Ok(seen),
                        Err(found) => seen = found,
                    }
                }
                Err(seen)
            }

            #[inline]
            pub(crate) fn as_ptr(&self) -> *mut $value {
                self.0.as_ptr()
            }

            $(
                #[inline]
                pub(crate) fn $op(&self, value: $value, order: Ordering) -> $value {
                    point();
                    self.0.$op(value, order)
                }
            )*
        }
    };
}

atomic!(AtomicBool, real::AtomicBool, bool, fetch_and, fetch_or, fetch_xor);
atomic!(AtomicU8, real::AtomicU8, u8, fetch_add, fetch_sub, fetch_and, fetch_or);
atomic!(AtomicU32, real::AtomicU32, u32, fetch_add, fetch_sub, fetch_and, fetch_or, fetch_max);
atomic!(AtomicI32, real::AtomicI32, i32, fetch_add, fetch_sub, fetch_and, fetch_or, fetch_max);
atomic!(AtomicU64, real::AtomicU64, u64, fetch_add, fetch_sub, fetch_and, fetch_or, fetch_max);
atomic!(AtomicI64, real::AtomicI64, i64, fetch_add, fetch_sub, fetch_and, fetch_or, fetch_max);
atomic!(AtomicUsize, real::AtomicUsize, usize, fetch_add, fetch_sub, fetch_and, fetch_or, fetch_max);
atomic!(AtomicPtr<T>, real::AtomicPtr<T>, *mut T);
