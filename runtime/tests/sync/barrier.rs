use sigurg::sync::{Barrier, Mutex};

use crate::crew::{Crew, on_all_crews, rounds, task};

on_all_crews!(nobody_passes_a_barrier_before_all_are_there);

fn nobody_passes_a_barrier_before_all_are_there(crew: Crew) {
    let (parties, rounds) = (5, rounds(2_000));
    let barrier = Barrier::new(parties);
    let (arrived, leaders) = (Mutex::new(0), Mutex::new(0));
    crew.run(
        (0..parties)
            .map(|_| {
                task(|| {
                    for round in 1..=rounds {
                        *arrived.lock() += 1;
                        let last = barrier.wait();
                        let seen = *arrived.lock();
                        assert!(seen >= round * parties, "{seen} of {} had arrived", round * parties);
                        *leaders.lock() += usize::from(last.is_leader());
                    }
                })
            })
            .collect(),
    );
    assert_eq!(leaders.into_inner(), rounds);
}
