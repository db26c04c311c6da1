//! Records for people at a terminal.
//!
//! ```text
//! 2026-11-24 14:02:31.123 INFO     shop.till        sold 3 apples  user=ann total=3.5
//! 2026-11-24 14:02:31.124 ERROR    shop.till        cannot sell
//!   Traceback (most recent call last):
//!     ... 14 frames in uvicorn, starlette
//!     File "/srv/shop/till.py", line 42, in sell
//!       charge(card)
//!   ValueError: no card
//! ```
//!
//! Invariants:
//! 1. Only the first line of a record begins in the first column (as far as its date does): messages of
//!    several lines go on behind `  | `, tracebacks and fields are indented. So no record looks like two.
//! 2. Whatever a record says, the only control characters in its text are the line ends and colours
//!    that are written here. A colour never reaches over a line end.
//! 3. What the terminal is like is asked at most once a second of the records' time, by the writer.
//!
//! ```text
//! here       options; the parts of a line, and where its fields stand
//! plain      text without what could drive a terminal
//! trace      tracebacks, with the frames of libraries folded
//! terminal   whether it is one, and how wide
//! paint      colours
//! ```
//!
//! Fields are written as logfmt writes them. A line that would be wider than the terminal has them on
//! lines of their own. Widths are counted in characters, wide ones twice; a terminal that draws some
//! otherwise breaks its line a little early or late.
//!
//! Pinned by the tests beside it and `tests/python/test_console.py`.

mod paint;
mod plain;
mod terminal;
#[cfg(test)]
mod tests;
mod trace;

pub use terminal::Place;

use super::date::{AscTime, DateFormat, TimeModel, Zone};
use super::logfmt::Logfmt;
use super::percent::write_integer;
use super::structured::{self, StructuredError};
use super::{FormatCache, FormatError, Formatter, Needs, again, write_message};
use crate::blueprint::Blueprint;
use crate::level::Level;
use crate::record::{Attribute, RecordView};
use paint::Paint;
use trace::Traces;

/// What a blueprint of one is called.
#[cfg_attr(
    not(all(target_os = "linux", not(loom))),
    allow(dead_code, reason = "nothing is recovered there")
)]
pub(super) const NAME: &str = "console";

/// What stands before the second and later lines of a message.
const CONTINUED: &[u8] = b"  | ";
/// What stands before fields that have a line of their own.
const FIELDS: &[u8] = b"    ";
const LEVEL_WIDTH: usize = 8;
const SECONDS: &str = "%Y-%m-%d %H:%M:%S";

/// Whether lines have colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colors {
    /// Where the place is a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How wide a line may be before its fields get lines of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Width {
    /// As wide as the terminal; without limit where there is none.
    #[default]
    Terminal,
    /// So many columns.
    Columns(u16),
    /// Without limit.
    Unlimited,
}

/// What a console formatter takes.
#[derive(Clone, Copy, Debug)]
pub struct ConsoleOptions<'a> {
    /// Default: where the place is a terminal.
    pub colors: Colors,
    /// The stream that lines go to, as far as is known. Default: some other place, which is no terminal.
    pub place: Place,
    /// Default: that of the terminal.
    pub width: Width,
    /// Whether tracebacks are shown whole. Default: frames of libraries are folded.
    pub full_traceback: bool,
    /// The date, for `strftime`. Default `%Y-%m-%d %H:%M:%S` and milliseconds.
    pub datefmt: Option<&'a str>,
    /// The clock that dates are shown in. Default: local time.
    pub zone: Zone,
    /// How many columns the logger's name takes at least. Default 16.
    pub logger_width: u16,
    /// Fields that are left out. Default none.
    pub drop: &'a [&'a str],
    /// How the paths of the language's own library begin. Default none.
    pub library: &'a [&'a str],
    /// Packages that are the program's own, though they are installed. Default none.
    pub own: &'a [&'a str],
}

