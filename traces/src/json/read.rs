//! Reads JSON Lines, one event at a time, in constant memory.

use std::io::BufRead;

use super::field::JsonField;
use super::key::Key;
use super::line::{FromSlot, Line, Shape};
use crate::error::ReadError;
use crate::event::{Event, Kind, Sym, Target};
use crate::header::Header;
use crate::source::{Options, UnknownKinds};
use crate::symbols::Symbols;
use crate::table::{Need, Tag, for_each_kind};
use crate::vocab::Stack;

/// The longest line that is read, in bytes. An event takes some hundred; this only keeps memory bounded.
pub const MAX_LINE: usize = 16 << 20;

/// A trace in JSON Lines.
#[derive(Debug)]
pub struct JsonReader<R> {
    lines: Lines<R>,
    header: Header,
    symbols: Symbols,
    line: Line,
    options: Options,
    next_seq: u64,
    skipped: u64,
}

impl<R: BufRead> JsonReader<R> {
    /// Reads the header of `source`.
    ///
    /// # Errors
    ///
    /// If there is none, or it is of another schema.
    pub fn new(source: R, options: Options) -> Result<Self, ReadError> {
        let mut lines = Lines { source, carry: Vec::new(), number: 0 };
        let Some((text, taken)) = lines.next()? else {
            return Err(ReadError::file("empty: there is not even a header"));
        };
        let header = Header::from_json(text).map_err(|reason| ReadError::line(1, reason))?;
        lines.source.consume(taken);
        Ok(Self {
            lines,
            header,
            symbols: Symbols::new(),
            line: Line::new(),
            options,
            next_seq: 0,
            skipped: 0,
        })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The names used by the events read so far.
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    /// How many events were skipped because their kind is unknown ([`UnknownKinds::Count`]).
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The next event, or `None` after the last one.
    ///
    /// # Errors
    ///
    /// If the line is no event, is not the one that must follow, or the trace ends too early or too late.
    #[allow(clippy::should_implement_trait, reason = "an iterator could not say `?`")]
    pub fn next(&mut self) -> Result<Option<Event>, ReadError> {
        loop {
            let Some((text, taken)) = self.lines.next()? else {
                return self.end();
            };
            let parsed = self
                .line
                .parse(text, &mut self.symbols)
                .map_err(|e| super::describe(&e))
                .and_then(|()| event(&self.line, self.next_seq, self.options.unknown_kinds));
            self.lines.source.consume(taken);
            let parsed = parsed.map_err(|reason| ReadError::line(self.lines.number, reason))?;
            if self.next_seq >= self.header.events && !self.header.open {
                let reason = format!("more events than the {} that the header promises", self.header.events);
                return Err(ReadError::line(self.lines.number, reason));
            }
            if self.symbols.is_oversized() {
                return Err(ReadError::line(self.lines.number, "more different names than a trace may have"));
            }
            self.next_seq += 1;
            match parsed {
                Some(event) => return Ok(Some(event)),
                None => self.skipped += 1,
            }
        }
    }

    #[cold]
    fn end(&mut self) -> Result<Option<Event>, ReadError> {
        let (promised, read) = (self.header.events, self.next_seq);
        if read < promised {
            let reason =
                format!("truncated: the header promises {promised} events, the file ends after {read}");
            return Err(ReadError::line(self.lines.number + 1, reason));
        }
        // More only in an open trace, whose events nobody counted.
        self.header.events = read;
        Ok(None)
    }
}

/// Splits a source into lines.
#[derive(Debug)]
struct Lines<R> {
    source: R,
    /// A line that does not lie in the source's buffer as a whole.
    carry: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// The next line, without its end, and how many bytes of the source's buffer to consume after its use.
    fn next(&mut self) -> Result<Option<(&str, usize)>, ReadError> {
        self.number += 1;
        self.carry.clear();
        let (whole, taken) = loop {
            let number = self.number;
            let buffer = self.source.fill_buf().map_err(|e| ReadError::line(number, e.to_string()))?;
            let end = memchr::memchr(b'\n', buffer);
            if self.carry.is_empty() && end.is_some() {
                break (true, end.map_or(0, |end| end + 1));
            }
            if self.carry.len() + end.unwrap_or(buffer.len()) > MAX_LINE {
                return Err(ReadError::line(number, format!("longer than {MAX_LINE} bytes: not a trace")));
            }
            let (last, taken) = (end.is_some() || buffer.is_empty(), end.map_or(buffer.len(), |end| end + 1));
            self.carry.extend_from_slice(&buffer[..end.unwrap_or(buffer.len())]);
            self.source.consume(taken);
            if last {
                if taken == 0 && self.carry.is_empty() {
                    self.number -= 1;
                    return Ok(None);
                }
                break (false, 0);
            }
        };
        let number = self.number;
        let bytes = if whole {
            // Already filled: this only lends the buffer again.
            let buffer = self.source.fill_buf().map_err(|e| ReadError::line(number, e.to_string()))?;
            &buffer[..taken - 1]
        } else {
            self.carry.as_slice()
        };
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some((text, taken))),
            Err(e) => {
                Err(ReadError::line(number, format!("not UTF-8 at byte {} of the line", e.valid_up_to())))
            }
        }
    }
}

