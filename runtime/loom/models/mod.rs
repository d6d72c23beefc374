//! What loom explores: each model is a few operations of two or three threads on the runtime's own code, in every
//! interleaving, and with every value that a load may see.
//!
//! 1. A model says what must hold at the end, or it ends: loom reports threads that wait for ever.
//! 2. What is handed from thread to thread comes with a [`Datum`], so that a handing over that orders nothing is found.
//! 3. Exhaustive where that takes a second; else bounded in the number of preemptions, with the reason beside the bound.
//!    The nightly run allows one more.
//!
//! `ORDERINGS.md` beside this says which model needs which ordering.

mod chan;
mod lock;
mod note;
mod park;
mod runq;
mod sched;
mod signal;
mod stage;
mod status;
mod sync;
mod syscall;
mod timer;
mod wait;
mod wake;

use ::loom::cell::UnsafeCell;
use ::loom::thread::JoinHandle;

/// A name, and what checks it.
type Model = (&'static str, fn());

macro_rules! models {
    ($($module:ident: $($model:ident),+;)+) => {
        /// All models.
        pub const ALL: &[Model] =
            &[$($((concat!(stringify!($module), "::", stringify!($model)), $module::$model)),+),+];
    };
}

models! {
    chan: a_value_is_handed_from_hand_to_hand, who_finds_it_closed_has_received_everything,
        a_buffer_is_never_both_full_and_empty, a_close_wakes_who_waits,
        one_that_is_never_open_and_empty_is_not_found_so, who_finds_it_closed_sees_what_came_before,
        one_with_a_sender_until_the_close_is_never_found_unready, it_is_freed_after_all_senders,
        it_is_freed_after_all_receivers;
    lock: one_at_a_time_of_two, one_at_a_time_of_three;
    note: a_wake_up_is_not_lost_and_hands_over, a_sleep_with_a_limit_ends_by_either;
    park: who_is_found_can_be_readied_and_runs_elsewhere_at_once, its_reason_is_seen_with_its_status;
    runq: owner_and_thief_take_each_once_while_the_ring_goes_round, owner_and_two_thieves_take_each_once,
        a_kicked_out_runnext_is_taken_once, a_thief_takes_runnext_or_the_owner_does,
        a_full_ring_spills_while_a_thief_takes, a_queue_is_not_empty_while_a_g_moves_to_the_ring, what_was_stolen_is_stolen_again;
    sched: an_m_that_is_found_is_whole, a_p_that_is_looked_up_is_whole, a_p_that_is_found_is_whole,
        a_p_that_runs_has_an_m_that_is_whole;
    signal: every_mark_is_followed_by_one_signal_and_every_signal_is_acknowledged,
        a_mark_is_taken_back_only_by_who_set_it, the_handler_sees_the_request_and_the_asker_its_answer;
    status: a_change_of_status_waits_for_the_scan_bit, a_running_goroutine_is_stopped_and_goes_on_once,
        of_two_suspenders_one_owes_the_ready, a_goroutine_goes_through_the_global_queue;
    sync: a_mutex_has_one_holder_of_two, a_mutex_has_one_holder_of_three, a_waiter_for_a_mutex_may_give_up,
        readers_share_and_a_writer_is_alone, a_writer_waits_for_all_readers, the_last_reader_hands_over_for_all,
        a_reader_that_steps_back_hands_over, permits_are_neither_lost_nor_doubled,
        who_gets_two_permits_at_once_sees_what_both_givers_did, who_gets_two_permits_one_by_one_sees_what_both_givers_did,
        what_a_waiter_leaves_is_handed_over_too,
        once_is_once_and_seen_by_all;
    syscall: a_p_is_retaken_from_a_system_call_only;
    timer: a_due_timer_is_run_by_one_of_two, after_its_stop_a_timer_does_not_run,
        a_timer_that_moves_to_another_p_is_stopped;
    wait: a_waiter_is_woken, a_waker_and_a_deadline_do_not_both_win;
    wake: a_runnext_is_found, what_was_put_into_the_global_queue_is_found, what_was_injected_is_found,
        what_the_last_spinning_m_leaves_is_found;
}

/// Waits for a thread.
fn join<T>(thread: JoinHandle<T>) -> T {
    match thread.join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Ordinary memory: loom reports a read and a write, or two writes, that nothing orders.
struct Datum(UnsafeCell<u32>);

impl Datum {
    fn new() -> Self {
        Self(UnsafeCell::new(0))
    }

    fn set(&self, value: u32) {
        // SAFETY: loom reports whoever else uses it now.
        self.0.with_mut(|at| unsafe { *at = value });
    }

    fn get(&self) -> u32 {
        // SAFETY: as above.
        self.0.with(|at| unsafe { *at })
    }
}
