//! Bit fields: every actor of the protocol machine is one small word, so that a whole state is sixteen
//! bytes and a step touches one or two words.

/// A value that fits into a few bits.
pub(super) trait Bits: Copy {
    fn from_bits(bits: u32) -> Self;
    fn bits(self) -> u32;
}

impl Bits for bool {
    #[inline]
    fn from_bits(bits: u32) -> Self {
        bits != 0
    }

    #[inline]
    fn bits(self) -> u32 {
        self.into()
    }
}

/// The number of a G, an M or a P, or none of them.
pub(super) type Link = Option<u8>;

impl Bits for Link {
    #[inline]
    fn from_bits(bits: u32) -> Self {
        (bits as u8).checked_sub(1)
    }

    #[inline]
    fn bits(self) -> u32 {
        match self {
            None => 0,
            Some(index) => u32::from(index) + 1,
        }
    }
}

impl Bits for u8 {
    #[inline]
    fn from_bits(bits: u32) -> Self {
        bits as u8
    }

    #[inline]
    fn bits(self) -> u32 {
        self.into()
    }
}

/// An enum whose discriminants count from 0, as [`Bits`].
macro_rules! bits_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[repr(u8)]
        $vis enum $name { #[default] $($(#[$vmeta])* $variant),+ }

        impl $crate::machine::word::Bits for $name {
            #[inline]
            fn from_bits(bits: u32) -> Self {
                const ALL: &[$name] = &[$($name::$variant),+];
                // Padded to a power of two, so that the mask proves the index in bounds.
                const PADDED: [$name; 64] = {
                    let mut all = [ALL[0]; 64];
                    let mut i = 0;
                    while i < ALL.len() {
                        all[i] = ALL[i];
                        i += 1;
                    }
                    all
                };
                PADDED[bits as usize & 63]
            }

            #[inline]
            fn bits(self) -> u32 {
                self as u32
            }
        }
    };
}

/// A word of named bit fields: `field / set_field: type = first..end`.
macro_rules! word {
    ($(#[$meta:meta])* $name:ident { $($(#[$fmeta:meta])* $field:ident / $set:ident: $ty:ty = $at:literal..$end:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) struct $name(pub(super) u32);

        impl $name {
            /// How many bits of the word are used.
            pub(super) const WIDTH: u32 = {
                let mut width = 0;
                $(if $end > width { width = $end; })+
                width
            };

            $($(#[$fmeta])*
            #[inline]
            pub(super) fn $field(self) -> $ty {
                <$ty as $crate::machine::word::Bits>::from_bits(self.0 >> $at & ((1 << ($end - $at)) - 1))
            }

            #[inline]
            pub(super) fn $set(&mut self, value: $ty) {
                const MASK: u32 = ((1 << ($end - $at)) - 1) << $at;
                self.0 = self.0 & !MASK | $crate::machine::word::Bits::bits(value) << $at;
            })+
        }
    };
}

pub(super) use {bits_enum, word};
