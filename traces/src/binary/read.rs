//! Reads the binary form.

use std::io::{self, BufRead, Read};

use super::field::BinaryField;
use super::wire::{Cursor, Damage, unzigzag};
use super::{Last, MAGIC, MAX_FRAME, NAME, VERSION, flag, frame};
use crate::error::ReadError;
use crate::event::{Event, Kind, Sym, Target};
use crate::header::Header;
use crate::symbols::Symbols;
use crate::table::{Tag, for_each_kind};

/// A trace in the binary form.
#[derive(Debug)]
pub struct BinaryReader<R> {
    frames: Frames<R>,
    header: Header,
    symbols: Symbols,
    last: Last,
    next_seq: u64,
    ended: bool,
}

impl<R: BufRead> BinaryReader<R> {
    /// Reads the header of `source`.
    ///
    /// # Errors
    ///
    /// If there is none, or it is of another version or schema.
    pub fn new(source: R) -> Result<Self, ReadError> {
        let mut frames = Frames { source, offset: 0, payload: Vec::new(), at: 0 };
        let mut start = [0; 5];
        frames.fill(&mut start, "the file's first bytes")?;
        if start[..4] != MAGIC {
            return Err(ReadError::byte(0, "not a binary trace: it does not begin with SGTR"));
        }
        if start[4] != VERSION {
            let reason =
                format!("version {} of the binary form; this reader knows version {VERSION}", start[4]);
            return Err(ReadError::byte(4, reason));
        }
        if frames.next(false)? != Some(frame::HEADER) {
            return Err(frames.damage("the first frame is not the header"));
        }
        let header = std::str::from_utf8(&frames.payload[1..])
            .map_err(|e| e.to_string())
            .and_then(Header::from_json)
            .map_err(|reason| frames.damage(reason))?;
        frames.at = frames.payload.len();
        Ok(Self { frames, header, symbols: Symbols::new(), last: Last::default(), next_seq: 0, ended: false })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The names used by the events read so far.
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    /// The next event, or `None` after the last one.
    ///
    /// # Errors
    ///
    /// If the file is damaged or truncated.
    #[allow(clippy::should_implement_trait, reason = "an iterator could not say `?`")]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Event>, ReadError> {
        loop {
            let names = self.symbols.len() as u32;
            let mut cursor = Cursor { rest: &self.frames.payload[self.frames.at..], names };
            let record = match cursor.rest.first() {
                None => {
                    if !self.next_frame()? {
                        return Ok(None);
                    }
                    continue;
                }
                Some(&NAME) => name(&mut cursor, &mut self.symbols).map(|()| None),
                Some(_) => event(&mut cursor, self.next_seq, &mut self.last),
            };
            self.frames.at = self.frames.payload.len() - cursor.rest.len();
            match record {
                Ok(None) => {}
                Ok(event) => {
                    self.next_seq += 1;
                    return Ok(event);
                }
                Err(damage) => return Err(self.frames.damage(damage)),
            }
        }
    }

    /// Goes to the next frame of events; false after the last one.
    #[cold]
    fn next_frame(&mut self) -> Result<bool, ReadError> {
        if self.ended {
            return Ok(false);
        }
        let Some(kind) = self.frames.next(self.header.open)? else {
            self.header.events = self.next_seq;
            self.ended = true;
            return Ok(false);
        };
        let mut cursor = Cursor { rest: &self.frames.payload[1..], names: 0 };
        let number = cursor.u64().map_err(|damage| self.frames.damage(damage))?;
        self.frames.at = self.frames.payload.len() - cursor.rest.len();
        match kind {
            frame::EVENTS if number != self.next_seq => {
                let reason = format!("a frame begins with event {number}, but {} must follow", self.next_seq);
                Err(self.frames.damage(reason))
            }
            frame::EVENTS if self.frames.at == self.frames.payload.len() => {
                Err(self.frames.damage("a frame without events"))
            }
            frame::EVENTS => Ok(true),
            frame::END if number != self.next_seq || (number != self.header.events && !self.header.open) => {
                let reason = format!(
                    "the header promises {} events, the end says {number}, and there were {}",
                    self.header.events, self.next_seq
                );
                Err(self.frames.damage(reason))
            }
            frame::END if self.frames.at != self.frames.payload.len() => {
                Err(self.frames.damage("the last frame is too long"))
            }
            frame::END => {
                self.frames.expect_end()?;
                self.header.events = number;
                self.ended = true;
                Ok(false)
            }
            frame::HEADER => Err(self.frames.damage("a second header")),
            _ => Err(self.frames.damage(format!("unknown frame kind {kind}"))),
        }
    }
}

/// Splits a source into checked frames.
#[derive(Debug)]
struct Frames<R> {
    source: R,
    /// Offset of the source behind the payload.
    offset: u64,
    payload: Vec<u8>,
    /// How much of the payload is used.
    at: usize,
}

impl<R: BufRead> Frames<R> {
    /// An error at the byte of the payload that was reached.
    #[cold]
    fn damage(&self, reason: impl Into<Box<str>>) -> ReadError {
        ReadError::byte(self.offset - (self.payload.len() - self.at) as u64, reason)
    }

