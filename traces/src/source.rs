//! Opens a trace wherever it comes from and however it is packed.
//!
//! What a file is, its first bytes say; its name says nothing.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use crate::binary::{self, BinaryReader};
use crate::error::ReadError;
use crate::event::Event;
use crate::header::Header;
use crate::json::JsonReader;
use crate::symbols::Symbols;

/// What to do with events of an unknown kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownKinds {
    /// They are an error.
    #[default]
    Refuse,
    /// They are skipped and counted: [`TraceReader::skipped`].
    Count,
}

/// How to read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// What to do with events of an unknown kind. The binary form knows its kinds by number; there an unknown one
    /// is always an error.
    pub unknown_kinds: UnknownKinds,
}

/// Bytes read at once: long enough that few lines cross a border, short enough for the cache.
const BUFFER: usize = 128 << 10;
/// How many packings may lie around a trace.
const MAX_LAYERS: usize = 2;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Bytes of a trace, unpacked.
type Bytes = BufReader<Box<dyn Read + Send>>;

/// A trace, open for reading.
pub struct TraceReader {
    form: Form,
}

enum Form {
    Json(Box<JsonReader<Bytes>>),
    Binary(Box<BinaryReader<Bytes>>),
}

/// Opens the trace at `path`, or standard input if `path` is `-`.
///
/// # Errors
///
/// If it cannot be opened, is a directory or empty, or does not begin as a trace does.
pub fn open(path: &Path, options: Options) -> Result<TraceReader, ReadError> {
    if path == Path::new("-") {
        return TraceReader::new(io::stdin(), options);
    }
    let fault = |e: io::Error| ReadError::file(format!("cannot be opened: {e}"));
    let file = File::open(path).map_err(fault)?;
    if file.metadata().map_err(fault)?.is_dir() {
        return Err(ReadError::file("is a directory, not a trace"));
    }
    TraceReader::new(file, options)
}

impl TraceReader {
    /// Reads the header of `source`, which may be packed.
    ///
    /// # Errors
    ///
    /// If it is empty or does not begin as a trace does.
    pub fn new(source: impl Read + Send + 'static, options: Options) -> Result<Self, ReadError> {
        let mut bytes: Bytes = BufReader::with_capacity(BUFFER, Box::new(source));
        let mut layers = 0;
        loop {
            let start = bytes.fill_buf().map_err(|e| ReadError::file(format!("cannot be read: {e}")))?;
            let unpacked: Box<dyn Read + Send> = if start.starts_with(&GZIP) {
                Box::new(Unpacked { name: "gzip", inner: flate2::bufread::MultiGzDecoder::new(bytes) })
            } else if start.starts_with(&ZSTD) {
                let inner = zstd::Decoder::with_buffer(bytes)
                    .map_err(|e| ReadError::file(format!("cannot be unpacked: {e}")))?;
                Box::new(Unpacked { name: "zstd", inner })
            } else if start.is_empty() {
                return Err(ReadError::file("empty: there is not even a header"));
            } else if start.starts_with(&binary::MAGIC) {
                let form = Form::Binary(Box::new(BinaryReader::new(bytes)?));
                return Ok(Self { form });
            } else {
                let form = Form::Json(Box::new(JsonReader::new(bytes, options)?));
                return Ok(Self { form });
            };
            layers += 1;
            if layers > MAX_LAYERS {
                return Err(ReadError::file(format!("packed more than {MAX_LAYERS} times")));
            }
            bytes = BufReader::with_capacity(BUFFER, unpacked);
        }
    }

    /// Reads the header of a trace that lies in memory.
    ///
    /// # Errors
    ///
    /// As [`TraceReader::new`].
    pub fn from_bytes(bytes: &[u8], options: Options) -> Result<Self, ReadError> {
        Self::new(Cursor::new(bytes.to_vec()), options)
    }

    /// The header.
    pub fn header(&self) -> &Header {
        match &self.form {
            Form::Json(reader) => reader.header(),
            Form::Binary(reader) => reader.header(),
        }
    }

    /// The names used by the events read so far.
    pub fn symbols(&self) -> &Symbols {
        match &self.form {
            Form::Json(reader) => reader.symbols(),
            Form::Binary(reader) => reader.symbols(),
        }
    }

    /// How many events were skipped because their kind is unknown ([`UnknownKinds::Count`]).
    pub fn skipped(&self) -> u64 {
        match &self.form {
            Form::Json(reader) => reader.skipped(),
            Form::Binary(_) => 0,
        }
    }

    /// On which line of the file event `seq` stands, from 1; `None` in the binary form.
    pub fn line_of(&self, seq: u64) -> Option<u64> {
        match &self.form {
            // The header is the first line, and the events count from 0 without gaps.
            Form::Json(_) => Some(seq + 2),
            Form::Binary(_) => None,
        }
    }

    /// The next event in order of `seq`, or `None` after the last one.
    ///
    /// # Errors
    ///
    /// If the trace is damaged, truncated, or holds something that is no event.
    #[allow(clippy::should_implement_trait, reason = "an iterator could not say `?`")]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Event>, ReadError> {
        match &mut self.form {
            Form::Json(reader) => reader.next(),
            Form::Binary(reader) => reader.next(),
        }
    }
}

/// A packed stream whose errors say what it was packed with.
struct Unpacked<R> {
    name: &'static str,
    inner: R,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|e| match e.kind() {
            io::ErrorKind::Interrupted => e,
            kind => io::Error::new(kind, format!("the {} stream is damaged or truncated: {e}", self.name)),
        })
    }
}
