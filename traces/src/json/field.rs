//! How each type of field is taken from a line, and how it is written.

use serde::ser::SerializeMap;

use super::key::Key;
use super::line::{FromSlot, Line, Shape};
use crate::event::{Request, Sym};
use crate::symbols::Symbols;
use crate::vocab::{Field, GStatus, Guard, PStatus, Phase, PutHow, Queue, Reject, Stack, TakeHow, Via};

/// A field's type.
pub(super) trait JsonField: Sized {
    /// The value of field `key`, or the reason why there is none.
    fn take(line: &Line, key: Key) -> Result<Self, String>;

    /// Writes field `key`.
    fn put<M: SerializeMap>(&self, key: Key, map: &mut M, symbols: &Symbols) -> Result<(), M::Error>;
}

/// Shape and value of `key`, which the line must have.
#[inline]
fn slot(line: &Line, key: Key) -> Result<(Shape, u64), String> {
    line.get(key).ok_or_else(|| format!("field `{key}` is missing"))
}

/// The error for a value of another shape than `wanted`.
#[cold]
fn misfit(line: &Line, key: Key, shape: Shape, wanted: &str) -> String {
    match shape {
        Shape::Strange if wanted == "a word" => {
            format!("field `{key}`: unknown word {:?}", line.strange(key))
        }
        Shape::Unfit | Shape::Unsigned | Shape::Negative if wanted.ends_with("integer") => {
            format!("field `{key}`: number out of range for {wanted}")
        }
        _ => format!("field `{key}` must be {wanted}, not {}", name(shape)),
    }
}

fn name(shape: Shape) -> &'static str {
    match shape {
        Shape::Null => "null",
        Shape::Bool => "a boolean",
        Shape::Unsigned | Shape::Negative | Shape::Unfit => "a number",
        Shape::Word | Shape::Strange => "a string",
        Shape::Nested => "an array or an object",
    }
}

macro_rules! integers {
    ($($int:ty: $wanted:literal),+ $(,)?) => {
        $(impl JsonField for $int {
            #[inline]
            fn take(line: &Line, key: Key) -> Result<Self, String> {
                let (shape, value) = slot(line, key)?;
                let fits = match shape {
                    Shape::Unsigned => Self::try_from(value).ok(),
                    Shape::Negative => Self::try_from(value.cast_signed()).ok(),
                    _ => None,
                };
                fits.ok_or_else(|| misfit(line, key, shape, $wanted))
            }

            fn put<M: SerializeMap>(&self, key: Key, map: &mut M, _: &Symbols) -> Result<(), M::Error> {
                map.serialize_entry(key.as_str(), self)
            }
        })+
    };
}
integers! {
    u64: "an unsigned 64-bit integer", i64: "a signed 64-bit integer",
    u32: "an unsigned 32-bit integer", i32: "a signed 32-bit integer",
}

impl JsonField for bool {
    #[inline]
    fn take(line: &Line, key: Key) -> Result<Self, String> {
        match slot(line, key)? {
            (Shape::Bool, value) => Ok(value != 0),
            (shape, _) => Err(misfit(line, key, shape, "a boolean")),
        }
    }

    fn put<M: SerializeMap>(&self, key: Key, map: &mut M, _: &Symbols) -> Result<(), M::Error> {
        map.serialize_entry(key.as_str(), self)
    }
}

/// A word or a symbol of field `key`.
#[inline]
pub(super) fn take_word<W: FromSlot>(line: &Line, key: Key) -> Result<W, String> {
    let (shape, value) = slot(line, key)?;
    if shape == Shape::Word {
        // A word of the other list that shares the key does not stand for one of this list.
        W::from_slot(value).ok_or_else(|| format!("field `{key}`: not a word for this kind of event"))
    } else {
        Err(misfit(line, key, shape, "a word"))
    }
}

macro_rules! word_fields {
    ($($word:ty),+ $(,)?) => {
        $(impl JsonField for $word {
            #[inline]
            fn take(line: &Line, key: Key) -> Result<Self, String> {
                take_word(line, key)
            }

            fn put<M: SerializeMap>(&self, key: Key, map: &mut M, _: &Symbols) -> Result<(), M::Error> {
                map.serialize_entry(key.as_str(), self.as_str())
            }
        })+
    };
}
word_fields!(Stack, GStatus, PStatus, Via, Field, Queue, PutHow, TakeHow, Reject, Phase);

impl JsonField for Sym {
    #[inline]
    fn take(line: &Line, key: Key) -> Result<Self, String> {
        take_word(line, key)
    }

    fn put<M: SerializeMap>(&self, key: Key, map: &mut M, symbols: &Symbols) -> Result<(), M::Error> {
        map.serialize_entry(key.as_str(), symbols.resolve(*self))
    }
}

impl<F: JsonField> JsonField for Option<F> {
    #[inline]
    fn take(line: &Line, key: Key) -> Result<Self, String> {
        if slot(line, key)?.0 == Shape::Null { Ok(None) } else { F::take(line, key).map(Some) }
    }

    fn put<M: SerializeMap>(&self, key: Key, map: &mut M, symbols: &Symbols) -> Result<(), M::Error> {
        match self {
            Some(value) => value.put(key, map, symbols),
            None => map.serialize_entry(key.as_str(), &()),
        }
    }
}

/// `field` and `value`.
impl JsonField for Request {
    #[inline]
    fn take(line: &Line, key: Key) -> Result<Self, String> {
        Ok(match Field::take(line, key)? {
            Field::Preempt => Self::Preempt(bool::take(line, Key::Value)?),
            Field::PreemptStop => Self::PreemptStop(bool::take(line, Key::Value)?),
            Field::PreemptShrink => Self::PreemptShrink(bool::take(line, Key::Value)?),
            Field::Stackguard0 => Self::Stackguard0(take_word::<Guard>(line, Key::Value)?),
        })
    }

    fn put<M: SerializeMap>(&self, key: Key, map: &mut M, symbols: &Symbols) -> Result<(), M::Error> {
        let (field, value) = match *self {
            Self::Preempt(value) => (Field::Preempt, value),
            Self::PreemptStop(value) => (Field::PreemptStop, value),
            Self::PreemptShrink(value) => (Field::PreemptShrink, value),
            Self::Stackguard0(guard) => {
                Field::Stackguard0.put(key, map, symbols)?;
                return map.serialize_entry(Key::Value.as_str(), guard.as_str());
            }
        };
        field.put(key, map, symbols)?;
        value.put(Key::Value, map, symbols)
    }
}