    fn fill(&mut self, bytes: &mut [u8], what: &str) -> Result<(), ReadError> {
        self.source.read_exact(bytes).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof
                if e.get_ref().is_none() || e.to_string() == "failed to fill whole buffer" =>
            {
                ReadError::byte(self.offset, format!("truncated: the file ends within or before {what}"))
            }
            _ => ReadError::byte(self.offset, e.to_string()),
        })?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Reads the next frame and returns its kind, the first byte of the payload; `None` if the source ends before
    /// the frame does, and an `open` trace may.
    fn next(&mut self, open: bool) -> Result<Option<u8>, ReadError> {
        let start = self.offset;
        let mut head = [0; 8];
        match self.fill(&mut head, "a frame; the last frame is missing") {
            Err(_) if open && self.is_at_end() => return Ok(None),
            filled => filled?,
        }
        let (length, crc) = head.split_at(4);
        let size = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
        if size == 0 || size > MAX_FRAME {
            return Err(ReadError::byte(start, format!("damaged: a frame of {size} bytes")));
        }
        self.payload.clear();
        // Grows with the bytes that are really there, not with what the length claims.
        let read = (&mut self.source).take(size as u64).read_to_end(&mut self.payload);
        let read = read.map_err(|e| ReadError::byte(start, e.to_string()))?;
        self.offset += read as u64;
        self.at = 0;
        if read < size && open {
            self.payload.clear();
            return Ok(None);
        }
        if read < size {
            let reason = format!("truncated: the file ends after {read} of the {size} bytes of a frame");
            return Err(ReadError::byte(self.offset, reason));
        }
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(length);
        hasher.update(&self.payload);
        if hasher.finalize().to_le_bytes() != crc {
            return Err(ReadError::byte(start, "damaged: the checksum of this frame is wrong"));
        }
        Ok(Some(self.payload[0]))
    }

    /// Whether the source is readable and has nothing more.
    fn is_at_end(&mut self) -> bool {
        self.source.fill_buf().is_ok_and(<[u8]>::is_empty)
    }

    /// Makes sure that nothing follows.
    fn expect_end(&mut self) -> Result<(), ReadError> {
        let rest = self.source.fill_buf().map_err(|e| ReadError::byte(self.offset, e.to_string()))?;
        if rest.is_empty() { Ok(()) } else { Err(ReadError::byte(self.offset, "bytes after the last frame")) }
    }
}

/// Reads the record that gives a name.
#[cold]
fn name(cursor: &mut Cursor<'_>, symbols: &mut Symbols) -> Result<(), Damage> {
    cursor.u8()?;
    let length = cursor.u64()?;
    let name = std::str::from_utf8(cursor.bytes(length)?).map_err(|_| "a name is not UTF-8")?;
    if symbols.intern(name) != Sym(cursor.names + 1) {
        return Err("a name is given twice or is empty");
    }
    if symbols.is_oversized() { Err("more different names than a trace may have") } else { Ok(()) }
}

/// Reads the record of an event; always some, and returned as the caller needs it, for an event is long to copy.
#[inline(always)]
fn event(cursor: &mut Cursor<'_>, seq: u64, last: &mut Last) -> Result<Option<Event>, Damage> {
    let tag = Tag::from_index(cursor.u8()?).ok_or("no kind of event has this number")?;
    let flags = cursor.u8()?;
    if flags & !flag::ALL != 0 {
        return Err("unknown flags of an event");
    }
    last.t_ns = last.t_ns.wrapping_add(unzigzag(cursor.u64()?).cast_unsigned());
    let lo = match flags & flag::LO {
        0 => seq,
        _ => seq.wrapping_sub(unzigzag(cursor.u64()?).cast_unsigned()),
    };
    if flags & flag::ACTOR != 0 {
        last.actor =
            (BinaryField::get(cursor)?, BinaryField::get(cursor)?, BinaryField::get(cursor)?, cursor.u64()?);
    }
    let target = match flags & (flag::TARGET | flag::SAME_TARGET) {
        0 => None,
        flag::TARGET => {
            last.target = Some(Target { g: cursor.u64()?, gs: BinaryField::get(cursor)? });
            last.target
        }
        flag::SAME_TARGET => last.target,
        _ => return Err("an event has two targets"),
    };
    let site = if flags & flag::SITE != 0 { Sym::get(cursor)? } else { Sym::NONE };
    let over = if flags & flag::OVER != 0 { cursor.u64()? } else { 0 };
    let kind = kind(tag, cursor)?;
    let (m, p, on, by) = last.actor;
    let event = Event { seq, lo, t_ns: last.t_ns, m, p, on, by, target, site, over, kind };
    match event.malformed() {
        None => Ok(Some(event)),
        Some(fault) => Err(fault),
    }
}

macro_rules! read_kinds {
    ($($variant:ident $name:literal $need:ident {
        $($([$const:ident = $word:ident])? $field:ident: $key:ident $($opt:ident)?),*
    })+) => {
        #[inline(always)]
        fn kind(tag: Tag, cursor: &mut Cursor<'_>) -> Result<Kind, Damage> {
            Ok(match tag {
                $(Tag::$variant => Kind::$variant { $($field: BinaryField::get(cursor)?),* },)+
            })
        }
    };
}
for_each_kind!(read_kinds);
