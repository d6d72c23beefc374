//! Bad lines get a place and a reason; good ones read back as they were written.

use proptest::prelude::*;

use super::{JsonReader, JsonWriter};
use crate::error::{Place, ReadError};
use crate::event::{Event, Kind};
use crate::source::{Options, UnknownKinds};

fn header(events: u64) -> String {
    format!(
        r#"{{"k":"header","schema":1,"producer":"t","go_version":"1","arch":"a","gomaxprocs":1,"events":{events},"claimed":{events},"complete":true,"lost":0,"ordering":"ver"}}"#
    )
}

const STATUS: &str = r#"{"k":"g_status","seq":0,"lo":0,"t_ns":5,"m":1,"p":-1,"on":"g0","by":0,"g":7,"gs":3,"from":"Gidle","to":"Gdead","via":"casgstatus","ver":1,"fn":"newproc1"}"#;

fn read(text: &[u8], options: Options) -> Result<(Vec<Event>, u64), ReadError> {
    let mut reader = JsonReader::new(text, options)?;
    let mut events = Vec::new();
    while let Some(event) = reader.next()? {
        events.push(event);
    }
    assert_eq!(reader.next(), Ok(None), "the end stays the end");
    Ok((events, reader.skipped()))
}

/// Reads one event line behind a header that promises it.
fn read_line(line: &str) -> Result<(Vec<Event>, u64), ReadError> {
    read(format!("{}\n{line}\n", header(1)).as_bytes(), Options::default())
}

