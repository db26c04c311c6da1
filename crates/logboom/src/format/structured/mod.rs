//! Structured lines: which values stand in them, under which keys, in which order.
//!
//! Invariants:
//! 1. Everything that can be refused is refused when the formatter is made ([`StructuredError`]).
//! 2. No key stands twice in one object, and no field takes the place of a value of the formatter's.
//! 3. What a record does not have (a call site nobody captured, a traceback) is left out.
//!
//! ```text
//! here       options to a layout, its keys made text once; a record to a line
//! preset     names and keys, by who reads them
//! fields     the fields, under keys of their own
//! ```
//!
//! How a key and a value are written is the notation's: that of JSON or logfmt.
//!
//! Type and message of an exception are taken from the last line of its traceback, and only where
//! nothing else in the text could be that line: not for messages of several lines, notes, groups and
//! chained exceptions. Then they are left out; the text of the traceback is always there.

mod fields;
mod preset;
#[cfg(test)]
mod tests;

pub use preset::Preset;

use super::date::Precision;
use super::pattern::{file_name, module};
use super::percent::{write_integer, write_repr};
use super::{FormatCache, FormatError, Formatter, Needs, again, write_message};
use crate::blueprint::Blueprint;
use crate::field::{Field, Value};
use crate::record::{Attribute, RecordView};
use fields::OwnKeys;
pub(super) use fields::{Changes, Written, write as write_fields};
use preset::{ALL, Entry, Source, level_word, otel_level};
use std::fmt;
use std::marker::PhantomData;

/// What a structured formatter takes. The default is the plain preset.
#[derive(Clone, Copy, Debug, Default)]
pub struct StructuredOptions<'a> {
    /// The keys by who reads them. Default: plain.
    pub preset: Preset,
    /// What stands in a line, in order, by the names of `LogRecord`'s attributes and `timestamp`,
    /// `static`, `fields`, `exc_type`, `exc_message`. Default: the preset's.
    pub keys: Option<&'a [&'a str]>,
    /// Other keys: for a name of `keys`, or else for a field. Default none.
    pub rename: &'a [(&'a str, &'a str)],
    /// What is left out: names of `keys`, or else fields. Default none.
    pub drop: &'a [&'a str],
    /// Fields that every line has. Written once, when the formatter is made. Default none.
    pub fixed: &'a [Field<'a>],
    /// How many digits times show. Default microseconds.
    pub precision: Precision,
}

/// Why options make no formatter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructuredError(String);

impl StructuredError {
    /// One that refuses an option, in words that say what was got and what was expected.
    #[cold]
    pub(super) fn new(option: &str, reason: &str) -> StructuredError {
        StructuredError(format!("invalid `{option}`: {reason}"))
    }
}

impl fmt::Display for StructuredError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StructuredError {}

#[cold]
fn invalid(option: &str, got: &str, expected: &str) -> StructuredError {
    StructuredError::new(option, &format!("got {got:?}, expected {expected}"))
}

/// How keys and values are written.
pub(super) trait Notation: Send + Sync + 'static {
    /// What the blueprints of its formatters are called.
    const NAME: &'static str;
    /// What stands before a key, one byte of it a separator.
    const KEY_OPEN: &'static [u8];
    /// What stands between a key and its value.
    const KEY_CLOSE: &'static [u8];
    /// What stands around a text that needs no escape.
    const QUOTE: &'static [u8];
    /// Whether there are objects in objects; otherwise their keys are joined by a point.
    const GROUPS: bool;
    /// Appends a key; whether another key may have become the same.
    fn write_key(key: &str, out: &mut Vec<u8>) -> bool;
    fn write_text(text: &[u8], out: &mut Vec<u8>);
    /// Appends a list or a map, given as JSON.
    fn write_nested(json: &str, out: &mut Vec<u8>);

    #[inline]
    fn write_value(value: Value<'_>, out: &mut Vec<u8>) {
        match value {
            Value::None => out.extend_from_slice(b"null"),
            Value::Bool(true) => out.extend_from_slice(b"true"),
            Value::Bool(false) => out.extend_from_slice(b"false"),
            Value::I64(number) => write_integer(number, out),
            Value::U64(number) => write_integer(number, out),
            Value::F64(number) if number.is_finite() => write_repr(number, out),
            Value::F64(number) => Self::write_text(not_finite(number), out),
            Value::BigInt(text) | Value::Str(text) => Self::write_text(text.as_bytes(), out),
            Value::Json(json) => Self::write_nested(json, out),
        }
    }

    /// Makes what stands behind `start`, and behind a quote, a text.
    fn end_text(start: usize, out: &mut Vec<u8>, spare: &mut Vec<u8>);
    /// Ends the object that began at `start`.
    fn close(start: usize, out: &mut Vec<u8>);
}

