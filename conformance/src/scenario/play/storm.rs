//! SIGURG from outside, to every thread that runs goroutines, in turn.
//!
//! Invariant: a thread is signalled only while it is on the list, and it takes itself off before it ends.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::pthread::{Pthread, pthread_kill, pthread_self};
use nix::sys::signal::Signal;

use crate::scenario::Storm;

/// The threads that can be signalled.
#[derive(Clone, Default)]
pub(super) struct Threads(Arc<Mutex<Vec<Pthread>>>);

impl Threads {
    /// Puts the calling thread on the list.
    pub(super) fn enter(&self) {
        self.lock().push(pthread_self());
    }

    /// Takes it off.
    pub(super) fn leave(&self) {
        let own = pthread_self();
        self.lock().retain(|&thread| thread != own);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Pthread>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signals the `turn`th thread, counted round.
    fn signal(&self, turn: usize) {
        let all = self.lock();
        if !all.is_empty() {
            // With the lock held it cannot have left; if the kernel refuses, there is one signal less.
            let _ = pthread_kill(all[turn % all.len()], Signal::SIGURG);
        }
    }
}

/// A storm that blows on a thread of its own until it is over, or until it is dropped.
pub(super) struct Blowing {
    calm: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Blowing {
    /// Begins.
    pub(super) fn new(storm: Storm, threads: Threads) -> Self {
        let calm = Arc::new((Mutex::new(false), Condvar::new()));
        let thread = thread::spawn({
            let calm = Arc::clone(&calm);
            move || blow(storm, &threads, &calm)
        });
        Self { calm, thread: Some(thread) }
    }
}

fn blow(storm: Storm, threads: &Threads, calm: &(Mutex<bool>, Condvar)) {
    let every = Duration::from_micros(storm.every_us.into());
    for turn in 0..storm.signals {
        threads.signal(turn as usize);
        let over = calm.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = calm.1.wait_timeout(over, every).unwrap_or_else(PoisonError::into_inner).0;
        if *over {
            return;
        }
    }
}

impl Drop for Blowing {
    fn drop(&mut self) {
        *self.calm.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.calm.1.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