#[test]
fn every_fault_of_a_line_is_named_with_its_line() {
    assert_eq!(read_line(STATUS).unwrap().0.len(), 1);
    for (from, to, says) in [
        (r#""g_status""#, r#""g_statusses""#, "unknown kind \"g_statusses\""),
        (r#""k":"g_status","#, "", "the kind, is missing"),
        (r#""Gdead""#, r#""Gdeaf""#, "g_status: field `to`: unknown word \"Gdeaf\""),
        (r#""Gdead""#, r#""Pdead""#, "g_status: field `to`: not a word for this kind"),
        (r#""Gdead""#, "6", "field `to` must be a word, not a number"),
        (r#""ver":1,"#, "", "field `ver` is missing"),
        (r#","gs":3"#, "", "field `gs` is missing"),
        (r#""ver":1"#, r#""ver":"1""#, "field `ver` must be an unsigned 64-bit integer, not a string"),
        (r#""ver":1"#, r#""ver":-1"#, "field `ver`: number out of range"),
        (r#""ver":1"#, r#""ver":1.5"#, "field `ver`: number out of range"),
        (r#""ver":1"#, r#""ver":18446744073709551616"#, "field `ver`: number out of range"),
        (r#""gs":3"#, r#""gs":4294967296"#, "field `gs`: number out of range"),
        (r#""m":1"#, r#""m":2147483648"#, "field `m`: number out of range"),
        (r#""m":1"#, r#""m":[1,{"a":2}]"#, "not an array or an object"),
        (r#""m":1"#, r#""m":1,"m":1"#, "field `m` appears twice"),
        (r#""seq":0"#, r#""seq":3"#, "gap: seq 3 instead of 0"),
        (r#""seq":0,"#, "", "field `seq` is missing"),
        ("}", "", "EOF while parsing"),
        ("}", "}}", "trailing characters"),
        ("{", "[{", "invalid type"),
        (STATUS, "", "EOF"),
        ("newproc1", "new\tproc1", "control character"),
    ] {
        let error = read_line(&STATUS.replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.place, Place::Line(2), "{from} -> {to}: {error}");
        assert!(error.reason.contains(says), "{from} -> {to}: {error}");
        assert!(!error.reason.contains(" at line "), "{error}");
    }
}

#[test]
fn a_trace_as_a_whole_must_be_as_its_header_says() {
    let second = STATUS.replacen("\"seq\":0", "\"seq\":1", 1);
    for (text, line, says) in [
        (String::new(), None, "empty"),
        ("\n".into(), Some(1), "not a trace"),
        (STATUS.into(), Some(1), "first line must be the header"),
        (header(0).replace("\"schema\":1", "\"schema\":7"), Some(1), "schema 7 is not supported"),
        (header(2), Some(2), "truncated: the header promises 2 events, the file ends after 0"),
        (format!("{}\n{STATUS}\n", header(2)), Some(3), "the file ends after 1"),
        (format!("{}\n{STATUS}\n{}", header(2), &second[..80]), Some(3), "EOF while parsing"),
        (format!("{}\n{STATUS}\n{second}\n", header(1)), Some(3), "more events than the 1"),
        (format!("{}\n{STATUS}\n{STATUS}\n", header(2)), Some(3), "seq 0 appears again"),
    ] {
        let error = read(text.as_bytes(), Options::default()).unwrap_err();
        assert_eq!(error.place, line.map_or(Place::File, Place::Line), "{text}: {error}");
        assert!(error.reason.contains(says), "{text}: {error}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_where_they_are() {
    let mut text = format!("{}\n{STATUS}\n", header(1)).into_bytes();
    let at = text.len() - 5;
    text[at] = 0xff;
    let error = read(&text, Options::default()).unwrap_err();
    assert_eq!(error, ReadError::line(2, format!("not UTF-8 at byte {} of the line", STATUS.len() - 4)));
}

#[test]
fn a_line_without_an_end_does_not_fill_the_memory() {
    let endless = std::io::BufReader::new(std::io::repeat(b'x'));
    let error = JsonReader::new(endless, Options::default()).map(|_| ()).unwrap_err();
    assert_eq!(error.place, Place::Line(1));
    assert!(error.reason.contains("not a trace"), "{error}");
}

#[test]
fn unknown_kinds_are_counted_when_asked_and_unknown_fields_ignored() {
    let strange = r#"{"k":"teleport","seq":0,"from":{"x":1},"speed":3}"#;
    let known =
        STATUS.replacen("\"seq\":0", "\"seq\":1", 1).replace("}", r#","speed":{"a":[1,2]},"sid":"x"}"#);
    let text = format!("{}\n{strange}\n{known}", header(2));
    let count = Options { unknown_kinds: UnknownKinds::Count };
    let (events, skipped) = read(text.as_bytes(), count).unwrap();
    assert_eq!((events.len(), events[0].seq, skipped), (1, 1, 1));
    let error = read(text.as_bytes(), Options::default()).unwrap_err();
    assert_eq!(error, ReadError::line(2, "unknown kind \"teleport\""));
}

#[test]
fn a_resume_of_nothing_has_no_target_and_any_other_has_one() {
    let resume = |dead| {
        format!(
            r#"{{"k":"resume_begin","seq":0,"t_ns":1,"m":1,"p":0,"on":"g0","by":1,"sid":4,"dead":{dead},"stopped":false}}"#
        )
    };
    assert_eq!(read_line(&resume(true)).unwrap().0[0].target, None);
    assert!(read_line(&resume(false)).unwrap_err().reason.contains("`gs` is missing"));
}

#[test]
fn escapes_in_names_words_and_field_names_are_undone() {
    let escaped = STATUS
        .replace("newproc1", r"new\u0070roc1\n")
        .replace("Gidle", r"G\u0069dle")
        .replace("ver", r"v\u0065r");
    let text = format!("{}\r\n{escaped}\r\n", header(1));
    let mut reader = JsonReader::new(text.as_bytes(), Options::default()).unwrap();
    let event = reader.next().unwrap().unwrap();
    assert_eq!(reader.symbols().resolve(event.site), "newproc1\n");
    assert!(matches!(event.kind, Kind::GStatus { ver: 1, .. }));
}

proptest! {
    #[test]
    fn prop_what_is_written_reads_back_the_same((header, events, symbols) in crate::arbitrary::trace(40)) {
        let mut writer = JsonWriter::new(Vec::new(), &header).unwrap();
        for event in &events {
            writer.write(event, &symbols).unwrap();
        }
        let text = writer.finish().unwrap();
        // A small buffer, so that lines cross its border.
        let source = std::io::BufReader::with_capacity(97, text.as_slice());
        let mut reader = JsonReader::new(source, Options::default()).unwrap();
        prop_assert_eq!(reader.header(), &header);
        let mut again = JsonWriter::new(Vec::new(), &header).unwrap();
        for event in &events {
            let read = reader.next().unwrap().unwrap();
            prop_assert_eq!(read.kind.tag(), event.kind.tag());
            again.write(&read, reader.symbols()).unwrap();
        }
        prop_assert_eq!(reader.next().unwrap(), None);
        // Symbols are numbered by first use, so events are compared as they are spelled.
        prop_assert_eq!(String::from_utf8(again.finish().unwrap()), String::from_utf8(text));
    }

    #[test]
    fn prop_no_bytes_make_the_reader_panic(noise in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..400) {
        let mut text = format!("{}\n{STATUS}\n", header(1)).into_bytes();
        let at = at.min(text.len());
        text.splice(at..(at + noise.len() / 2).min(text.len()), noise);
        let _ = read(&text, Options::default());
    }
}
