//! `logging.Formatter` with a pattern: `"%(levelname)-8s %(asctime)s %(message)s"`.
//!
//! Invariants:
//! 1. A [`PatternFormatter`] gives, byte for byte, what `logging.Formatter` of CPython 3.10 to 3.13
//!    gives for the same record. A pattern for which that is in doubt makes no formatter:
//!    [`PatternError`] tells whether Python would take it.
//! 2. Everything that can be refused is refused when the formatter is made, on that thread. With a
//!    record only a field can be missing or of the wrong kind, or message and arguments not match;
//!    [`PatternFormatter::required_fields`] lets the caller check fields beforehand.
//! 3. A record costs no allocation beside `out`, save `%(message)a`, a new second, and errors.
//!
//! Whatever its style, the pattern becomes a list of operations, each a text and a place. A place is
//! an attribute of `LogRecord` or, under any other key, a field of the record, the last one with that
//! key, or else the default for it. The style decides how a pattern is read and how a value is shown:
//! by the renderer that shows the arguments of messages ([`percent`](super::percent)), or by that of
//! format specifications. The exception and the stack, where there are any, follow on lines of their
//! own.
//!
//! ```text
//! percent, braces, dollar   a pattern of that style to places; whether `logging` takes it
//! compile                   places to operations
//! source, show              where a value comes from; how it is shown
//! shape                     operations, and a place in a program, to a text with holes
//! ```
//!
//! What was not captured is shown as Python shows an attribute that is `None`; a call site nobody
//! could tell as `findCaller` names it: `(unknown file)`, line 0, `(unknown function)`.
//!
//! What it does not do: subclasses of `logging.Formatter`, attributes that need a `LogRecord` (`msg`,
//! `args`, `exc_info` …), attributes and items of values (`{user.name}`), `%(message)r` (which
//! characters are printable depends on the interpreter), date formats that depend on locale or
//! platform.
//!
//! Pinned by `tests.rs`, which replays what CPython's formatters gave.

mod braces;
mod compile;
mod dollar;
mod error;
mod percent;
mod shape;
mod show;
mod source;

pub use error::{PatternError, PatternErrorKind};

use super::date::{AscTime, DateFormat};
use super::percent::Kind;
use super::{FormatCache, FormatError, Formatter, Needs, TimeModel, Zone, again, write_message};
use crate::blueprint::Blueprint;
use crate::field::{Field, Value};
use crate::record::{Attribute, CallSite, RecordView};
use compile::{Op, Program};
use show::Kept;
use source::Source;
use std::sync::atomic::{AtomicU64, Ordering};

pub(in crate::format) use shape::Shapes;
pub(in crate::format) use source::{file_name, module};

/// What a [`PatternFormatter`] takes besides its pattern. The defaults are those of
/// `logging.Formatter` in CPython 3.13.
#[derive(Clone, Copy, Debug)]
pub struct PatternOptions<'a> {
    /// How the pattern marks its places. Default `%`.
    pub style: PatternStyle,
    /// The format of dates, as for `time.strftime`. Default none; none or empty means `time_format`
    /// and `msec_format`.
    pub datefmt: Option<&'a str>,
    /// `Formatter.default_time_format`. Default `%Y-%m-%d %H:%M:%S`.
    pub time_format: &'a str,
    /// `Formatter.default_msec_format`, a `%` template for the date and the milliseconds. Default
    /// `%s,%03d`; none or empty leaves the date as it is.
    pub msec_format: Option<&'a str>,
    /// `Formatter.converter`. Default local time.
    pub zone: Zone,
    /// How the times of a record are computed. Default from nanoseconds, relative to the epoch.
    pub time: TimeModel,
    /// Whether records have a `taskName` (since CPython 3.12). Default yes; otherwise the key names
    /// a field like any other.
    pub task_name: bool,
    /// Whether format specifications know `z` (since CPython 3.11). Default yes; otherwise a pattern
    /// with one is left to Python, which refuses it.
    pub knows_z: bool,
    /// Values for fields that a record does not have; of two with one key the last. One under the
    /// name of an attribute is never shown. Copied when the formatter is made. Default none.
    pub defaults: &'a [Field<'a>],
    /// Whether a pattern is refused that `logging.Formatter(validate=True)` refuses: one without any
    /// place, and in the other styles than `%` one that is malformed. Default yes.
    pub validate: bool,
}

/// How a pattern marks its places: `style` of `logging.Formatter`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PatternStyle {
    /// `%(message)s`, shown by Python's `%`.
    #[default]
    Percent,
    /// `{message}`, shown by `str.format`.
    Brace,
    /// `$message` or `${message}`, shown by `str`.
    Dollar,
}

