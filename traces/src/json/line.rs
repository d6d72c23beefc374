//! One line, taken apart: the value of every known field, before anybody knows which kind it is.
//!
//! Invariants:
//! 1. A value is stored as a number the moment it is parsed (words by their index, names as symbols), so that
//!    the record borrows nothing and is used again for every line without being cleared.
//! 2. Only `seen` says whether a slot belongs to this line.
//! 3. A value of the wrong shape is an error only if the kind has that field: unknown fields are ignored.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::key::Key;
use super::quick;
use crate::event::Sym;
use crate::symbols::Symbols;
use crate::table::Tag;
use crate::vocab::{Field, GStatus, Guard, PStatus, Phase, PutHow, Queue, Reject, Stack, TakeHow, Via};

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number from 0.
    Unsigned,
    /// A number below 0.
    Negative,
    /// A number that is no 64-bit integer.
    Unfit,
    /// A known word, or a symbol.
    Word,
    /// A word outside the closed list; its text is in `strange`.
    Strange,
    /// An array or an object.
    Nested,
}

/// One `GStatus` and `PStatus` share a key, as do `PutHow` and `TakeHow`; the second of a pair has this bit.
const SECOND: u64 = 0x80;

const KEYS: usize = Key::ALL.len();
const _: () = assert!(KEYS <= 64, "`seen` has one bit for each key");

/// The values of one line.
#[derive(Debug)]
pub(super) struct Line {
    seen: u64,
    shape: [Shape; KEYS],
    value: [u64; KEYS],
    strange: Vec<(Key, String)>,
}

impl Line {
    pub(super) fn new() -> Self {
        Self { seen: 0, shape: [Shape::Null; KEYS], value: [0; KEYS], strange: Vec::new() }
    }

    /// Takes `text`, one JSON object, apart.
    pub(super) fn parse(&mut self, text: &str, symbols: &mut Symbols) -> Result<(), serde_json::Error> {
        if quick::take(text, self, symbols) {
            return Ok(());
        }
        self.parse_any(text, symbols)
    }

    /// As [`Line::parse`], by serde_json alone.
    fn parse_any(&mut self, text: &str, symbols: &mut Symbols) -> Result<(), serde_json::Error> {
        self.begin();
        let mut json = serde_json::Deserializer::from_str(text);
        Filler { line: self, symbols }.deserialize(&mut json)?;
        json.end()
    }

    /// Shape and value of field `key`, if the line has it.
    #[inline]
    pub(super) fn get(&self, key: Key) -> Option<(Shape, u64)> {
        let at = key as usize;
        (self.seen >> at & 1 == 1).then(|| (self.shape[at], self.value[at]))
    }

    /// The text of field `key`, whose shape is [`Shape::Strange`].
    pub(super) fn strange(&self, key: Key) -> &str {
        self.strange.iter().find(|(k, _)| *k == key).map_or("", |(_, text)| text)
    }

    /// Forgets the line before.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.seen = 0;
        self.strange.clear();
    }

    /// Notes that the line has field `key`; `None` if it already had.
    #[inline]
    pub(super) fn claim(&mut self, key: Key) -> Option<()> {
        let bit = 1 << key as u32;
        let new = self.seen & bit == 0;
        self.seen |= bit;
        new.then_some(())
    }

    #[inline]
    pub(super) fn set(&mut self, key: Key, shape: Shape, value: u64) {
        self.shape[key as usize] = shape;
        self.value[key as usize] = value;
    }

    pub(super) fn set_text(&mut self, key: Key, text: &str, symbols: &mut Symbols) {
        match word(key, text, symbols) {
            Some(value) => self.set(key, Shape::Word, value),
            None => {
                self.set(key, Shape::Strange, 0);
                self.strange.push((key, text.chars().take(40).collect()));
            }
        }
    }
}

/// The number that stands for `text` in field `key`.
#[inline]
fn word(key: Key, text: &str, symbols: &mut Symbols) -> Option<u64> {
    Some(match key {
        Key::K => Tag::parse(text)? as u64,
        Key::On => Stack::parse(text)? as u64,
        Key::Fn | Key::Reason | Key::Entry => symbols.intern(text).0.into(),
        Key::From | Key::To => match GStatus::parse(text) {
            Some(status) => status as u64,
            None => PStatus::parse(text)? as u64 | SECOND,
        },
        Key::WantFrom | Key::WantTo | Key::Saw => GStatus::parse(text)? as u64,
        Key::Via => Via::parse(text)? as u64,
        Key::Field => Field::parse(text)? as u64,
        Key::Value => Guard::parse(text)? as u64,
        Key::Q => Queue::parse(text)? as u64,
        Key::How => match PutHow::parse(text) {
            Some(how) => how as u64,
            None => TakeHow::parse(text)? as u64 | SECOND,
        },
        Key::Reject => Reject::parse(text)? as u64,
        Key::Phase => Phase::parse(text)? as u64,
        _ => return None,
    })
}

/// A word as a slot's number stands for it.
pub(super) trait FromSlot: Sized {
    fn from_slot(value: u64) -> Option<Self>;
}

