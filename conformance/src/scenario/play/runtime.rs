//! What a goroutine can do, whichever build of the runtime runs it.

use crate::scenario::expect::Kernel;

/// A build of the runtime: its goroutines, and what they share.
pub trait Goroutines: Send + Sync + 'static {
    /// One end of a channel of numbers.
    type Sender: Clone + Send + Sync + 'static;
    /// The other.
    type Receiver: Clone + Send + Sync + 'static;
    /// A lock around a count.
    type Mutex: Send + Sync + 'static;
    /// Tokens.
    type Semaphore: Send + Sync + 'static;
    /// The right to wait for a goroutine.
    type Handle: Send + 'static;
    /// The machine below: what takes time there.
    type Machine: Machine;

    /// A channel that holds so many values.
    fn chan(capacity: usize) -> (Self::Sender, Self::Receiver);
    /// Sends; false if nobody will ever receive.
    fn send(to: &Self::Sender, value: u64) -> bool;
    /// Receives; `None` if nobody will ever send.
    fn recv(from: &Self::Receiver) -> Option<u64>;
    /// A call that is a safe point and does nothing else.
    fn safe_point(to: &Self::Sender);
    /// A lock around zero.
    fn mutex() -> Self::Mutex;
    /// Calls `section` with the lock held.
    fn lock(mutex: &Self::Mutex, section: &mut dyn FnMut(&mut u64));
    /// No tokens.
    fn semaphore() -> Self::Semaphore;
    /// Takes a token, and waits until there is one.
    fn acquire(semaphore: &Self::Semaphore);
    /// Gives one.
    fn release(semaphore: &Self::Semaphore);
    /// Starts a goroutine with so many bytes of stack.
    fn go(name: &str, stack: usize, body: impl FnOnce() + Send + 'static) -> Self::Handle;
    /// Waits for it: the panic that it ended by, if it did.
    fn join(handle: Self::Handle) -> std::thread::Result<()>;
    /// Lets others run.
    fn yield_now();
    /// Sleeps on a timer.
    fn sleep(us: u32);
    /// Calls `f`, which blocks the thread.
    fn blocking(f: &mut dyn FnMut());
    /// Ties the goroutine to its thread.
    fn lock_thread();
    /// Takes one tie back.
    fn unlock_thread();
    /// Calls `f` and does not preempt it.
    fn preempt_off(f: &mut dyn FnMut());
    /// Stops every other goroutine in turn and reads its stack: how many.
    fn scan() -> usize;
    /// Gives back what stacks do not use.
    fn shrink();
    /// Changes the number of Ps.
    fn set_procs(procs: usize);
    /// Goroutines that have not ended, goroutines that are queued, timers that are armed.
    fn left() -> [u64; 3];
}

/// What takes time: on a real processor, or in simulation.
pub trait Machine: 'static {
    /// Computes for about that long in registers, at every instruction of which the goroutine can be stopped.
    fn compute(kernel: &mut Kernel, us: u32);
    /// The same in malloc, thread-locals and foreign libraries.
    fn alloc(kernel: &mut Kernel, us: u32);
    /// Blocks the thread for that long.
    fn block(us: u32);
    /// Microseconds since some moment.
    fn now_us() -> u64;
    /// One turn of a loop that waits without a call of the runtime.
    fn spin();
    /// The jump back of a loop without end, whose steps may be such as do nothing: here at least it can be stopped.
    fn round();
    /// Bytes of stack of a goroutine that needs `bytes` for itself.
    fn stack(bytes: usize) -> usize;
}

/// Writes [`Goroutines`] down for a crate that has the API of `sigurg`: `goroutines_of!(Native, sigurg, Processor)`.
#[macro_export]
macro_rules! goroutines_of {
    ($(#[$meta:meta])* $name:ident, $api:ident, $machine:ty) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl $crate::scenario::play::runtime::Goroutines for $name {
            type Sender = $api::chan::Sender<u64>;
            type Receiver = $api::chan::Receiver<u64>;
            type Mutex = $api::sync::Mutex<u64>;
            type Semaphore = $api::sync::Semaphore;
            type Handle = $api::JoinHandle<()>;
            type Machine = $machine;

            fn chan(capacity: usize) -> (Self::Sender, Self::Receiver) {
                $api::chan(capacity)
            }
            fn send(to: &Self::Sender, value: u64) -> bool {
                to.send(value).is_ok()
            }
            fn recv(from: &Self::Receiver) -> Option<u64> {
                from.recv().ok()
            }
            fn safe_point(to: &Self::Sender) {
                let _ = to.try_send(0);
            }
            fn mutex() -> Self::Mutex {
                $api::sync::Mutex::new(0)
            }
            fn lock(mutex: &Self::Mutex, section: &mut dyn FnMut(&mut u64)) {
                section(&mut mutex.lock());
            }
            fn semaphore() -> Self::Semaphore {
                $api::sync::Semaphore::new(0)
            }
            fn acquire(semaphore: &Self::Semaphore) {
                semaphore.acquire(1).forget();
            }
            fn release(semaphore: &Self::Semaphore) {
                semaphore.release(1);
            }
            fn go(name: &str, stack: usize, body: impl FnOnce() + Send + 'static) -> Self::Handle {
                $api::GoBuilder::new().name(name).stack_size(stack).spawn(body)
            }
            fn join(handle: Self::Handle) -> ::std::thread::Result<()> {
                handle.join()
            }
            fn yield_now() {
                $api::yield_now();
            }
            fn sleep(us: u32) {
                $api::time::sleep(::std::time::Duration::from_micros(us.into()));
            }
            fn blocking(f: &mut dyn FnMut()) {
                $api::blocking(f);
            }
            fn lock_thread() {
                $api::lock_os_thread();
            }
            fn unlock_thread() {
                $api::unlock_os_thread();
            }
            fn preempt_off(f: &mut dyn FnMut()) {
                $api::preempt_off(f);
            }
            fn scan() -> usize {
                $api::stacks::scan(|stack| {
                    ::std::hint::black_box(stack.words().len());
                })
            }
            fn shrink() {
                $api::stacks::shrink();
            }
            fn set_procs(procs: usize) {
                $api::set_gomaxprocs(procs);
            }
            fn left() -> [u64; 3] {
                let metrics = $api::metrics();
                [metrics.goroutines, metrics.runnable_global + metrics.runnable_local, metrics.timers]
            }
        }
    };
}
