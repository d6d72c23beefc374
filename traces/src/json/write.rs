//! Writes JSON Lines that read back as the same events.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::field::JsonField;
use super::key::Key;
use crate::event::{Event, Kind};
use crate::header::Header;
use crate::symbols::Symbols;
use crate::table::for_each_kind;

/// Writes a trace in JSON Lines. Give it a buffered `W`.
#[derive(Debug)]
pub struct JsonWriter<W> {
    out: W,
    next_seq: u64,
    events: u64,
}

impl<W: Write> JsonWriter<W> {
    /// Begins a trace of `header.events` events.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn new(mut out: W, header: &Header) -> io::Result<Self> {
        writeln!(out, "{}", header.to_json())?;
        Ok(Self { out, next_seq: 0, events: header.events })
    }

    /// Writes the next event, whose names are in `symbols`.
    ///
    /// # Errors
    ///
    /// Those of `out`; `InvalidInput` if the event's `seq` does not follow, or its target is missing or too many.
    pub fn write(&mut self, event: &Event, symbols: &Symbols) -> io::Result<()> {
        crate::check_writable(event, self.next_seq)?;
        serde_json::to_writer(&mut self.out, &Record { event, symbols })?;
        self.out.write_all(b"\n")?;
        self.next_seq += 1;
        Ok(())
    }

    /// Ends the trace and gives `out` back, flushed.
    ///
    /// # Errors
    ///
    /// Those of `out`; `InvalidInput` if there were not as many events as the header says.
    pub fn finish(mut self) -> io::Result<W> {
        crate::check_count(self.next_seq, self.events)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

struct Record<'a> {
    event: &'a Event,
    symbols: &'a Symbols,
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (e, symbols) = (self.event, self.symbols);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(Key::K.as_str(), e.kind.tag().as_str())?;
        e.seq.put(Key::Seq, &mut map, symbols)?;
        if matches!(e.kind, Kind::Lost) {
            return map.end();
        }
        if e.lo != e.seq {
            e.lo.put(Key::Lo, &mut map, symbols)?;
        }
        e.t_ns.put(Key::TNs, &mut map, symbols)?;
        e.m.put(Key::M, &mut map, symbols)?;
        e.p.put(Key::P, &mut map, symbols)?;
        e.on.put(Key::On, &mut map, symbols)?;
        e.by.put(Key::By, &mut map, symbols)?;
        if let Some(target) = e.target {
            target.g.put(Key::G, &mut map, symbols)?;
            target.gs.put(Key::Gs, &mut map, symbols)?;
        }
        kind(&e.kind, &mut map, symbols)?;
        if e.site.is_some() {
            e.site.put(Key::Fn, &mut map, symbols)?;
        }
        if e.over != 0 {
            e.over.put(Key::Over, &mut map, symbols)?;
        }
        map.end()
    }
}

macro_rules! put {
    ($value:ident, $map:ident, $symbols:ident, $key:ident opt) => {
        if *$value != Default::default() {
            $value.put(Key::$key, $map, $symbols)?;
        }
    };
    ($value:ident, $map:ident, $symbols:ident, $key:ident) => {
        $value.put(Key::$key, $map, $symbols)?
    };
}

macro_rules! write_kinds {
    ($($variant:ident $name:literal $need:ident {
        $($([$const:ident = $word:ident])? $field:ident: $key:ident $($opt:ident)?),*
    })+) => {
        fn kind<M: SerializeMap>(kind: &Kind, map: &mut M, symbols: &Symbols) -> Result<(), M::Error> {
            match kind {
                $(Kind::$variant { $($field),* } => {
                    $(
                        $(crate::vocab::$const::$word.put(Key::$const, map, symbols)?;)?
                        put!($field, map, symbols, $key $($opt)?);
                    )*
                })+
            }
            Ok(())
        }
    };
}
for_each_kind!(write_kinds);
