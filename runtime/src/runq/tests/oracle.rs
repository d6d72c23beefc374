//! Random histories of two queues, one step after another, against plain deques.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Op {
    PutNext,
    PutTail,
    GetNext,
    Get,
    /// As many puts at once: otherwise a ring would hardly ever be full.
    Fill(u16),
    /// The other queue's owner steals, if its ring is empty.
    Steal {
        next: bool,
    },
}

/// What a queue should be, and the versions that its ends should have.
#[derive(Default)]
struct Oracle {
    ring: VecDeque<u32>,
    next: Option<u32>,
    head: u64,
    tail: u64,
    changes: u64,
}

impl Oracle {
    fn put_tail(&mut self, real: &Runq, gs: u32) {
        match real.put_tail(Gs(gs)) {
            Put::Done(done) => {
                self.tail += 1;
                assert_eq!(done, moved(gs, self.tail));
                self.ring.push_back(gs);
                assert!(self.ring.len() <= RING);
            }
            Put::Full => {
                assert_eq!(self.ring.len(), RING);
                let spilled = real.spill().expect("nobody else takes anything");
                assert_eq!(spilled.head, self.head);
                let half: Vec<_> = self.ring.drain(..RING / 2).collect();
                assert_eq!(spilled.gs.map(|gs| gs.0).to_vec(), half);
                self.head += half.len() as u64;
            }
        }
    }

    fn put_next(&mut self, real: &Runq, gs: u32) {
        let kicked = self.next.replace(gs);
        self.changes += 1;
        assert_eq!(real.put_next(Gs(gs)), (self.changes, kicked.map(Gs)));
        if let Some(kicked) = kicked {
            self.changes += 1;
            self.put_tail(real, kicked);
        }
    }

    fn get_next(&mut self, real: &Runq) {
        let next = self.next.take();
        self.changes += u64::from(next.is_some());
        assert_eq!(real.get_next(), next.map(|gs| moved(gs, self.changes)));
    }

    fn get(&mut self, real: &Runq) {
        let first = self.ring.pop_front();
        self.head += u64::from(first.is_some());
        assert_eq!(real.get(), first.map(|gs| moved(gs, self.head)));
    }

    /// `self` robs `victim`.
    fn steal(&mut self, real: &Runq, victim: &mut Self, from: &Runq, may_next: bool) {
        let loot = steal(from, real, may_next);
        if victim.ring.is_empty() {
            let next = victim.next.take_if(|_| may_next);
            victim.changes += u64::from(next.is_some());
            let over = victim.changes;
            assert_eq!(
                loot,
                next.map(|gs| Loot { taken: vec![(moved(gs, over), true)], kept: vec![], run: gs })
            );
            return;
        }
        let half: Vec<_> = victim.ring.drain(..victim.ring.len().div_ceil(2)).collect();
        let (run, kept) = half.split_last().expect("at least one");
        let versions = |gs: &[u32], base: u64| {
            gs.iter().zip(base + 1..).map(|(gs, over)| moved(*gs, over)).collect::<Vec<_>>()
        };
        let expected = Loot {
            taken: versions(&half, victim.head).into_iter().map(|moved| (moved, false)).collect(),
            kept: versions(kept, self.tail),
            run: *run,
        };
        assert_eq!(loot, Some(expected));
        victim.head += half.len() as u64;
        self.tail += kept.len() as u64;
        self.ring.extend(kept);
    }

    fn check(&self, real: &Runq) {
        assert_eq!(real.is_empty(), self.ring.is_empty() && self.next.is_none());
        assert_eq!(real.len_hint(), self.ring.len() + usize::from(self.next.is_some()));
    }
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => Just(Op::PutNext),
        4 => Just(Op::PutTail),
        3 => Just(Op::GetNext),
        4 => Just(Op::Get),
        1 => (1..RING as u16 + 20).prop_map(Op::Fill),
        2 => any::<bool>().prop_map(|next| Op::Steal { next }),
    ]
}

fn histories() -> impl Strategy<Value = Vec<(bool, Op)>> {
    prop::collection::vec((any::<bool>(), op()), 1..if cfg!(miri) { 20 } else { 400 })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 256 },
        // Miri has no files.
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn two_queues_behave_as_deques_do(ops in histories()) {
        let real = [Runq::new(), Runq::new()];
        let mut oracles = [Oracle::default(), Oracle::default()];
        let mut last = 0;
        let mut fresh = || {
            last += 1;
            last
        };
        for (second, op) in ops {
            let (me, other) = (usize::from(second), usize::from(!second));
            let [first_oracle, second_oracle] = &mut oracles;
            let (mine, theirs) =
                if second { (second_oracle, first_oracle) } else { (first_oracle, second_oracle) };
            match op {
                Op::PutNext => mine.put_next(&real[me], fresh()),
                Op::PutTail => mine.put_tail(&real[me], fresh()),
                Op::GetNext => mine.get_next(&real[me]),
                Op::Get => mine.get(&real[me]),
                Op::Fill(count) => (0..count).for_each(|_| mine.put_tail(&real[me], fresh())),
                Op::Steal { next } if mine.ring.is_empty() => {
                    mine.steal(&real[me], theirs, &real[other], next);
                }
                Op::Steal { .. } => {}
            }
            mine.check(&real[me]);
            theirs.check(&real[other]);
        }
    }
}
