//! Integers on the wire.

/// Why bytes under a right checksum are still no event: the writer was wrong.
pub(super) type Damage = &'static str;

/// Appends `value` in LEB128.
#[inline]
pub(super) fn put_u64(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Folds the sign into the lowest bit, so that small negative numbers are short too.
#[inline]
pub(super) const fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

#[inline]
pub(super) const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

/// The rest of a payload.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a [u8],
    /// How many names are defined.
    pub(super) names: u32,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(super) fn u8(&mut self) -> Result<u8, Damage> {
        let (&first, rest) = self.rest.split_first().ok_or("the payload ends within a record")?;
        self.rest = rest;
        Ok(first)
    }

    #[inline]
    pub(super) fn u64(&mut self) -> Result<u64, Damage> {
        let first = self.u8()?;
        if first < 0x80 { Ok(first.into()) } else { self.long(u64::from(first & 0x7f)) }
    }

    /// The rest of a number whose lowest seven bits are `value`.
    #[inline]
    fn long(&mut self, mut value: u64) -> Result<u64, Damage> {
        let mut shift = 7;
        loop {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && byte > 1 {
                return Err("a number has more than 64 bits");
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
        }
    }

    pub(super) fn bytes(&mut self, length: u64) -> Result<&'a [u8], Damage> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or("the payload ends within a name")?;
        self.rest = rest;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_too_long_ones_are_refused() {
        for shift in 0..64 {
            for value in [(1u64 << shift) - 1, 1 << shift, u64::MAX >> shift] {
                let mut out = Vec::new();
                put_u64(&mut out, value);
                assert_eq!(Cursor { rest: &out, names: 0 }.u64(), Ok(value));
                assert_eq!(unzigzag(zigzag(value.cast_signed())), value.cast_signed());
                assert!(Cursor { rest: &out[..out.len() - 1], names: 0 }.u64().is_err());
            }
        }
        for too_long in [[0xff; 9].as_slice(), &[0x80; 9]] {
            for last in [2, 0x80, 0xff] {
                assert!(Cursor { rest: &[too_long, &[last, 0]].concat(), names: 0 }.u64().is_err());
            }
        }
    }
}