/// What stands for a number that is none.
fn not_finite(number: f64) -> &'static [u8] {
    if number.is_nan() {
        b"NaN"
    } else if number > 0.0 {
        b"Infinity"
    } else {
        b"-Infinity"
    }
}

/// What formatting needs room for between records.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    spare: Vec<u8>,
    written: Vec<fields::Written>,
}

#[derive(Debug)]
struct Item {
    /// Everything up to the value.
    head: Box<[u8]>,
    source: Source,
}

/// An object in the line, or, without a head, the line itself.
#[derive(Debug)]
struct Group {
    name: &'static str,
    head: Box<[u8]>,
    items: Vec<Item>,
}

/// Formats records as one line of keys and values. What stands in a line is decided here, how it is
/// written by the notation.
#[derive(Debug)]
pub struct StructuredFormatter<N> {
    groups: Vec<Group>,
    /// The keys of the object that the fields stand in.
    own: OwnKeys,
    fixed: Box<[u8]>,
    changes: Changes,
    precision: Precision,
    needs: Needs,
    blueprint: Blueprint,
    notation: PhantomData<fn() -> N>,
}

fn head<N: Notation>(key: &str) -> Box<[u8]> {
    let mut head = N::KEY_OPEN.to_vec();
    N::write_key(key, &mut head);
    head.extend_from_slice(N::KEY_CLOSE);
    head.into()
}

fn entries(options: &StructuredOptions<'_>) -> Result<Vec<Entry>, StructuredError> {
    let preset = options.preset.entries();
    let Some(keys) = options.keys else { return Ok(preset.to_vec()) };
    let mut chosen: Vec<Entry> = Vec::new();
    for key in keys {
        let found = preset.iter().chain(ALL).find(|entry| entry.0 == *key);
        let Some(entry) = found else {
            let names: Vec<&str> = ALL.iter().map(|entry| entry.0).collect();
            return Err(invalid("keys", key, &format!("one of {}", names.join(", "))));
        };
        if chosen.iter().any(|other| other.0 == entry.0) {
            return Err(invalid("keys", key, "each name once"));
        }
        chosen.push(*entry);
    }
    Ok(chosen)
}

