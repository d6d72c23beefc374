//! `conformance convert`: from one form of a trace to the other.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sigurg_traces::binary::BinaryWriter;
use sigurg_traces::json::JsonWriter;
use sigurg_traces::source::{Options, TraceReader, open};
use sigurg_traces::{Event, ReadError, Symbols};

use super::output::{Out, Status, complain, name};

/// Convert a trace between JSON Lines and the binary form, packed or not.
///
/// What IN is, its first bytes say; what OUT is to be, its name says: .jsonl or .sgtr, then nothing, .gz or
/// .zst. OUT is written beside its place and moved there when it is whole.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A trace; `-` is standard input
    #[arg(value_name = "IN")]
    from: PathBuf,
    /// Where to; `-` is JSON Lines on standard output
    #[arg(value_name = "OUT")]
    to: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  conformance convert trace.jsonl.gz trace.sgtr.zst
  conformance convert trace.sgtr - | jq 'select(.k == \"preempt_park\")'

Exit status:
  0  done
  2  IN is no trace, or OUT cannot be written";

/// Level of zstd: its own default.
const ZSTD_LEVEL: i32 = 3;

#[derive(Clone, Copy)]
enum Form {
    Json,
    Binary,
}

#[derive(Clone, Copy)]
enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// What the name of a file says that it is to be.
fn form_of(path: &Path) -> Option<(Form, Packing)> {
    let name = path.file_name()?.to_str()?;
    let (name, packing) = match (name.strip_suffix(".gz"), name.strip_suffix(".zst")) {
        (Some(name), _) => (name, Packing::Gzip),
        (_, Some(name)) => (name, Packing::Zstd),
        _ => (name, Packing::Plain),
    };
    match () {
        () if name.ends_with(".jsonl") => Some((Form::Json, packing)),
        () if name.ends_with(".sgtr") => Some((Form::Binary, packing)),
        () => None,
    }
}

/// Which side failed.
enum Fault {
    Read(ReadError),
    Write(io::Error),
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

pub(super) fn run(args: &Args, out: &mut Out) -> io::Result<Status> {
    let reader = match open(&args.from, Options::default()) {
        Ok(reader) => reader,
        Err(error) => {
            complain(format_args!("{}: {error}", name(&args.from)));
            return Ok(Status::Bad);
        }
    };
    let done = if args.to == Path::new("-") {
        copy(reader, Form::Json, out).map(|_| ())
    } else if let Some((form, packing)) = form_of(&args.to) {
        to_file(reader, form, packing, &args.to)
    } else {
        complain(format_args!(
            "{}: must end in .jsonl or .sgtr, then nothing, .gz or .zst",
            args.to.display()
        ));
        return Ok(Status::Bad);
    };
    match done {
        Ok(()) => return Ok(Status::Conforms),
        Err(Fault::Read(error)) => complain(format_args!("{}: {error}", name(&args.from))),
        Err(Fault::Write(error)) => {
            complain(format_args!("{}: cannot be written: {error}", args.to.display()))
        }
    }
    Ok(Status::Bad)
}

fn to_file(reader: TraceReader, form: Form, packing: Packing, to: &Path) -> Result<(), Fault> {
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let file = BufWriter::new(File::create(&part)?);
    let written = match packing {
        Packing::Plain => copy(reader, form, file),
        Packing::Gzip => copy(reader, form, GzEncoder::new(file, Compression::default()))
            .and_then(|packed| Ok(packed.finish()?)),
        Packing::Zstd => zstd::Encoder::new(file, ZSTD_LEVEL)
            .map_err(Fault::Write)
            .and_then(|packer| copy(reader, form, packer))
            .and_then(|packed| Ok(packed.finish()?)),
    };
    let moved = written
        .and_then(|file| file.into_inner().map_err(|e| Fault::Write(e.into_error())))
        .and_then(|_| Ok(fs::rename(&part, to)?));
    if moved.is_err() {
        // What is left of it is of no use to anybody; the first error is the one to tell.
        let _ = fs::remove_file(&part);
    }
    moved
}

/// Copies the trace, and gives `out` back.
fn copy<W: Write>(mut reader: TraceReader, form: Form, out: W) -> Result<W, Fault> {
    let header = reader.header().clone();
    match form {
        Form::Json => {
            let mut writer = JsonWriter::new(BufWriter::new(out), &header)?;
            each(&mut reader, |event, symbols| writer.write(event, symbols))?;
            Ok(writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?)
        }
        Form::Binary => {
            let mut writer = BinaryWriter::new(out, &header)?;
            each(&mut reader, |event, symbols| writer.write(event, symbols))?;
            Ok(writer.finish()?)
        }
    }
}

fn each(
    reader: &mut TraceReader,
    mut write: impl FnMut(&Event, &Symbols) -> io::Result<()>,
) -> Result<(), Fault> {
    while let Some(event) = reader.next()? {
        write(&event, reader.symbols())?;
    }
    Ok(())
}
