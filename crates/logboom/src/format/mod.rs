//! Formatters: bytes out of a record.
//!
//! Invariants:
//! 1. A formatter is immutable and shared; what it remembers between records lies in the
//!    [`FormatCache`] of the route, which only the writer touches.
//! 2. A formatter appends to `out` and looks at nothing that was there before. Where it fails, the
//!    writer cuts off what it had appended: half a line never reaches a sink.
//! 3. A formatter adds no terminator: the route does.
//!
//! ```text
//! pattern   logging.Formatter's patterns in all three styles: compiled once, run for each record
//! message   the message of a record, for every formatter
//! percent   Python's `%` operator for typed arguments
//! format_spec  Python's `format` of a typed value
//! brace     `{}` templates, for callers in Rust
//! date      asctime and the other times
//! console   lines for people at a terminal
//! structured  fields, their keys and their order; in the notation of json or logfmt
//! redacted    a record without its secrets, before any of these sees it
//! again       formatters made again from their blueprints
//! ```

#[cfg_attr(
    not(all(target_os = "linux", not(loom))),
    allow(dead_code, reason = "nothing is recovered there")
)]
pub(crate) mod again;
mod brace;
pub mod console;
mod date;
mod format_spec;
mod json;
mod logfmt;
mod message;
pub mod pattern;
pub mod percent;
mod redacted;
pub mod structured;
#[cfg(test)]
mod tables;

pub use console::ConsoleFormatter;
pub use date::{Precision, TimeModel, Zone, reload_local_zone};
pub use json::{JsonFormatter, write_json_text, write_json_value};
pub use logfmt::LogfmtFormatter;
pub use message::write_message;
pub use pattern::PatternFormatter;
pub use redacted::Redactor;

use crate::blueprint::Blueprint;
use crate::record::RecordView;
use std::fmt;

/// Makes the text of a record. Runs on the writer's thread only.
pub trait Formatter: Send + Sync + 'static {
    /// Appends the text of `record` to `out`, without a terminator.
    ///
    /// # Errors
    /// [`FormatError`] counts the record as failed and tells the user once per interval.
    fn format(
        &self,
        record: &RecordView<'_>,
        cache: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError>;

    /// What has to be captured at the call for this formatter to work.
    fn needs(&self) -> Needs;

    /// Whether it shows a record exactly as the standard library's formats do, fields with secret names
    /// included, unless patterns are redacted. Default `false`.
    fn is_verbatim(&self) -> bool {
        false
    }

    /// What it takes to make the same formatter in another process. Default `None`: it cannot be, and
    /// what a dead process left behind for it is formatted in a plain way.
    fn blueprint(&self) -> Option<Blueprint> {
        None
    }
}

/// What a formatter asks of the capture, beyond time, level, thread number, logger, message and
/// fields, which every record has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The call site.
    pub site: bool,
    /// [`Attribute::ThreadName`](crate::record::Attribute::ThreadName).
    pub thread_name: bool,
    /// [`Attribute::ProcessName`](crate::record::Attribute::ProcessName).
    pub process_name: bool,
    /// [`Attribute::TaskName`](crate::record::Attribute::TaskName).
    pub task_name: bool,
}

/// What a route remembers between two records so that formatting is cheap. Survives a change of
/// the route's formatter; a forked child starts with a new one.
#[derive(Debug, Default)]
pub struct FormatCache {
    date: date::DateCache,
    shapes: pattern::Shapes,
    iso: date::IsoCache,
    structured: structured::Scratch,
    console: console::Scratch,
    process: Option<u32>,
}

impl FormatCache {
    /// A cache for the records of the process with this number, where that is not our own: those
    /// that a dead process left behind.
    pub fn for_process(process: u32) -> FormatCache {
        FormatCache { process: Some(process), ..FormatCache::default() }
    }

    /// The number of the process whose records these are.
    #[inline]
    pub(crate) fn process(&mut self) -> u32 {
        *self.process.get_or_insert_with(std::process::id)
    }
}

/// Appends a moment as ISO 8601 has it, in UTC, with milliseconds.
pub(crate) fn write_time(time_ns: i64, out: &mut String) {
    let mut bytes = Vec::new();
    date::IsoCache::default().write(Precision::Millis, time_ns, &mut bytes);
    out.push_str(&String::from_utf8_lossy(&bytes));
}

/// Why a record could not be made text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError(pub String);

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FormatError {}