#[allow(private_bounds, reason = "the notations are those of this crate")]
impl<N: Notation> StructuredFormatter<N> {
    /// What its blueprints are called.
    #[cfg_attr(
        not(all(target_os = "linux", not(loom))),
        allow(dead_code, reason = "nothing is recovered there")
    )]
    pub(super) const NAME: &'static str = N::NAME;

    /// Makes a formatter.
    ///
    /// # Errors
    /// [`StructuredError`] for options that name what there is not, or that give two values one key.
    pub fn new(options: &StructuredOptions<'_>) -> Result<Self, StructuredError> {
        let known = |name: &str| ALL.iter().chain(options.preset.entries()).any(|e| e.0 == name);
        let mut layout = StructuredFormatter {
            groups: Vec::new(),
            own: Vec::new(),
            fixed: Box::default(),
            changes: Vec::new(),
            precision: options.precision,
            needs: Needs::default(),
            blueprint: again::of_structured(N::NAME, options),
            notation: PhantomData,
        };
        let mut used: Vec<(&str, Vec<u8>)> = Vec::new();
        let mut claim = |group: &'static str, key: &str, option: &str| {
            let mut text = Vec::new();
            N::write_key(key, &mut text);
            if used.iter().any(|(g, k)| *g == group && *k == text) {
                return Err(invalid(option, key, "a key that nothing else has"));
            }
            used.push((group, text));
            Ok(())
        };
        let mut fields_in = None;
        for (name, source, group, key) in entries(options)? {
            if options.drop.contains(&name) {
                continue;
            }
            let other = options.rename.iter().find(|(from, _)| *from == name).map(|(_, to)| *to);
            let key = other.unwrap_or(key);
            let (group, key) = match N::GROUPS || group.is_empty() || key.is_empty() {
                true => (if N::GROUPS { group } else { "" }, key.to_owned()),
                false => ("", format!("{group}.{key}")),
            };
            let at = match layout.groups.iter().position(|g| g.name == group && !group.is_empty()) {
                Some(at) => at,
                None => {
                    let mut head_text = Box::default();
                    if !group.is_empty() {
                        claim("", group, "keys")?;
                        head_text = head::<N>(group);
                    }
                    layout.groups.push(Group { name: group, head: head_text, items: Vec::new() });
                    layout.groups.len() - 1
                }
            };
            let head = match source {
                Source::Fields | Source::Fixed => Box::default(),
                _ => {
                    claim(group, &key, if other.is_some() { "rename" } else { "keys" })?;
                    head::<N>(&key)
                }
            };
            match source {
                Source::Fields => fields_in = Some(group),
                Source::Fixed => {
                    let mut fixed = Vec::new();
                    for field in options.fixed {
                        claim(group, field.key, "static")?;
                        fixed.extend_from_slice(&crate::format::structured::head::<N>(field.key));
                        N::write_value(field.value, &mut fixed);
                    }
                    layout.fixed = fixed.into();
                }
                _ => add_needs(source, &mut layout.needs),
            }
            layout.groups[at].items.push(Item { head, source });
        }
        layout.own = used
            .into_iter()
            .filter(|(group, _)| fields_in == Some(*group))
            .map(|(_, key)| key.into())
            .collect();
        for (from, to) in options.rename.iter().filter(|(from, _)| !known(from)) {
            layout.changes.push(((*from).into(), Some((*to).into())));
        }
        for name in options.drop.iter().filter(|name| !known(name)) {
            layout.changes.insert(0, ((*name).into(), None));
        }
        Ok(layout)
    }

    /// Appends a value; `false` where the record has none.
    fn write_source(
        &self,
        source: Source,
        record: &RecordView<'_>,
        cache: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<bool, FormatError> {
        let attribute = |attribute| record.attribute(attribute).filter(|text| !text.is_empty());
        match source {
            Source::Time => {
                out.extend_from_slice(N::QUOTE);
                cache.iso.write(self.precision, record.time_ns, out);
                out.extend_from_slice(N::QUOTE);
            }
            Source::UnixNanos => {
                out.extend_from_slice(N::QUOTE);
                write_integer(record.time_ns, out);
                out.extend_from_slice(N::QUOTE);
            }
            Source::Created => write_repr(record.time_ns as f64 / 1e9, out),
            Source::LevelName | Source::EcsLevel => write_level::<N>(source, record, cache, out),
            Source::GcpLevel | Source::DatadogLevel => {
                N::write_text(level_word(source, record.level.0), out);
            }
            Source::LevelNo => write_integer(record.level.0, out),
            Source::OtelLevel => write_integer(otel_level(record.level.0), out),
            Source::Name => N::write_text(record.logger, out),
            Source::Message => {
                out.extend_from_slice(N::QUOTE);
                let start = out.len();
                write_message(&record.message, out)?;
                N::end_text(start, out, &mut cache.structured.spare);
            }
            Source::Thread if record.thread == 0 => return Ok(false),
            Source::Thread => write_integer(record.thread, out),
            Source::Process => write_integer(cache.process(), out),
            Source::EcsVersion => N::write_text(b"1.6.0", out),
            Source::Fixed => out.extend_from_slice(&self.fixed),
            Source::Fields => {
                let written = &mut cache.structured.written;
                fields::write::<N>(record.fields(), &self.own, &self.changes, written, out);
            }
            Source::ThreadName => return Ok(write_opt::<N>(attribute(Attribute::ThreadName), out)),
            Source::TaskName => return Ok(write_opt::<N>(attribute(Attribute::TaskName), out)),
            Source::ProcessName => {
                return Ok(write_opt::<N>(attribute(Attribute::ProcessName), out));
            }
            Source::Exception => return Ok(write_opt::<N>(attribute(Attribute::Exception), out)),
            Source::Stack => return Ok(write_opt::<N>(attribute(Attribute::Stack), out)),
            Source::ExceptionType | Source::ExceptionMessage => {
                let parts = attribute(Attribute::Exception).and_then(last_line);
                let text = match source {
                    Source::ExceptionType => parts.map(|(kind, _)| kind),
                    _ => parts.and_then(|(_, message)| message),
                };
                return Ok(write_opt::<N>(text, out));
            }
            _ => return Ok(write_site::<N>(source, record, out)),
        }
        Ok(true)
    }
}

