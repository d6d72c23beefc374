//! What is written reads back the same, and no damage goes unseen.

use proptest::prelude::*;

use super::{BinaryReader, BinaryWriter, MAX_FRAME};
use crate::error::{Place, ReadError};
use crate::event::Event;
use crate::header::{Header, Ordering};
use crate::symbols::Symbols;

fn write(header: &Header, events: &[Event], symbols: &Symbols) -> Vec<u8> {
    let mut writer = BinaryWriter::new(Vec::new(), header).unwrap();
    for event in events {
        writer.write(event, symbols).unwrap();
    }
    writer.finish().unwrap()
}

fn read(bytes: &[u8]) -> Result<(Vec<Event>, Symbols), ReadError> {
    let mut reader = BinaryReader::new(bytes)?;
    let mut events = Vec::new();
    while let Some(event) = reader.next()? {
        events.push(event);
    }
    assert_eq!(reader.next(), Ok(None), "the end stays the end");
    Ok((events, reader.symbols().clone()))
}

/// A trace of every kind, with names, in two frames of events.
fn sample() -> Vec<u8> {
    let mut symbols = Symbols::new();
    let name = symbols.intern("schedule");
    let header = Header::new("test", "1", Ordering::Stream, 2, 40);
    let mut writer = BinaryWriter::new(Vec::new(), &header).unwrap();
    for seq in 0..40 {
        let kind = match seq % 4 {
            0 => crate::Kind::Stopm,
            1 => crate::Kind::StwBegin { reason: name },
            2 => crate::Kind::Procresize { old: -1, new: 1 << 40 },
            _ => crate::Kind::Handoffp { target_p: 3 },
        };
        let event =
            Event { m: 1, by: seq, site: name, over: seq % 3, t_ns: seq * 1000, kind, ..Event::lost(seq) };
        writer.write(&event, &symbols).unwrap();
    }
    writer.finish().unwrap()
}

proptest! {
    #[test]
    fn prop_what_is_written_reads_back_the_same((header, events, symbols) in crate::arbitrary::trace(60)) {
        let bytes = write(&header, &events, &symbols);
        let reader = BinaryReader::new(bytes.as_slice()).unwrap();
        prop_assert_eq!(reader.header(), &header);
        let (read, names) = read(&bytes).unwrap();
        prop_assert_eq!(write(&header, &read, &names), bytes, "read and written again");
        let spelled = |events: &[Event], symbols: &Symbols| {
            let mut writer = crate::json::JsonWriter::new(Vec::new(), &header).unwrap();
            events.iter().for_each(|event| writer.write(event, symbols).unwrap());
            String::from_utf8(writer.finish().unwrap()).unwrap()
        };
        // Names are numbered by first use, so events are compared as they are spelled.
        prop_assert_eq!(spelled(&read, &names), spelled(&events, &symbols));
    }

    #[test]
    fn prop_no_payload_makes_the_reader_panic(
        payload in proptest::collection::vec(any::<u8>(), 1..200), start in 0u8..4,
    ) {
        // A right checksum, so that the payload itself is read.
        let mut bytes = sample();
        let end = bytes.len() - 10;
        bytes.truncate(end);
        let payload = [&[start, 40], payload.as_slice()].concat();
        let length = (payload.len() as u32).to_le_bytes();
        let mut crc = crc32fast::Hasher::new();
        crc.update(&length);
        crc.update(&payload);
        bytes.extend([length, crc.finalize().to_le_bytes()].concat());
        bytes.extend(payload);
        prop_assert!(read(&bytes).is_err());
    }
}

#[test]
fn every_truncation_is_refused_where_it_is() {
    let bytes = sample();
    assert!(read(&bytes).is_ok());
    for length in 0..bytes.len() {
        let error = read(&bytes[..length]).unwrap_err();
        assert!(error.reason.contains("truncated"), "{length} bytes: {error}");
        assert!(matches!(error.place, Place::Byte(at) if at <= length as u64), "{length} bytes: {error}");
    }
}

#[test]
fn every_damaged_byte_is_refused() {
    let bytes = sample();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            let error = read(&damaged).expect_err(&format!("byte {at}, bit {bit}"));
            assert!(
                matches!(error.place, Place::Byte(found) if found <= bytes.len() as u64),
                "byte {at}: {error}"
            );
        }
    }
}

#[test]
fn frames_out_of_place_are_refused() {
    let bytes = sample();
    let header = u32::from_le_bytes(bytes[5..9].try_into().unwrap()) as usize + 8;
    let (start, rest) = bytes.split_at(5);
    let (head, body) = rest.split_at(header);
    for (wrong, says) in [
        ([start, body].concat(), "the first frame is not the header"),
        ([start, head, head, body].concat(), "a second header"),
        ([start, head, &body[..body.len() - 10], body].concat(), "begins with event 0, but 40 must follow"),
        ([start, head, &body[body.len() - 10..]].concat(), "there were 0"),
        ([&bytes, [0].as_slice()].concat(), "bytes after the last frame"),
        ([b"SGTR\x02", rest].concat(), "version 2"),
    ] {
        let error = read(&wrong).unwrap_err();
        assert!(error.reason.contains(says), "{error}");
    }
}

#[test]
fn a_length_that_lies_does_not_fill_the_memory() {
    for length in [0, MAX_FRAME as u32 + 1, u32::MAX] {
        let bytes = [b"SGTR\x01".as_slice(), &length.to_le_bytes(), &[0; 40]].concat();
        let error = read(&bytes).unwrap_err();
        assert_eq!(error, ReadError::byte(5, format!("damaged: a frame of {length} bytes")));
    }
}

#[test]
fn a_writer_refuses_what_a_reader_would() {
    let header = Header::new("test", "1", Ordering::Ver, 1, 2);
    let symbols = Symbols::new();
    let mut writer = BinaryWriter::new(Vec::new(), &header).unwrap();
    let lost = Event::lost;
    writer.write(&lost(0), &symbols).unwrap();
    for (event, says) in [
        (lost(0), "event 0 was written where 1 must follow"),
        (lost(2), "event 2 was written where 1 must follow"),
        (Event { m: 3, ..lost(1) }, "a lost event has nothing but its seq"),
        (Event { kind: crate::Kind::Goyield, ..lost(1) }, "needs a target"),
        (
            Event { kind: crate::Kind::Stopm, target: Some(crate::Target { g: 1, gs: 1 }), ..lost(1) },
            "has no target",
        ),
    ] {
        let error = writer.write(&event, &symbols).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let error = writer.finish().unwrap_err().to_string();
    assert!(error.contains("1 events were written, the header promises 2"), "{error}");
}