macro_rules! from_slot {
    ($($word:ty: $second:expr),+ $(,)?) => {
        $(impl FromSlot for $word {
            #[inline]
            fn from_slot(value: u64) -> Option<Self> {
                u8::try_from(value ^ $second).ok().and_then(Self::from_index)
            }
        })+
    };
}
from_slot! {
    Tag: 0, Stack: 0, GStatus: 0, PStatus: SECOND, Via: 0, Field: 0, Guard: 0, Queue: 0,
    PutHow: 0, TakeHow: SECOND, Reject: 0, Phase: 0,
}

impl FromSlot for Sym {
    #[inline]
    fn from_slot(value: u64) -> Option<Self> {
        u32::try_from(value).ok().map(Self)
    }
}

/// Fills a [`Line`] from an object.
struct Filler<'l, 's> {
    line: &'l mut Line,
    symbols: &'s mut Symbols,
}

impl<'de> DeserializeSeed<'de> for Filler<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Filler<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event, which is a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(KeySeed)? {
            let Some(key) = key else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if self.line.claim(key).is_none() {
                return Err(A::Error::custom(format_args!("field `{key}` appears twice")));
            }
            map.next_value_seed(Slot { key, line: self.line, symbols: self.symbols })?;
        }
        Ok(())
    }
}

/// Reads a field name; `None` is one that this reader does not know.
struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Option<Key>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Key>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Option<Key>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<Option<Key>, E> {
        Ok(Key::parse(text))
    }
}

/// Reads the value of one field into its slot.
struct Slot<'l, 's> {
    key: Key,
    line: &'l mut Line,
    symbols: &'s mut Symbols,
}

impl<'de> DeserializeSeed<'de> for Slot<'_, '_> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Slot<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    #[inline]
    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.line.set(self.key, Shape::Unsigned, value);
        Ok(())
    }

    #[inline]
    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.line.set(self.key, Shape::Negative, value.cast_unsigned());
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.line.set(self.key, Shape::Unfit, 0);
        Ok(())
    }

    #[inline]
    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.line.set(self.key, Shape::Bool, value.into());
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.line.set(self.key, Shape::Null, 0);
        Ok(())
    }

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.line.set_text(self.key, text, self.symbols);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.line.set(self.key, Shape::Nested, 0);
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.line.set(self.key, Shape::Nested, 0);
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a line says, by either way of reading it.
    fn said(line: &Line) -> Vec<(Key, Shape, u64, String)> {
        let slot =
            |&key: &Key| line.get(key).map(|(shape, value)| (key, shape, value, line.strange(key).into()));
        Key::ALL.iter().filter_map(slot).collect()
    }

    fn check(text: &str) -> Result<bool, TestCaseError> {
        // Names get the same symbols, whichever way meets them first.
        let mut symbols = Symbols::new();
        let (mut short, mut long) = (Line::new(), Line::new());
        let taken = quick::take(text, &mut short, &mut symbols);
        let parsed = long.parse_any(text, &mut symbols);
        if taken {
            prop_assert!(parsed.is_ok(), "serde_json refuses what the short way took: {text}");
            prop_assert_eq!(said(&short), said(&long), "{}", text);
        }
        Ok(taken)
    }

    /// Pieces of which lines and near misses are made.
    const PIECES: &[&str] = &[
        "{",
        "}",
        "\"",
        ":",
        ",",
        " ",
        "\\",
        "\\u0041",
        "\\n",
        "\n",
        "\u{1}",
        "é",
        "[",
        "]",
        "0",
        "1",
        "-",
        "-0",
        "00",
        "18446744073709551615",
        "18446744073709551616",
        "999999999999999999",
        "-9223372036854775808",
        "1.5",
        "1e3",
        "true",
        "false",
        "null",
        "tru",
        "\"k\":",
        "\"seq\":",
        "\"value\":",
        "\"g_status\"",
        "\"m\":",
        "\"zz\":",
        "\"preempt_shrink\":",
        "\"from\":\"Gscandeadextra\"",
        "\"fn\":\"a name of more than sixteen letters\"",
        "{\"k\":\"goyield\",",
        "\"m\":1,",
        "\"reason\":\"é\"",
        "}\r",
    ];

    proptest! {
        #[test]
        fn prop_the_short_way_finds_what_serde_json_finds(
            pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..12),
        ) {
            check(&pieces.concat())?;
        }

        #[test]
        fn prop_values_read_alike_on_either_way(
            seq in any::<u64>(), m in any::<i64>(), name in "\\PC{0,40}", flag in any::<bool>(),
        ) {
            let name = serde_json::to_string(&name).unwrap();
            let line = format!("{{\"k\":\"ready\",\"seq\":{seq},\"m\":{m},\"fn\":{name},\"next\":{flag},\"from\":{name}}}");
            check(&line)?;
        }
    }

    #[test]
    fn the_short_way_takes_what_writers_write() {
        let line = r#"{"k":"g_status","seq":36,"t_ns":330885,"m":-1,"p":0,"on":"g0","by":1,"g":1,"gs":1,"from":"Grunning","to":"Gwaiting","via":"casGToWaitingForSuspendG","ver":4,"reason":"chan receive","fn":"park_m","next":null,"want":true}"#;
        assert!(check(line).unwrap());
        for spoiled in [&line[1..], &line[..line.len() - 1], &line.replace("36", "036"), &format!("{line} ")]
        {
            assert!(!check(spoiled).unwrap(), "{spoiled}");
        }
    }
}
