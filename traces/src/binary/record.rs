//! A binary trace written while it happens: how long it will be nobody knows.
//!
//! Invariants:
//! 1. Until it is finished the header says that it is [`open`](Header::open), so that what a program left when it
//!    died is read to its last whole frame.
//! 2. The finished header lies exactly over the first: both have [`ROOM`] bytes, filled up with spaces.

use std::io::{self, Seek, SeekFrom, Write};

use super::BinaryWriter;
use crate::event::Event;
use crate::header::Header;
use crate::symbols::Symbols;

/// Length of the header's frame, in bytes.
const ROOM: usize = 1024;
/// How much longer its numbers may get.
const LONGER: usize = 64;

/// Writes a trace of unknown length in the binary form, at the start of `W`.
#[derive(Debug)]
pub struct Recording<W> {
    writer: BinaryWriter<W>,
    header: Header,
}

impl<W: Write + Seek> Recording<W> {
    /// Begins a trace. What `header` says of the number of events is not looked at.
    ///
    /// # Errors
    ///
    /// Those of `out`; `InvalidInput` if the texts of the header are longer than about 900 bytes.
    pub fn new(out: W, header: Header) -> io::Result<Self> {
        let header = Header { events: 0, claimed: 0, complete: false, open: true, ..header };
        if header.to_json().len() + LONGER > ROOM {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the texts of the header are too long"));
        }
        let mut writer = BinaryWriter::bare(out, 0);
        writer.start(&header, ROOM)?;
        Ok(Self { writer, header })
    }

    /// Writes the next event: as [`BinaryWriter::write`].
    ///
    /// # Errors
    ///
    /// As [`BinaryWriter::write`].
    pub fn write(&mut self, event: &Event, symbols: &Symbols) -> io::Result<()> {
        self.writer.write(event, symbols)
    }

    /// How many events were written.
    pub fn written(&self) -> u64 {
        self.writer.written()
    }

    /// Writes what is held back, so that it can be read if the program dies.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// Ends the trace and gives `out` back. If it is not `complete`, at least one event is missing at its end.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn finish(mut self, complete: bool) -> io::Result<W> {
        self.writer.end()?;
        let events = self.written();
        self.writer.out().seek(SeekFrom::Start(0))?;
        let claimed = events + u64::from(!complete);
        self.writer.start(&Header { events, claimed, complete, open: false, ..self.header }, ROOM)?;
        self.writer.flush()?;
        Ok(self.writer.into_out())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::binary::BinaryReader;
    use crate::event::Kind;
    use crate::header::Ordering;

    fn recording(events: u64) -> Recording<Cursor<Vec<u8>>> {
        let header = Header::new("test", "1", Ordering::Stream, 2, 0);
        let mut recording = Recording::new(Cursor::default(), header).unwrap();
        let mut symbols = Symbols::new();
        let name = symbols.intern("stopm");
        for seq in 0..events {
            let event = Event { lo: seq, site: name, kind: Kind::Stopm, ..Event::lost(seq) };
            recording.write(&event, &symbols).unwrap();
        }
        recording
    }

    fn read(bytes: &[u8]) -> Result<(u64, Header), crate::ReadError> {
        let mut reader = BinaryReader::new(bytes)?;
        let mut events = 0;
        while reader.next()?.is_some() {
            events += 1;
        }
        Ok((events, reader.header().clone()))
    }

    #[test]
    fn a_finished_recording_is_like_any_other_trace() {
        for complete in [true, false] {
            let bytes = recording(20_000).finish(complete).unwrap().into_inner();
            let (events, header) = read(&bytes).unwrap();
            assert_eq!(
                (events, header.events, header.complete, header.open),
                (20_000, 20_000, complete, false)
            );
            assert_eq!(header.claimed == header.events, complete);
            assert!(read(&bytes[..bytes.len() - 1]).is_err(), "a finished one must be whole");
        }
    }

    #[test]
    fn what_a_program_left_when_it_died_is_read_to_its_last_whole_frame() {
        let mut recording = recording(300);
        recording.flush().unwrap();
        let whole = recording.writer.out().get_ref().clone();
        assert_eq!(read(&whole).unwrap().0, 300);
        let mut symbols = Symbols::new();
        let name = symbols.intern("stopm");
        for seq in 300..400 {
            let event = Event { lo: seq, site: name, kind: Kind::Stopm, ..Event::lost(seq) };
            recording.write(&event, &symbols).unwrap();
        }
        recording.flush().unwrap();
        let longer = recording.writer.out().get_ref().clone();
        for length in whole.len()..longer.len() {
            let (events, header) = read(&longer[..length]).unwrap();
            assert_eq!((events, header.open, header.is_cut()), (300, true, true), "{length} bytes");
        }
        let (events, header) = read(&longer).unwrap();
        assert_eq!((events, header.events), (400, 400), "the reader counts what nobody else did");
    }

    #[test]
    fn damage_within_an_open_trace_is_refused() {
        let mut recording = recording(300);
        recording.flush().unwrap();
        let bytes = recording.writer.out().get_ref().clone();
        for at in (0..bytes.len()).step_by(if cfg!(miri) { 200 } else { 1 }) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            // Only the length of the last frame can be damaged so that the file seems to end within it.
            if let Ok((events, _)) = read(&damaged) {
                assert_eq!(events, 0, "byte {at}");
                assert!((5 + 8 + ROOM..5 + 8 + ROOM + 4).contains(&at), "byte {at}");
            }
        }
    }

    #[test]
    fn texts_that_leave_no_room_are_refused() {
        let header = Header::new(&"x".repeat(1000), "1", Ordering::Stream, 2, 0);
        let error = Recording::new(Cursor::new(Vec::new()), header).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