impl PatternStyle {
    /// The pattern that stands for an empty one.
    fn example(self) -> &'static str {
        match self {
            PatternStyle::Percent => "%(message)s",
            PatternStyle::Brace => "{message}",
            PatternStyle::Dollar => "${message}",
        }
    }
}

impl Default for PatternOptions<'_> {
    fn default() -> Self {
        PatternOptions {
            style: PatternStyle::Percent,
            datefmt: None,
            time_format: "%Y-%m-%d %H:%M:%S",
            msec_format: Some("%s,%03d"),
            zone: Zone::Local,
            time: TimeModel::default(),
            task_name: true,
            knows_z: true,
            defaults: &[],
            validate: true,
        }
    }
}

/// Formats records as `logging.Formatter` does with a pattern.
#[derive(Debug)]
pub struct PatternFormatter {
    /// Distinguishes the formatters that may share a cache one after the other.
    id: u64,
    program: Program,
    asctime: Option<AscTime>,
    time: TimeModel,
    needs: Needs,
    blueprint: Blueprint,
}

/// A field that a pattern shows.
#[derive(Clone, Copy, Debug)]
pub struct RequiredField<'a> {
    key: &'a str,
    op: &'a Op,
}

impl<'a> RequiredField<'a> {
    /// Its key.
    pub fn key(&self) -> &'a str {
        self.key
    }

    /// Whether a value of this kind is shown exactly as Python shows it.
    pub fn accepts(&self, kind: Kind) -> bool {
        self.op.show.accepts(kind)
    }

    /// Whether a default stands for it in a record without it, which otherwise cannot be formatted.
    pub fn has_default(&self) -> bool {
        self.op.default.is_some()
    }
}

impl PatternFormatter {
    /// Compiles `pattern`; an empty one shows the message. If dates are shown in local time and
    /// this is the first formatter to do so, reads `TZ` and the file of the time zone.
    ///
    /// # Errors
    /// [`PatternError`] for a pattern or date format that is not rendered natively.
    pub fn new(pattern: &str, options: &PatternOptions<'_>) -> Result<Self, PatternError> {
        let pattern = if pattern.is_empty() { options.style.example() } else { pattern };
        let program = compile::compile(pattern, options)?;
        let mut needs = Needs::default();
        for op in &program.ops {
            op.source.add_needs(&mut needs);
        }
        // Python makes the date wherever the pattern looks like it, and raises if it cannot.
        let uses_time = compile::uses_time(pattern, options.style);
        let asctime = uses_time.then(|| asctime(options)).transpose()?;
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let blueprint = again::of_pattern(pattern, options);
        Ok(PatternFormatter { id, program, asctime, time: options.time, needs, blueprint })
    }

    /// The fields that every record has to have, or that have a default, once for each place that
    /// shows one.
    pub fn required_fields(&self) -> impl Iterator<Item = RequiredField<'_>> {
        self.program.ops.iter().filter_map(|op| match &op.source {
            Source::Field(key) => Some(RequiredField { key, op }),
            _ => None,
        })
    }

    /// Whether its dates have names of days, months or halves of the day, which Python takes from
    /// the locale: exact only while `LC_TIME` is `C` or `POSIX`.
    pub fn assumes_c_locale(&self) -> bool {
        self.asctime.as_ref().is_some_and(AscTime::uses_names)
    }

    #[inline]
    fn write_place(
        &self,
        op: &Op,
        record: &RecordView<'_>,
        cache: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let site = || record.site.unwrap_or(UNKNOWN_SITE);
        match &op.source {
            Source::Message if op.plain => return write_message(&record.message, out),
            Source::AscTime if op.plain => return self.write_date(record, cache, out),
            Source::Message | Source::AscTime => {
                let start = out.len();
                if op.source == Source::Message {
                    write_message(&record.message, out)?;
                } else {
                    self.write_date(record, cache, out)?;
                }
                op.show.rewrite(start, out);
            }
            Source::Name => show(op, record.logger, out),
            Source::LevelName => write_level_name(op, record, out)?,
            Source::PathName => show(op, site().path, out),
            Source::FileName => show(op, file_name(site().path), out),
            Source::Module => show(op, module(file_name(site().path)), out),
            Source::FuncName => show(op, site().function, out),
            Source::ThreadName => show_attribute(op, record, Attribute::ThreadName, out),
            Source::TaskName => show_attribute(op, record, Attribute::TaskName, out),
            Source::ProcessName => show_attribute(op, record, Attribute::ProcessName, out),
            _ => op.show.write(self.value(op, record, cache)?, out)?,
        }
        Ok(())
    }

    fn value<'r>(
        &self,
        op: &'r Op,
        record: &RecordView<'r>,
        cache: &mut FormatCache,
    ) -> Result<Value<'r>, FormatError> {
        let created = || self.time.created(record.time_ns);
        Ok(match &op.source {
            Source::LevelNo => record.level.0.into(),
            Source::LineNo => record.site.unwrap_or(UNKNOWN_SITE).line.into(),
            Source::Thread => record.thread.into(),
            Source::Process => cache.process().into(),
            Source::Created => created().into(),
            Source::Msecs => self.time.msecs(record.time_ns, created()).into(),
            Source::RelativeCreated => self.time.relative_created(record.time_ns, created()).into(),
            Source::Field(key) => field(record, key)
                .or(op.default.as_ref().map(Kept::value))
                .ok_or_else(|| missing(key))?,
            _ => Value::None,
        })
    }

    #[inline]
    fn write_date(
        &self,
        record: &RecordView<'_>,
        cache: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        match &self.asctime {
            Some(asctime) => asctime.write(self.time, record.time_ns, cache, out),
            None => Ok(()),
        }
    }
}

