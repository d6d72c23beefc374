//! `conformance show --html` and `--perfetto`: the timeline of a trace as a file.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;

use sigurg_traces::Ordered;
use sigurg_traces::source::{Options, UnknownKinds, open};

use super::output::{Status, complain, name, note};
use super::show::Args;
use crate::report::html;
use crate::timeline::perfetto::Writer;
use crate::timeline::{self, Part};

/// Events on a page: it stays quick to open.
const MOST: usize = 20_000;
/// Events on either side of `--around`.
const CONTEXT: u16 = 2_000;

pub(super) fn write(args: &Args) -> Status {
    let html = args.html.as_deref().map(|out| page(args, out));
    let perfetto = args.perfetto.as_deref().map(|out| chrome(&args.file, out));
    [html, perfetto].into_iter().flatten().max().unwrap_or(Status::Conforms)
}

fn page(args: &Args, out: &Path) -> Status {
    let file = name(&args.file);
    let context = usize::from(args.context.unwrap_or(CONTEXT));
    let part = match (args.around, &args.events) {
        (Some(seq), _) => Part::Around(seq, context, context),
        (None, Some(events)) => {
            let many = events.end().saturating_sub(*events.start()).saturating_add(1);
            Part::From(*events.start(), usize::try_from(many).unwrap_or(MOST).min(MOST))
        }
        (None, None) => Part::From(0, MOST),
    };
    let (window, error) = match timeline::read(&args.file, part) {
        Ok(read) => read,
        Err(error) => return bad(&file, &error),
    };
    let (Some(first), Some(last)) = (window.rows.first(), window.rows.last()) else {
        return bad(&file, &"there are no such events");
    };
    if args.around.is_some_and(|seq| !window.rows.iter().any(|row| row.seq == seq)) {
        return bad(&file, &"there is no such event");
    }
    let about = format!("Events {} to {}", first.seq, last.seq);
    let shown =
        args.file.file_name().map_or_else(|| file.clone(), |name| name.to_string_lossy().into_owned());
    if let Err(e) = fs::write(out, html::timeline(&shown, &about, &window)) {
        return bad(&name(out), &e);
    }
    note(format_args!("{}: {} events", out.display(), window.rows.len()));
    match error {
        None => Status::Conforms,
        Some(error) => broken(&file, &error),
    }
}

fn chrome(path: &Path, out: &Path) -> Status {
    let file = name(path);
    let reader = match open(path, Options { unknown_kinds: UnknownKinds::Count }) {
        Ok(reader) => reader,
        Err(error) => return bad(&file, &error),
    };
    let created = File::create(out).and_then(|made| Writer::new(BufWriter::new(made), &file));
    let mut writer = match created {
        Ok(writer) => writer,
        Err(e) => return bad(&name(out), &e),
    };
    let mut ordered = Ordered::new(reader);
    let mut status = Status::Conforms;
    loop {
        match ordered.advance() {
            Ok(true) => {
                let event = *ordered.event();
                if let Err(e) = writer.event(&event, ordered.symbols()) {
                    return bad(&name(out), &e);
                }
            }
            Ok(false) => break,
            Err(error) => {
                status = broken(&file, &error);
                break;
            }
        }
    }
    match writer.end() {
        Ok(()) => status,
        Err(e) => bad(&name(out), &e),
    }
}

fn bad(file: &str, error: &dyn std::fmt::Display) -> Status {
    complain(format_args!("{file}: {error}"));
    Status::Bad
}

fn broken(file: &str, error: &sigurg_traces::OrderedError) -> Status {
    complain(format_args!("{file}: {error}"));
    if matches!(error, sigurg_traces::OrderedError::Read(_)) { Status::Bad } else { Status::Broken }
}
