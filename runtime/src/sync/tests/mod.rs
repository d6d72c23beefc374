//! Properties that only the inside can show: sizes, modes, and races of a time limit with a hand-off.

mod conservation;
mod rwlock;
mod semaphore;
mod starvation;

use super::*;

#[test]
fn locks_are_small() {
    assert_eq!(size_of::<Mutex<()>>(), 20);
    assert_eq!(size_of::<Mutex<u32>>(), 24);
}
