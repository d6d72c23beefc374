//! What a user may rely on in `sigurg::sync`: each property on plain threads, on goroutines of one and of two processors,
//! and on both kinds at once.
//!
//! No test here decides by time: what must happen is waited for, and a run that waits for ever is ended by the runner.

mod crew;

mod barrier;
mod condvar;

mod mutex;
mod once;
mod rwlock;
mod semaphore;
mod waitgroup;
