//! A record as one line of logfmt: `level=INFO logger=shop message="sold 3" user=ann`.
//!
//! Invariants:
//! 1. A line has no control character, no key twice, and splits at its spaces outside of quotes into
//!    `key=value`, whatever the record.
//! 2. A record costs no allocation beside `out`, save one with many fields or text beyond ASCII.
//!
//! A value stands bare if it is not empty and has only visible ASCII other than `"`, `=` and `\`, and
//! characters beyond ASCII that need no escape; otherwise in double quotes, with the escapes of JSON
//! strings. Nothing is `null`; numbers that are none are `NaN`, `Infinity`, `-Infinity`; lists and maps
//! are their JSON as a text. In a key every other character than those of a bare value becomes `_`,
//! and an empty key is `_`.
//!
//! There is no standard; this follows what readers of it agree on: Heroku's, go-logfmt's, Grafana
//! Loki's (`https://pkg.go.dev/github.com/go-logfmt/logfmt`).

use super::json::{needs_no_escape, write_escaped};
use super::structured::{Notation, StructuredFormatter};

/// Formats records as logfmt.
pub type LogfmtFormatter = StructuredFormatter<Logfmt>;

fn is_bare(byte: u8) -> bool {
    byte > b' ' && !matches!(byte, b'"' | b'=' | b'\\' | 0x7F)
}

/// Whether a value stands without quotes.
#[inline]
fn stands_bare(text: &[u8]) -> bool {
    if text.is_empty() || !text.iter().all(|byte| is_bare(*byte)) {
        return false;
    }
    if needs_no_escape(text) {
        return true;
    }
    let mut escaped = Vec::new();
    write_escaped(text, &mut escaped);
    escaped == text
}

/// The notation of logfmt.
#[derive(Debug)]
pub struct Logfmt;

impl Notation for Logfmt {
    const NAME: &'static str = "logfmt";
    const KEY_OPEN: &'static [u8] = b" ";
    const KEY_CLOSE: &'static [u8] = b"=";
    const QUOTE: &'static [u8] = b"";
    const GROUPS: bool = false;

    #[inline]
    fn write_key(key: &str, out: &mut Vec<u8>) -> bool {
        if stands_bare(key.as_bytes()) {
            out.extend_from_slice(key.as_bytes());
            return false;
        }
        if key.is_empty() {
            out.push(b'_');
        }
        for char in key.chars() {
            let mut buffer = [0; 4];
            let text = char.encode_utf8(&mut buffer).as_bytes();
            out.extend_from_slice(if stands_bare(text) { text } else { b"_" });
        }
        true
    }

    #[inline]
    fn write_text(text: &[u8], out: &mut Vec<u8>) {
        if stands_bare(text) {
            return out.extend_from_slice(text);
        }
        out.push(b'"');
        write_escaped(text, out);
        out.push(b'"');
    }

    #[inline]
    fn write_nested(json: &str, out: &mut Vec<u8>) {
        Self::write_text(json.as_bytes(), out);
    }

    #[inline]
    fn end_text(start: usize, out: &mut Vec<u8>, spare: &mut Vec<u8>) {
        if !stands_bare(&out[start..]) {
            spare.clear();
            spare.extend_from_slice(&out[start..]);
            out.truncate(start);
            Self::write_text(spare, out);
        }
    }

    #[inline]
    fn close(start: usize, out: &mut Vec<u8>) {
        // Every key comes with the space before it.
        if start < out.len() {
            out.copy_within(start + 1.., start);
            out.pop();
        }
    }
}
