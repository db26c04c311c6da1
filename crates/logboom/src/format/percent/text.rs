//! Text as `%s`, `%r`, `%a` and `%c` show it, and the padding of everything.
//!
//! Width and precision count code points. Texts come as bytes that somebody else vouched for;
//! bytes that are not UTF-8 give odd lines here, never a panic.

use super::spec::{Conversion, Spec};
use memchr::memchr;

/// Appends `text` as the specifier shows a `str`.
#[inline]
pub(crate) fn write_text(spec: &Spec, text: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    match spec.conversion {
        Conversion::Repr => write_repr(text, false, out),
        Conversion::Ascii => write_repr(text, true, out),
        _ => out.extend_from_slice(text),
    }
    fit_text(spec, start, out);
}

/// Cuts what stands behind `start` to the precision and pads it to the width.
#[inline]
pub(crate) fn fit_text(spec: &Spec, start: usize, out: &mut Vec<u8>) {
    if let Some(precision) = spec.precision {
        let end = prefix_len(&out[start..], usize::from(precision));
        out.truncate(start + end);
    }
    if spec.width > 0 {
        let len = code_points(&out[start..]);
        pad(spec, start, len, start, b' ', out);
    }
}

/// Pads what stands behind `start` and is `len` code points long. To the left, the padding of
/// `fill` goes in at `at`.
pub(crate) fn pad(spec: &Spec, start: usize, len: usize, at: usize, fill: u8, out: &mut Vec<u8>) {
    debug_assert!(start <= at && at <= out.len());
    let missing = usize::from(spec.width).saturating_sub(len);
    if spec.left {
        out.resize(out.len() + missing, b' ');
    } else {
        insert(at, fill, missing, out);
    }
}

/// Puts `count` times `fill` in at `at`.
pub(in crate::format) fn insert(at: usize, fill: u8, count: usize, out: &mut Vec<u8>) {
    if count > 0 {
        let end = out.len();
        out.resize(end + count, fill);
        out.copy_within(at..end, at + count);
        out[at..at + count].fill(fill);
    }
}

fn starts_code_point(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

/// How many code points `text` has.
pub(in crate::format) fn code_points(text: &[u8]) -> usize {
    text.iter().filter(|byte| starts_code_point(**byte)).count()
}

/// The length of the first `points` code points of `text`.
pub(in crate::format) fn prefix_len(text: &[u8], points: usize) -> usize {
    if text.len() <= points {
        return text.len();
    }
    let mut starts = text.iter().enumerate().filter(|(_, byte)| starts_code_point(**byte));
    starts.nth(points).map_or(text.len(), |(at, _)| at)
}

/// `repr(text)`, or `ascii(text)`.
fn write_repr(text: &[u8], ascii: bool, out: &mut Vec<u8>) {
    let quote = match (memchr(b'\'', text), memchr(b'"', text)) {
        (Some(_), None) => b'"',
        _ => b'\'',
    };
    out.push(quote);
    for chunk in text.utf8_chunks() {
        for char in chunk.valid().chars() {
            write_repr_char(char, quote, ascii, out);
        }
        for byte in chunk.invalid() {
            write_escape(b"\\x", u32::from(*byte), 2, out);
        }
    }
    out.push(quote);
}

fn write_repr_char(char: char, quote: u8, ascii: bool, out: &mut Vec<u8>) {
    let code = u32::from(char);
    match char {
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        _ if code == u32::from(quote) => out.extend_from_slice(&[b'\\', quote]),
        ' '..='~' => out.push(code as u8),
        // `escape_debug` gives a character that it takes for printable as it is. It differs from
        // Python in combining marks, which is one reason why `%r` of such texts is not accepted.
        _ if !ascii && !char.is_ascii() && char.escape_debug().len() == 1 => {
            out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        }
        _ if code < 0x100 => write_escape(b"\\x", code, 2, out),
        _ if code < 0x1_0000 => write_escape(b"\\u", code, 4, out),
        _ => write_escape(b"\\U", code, 8, out),
    }
}

fn write_escape(head: &[u8], code: u32, digits: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(head);
    for digit in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(code >> (4 * digit)) as usize & 0xF]);
    }
}