#[allow(private_bounds, reason = "as above")]
impl<N: Notation> Formatter for StructuredFormatter<N> {
    fn format(
        &self,
        record: &RecordView<'_>,
        cache: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let start = out.len();
        for group in &self.groups {
            let at = out.len();
            out.extend_from_slice(&group.head);
            let inner = out.len();
            for item in &group.items {
                let at = out.len();
                out.extend_from_slice(&item.head);
                if !self.write_source(item.source, record, cache, out)? {
                    out.truncate(at);
                }
            }
            if out.len() == inner {
                out.truncate(at);
            } else if !group.name.is_empty() {
                N::close(inner, out);
            }
        }
        N::close(start, out);
        Ok(())
    }

    fn needs(&self) -> Needs {
        self.needs
    }

    fn blueprint(&self) -> Option<Blueprint> {
        Some(self.blueprint.clone())
    }
}

fn write_opt<N: Notation>(text: Option<&str>, out: &mut Vec<u8>) -> bool {
    text.map(|text| N::write_text(text.as_bytes(), out)).is_some()
}

fn write_site<N: Notation>(source: Source, record: &RecordView<'_>, out: &mut Vec<u8>) -> bool {
    let Some(site) = record.site else { return false };
    match source {
        Source::LineNo => write_integer(site.line, out),
        Source::LineText => {
            out.extend_from_slice(N::QUOTE);
            write_integer(site.line, out);
            out.extend_from_slice(N::QUOTE);
        }
        Source::PathName => N::write_text(site.path, out),
        Source::FileName => N::write_text(file_name(site.path), out),
        Source::Module => N::write_text(module(file_name(site.path)), out),
        _ => N::write_text(site.function, out),
    }
    true
}

fn write_level<N: Notation>(
    source: Source,
    record: &RecordView<'_>,
    cache: &mut FormatCache,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(N::QUOTE);
    let start = out.len();
    match record.attribute(Attribute::LevelName).or(record.level.name()) {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => {
            out.extend_from_slice(b"Level ");
            write_integer(record.level.0, out);
        }
    }
    if source == Source::EcsLevel {
        out[start..].make_ascii_lowercase();
    }
    N::end_text(start, out, &mut cache.structured.spare);
}

fn add_needs(source: Source, needs: &mut Needs) {
    match source {
        Source::PathName
        | Source::FileName
        | Source::Module
        | Source::LineNo
        | Source::LineText
        | Source::FuncName => needs.site = true,
        Source::ThreadName => needs.thread_name = true,
        Source::TaskName => needs.task_name = true,
        Source::ProcessName => needs.process_name = true,
        _ => {}
    }
}

/// Type and message of the exception that a traceback tells, where its last line can only be that.
fn last_line(text: &str) -> Option<(&str, Option<&str>)> {
    let (before, line) = text.rsplit_once('\n').unwrap_or(("", text));
    let mut lines = before.lines();
    let framed = matches!(lines.next(), None | Some("Traceback (most recent call last):"))
        && lines.all(|line| line.starts_with(' '));
    let (kind, message) = match line.split_once(": ") {
        Some((kind, message)) => (kind, Some(message)),
        None => (line, None),
    };
    let is_name = !kind.is_empty() && !kind.contains(char::is_whitespace);
    (framed && is_name).then_some((kind, message))
}