impl Default for ConsoleOptions<'_> {
    fn default() -> Self {
        ConsoleOptions {
            colors: Colors::Auto,
            place: Place::Elsewhere,
            width: Width::Terminal,
            full_traceback: false,
            datefmt: None,
            zone: Zone::Local,
            logger_width: 16,
            drop: &[],
            library: &[],
            own: &[],
        }
    }
}

/// Formats records for people.
#[derive(Debug)]
pub struct ConsoleFormatter {
    colors: Colors,
    place: Place,
    width: Width,
    date: AscTime,
    logger_width: usize,
    changes: structured::Changes,
    traces: Traces,
    blueprint: Blueprint,
}

/// What formatting needs room for between records, and what was seen of the terminal.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    fields: Vec<u8>,
    written: Vec<structured::Written>,
    terminal: terminal::Seen,
}

impl ConsoleFormatter {
    /// Makes a formatter.
    ///
    /// # Errors
    /// [`StructuredError`] for a date format that depends on the locale or the platform.
    pub fn new(options: &ConsoleOptions<'_>) -> Result<Self, StructuredError> {
        let format = options.datefmt.unwrap_or(SECONDS);
        let refused = |reason: String| StructuredError::new("datefmt", &reason);
        let date = DateFormat::parse(format).map_err(|error| refused(error.to_string()))?;
        let msecs = options.datefmt.is_none().then_some("%s.%03d");
        Ok(ConsoleFormatter {
            colors: options.colors,
            place: options.place,
            width: options.width,
            date: AscTime::new(date, msecs, options.zone).map_err(refused)?,
            logger_width: options.logger_width.into(),
            changes: options.drop.iter().map(|name| ((*name).into(), None)).collect(),
            traces: Traces::new(options.full_traceback, options.library, options.own),
            blueprint: again::of_console(options),
        })
    }

    /// Whether there are colours, and how wide a line may be.
    fn look(&self, time_ns: i64, seen: &mut terminal::Seen) -> (Paint, Option<usize>) {
        let asks = self.colors == Colors::Auto || self.width == Width::Terminal;
        let look = if asks { seen.look(self.place, time_ns) } else { terminal::Look::default() };
        let colored = match self.colors {
            Colors::Auto => look.is_terminal,
            Colors::Always => true,
            Colors::Never => false,
        };
        let width = match self.width {
            Width::Terminal => look.width,
            Width::Columns(columns) => Some(columns.into()),
            Width::Unlimited => None,
        };
        (Paint::new(colored), width)
    }

    fn write(
        &self,
        record: &RecordView<'_>,
        cache: &mut FormatCache,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let (paint, width) = self.look(record.time_ns, &mut scratch.terminal);
        let mut columns = self.write_head(record, cache, paint, out)?;
        let start = out.len();
        write_message(&record.message, out)?;
        trim_end(start, out);
        let lines = plain::make_plain(start, CONTINUED, &mut scratch.fields, out);
        columns += plain::columns(&out[start..]);
        self.write_fields(record, scratch, paint, width.map(|width| (width, columns)), lines, out);
        for attribute in [Attribute::Exception, Attribute::Stack] {
            let text = record.attribute(attribute).filter(|text| !text.is_empty());
            if let Some(text) = text {
                self.traces.write(text, paint, out);
            }
        }
        Ok(())
    }

    /// Writes everything before the message; how many columns that takes.
    fn write_head(
        &self,
        record: &RecordView<'_>,
        cache: &mut FormatCache,
        paint: Paint,
        out: &mut Vec<u8>,
    ) -> Result<usize, FormatError> {
        let mut columns = 0;
        let mut start = paint.begin(paint::DIM, out);
        self.date.write(TimeModel::Nanoseconds { start_ns: 0 }, record.time_ns, cache, out)?;
        columns += plain::columns(&out[start..]);
        paint.end(out);
        if columns > 0 {
            out.push(b' ');
            columns += 1;
        }
        start = paint.begin(level_color(record.level), out);
        match record.attribute(Attribute::LevelName).or(record.level.name()) {
            Some(name) => plain::write_word(name.as_bytes(), out),
            None => {
                out.extend_from_slice(b"Level ");
                write_integer(record.level.0, out);
            }
        }
        columns += pad(start, LEVEL_WIDTH, paint, out);
        start = paint.begin(paint::LOGGER, out);
        plain::write_word(record.logger, out);
        columns += pad(start, self.logger_width, paint, out);
        Ok(columns)
    }