impl Formatter for PatternFormatter {
    fn format(
        &self,
        record: &RecordView<'_>,
        cache: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        match self.format_by_shape(record, cache, out)? {
            true => Ok(()),
            false => self.format_by_operations(record, cache, out),
        }
    }

    fn is_verbatim(&self) -> bool {
        true
    }

    fn needs(&self) -> Needs {
        self.needs
    }

    fn blueprint(&self) -> Option<Blueprint> {
        Some(self.blueprint.clone())
    }
}

impl PatternFormatter {
    fn format_by_operations(
        &self,
        record: &RecordView<'_>,
        cache: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let start = out.len();
        for op in &self.program.ops {
            out.extend_from_slice(op.before.as_bytes());
            self.write_place(op, record, cache, out)?;
        }
        out.extend_from_slice(self.program.after.as_bytes());
        for attribute in [Attribute::Exception, Attribute::Stack] {
            if let Some(text) = record.attribute(attribute).filter(|text| !text.is_empty()) {
                if out[start..].last() != Some(&b'\n') {
                    out.push(b'\n');
                }
                out.extend_from_slice(text.as_bytes());
            }
        }
        Ok(())
    }
}

/// What `findCaller` gives where it finds none.
const UNKNOWN_SITE: CallSite<'static> =
    CallSite { path: b"(unknown file)", function: b"(unknown function)", line: 0 };

fn asctime(options: &PatternOptions<'_>) -> Result<AscTime, PatternError> {
    let (option, format, msec_format) = match options.datefmt {
        Some(datefmt) if !datefmt.is_empty() => ("datefmt", datefmt, None),
        _ => ("time_format", options.time_format, options.msec_format),
    };
    let format =
        DateFormat::parse(format).map_err(|reason| PatternError::not_native(option, reason))?;
    let msec_format = msec_format.filter(|format| !format.is_empty());
    AscTime::new(format, msec_format, options.zone)
        .map_err(|reason| PatternError::not_native("msec_format", reason))
}

/// Shows a text as the place wants it.
#[inline]
fn show(op: &Op, text: &[u8], out: &mut Vec<u8>) {
    if op.plain {
        out.extend_from_slice(text);
    } else {
        op.show.write_text(text, out);
    }
}

#[inline]
fn show_attribute(op: &Op, record: &RecordView<'_>, attribute: Attribute, out: &mut Vec<u8>) {
    show(op, record.attribute(attribute).unwrap_or("None").as_bytes(), out);
}

#[inline]
fn write_level_name(
    op: &Op,
    record: &RecordView<'_>,
    out: &mut Vec<u8>,
) -> Result<(), FormatError> {
    match record.attribute(Attribute::LevelName).or(record.level.name()) {
        Some(name) => show(op, name.as_bytes(), out),
        None => {
            let start = out.len();
            out.extend_from_slice(b"Level ");
            super::percent::write_integer(record.level.0, out);
            op.show.rewrite(start, out);
        }
    }
    Ok(())
}

/// The last field with this key.
fn field<'r>(record: &RecordView<'r>, key: &str) -> Option<Value<'r>> {
    record.fields().filter(|field| field.key == key).last().map(|field| field.value)
}

#[cold]
fn missing(key: &str) -> FormatError {
    FormatError(format!("formatting field not found in record: '{key}'"))
}

#[cfg(test)]
mod shape_tests;
#[cfg(test)]
mod tests;
