//! Quicksort on every processor: each half is a branch of a fork-join. `quicksort [ELEMENTS]`, by default 5,000,000.

mod common;

use std::time::Instant;

/// Below this a fork costs more than it brings.
const ALONE: usize = 4096;

fn quicksort(values: &mut [u64]) {
    if values.len() <= ALONE {
        return values.sort_unstable();
    }
    let pivot = partition(values);
    let (low, high) = values.split_at_mut(pivot);
    sigurg::join(|| quicksort(low), || quicksort(&mut high[1..]));
}

/// Puts the median of three in its place: what is before it is not greater, what is after it is not less.
fn partition(values: &mut [u64]) -> usize {
    let last = values.len() - 1;
    let mut three = [0, last / 2, last];
    three.sort_unstable_by_key(|&i| values[i]);
    values.swap(three[1], last);
    let pivot = values[last];
    let (mut i, mut j) = (0, last);
    // Both sides stop at equal values, so that many of them are shared out evenly.
    loop {
        while values[i] < pivot {
            i += 1;
        }
        while j > i && values[j - 1] > pivot {
            j -= 1;
        }
        if i + 1 >= j {
            break;
        }
        j -= 1;
        values.swap(i, j);
        i += 1;
    }
    values.swap(i, last);
    i
}

fn main() -> common::Outcome {
    let args = common::args()?;
    let elements = args.rest.first().map_or(Ok(5_000_000), |text| text.parse::<u64>())?;
    common::run(args.trace, move || {
        let mut x = 88_172_645_463_325_252_u64;
        let mut values: Vec<u64> = (0..elements)
            .map(|_| {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                // Some values come twice.
                x % (elements * 2).max(1)
            })
            .collect();
        let mut expected = values.clone();
        let begin = Instant::now();
        expected.sort_unstable();
        let alone = begin.elapsed();
        let begin = Instant::now();
        quicksort(&mut values);
        println!(
            "{elements} numbers in {:?}; the standard library, on one processor: {alone:?}",
            begin.elapsed()
        );
        assert!(values == expected, "not sorted, or not the same numbers");
        Ok(())
    })
}
