//! Writes the binary form.

use std::io::{self, Write};

use super::field::BinaryField;
use super::wire::{put_u64, zigzag};
use super::{Last, MAGIC, MAX_FRAME, NAME, VERSION, flag, frame};
use crate::event::{Event, Kind, Sym};
use crate::header::Header;
use crate::symbols::Symbols;
use crate::table::for_each_kind;

/// A payload is written when it is this long, in bytes.
const FULL: usize = 64 << 10;

/// Writes a trace in the binary form. `W` need not be buffered: it gets whole frames.
#[derive(Debug)]
pub struct BinaryWriter<W> {
    out: W,
    events: u64,
    next_seq: u64,
    last: Last,
    payload: Vec<u8>,
    event: Vec<u8>,
    names: Names,
}

/// Which names the file has already given.
#[derive(Debug, Default)]
struct Names {
    /// By [`Sym`]: the number in the file, or 0.
    numbers: Vec<u32>,
    given: u32,
    /// The records that give the names of the event at hand.
    records: Vec<u8>,
}

/// The event at hand, being coded.
pub(super) struct Body<'a> {
    pub(super) out: &'a mut Vec<u8>,
    names: &'a mut Names,
    symbols: &'a Symbols,
}

impl Body<'_> {
    /// The number of `sym` in the file, given now if need be.
    #[inline]
    pub(super) fn number(&mut self, sym: Sym) -> u32 {
        match self.names.numbers.get(sym.0 as usize) {
            Some(&number) if number != 0 => number,
            _ => self.give(sym),
        }
    }

    #[cold]
    fn give(&mut self, sym: Sym) -> u32 {
        let name = self.symbols.resolve(sym);
        if name.is_empty() {
            return 0;
        }
        let at = sym.0 as usize;
        if self.names.numbers.len() <= at {
            self.names.numbers.resize(at + 1, 0);
        }
        self.names.given += 1;
        self.names.numbers[at] = self.names.given;
        self.names.records.push(NAME);
        put_u64(&mut self.names.records, name.len() as u64);
        self.names.records.extend_from_slice(name.as_bytes());
        self.names.given
    }
}

impl<W: Write> BinaryWriter<W> {
    /// Begins a trace of `header.events` events.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn new(out: W, header: &Header) -> io::Result<Self> {
        let mut writer = Self::bare(out, header.events);
        writer.start(header, 0)?;
        Ok(writer)
    }

    pub(super) fn bare(out: W, events: u64) -> Self {
        Self {
            out,
            events,
            next_seq: 0,
            last: Last::default(),
            payload: Vec::new(),
            event: Vec::new(),
            names: Names::default(),
        }
    }

    /// Writes what stands before the events; the header takes at least `room` bytes.
    pub(super) fn start(&mut self, header: &Header, room: usize) -> io::Result<()> {
        self.out.write_all(&MAGIC)?;
        self.out.write_all(&[VERSION])?;
        self.payload.push(frame::HEADER);
        self.payload.extend_from_slice(header.to_json().as_bytes());
        // What JSON allows at its end.
        self.payload.resize(self.payload.len().max(room), b' ');
        self.frame()
    }

    /// How many events were written.
    pub fn written(&self) -> u64 {
        self.next_seq
    }

    /// Writes what is held back, so that it is in `out` if the program dies.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn flush(&mut self) -> io::Result<()> {
        if !self.payload.is_empty() {
            self.frame()?;
        }
        self.out.flush()
    }

    /// Writes the next event. `symbols` must be the same table for all events of the trace.
    ///
    /// # Errors
    ///
    /// Those of `out`; `InvalidInput` if the event's `seq` does not follow, its target is missing or too many, or
    /// its names are longer than a reader allows.
    pub fn write(&mut self, event: &Event, symbols: &Symbols) -> io::Result<()> {
        crate::check_writable(event, self.next_seq)?;
        if self.payload.is_empty() {
            self.payload.push(frame::EVENTS);
            put_u64(&mut self.payload, event.seq);
        }
        self.event.clear();
        self.names.records.clear();
        encode(event, &mut self.last, Body { out: &mut self.event, names: &mut self.names, symbols });
        self.payload.extend_from_slice(&self.names.records);
        self.payload.extend_from_slice(&self.event);
        self.next_seq += 1;
        if self.payload.len() >= FULL { self.frame() } else { Ok(()) }
    }

    /// Ends the trace and gives `out` back, flushed.
    ///
    /// # Errors
    ///
    /// Those of `out`; `InvalidInput` if there were not as many events as the header says.
    pub fn finish(mut self) -> io::Result<W> {
        crate::check_count(self.next_seq, self.events)?;
        self.end()?;
        Ok(self.out)
    }

    pub(super) fn out(&mut self) -> &mut W {
        &mut self.out
    }

    pub(super) fn into_out(self) -> W {
        self.out
    }

    /// Writes what stands behind the events.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.flush()?;
        self.payload.push(frame::END);
        put_u64(&mut self.payload, self.next_seq);
        self.frame()?;
        self.out.flush()
    }

    /// Writes the payload as a frame.
    fn frame(&mut self) -> io::Result<()> {
        let length = u32::try_from(self.payload.len()).ok().filter(|_| self.payload.len() <= MAX_FRAME);
        let length = length
            .ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidInput, "a name is longer than a frame may be")
            })?
            .to_le_bytes();
        let mut crc = crc32fast::Hasher::new();
        crc.update(&length);
        crc.update(&self.payload);
        self.out.write_all(&length)?;
        self.out.write_all(&crc.finalize().to_le_bytes())?;
        self.out.write_all(&self.payload)?;
        self.payload.clear();
        Ok(())
    }
}

fn encode(event: &Event, last: &mut Last, mut body: Body<'_>) {
    let actor = (event.m, event.p, event.on, event.by);
    let target = match event.target {
        None => 0,
        same if same == last.target => flag::SAME_TARGET,
        Some(_) => flag::TARGET,
    };
    let flags = if event.lo != event.seq { flag::LO } else { 0 }
        | if actor != last.actor { flag::ACTOR } else { 0 }
        | target
        | if event.site.is_some() { flag::SITE } else { 0 }
        | if event.over != 0 { flag::OVER } else { 0 };
    body.out.extend_from_slice(&[event.kind.tag() as u8, flags]);
    put_u64(body.out, zigzag(event.t_ns.wrapping_sub(last.t_ns).cast_signed()));
    last.t_ns = event.t_ns;
    if flags & flag::LO != 0 {
        put_u64(body.out, zigzag(event.seq.wrapping_sub(event.lo).cast_signed()));
    }
    if flags & flag::ACTOR != 0 {
        event.m.put(&mut body);
        event.p.put(&mut body);
        event.on.put(&mut body);
        event.by.put(&mut body);
        last.actor = actor;
    }
    if let (flag::TARGET, Some(target)) = (target, event.target) {
        target.g.put(&mut body);
        target.gs.put(&mut body);
        last.target = event.target;
    }
    if flags & flag::SITE != 0 {
        event.site.put(&mut body);
    }
    if flags & flag::OVER != 0 {
        event.over.put(&mut body);
    }
    kind(&event.kind, &mut body);
}

macro_rules! write_kinds {
    ($($variant:ident $name:literal $need:ident {
        $($([$const:ident = $word:ident])? $field:ident: $key:ident $($opt:ident)?),*
    })+) => {
        fn kind(kind: &Kind, body: &mut Body<'_>) {
            match kind {
                $(Kind::$variant { $($field),* } => { $($field.put(body);)* })+
            }
        }
    };
}
for_each_kind!(write_kinds);
