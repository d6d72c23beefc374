//! Goroutines, channels, locks, sleeps and system calls.

use crate::{programs, under_many_schedules};

#[test]
fn goroutines_are_spawned_and_joined() {
    under_many_schedules(150, programs::tree);
}

#[test]
fn a_channel_loses_and_doubles_nothing() {
    under_many_schedules(150, || programs::channel(0));
    under_many_schedules(150, || programs::channel(2));
}

#[test]
fn selects_over_the_same_channels_do_not_wait_for_each_other_for_ever() {
    under_many_schedules(150, programs::selects);
}

#[test]
fn a_lock_excludes() {
    under_many_schedules(200, programs::mutex);
}

#[test]
fn sleeps_last_as_long_as_asked() {
    under_many_schedules(200, programs::sleeps);
}

#[test]
fn the_p_of_a_system_call_is_used_by_others() {
    under_many_schedules(200, programs::system_calls);
}

#[test]
fn a_plain_thread_and_goroutines_wake_each_other() {
    under_many_schedules(200, programs::plain_thread);
}
