//! The first record of a trace: who made it, how long it is, and what its order rests on.
//!
//! Invariant: both forms carry the header as the same JSON object, so there is one reader and one writer of it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The schema that this crate reads and writes.
pub const SCHEMA: u32 = 1;

/// What the order of the events rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ordering {
    /// One global counter gives `seq`; the status changes of a G are ordered by `ver`.
    Ver,
    /// No counter: each M's events are in its program order, each object's changes carry versions.
    Stream,
}

/// The header of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// `go`, or the name of another runtime.
    pub producer: String,
    /// Version of the producer: `go1.27.3`.
    pub go_version: String,
    /// Operating system and architecture of the producer: `linux/amd64`.
    pub arch: String,
    /// Number of Ps set for the run; it may change while running.
    pub gomaxprocs: u32,
    /// Number of events in the trace.
    pub events: u64,
    /// Number of events that the program made; more than `events` if the trace is a prefix.
    pub claimed: u64,
    /// Whether the trace is no prefix.
    pub complete: bool,
    /// Number of events of kind `lost`.
    pub lost: u64,
    /// What the order rests on.
    pub ordering: Ordering,
    /// The workload that was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
    /// The producer's own test suite that was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// Seed of the workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Size of the workload, in its own unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// How long the workload was asked to run, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// About how many of 256 attempts to change a status word were preceded by a random wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<u32>,
    /// Whether the writer never came to its end: the program died. Then nobody counted the events, and the file may
    /// end anywhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open: bool,
}

/// What tells a header from anything else; read first, so that its faults get their own words.
#[derive(Deserialize)]
struct Look<'a> {
    #[serde(borrow)]
    k: Option<Cow<'a, str>>,
    schema: Option<serde_json::Value>,
}

/// A header as it is written.
#[derive(Serialize)]
struct Line<'a> {
    k: &'static str,
    #[serde(flatten)]
    header: &'a Header,
}

impl Header {
    /// Whether actions at the end may lack their event: the trace is a prefix, or claimed slots were not written.
    pub fn is_cut(&self) -> bool {
        !self.complete || self.lost > 0
    }

    /// A header for a trace of `events` events made by `producer`, complete and with nothing lost.
    pub fn new(producer: &str, version: &str, ordering: Ordering, gomaxprocs: u32, events: u64) -> Self {
        Self {
            schema: SCHEMA,
            producer: producer.into(),
            go_version: version.into(),
            arch: format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
            gomaxprocs,
            events,
            claimed: events,
            complete: true,
            lost: 0,
            ordering,
            workload: None,
            suite: None,
            seed: None,
            size: None,
            duration_ms: None,
            jitter: None,
            open: false,
        }
    }

    /// Reads the JSON object `text`; the error is a reason without a place.
    pub(crate) fn from_json(text: &str) -> Result<Self, String> {
        let look: Look<'_> = serde_json::from_str(text).map_err(|e| {
            format!("not a trace: the header must be a JSON object ({})", crate::json::describe(&e))
        })?;
        if look.k.as_deref() != Some("header") {
            return Err(match look.k {
                Some(kind) => format!("the first line must be the header, not an event of kind {kind:?}"),
                None => "not a trace: the header must have \"k\":\"header\"".into(),
            });
        }
        match look.schema {
            Some(schema) if schema == SCHEMA => {}
            Some(schema) => {
                return Err(format!("schema {schema} is not supported; this reader knows schema {SCHEMA}"));
            }
            None => return Err("the header has no field `schema`".into()),
        }
        serde_json::from_str(text).map_err(|e| format!("header: {}", crate::json::describe(&e)))
    }

    /// The header as one JSON object.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(&Line { k: "header", header: self }).expect("a header has only JSON types")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GO: &str = r#"{"k":"header","schema":1,"producer":"go","go_version":"go1.27.3","arch":"linux/amd64","gomaxprocs":2,"events":9,"claimed":12,"complete":false,"lost":0,"ordering":"ver","workload":"w12","seed":501,"size":150,"duration_ms":600,"jitter":0}"#;

    #[test]
    fn a_header_is_written_as_it_was_read() {
        assert_eq!(Header::from_json(GO).unwrap().to_json(), GO);
    }

    #[test]
    fn every_fault_of_a_header_is_named() {
        for (from, to, says) in [
            (r#""schema":1"#, r#""schema":2"#, "schema 2 is not supported"),
            (r#""schema":1"#, r#""schema":"1""#, "schema \"1\" is not supported"),
            (r#""schema":1,"#, "", "no field `schema`"),
            (r#""events":9,"#, "", "missing field `events`"),
            (r#""events":9"#, r#""events":-9"#, "invalid value"),
            (r#""gomaxprocs":2"#, r#""gomaxprocs":4294967296"#, "invalid value"),
            (r#""ver""#, r#""time""#, "unknown variant `time`"),
            (r#""header""#, r#""g_status""#, "not an event of kind \"g_status\""),
            (r#""k":"header","#, "", "must have \"k\":\"header\""),
            ("}", "", "not a trace"),
        ] {
            let error = Header::from_json(&GO.replace(from, to)).unwrap_err();
            assert!(error.contains(says), "{from} -> {to}: {error}");
        }
    }
}
