//! JSON Lines, the interchange form: one header line, then one event a line.
//!
//! - [`JsonReader`]: streaming, in constant memory;
//! - [`JsonWriter`]: exactly the fields of the format page, so that what is written reads back the same.

mod field;
mod key;
mod line;
mod quick;
mod read;
mod write;

pub use read::{JsonReader, MAX_LINE};
pub use write::JsonWriter;

/// A JSON error without the line number, which counts from the start of the one line that was parsed.
pub(crate) fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) if error.column() > 0 => format!("{}, column {}", &text[..end], error.column()),
        Some(end) => text[..end].into(),
        None => text,
    }
}

#[cfg(test)]
mod tests;
