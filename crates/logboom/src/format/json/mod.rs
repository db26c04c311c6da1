//! A record as one line of JSON.
//!
//! Invariants:
//! 1. Whatever the record, the line is one JSON object without a raw control character, which Python's
//!    `json` and orjson both read, and no key stands in it twice.
//! 2. A record costs no allocation beside `out`, save one with more than
//!    32 fields, or with a list or a map.
//!
//! What JSON cannot hold, or readers take for something else:
//!
//! ```text
//! not a number, infinities          the strings "NaN", "Infinity", "-Infinity"
//! integers beyond 64 bits           strings of their decimal digits
//! bytes that are not UTF-8          backslash escapes, as text: "\\xff"
//! a `Value::Json` that is not JSON  a string of it
//! ```
//!
//! [`structured`](super::structured) decides what stands in a line; this module how it is written.
//! Pinned by the tests beside it and in `structured`, and by `tests/python/test_structured.py`.

mod check;
mod escape;

pub(super) use escape::{needs_no_escape, write_escaped};

use super::percent::{write_integer, write_repr};
use super::structured::{Layout, Notation, StructuredError, StructuredOptions};
use super::{FormatCache, FormatError, Formatter, Needs};
use crate::field::Value;
use crate::record::RecordView;

/// Formats records as JSON, one object a line.
#[derive(Debug)]
pub struct JsonFormatter(Layout<Json>);

impl JsonFormatter {
    /// Makes a formatter.
    ///
    /// # Errors
    /// [`StructuredError`] for options that name what there is not, or that give two values one key.
    pub fn new(options: &StructuredOptions<'_>) -> Result<Self, StructuredError> {
        Layout::new(options).map(JsonFormatter)
    }
}

impl Formatter for JsonFormatter {
    fn format(
        &self,
        record: &RecordView<'_>,
        cache: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        self.0.write(record, cache, out)
    }

    fn needs(&self) -> Needs {
        self.0.needs()
    }
}

/// Appends a text as a JSON string.
#[inline]
pub fn write_json_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    write_escaped(text, out);
    out.push(b'"');
}

/// Appends a value as JSON, as a line of [`JsonFormatter`] shows it.
#[inline]
pub fn write_json_value(value: Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::None => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::I64(number) => write_integer(number, out),
        Value::U64(number) => write_integer(number, out),
        Value::F64(number) if number.is_finite() => write_repr(number, out),
        Value::F64(number) => write_json_text(not_finite(number), out),
        Value::BigInt(text) | Value::Str(text) => write_json_text(text.as_bytes(), out),
        Value::Json(text) if check::is_json(text) => out.extend_from_slice(text.as_bytes()),
        Value::Json(text) => write_json_text(text.as_bytes(), out),
    }
}

/// What stands for a number that is none.
pub(super) fn not_finite(number: f64) -> &'static [u8] {
    if number.is_nan() {
        b"NaN"
    } else if number > 0.0 {
        b"Infinity"
    } else {
        b"-Infinity"
    }
}

/// The notation of JSON.
#[derive(Debug)]
pub(super) struct Json;

impl Notation for Json {
    const KEY_OPEN: &'static [u8] = b",\"";
    const KEY_CLOSE: &'static [u8] = b"\":";
    const QUOTE: &'static [u8] = b"\"";
    const GROUPS: bool = true;

    #[inline]
    fn write_key(key: &str, out: &mut Vec<u8>) -> bool {
        write_escaped(key.as_bytes(), out);
        false
    }

    #[inline]
    fn write_text(text: &[u8], out: &mut Vec<u8>) {
        write_json_text(text, out);
    }

    #[inline]
    fn write_value(value: Value<'_>, out: &mut Vec<u8>) {
        write_json_value(value, out);
    }

    #[inline]
    fn end_text(start: usize, out: &mut Vec<u8>, spare: &mut Vec<u8>) {
        if !needs_no_escape(&out[start..]) {
            spare.clear();
            spare.extend_from_slice(&out[start..]);
            out.truncate(start);
            write_escaped(spare, out);
        }
        out.push(b'"');
    }

    #[inline]
    fn close(start: usize, out: &mut Vec<u8>) {
        // Every key comes with the comma before it.
        match out.get_mut(start) {
            Some(first) => *first = b'{',
            None => out.push(b'{'),
        }
        out.push(b'}');
    }
}
