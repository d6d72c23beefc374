//! `#[preemptible]` changes nothing of what a function does.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::num::ParseIntError;

use sigurg::preemptible;

/// Defines a function twice, with the attribute and without, and compares what they return.
macro_rules! same {
    ($(fn $name:ident($($arg:ident: $type:ty = [$($value:expr),+ $(,)?])?) -> $result:ty $body:block)+) => {
        $(
            #[test]
            fn $name() {
                #[preemptible]
                fn with($($arg: $type)?) -> $result $body
                fn without($($arg: $type)?) -> $result $body
                same!(@ $($($value),+)?);
            }
        )+
    };
    (@) => { assert_eq!(with(), without()) };
    (@ $($value:expr),+) => { $(assert_eq!(with($value), without($value));)+ };
}

same! {
    fn loops_have_values(n: u64 = [0, 1, 5_000]) -> (u64, u64, &'static str) {
        let mut i = 0;
        let first = loop {
            i += 3;
            if i > n {
                break i;
            }
        };
        let second = 'out: loop {
            for j in 0.. {
                if j * j > n {
                    break 'out j;
                }
            }
        };
        let block = 'block: {
            while i > 0 {
                i -= 1;
                if i == 7 {
                    break 'block "seven";
                }
            }
            "none"
        };
        (first, second, block)
    }

    fn labels_and_continue_go_where_they_went(n: usize = [0, 10, 3_000]) -> Vec<usize> {
        let mut seen = Vec::new();
        'rows: for row in 0..n {
            'columns: for column in 0..row {
                match (row + column) % 5 {
                    0 => continue 'rows,
                    1 => continue 'columns,
                    2 if column > 3 => break 'columns,
                    3 if row > 2_000 => break 'rows,
                    _ => {}
                }
                seen.push(row * n + column);
            }
        }
        seen
    }

    fn errors_leave_loops(text: &str = ["", "1 2 3", "1 x 3", "99999999999 1"]) -> Result<Vec<u32>, ParseIntError> {
        let mut numbers = Vec::new();
        for word in text.split_whitespace() {
            numbers.push(word.parse()?);
        }
        Ok(numbers)
    }

    fn patterns_and_borrows_are_as_they_were(n: u32 = [0, 3, 2_500]) -> BTreeMap<u32, Vec<u32>> {
        let mut map: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (i, ref square @ (a, _)) in (0..n).map(|i| (i, (i * i, i))) {
            map.entry(a % 7).or_default().push(square.0 + i);
        }
        let mut values = map.values_mut();
        while let Some(value) = values.next() && let [first, ..] = value.as_mut_slice() {
            *first += 1;
        }
        map
    }

    fn closures_are_what_they_were(n: u32 = [1, 10, 4_000]) -> u64 {
        fn is_copy_send_static<F: Fn(u32) -> u64 + Copy + Send + 'static>(f: F) -> F { f }
        let sum = is_copy_send_static(move |n| {
            let mut sum = 0;
            for i in 0..n {
                sum += u64::from(i);
            }
            sum
        });
        let first = |mut n: u32| while n > 3 { n /= 2 };
        first(n);
        (0..n).map(|i| sum(i % 10)).sum::<u64>() + sum(n)
    }

    fn a_loop_that_never_ends_has_every_type(n: u32 = [3, 2_000]) -> String {
        let mut i = 0;
        loop {
            i += 1;
            if i == n {
                return format!("{i} of {n}");
            }
        }
    }
}

/// A method, a default method, generics, lifetimes, and a recursion.
struct Tree {
    value: u64,
    children: Vec<Tree>,
}

trait Walk {
    fn children(&self) -> impl Iterator<Item = &Self>;

    #[preemptible]
    fn count(&self) -> usize {
        let mut count = 1;
        for child in self.children() {
            count += child.count();
        }
        count
    }
}

impl Walk for Tree {
    #[preemptible]
    fn children(&self) -> impl Iterator<Item = &Self> {
        self.children.iter()
    }
}

impl Tree {
    #[preemptible]
    fn of(depth: u64) -> Self {
        Self { value: depth, children: (0..depth).map(Self::of).collect() }
    }

    #[preemptible]
    fn find<'a, T>(&'a mut self, wanted: u64, _tag: &T) -> Option<&'a mut Self>
    where
        T: Debug + Sync + ?Sized,
    {
        if self.value == wanted {
            return Some(self);
        }
        for child in &mut self.children {
            if let Some(found) = child.find(wanted, _tag) {
                return Some(found);
            }
        }
        None
    }
}

#[test]
fn methods_generics_and_recursion() {
    let mut tree = Tree::of(8);
    assert_eq!(tree.count(), 1 << 8);
    assert_eq!(tree.find(3, "tag").map(|found| found.children.len()), Some(3));
    assert!(tree.find(9, "tag").is_none());
}

#[preemptible]
unsafe extern "C" fn length(text: *const u8) -> usize {
    let mut n = 0;
    // SAFETY: the caller's text ends with a zero.
    while unsafe { *text.add(n) } != 0 {
        n += 1;
    }
    n
}

#[test]
fn functions_of_other_conventions() {
    // SAFETY: it ends with a zero.
    assert_eq!(unsafe { length(c"twelve bytes".as_ptr().cast()) }, 12);
}

#[preemptible]
#[must_use]
#[inline]
fn budget_is_nobodys_name(__sigurg_budget: u32) -> u32 {
    let mut sum = 0;
    for __sigurg_budget in 0..__sigurg_budget {
        sum += __sigurg_budget;
    }
    sum
}

#[test]
fn names_do_not_meet() {
    assert_eq!(budget_is_nobodys_name(2_000), 1_999_000);
}
