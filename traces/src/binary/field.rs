//! How each type of field is coded.

use super::wire::{Cursor, Damage, put_u64, unzigzag, zigzag};
use super::write::Body;
use crate::event::{Request, Sym};
use crate::vocab::{GStatus, Guard, PStatus, Phase, PutHow, Queue, Reject, Stack, TakeHow, Via};

/// A field's type.
pub(super) trait BinaryField: Sized {
    fn put(&self, body: &mut Body<'_>);
    fn get(cursor: &mut Cursor<'_>) -> Result<Self, Damage>;
}

impl BinaryField for u64 {
    #[inline]
    fn put(&self, body: &mut Body<'_>) {
        put_u64(body.out, *self);
    }

    #[inline]
    fn get(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        cursor.u64()
    }
}

impl BinaryField for u32 {
    #[inline]
    fn put(&self, body: &mut Body<'_>) {
        put_u64(body.out, (*self).into());
    }

    #[inline]
    fn get(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        Self::try_from(cursor.u64()?).map_err(|_| "a number has more than 32 bits")
    }
}

impl BinaryField for i64 {
    #[inline]
    fn put(&self, body: &mut Body<'_>) {
        put_u64(body.out, zigzag(*self));
    }

    #[inline]
    fn get(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        cursor.u64().map(unzigzag)
    }
}

impl BinaryField for i32 {
    #[inline]
    fn put(&self, body: &mut Body<'_>) {
        put_u64(body.out, zigzag((*self).into()));
    }

    #[inline]
    fn get(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        Self::try_from(unzigzag(cursor.u64()?)).map_err(|_| "a number has more than 32 bits")
    }
}

impl BinaryField for bool {
    #[inline]
    fn put(&self, body: &mut Body<'_>) {
        body.out.push((*self).into());
    }

    #[inline]
    fn get(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        match cursor.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err("a truth value is neither 0 nor 1"),
        }
    }
}

impl BinaryField for Sym {
    #[inline]
    fn put(&self, body: &mut Body<'_>) {
        let number = body.number(*self);
        put_u64(body.out, number.into());
    }

    #[inline]
    fn get(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        let number = u32::get(cursor)?;
        if number <= cursor.names { Ok(Self(number)) } else { Err("a name is used before it is given") }
    }
}

/// Words are the byte of their index.
macro_rules! word_fields {
    ($($word:ty),+ $(,)?) => {
        $(impl BinaryField for $word {
            #[inline]
            fn put(&self, body: &mut Body<'_>) {
                body.out.push(*self as u8);
            }

            #[inline]
            fn get(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
                Self::from_index(cursor.u8()?).ok_or(concat!("no ", stringify!($word), " has this number"))
            }
        })+
    };
}
word_fields!(Stack, GStatus, PStatus, Via, Queue, PutHow, TakeHow, Reject, Phase, Guard);

impl<F: BinaryField> BinaryField for Option<F> {
    #[inline]
    fn put(&self, body: &mut Body<'_>) {
        self.is_some().put(body);
        if let Some(value) = self {
            value.put(body);
        }
    }

    #[inline]
    fn get(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        if bool::get(cursor)? { F::get(cursor).map(Some) } else { Ok(None) }
    }
}

/// One byte: the boolean fields in pairs, then the guards.
impl BinaryField for Request {
    #[inline]
    fn put(&self, body: &mut Body<'_>) {
        body.out.push(match *self {
            Self::Preempt(value) => u8::from(value),
            Self::PreemptStop(value) => 2 + u8::from(value),
            Self::PreemptShrink(value) => 4 + u8::from(value),
            Self::Stackguard0(guard) => 6 + guard as u8,
        });
    }

    #[inline]
    fn get(cursor: &mut Cursor<'_>) -> Result<Self, Damage> {
        let byte = cursor.u8()?;
        let value = byte & 1 == 1;
        Ok(match byte {
            0 | 1 => Self::Preempt(value),
            2 | 3 => Self::PreemptStop(value),
            4 | 5 => Self::PreemptShrink(value),
            _ => Self::Stackguard0(Guard::from_index(byte - 6).ok_or("no request has this number")?),
        })
    }
}
