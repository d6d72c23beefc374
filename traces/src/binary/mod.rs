//! The compact form: what programs keep, because it is read some ten times faster than JSON Lines.
//!
//! ```text
//! file    = "SGTR" version:u8 frame*          version 1; integers of frames are little-endian
//! frame   = length:u32 crc:u32 payload        crc32 of length and payload
//! payload = 0 header                          first: the header as the JSON object it is in the other form
//!         | 1 first_seq record*               then: events in order of seq
//!         | 2 events                          last: how many there were
//! record  = 255 length name                   gives the next number, from 1, to a name
//!         | tag flags common fields           an event
//! ```
//!
//! Integers of payloads are LEB128, signed ones zigzag; words are one byte. `seq` is the position and is not
//! stored, `lo` and `t_ns` are differences, the actor and the target are stored when they change.
//!
//! Invariants:
//! 1. Every byte lies under a checksum or is compared with the one value it can have, and the last frame says
//!    that it is the last: no damaged or shortened file is read without an error. Only where the header says that the
//!    writer never came to its end ([`Header::open`](crate::Header::open)) may the file end anywhere: what it holds is
//!    read to the last whole frame.
//! 2. Memory is bounded by [`MAX_FRAME`] and the names, whatever the file says.
//!
//! Not used: `postcard` through serde. On the same recording it takes 53 ns to decode an event, this takes 20 with its
//! checksum, and 23 bytes to store one where this needs 8: differences to the event before cannot be expressed there.

mod field;
mod read;
mod record;
mod wire;
mod write;

pub use read::BinaryReader;
pub use record::Recording;
pub use write::BinaryWriter;

/// The first bytes of a binary trace.
pub const MAGIC: [u8; 4] = *b"SGTR";
/// The version of the form that is read and written.
pub const VERSION: u8 = 1;
/// The longest payload of a frame, in bytes: a usual frame and one event with names of the greatest length.
pub const MAX_FRAME: usize = (64 << 10) + crate::json::MAX_LINE + 1024;

/// What a payload is; its first byte.
mod frame {
    pub(super) const HEADER: u8 = 0;
    pub(super) const EVENTS: u8 = 1;
    pub(super) const END: u8 = 2;
}

/// In place of a kind: a name follows.
const NAME: u8 = 255;

/// Which of the common fields are stored.
mod flag {
    /// `lo` differs from `seq`.
    pub(super) const LO: u8 = 1;
    /// `m`, `p`, `on` or `by` differ from those of the event before.
    pub(super) const ACTOR: u8 = 2;
    /// There is a target, other than the last one.
    pub(super) const TARGET: u8 = 4;
    /// There is a target, the last one again.
    pub(super) const SAME_TARGET: u8 = 8;
    /// There is a `fn`.
    pub(super) const SITE: u8 = 16;
    /// There is an `over`.
    pub(super) const OVER: u8 = 32;
    pub(super) const ALL: u8 = LO | ACTOR | TARGET | SAME_TARGET | SITE | OVER;
}

/// The common fields of the event before, to which the next one is compared.
#[derive(Debug)]
struct Last {
    t_ns: u64,
    actor: (i32, i32, crate::vocab::Stack, u64),
    target: Option<crate::event::Target>,
}

impl Default for Last {
    fn default() -> Self {
        Self { t_ns: 0, actor: (-1, -1, crate::vocab::Stack::G0, 0), target: None }
    }
}

#[cfg(test)]
mod tests;
