//! A trace is found out by its first bytes, however it is packed; what is no trace is refused with a reason.

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sigurg_traces::binary::BinaryWriter;
use sigurg_traces::source::open;
use sigurg_traces::{Options, Place, ReadError, TraceReader};
use tempfile::TempDir;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// A short recording in both forms, and how many events it has.
fn sample() -> (Vec<u8>, Vec<u8>, u64) {
    let path = common::recordings("go").into_iter().find(|p| p.to_string_lossy().contains("w2-p2")).unwrap();
    let mut json = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(fs::File::open(path).unwrap()), &mut json)
        .unwrap();
    let mut reader = TraceReader::from_bytes(&json, Options::default()).unwrap();
    let mut writer = BinaryWriter::new(Vec::new(), reader.header()).unwrap();
    while let Some(event) = reader.next().unwrap() {
        writer.write(&event, reader.symbols()).unwrap();
    }
    (json, writer.finish().unwrap(), reader.header().events)
}

fn count(mut reader: TraceReader) -> Result<u64, ReadError> {
    let mut count = 0;
    while reader.next()?.is_some() {
        count += 1;
    }
    Ok(count)
}

fn count_bytes(bytes: &[u8]) -> Result<u64, ReadError> {
    count(TraceReader::from_bytes(bytes, Options::default())?)
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

fn refusal(path: &Path) -> ReadError {
    match open(path, Options::default()) {
        Ok(reader) => count(reader).expect_err("a refusal"),
        Err(error) => error,
    }
}

#[test]
fn every_packing_of_both_forms_is_opened() {
    let (json, binary, events) = sample();
    let folder = Folder::new();
    for (form, plain) in [("json", &json), ("binary", &binary)] {
        for (packing, bytes) in [
            ("plain", plain.clone()),
            ("gzip", gzip(plain)),
            ("zstd", zstd(plain)),
            ("gzip in zstd", zstd(&gzip(plain))),
            ("gzip in two members", [gzip(&plain[..999]), gzip(&plain[999..])].concat()),
            ("zstd in two frames", [zstd(&plain[..999]), zstd(&plain[999..])].concat()),
        ] {
            // The name must not matter.
            let path = folder.file("trace.txt", &bytes);
            let read = open(&path, Options::default()).and_then(count);
            assert_eq!(read, Ok(events), "{form}, {packing}");
        }
    }
}

#[test]
fn half_a_file_is_refused_in_every_packing() {
    let (json, binary, _) = sample();
    for (form, bytes) in [
        ("json", json.clone()),
        ("binary", binary.clone()),
        ("json.gz", gzip(&json)),
        ("json.zst", zstd(&json)),
        ("binary.gz", gzip(&binary)),
        ("binary.zst", zstd(&binary)),
    ] {
        let error = count_bytes(&bytes[..bytes.len() / 2]).expect_err(form);
        let cut = ["truncated", "EOF"].iter().any(|word| error.reason.contains(word));
        // Half a packed block may unpack to nothing at all; then there is no place within the trace.
        assert!(cut && (error.place != Place::File || form == "binary.zst"), "{form}: {error}");
    }
}

#[test]
fn damage_in_a_packed_stream_is_refused() {
    let (json, binary, _) = sample();
    for (form, bytes) in
        [("json.gz", gzip(&json)), ("binary.gz", gzip(&binary)), ("binary.zst", zstd(&binary))]
    {
        for at in [bytes.len() / 3, bytes.len() / 2, bytes.len() - 3] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(count_bytes(&damaged).is_err(), "{form}, byte {at}");
        }
    }
}

#[test]
fn what_is_no_trace_is_refused_with_a_reason() {
    let folder = Folder::new();
    let mut noise = vec![0u8; 10 << 20];
    let mut state = 1u64;
    for byte in &mut noise {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        *byte = (state >> 56) as u8;
    }
    let endless = noise.iter().map(|byte| byte & 0x7f | 0x20).collect::<Vec<u8>>();
    for (path, says) in [
        (folder.file("empty", b""), "empty"),
        (folder.file("empty.gz", &gzip(b"")), "empty"),
        (folder.file("noise", &noise), "not UTF-8"),
        (folder.file("one long line", &endless), "not a trace"),
        (folder.file("text", b"hello\n"), "not a trace"),
        (folder.file("json", b"[1,2]\n"), "not a trace"),
        (folder.file("thrice", &gzip(&gzip(&gzip(b"x")))), "packed more than 2 times"),
        (folder.0.path().to_owned(), "is a directory"),
        (folder.0.path().join("nowhere"), "cannot be opened: No such file"),
    ] {
        let error = refusal(&path);
        assert!(error.reason.contains(says), "{}: {error}", path.display());
    }
}
