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

pub(super) use escape::{harmful, needs_no_escape, write_escaped};

use super::structured::{Notation, StructuredFormatter};
use crate::field::Value;

/// Formats records as JSON, one object a line.
pub type JsonFormatter = StructuredFormatter<Json>;

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
    Json::write_value(value, out);
}

/// The notation of JSON.
#[derive(Debug)]
pub struct Json;

impl Notation for Json {
    const NAME: &'static str = "json";
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
    fn write_nested(json: &str, out: &mut Vec<u8>) {
        match check::is_json(json) {
            true => out.extend_from_slice(json.as_bytes()),
            false => write_json_text(json.as_bytes(), out),
        }
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
