//! Arbitrary events for the property tests: every kind of the table, with extreme numbers and odd names.
//!
//! A test draws a list of numbers and events are made out of them, so that a failure shrinks to few and small ones.

use proptest::prelude::*;

use crate::event::{Event, Kind, Request, Sym, Target};
use crate::header::{Header, Ordering};
use crate::symbols::Symbols;
use crate::table::{Need, Tag, for_each_kind};
use crate::vocab::{GStatus, Guard, PStatus, Phase, PutHow, Queue, Reject, Stack, TakeHow, Via};

/// Names that need escapes, look like something else, or are long.
const NAMES: [&str; 6] =
    ["park_m", "(*p).init", "a \"quoted\\ \n\u{1}\u{7f} name", "sélect 🦀", "null", "k\":1,\"m"];

/// A trace of up to `most` events.
pub(crate) fn trace(most: usize) -> impl Strategy<Value = (Header, Vec<Event>, Symbols)> {
    proptest::collection::vec(proptest::collection::vec(any::<u64>(), 0..24), 0..most).prop_map(|choices| {
        let mut symbols = Symbols::new();
        for name in NAMES {
            symbols.intern(name);
        }
        symbols.intern(&"long".repeat(100));
        let events: Vec<Event> = choices
            .into_iter()
            .zip(0..)
            .map(|(words, seq)| Choices { words: words.into_iter() }.event(seq))
            .collect();
        (Header::new("test", "1", Ordering::Ver, 4, events.len() as u64), events, symbols)
    })
}

/// A list of numbers that decides everything; zeros when it is used up.
struct Choices {
    words: std::vec::IntoIter<u64>,
}

impl Choices {
    fn next(&mut self) -> u64 {
        self.words.next().unwrap_or(0)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[(self.next() % from.len() as u64) as usize]
    }

    fn event(&mut self, seq: u64) -> Event {
        let tag = self.pick(Tag::ALL);
        if tag == Tag::Lost {
            return Event::lost(seq);
        }
        let kind = kind(tag, self);
        let target = match tag.need() {
            Need::Always => true,
            Need::Never => false,
            Need::UnlessDead => !matches!(kind, Kind::ResumeBegin { dead: true, .. }) || bool::draw(self),
            Need::Optional => bool::draw(self),
        };
        Event {
            seq,
            lo: if bool::draw(self) { seq } else { u64::draw(self) },
            t_ns: u64::draw(self),
            m: i32::draw(self),
            p: i32::draw(self),
            on: Stack::draw(self),
            by: u64::draw(self),
            target: target.then(|| Target { g: u64::draw(self), gs: u32::draw(self) }),
            site: Sym::draw(self),
            over: u64::draw(self),
            kind,
        }
    }
}

trait Draw {
    fn draw(choices: &mut Choices) -> Self;
}

macro_rules! integers {
    ($($int:ty),+) => {
        $(impl Draw for $int {
            fn draw(choices: &mut Choices) -> Self {
                let word = choices.next();
                match word % 8 {
                    0 => 0,
                    1 => Self::MAX,
                    2 => Self::MIN,
                    3 => 1 << ((word >> 3) % u64::from(Self::BITS)),
                    4 => (word >> 3) as Self,
                    _ => (word >> 3) as Self % 100,
                }
            }
        })+
    };
}
integers!(u64, i64, u32, i32);

macro_rules! words {
    ($($word:ty),+) => {
        $(impl Draw for $word {
            fn draw(choices: &mut Choices) -> Self {
                choices.pick(Self::ALL)
            }
        })+
    };
}
words!(GStatus, Guard, PStatus, Phase, PutHow, Queue, Reject, Stack, TakeHow, Via);

impl Draw for bool {
    fn draw(choices: &mut Choices) -> Self {
        choices.next() % 2 == 1
    }
}

impl Draw for Sym {
    fn draw(choices: &mut Choices) -> Self {
        Self((choices.next() % (NAMES.len() as u64 + 2)) as u32)
    }
}

impl<T: Draw> Draw for Option<T> {
    fn draw(choices: &mut Choices) -> Self {
        bool::draw(choices).then(|| T::draw(choices))
    }
}

impl Draw for Request {
    fn draw(choices: &mut Choices) -> Self {
        match choices.next() % 4 {
            0 => Self::Preempt(bool::draw(choices)),
            1 => Self::PreemptStop(bool::draw(choices)),
            2 => Self::PreemptShrink(bool::draw(choices)),
            _ => Self::Stackguard0(Guard::draw(choices)),
        }
    }
}

macro_rules! draw_kinds {
    ($($variant:ident $name:literal $need:ident {
        $($([$const:ident = $word:ident])? $field:ident: $key:ident $($opt:ident)?),*
    })+) => {
        fn kind(tag: Tag, choices: &mut Choices) -> Kind {
            match tag {
                $(Tag::$variant => Kind::$variant { $($field: Draw::draw(choices)),* },)+
            }
        }
    };
}
for_each_kind!(draw_kinds);