    /// Writes the fields: behind the message where there is room, or else on lines of their own.
    fn write_fields(
        &self,
        record: &RecordView<'_>,
        scratch: &mut Scratch,
        paint: Paint,
        room: Option<(usize, usize)>,
        lines: usize,
        out: &mut Vec<u8>,
    ) {
        let Scratch { fields, written, .. } = scratch;
        fields.clear();
        structured::write_fields::<Logfmt>(
            record.fields(),
            &Vec::new(),
            &self.changes,
            written,
            fields,
        );
        if fields.is_empty() {
            return;
        }
        let fits =
            room.is_none_or(|(width, columns)| columns + 1 + plain::columns(fields) <= width);
        if lines == 1 && fits {
            out.push(b' ');
            paint.begin(paint::DIM, out);
            out.extend_from_slice(fields);
            return paint.end(out);
        }
        let width = room.map_or(usize::MAX, |(width, _)| width);
        let mut taken = usize::MAX;
        for field in Words(fields) {
            let columns = 1 + plain::columns(field);
            if taken == usize::MAX || taken + columns > width {
                if taken != usize::MAX {
                    paint.end(out);
                }
                out.push(b'\n');
                out.extend_from_slice(FIELDS);
                paint.begin(paint::DIM, out);
                taken = FIELDS.len() + columns - 1;
            } else {
                out.push(b' ');
                taken += columns;
            }
            out.extend_from_slice(field);
        }
        paint.end(out);
    }
}

impl Formatter for ConsoleFormatter {
    fn format(
        &self,
        record: &RecordView<'_>,
        cache: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let mut scratch = std::mem::take(&mut cache.console);
        let done = self.write(record, cache, &mut scratch, out);
        cache.console = scratch;
        done
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn blueprint(&self) -> Option<Blueprint> {
        Some(self.blueprint.clone())
    }
}

fn level_color(level: Level) -> paint::Code {
    match level {
        level if level >= Level::CRITICAL => paint::CRITICAL,
        level if level >= Level::ERROR => paint::ERROR,
        level if level >= Level::WARNING => paint::WARNING,
        level if level >= Level::INFO => paint::INFO,
        _ => paint::DEBUG,
    }
}

/// Ends what began at `start`, fills it up to a width, and adds a space; how many columns that takes.
fn pad(start: usize, width: usize, paint: Paint, out: &mut Vec<u8>) -> usize {
    let columns = plain::columns(&out[start..]);
    paint.end(out);
    let fill = width.saturating_sub(columns) + 1;
    out.resize(out.len() + fill, b' ');
    columns + fill
}

/// Takes line ends off what was appended behind `start`.
fn trim_end(start: usize, out: &mut Vec<u8>) {
    while out.len() > start && matches!(out.last(), Some(b'\n' | b'\r')) {
        out.pop();
    }
}

/// The pairs of a logfmt text, each of which has a space before it.
struct Words<'a>(&'a [u8]);

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.0.strip_prefix(b" ")?;
        let (mut at, mut quoted) = (0, false);
        while at < text.len() && (quoted || text[at] != b' ') {
            match text[at] {
                b'"' => quoted = !quoted,
                b'\\' if quoted => at += 1,
                _ => {}
            }
            at += 1;
        }
        let (word, rest) = text.split_at(at.min(text.len()));
        self.0 = rest;
        Some(word)
    }
}
