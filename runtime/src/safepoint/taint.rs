//! From what each function does to what may be left of a thread-local in others.
//!
//! - Who *calls* a function that accesses a thread-local may hold what that returned, the address: one step, as an address that
//!   is passed on further is passed through a function that is walked through, or was moved out of the thread-local, which
//!   nobody can see.
//! - Whom such a function *jumps to*, having taken its own frame away, may hold what it was passed: any number of steps.

use super::code::Body;
use super::decline::Decline;
use super::name::{Class, hands_out_thread, is_allocator, is_panic_count, keeps_to_itself};

/// What is known of a function before others are looked at.
pub(super) struct Facts<'a> {
    pub(super) class: Class,
    pub(super) names: &'a [Box<str>],
    pub(super) body: Body,
}

impl Facts<'_> {
    fn is(&self, named: fn(&str) -> bool) -> bool {
        self.names.iter().any(|name| named(name))
    }
}

/// Why each function is not preemptible by its body, if it is not. `find` says which function is at an address.
pub(super) fn spread(facts: &[Facts<'_>], find: impl Fn(u64) -> Option<usize>) -> Vec<Option<Decline>> {
    let accesses = |f: &Facts<'_>| f.body.thread_local && !f.is(keeps_to_itself);
    let hands_out: Vec<bool> = facts.iter().map(|f| accesses(f) || f.is(hands_out_thread)).collect();
    let panic_count: Vec<bool> = facts.iter().map(|f| f.is(is_panic_count)).collect();
    let calls = |f: &Facts<'_>| {
        let between = matches!(f.class, Class::Between | Class::Root);
        f.body.calls.iter().filter_map(|&at| find(at)).any(|i| hands_out[i] && !(between && panic_count[i]))
    };
    let mut why: Vec<Option<Decline>> =
        facts.iter().map(|f| f.body.own.or_else(|| calls(f).then_some(Decline::CallsThreadLocal))).collect();
    let leaves_something =
        |i: usize| hands_out[i] || why[i] == Some(Decline::CallsThreadLocal) || facts[i].is(is_allocator);
    let mut from: Vec<usize> = (0..facts.len()).filter(|&i| leaves_something(i)).collect();
    let mut seen = vec![false; facts.len()];
    from.iter().for_each(|&i| seen[i] = true);
    while let Some(i) = from.pop() {
        for to in facts[i].body.jumps.iter().filter_map(|&at| find(at)) {
            why[to].get_or_insert(Decline::AfterThreadLocal);
            if !std::mem::replace(&mut seen[to], true) {
                from.push(to);
            }
        }
    }
    why
}
