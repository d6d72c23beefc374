#![doc = include_str!("../README.md")]

mod api;
mod arch;
mod builder;
pub mod chan;
mod config;
mod dump;
mod facade;
mod g;
mod gfree;
mod lock;
mod m;
pub mod net;
mod netpoll;
mod p;
mod preemptible;
mod proc;
mod runq;
pub mod safepoint;
mod sched;
mod schedtrace;
pub mod select;
mod signal;
mod stack;
pub mod stacks;
mod stats;
mod status;
pub mod sync;
mod sys;
mod throw;
pub mod time;
mod timer;
mod trace;
mod wait;
mod waitreason;

facade::exports!();

pub use api::{
    GoBuilder, GoId, GoStatus, Goroutine, JoinHandle, Metrics, NotInjected, Preemptions, Scope,
    ScopedJoinHandle, blocking, current, go, gomaxprocs, join, lock_os_thread, metrics, pool, preempt_off,
    scope, set_gomaxprocs, stop_the_world, try_current, unlock_os_thread, yield_now,
};
pub use builder::{BuildError, Builder, Runtime};
pub use chan::chan;
pub use config::BadVariable;
pub use dump::dump_goroutines;
/// Makes a function that can be preempted without signals: it looks whether somebody asks for its processor when it is called,
/// and in its loops every 1,024 rounds.
///
/// No function needs it: goroutines are preempted at any instruction, by signal. It is for what a signal cannot do. A
/// goroutine that was stopped by signal keeps its thread, one that gives way by itself needs none, so a program with thousands
/// of goroutines that compute for long saves threads and their switches; and with `SIGURG_DEBUG=asyncpreemptoff=1`, or where a
/// library has taken SIGURG, there is no other way.
///
/// What the function does is the same as without; its calls are calls of this crate, after which the goroutine may be on
/// another thread (see [`Builder::build`]). On a plain thread they do nothing. The cost is a dozen instructions for a call and
/// one or two for a round, which most loops hide behind what they wait for; but a loop that the compiler would have
/// turned into vector instructions is not any more.
///
/// It sees the loops that are written in the body: `for`, `while` and `loop`, nested or not, with one budget for all. Those
/// inside closures have a budget of their own for each call of the closure. It does not see
///
/// - loops inside functions that are called, among them the methods of iterators (`sum`, `for_each`): write `for`, or put the
///   attribute on the function;
/// - loops that macros make;
/// - functions, constants and `async` blocks inside the body.
///
/// It is an error on an `async fn`, a `const fn`, a method without body, and anything else that is no function.
///
/// ```
/// #[sigurg::preemptible]
/// fn largest(numbers: &[u64]) -> Option<u64> {
///     let mut largest = None;
///     for number in numbers {
///         largest = largest.max(Some(*number));
///     }
///     largest
/// }
///
/// assert_eq!(largest(&[3, 9, 4]), Some(9));
/// ```
///
/// Go: the check in the prologue of every function, and no check in loops.
pub use sigurg_macros::preemptible;

/// What macros need.
#[doc(hidden)]
pub mod __private {
    pub use crate::preemptible::{Budget, safe_point};
}