/// The event that `line` tells of, which must be number `seq`; `None` if its kind is unknown and to be counted.
fn event(line: &Line, seq: u64, unknown: UnknownKinds) -> Result<Option<Event>, String> {
    let found = u64::take(line, Key::Seq)?;
    if found != seq {
        return Err(match found < seq {
            true => format!("seq {found} appears again; {seq} must follow"),
            false => format!("gap: seq {found} instead of {seq}"),
        });
    }
    let tag = match line.get(Key::K) {
        Some((Shape::Word, value)) => Tag::from_slot(value).ok_or("field `k`: unknown kind")?,
        Some((Shape::Strange, _)) => {
            return match unknown {
                UnknownKinds::Count => Ok(None),
                UnknownKinds::Refuse => Err(format!("unknown kind {:?}", line.strange(Key::K))),
            };
        }
        _ => return Err("field `k`, the kind, is missing or not a string".into()),
    };
    if tag == Tag::Lost {
        return Ok(Some(Event::lost(seq)));
    }
    let kind = kind(tag, line).map_err(|reason| format!("{tag}: {reason}"))?;
    common(line, seq, kind).map(Some).map_err(|reason| format!("{tag}: {reason}"))
}

#[inline]
fn common(line: &Line, seq: u64, kind: Kind) -> Result<Event, String> {
    let wanted = match kind.tag().need() {
        Need::Always => true,
        Need::Never => false,
        Need::UnlessDead => {
            !matches!(kind, Kind::ResumeBegin { dead: true, .. }) || line.get(Key::Gs).is_some()
        }
        Need::Optional => line.get(Key::Gs).is_some(),
    };
    let target = match wanted {
        true => Some(Target { gs: u32::take(line, Key::Gs)?, g: u64::take(line, Key::G)? }),
        false => None,
    };
    Ok(Event {
        seq,
        lo: or_else(line, Key::Lo, seq)?,
        t_ns: u64::take(line, Key::TNs)?,
        m: i32::take(line, Key::M)?,
        p: i32::take(line, Key::P)?,
        on: Stack::take(line, Key::On)?,
        by: u64::take(line, Key::By)?,
        target,
        site: or_else(line, Key::Fn, Sym::NONE)?,
        over: or_else(line, Key::Over, 0)?,
        kind,
    })
}

/// Field `key`, or `default` if the line does not have it.
#[inline]
fn or_else<F: JsonField>(line: &Line, key: Key, default: F) -> Result<F, String> {
    if line.get(key).is_some() { F::take(line, key) } else { Ok(default) }
}

macro_rules! take {
    ($line:ident, $key:ident opt) => {
        or_else($line, Key::$key, Default::default())?
    };
    ($line:ident, $key:ident) => {
        JsonField::take($line, Key::$key)?
    };
}

macro_rules! read_kinds {
    ($($variant:ident $name:literal $need:ident {
        $($([$const:ident = $word:ident])? $field:ident: $key:ident $($opt:ident)?),*
    })+) => {
        fn kind(tag: Tag, line: &Line) -> Result<Kind, String> {
            Ok(match tag {
                $(Tag::$variant => {
                    $($(constant(line, Key::$const, crate::vocab::$const::$word)?;)?)*
                    Kind::$variant { $($field: take!(line, $key $($opt)?)),* }
                })+
            })
        }
    };
}
for_each_kind!(read_kinds);

/// Checks a field that has one possible word.
fn constant<W: JsonField + PartialEq + std::fmt::Display>(
    line: &Line,
    key: Key,
    word: W,
) -> Result<(), String> {
    if W::take(line, key)? == word { Ok(()) } else { Err(format!("field `{key}` must be {word}")) }
}
