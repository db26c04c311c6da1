//! Pairs of a secret name and its value in a text: `name=value`, `name: value`, `'name': 'value'`,
//! `(b'name', b'value')`, and the same with quotes that are escaped because they lie in another text.

use crate::redact::Redaction;
use std::ops::Range;

/// How far before a `=` or `:` its name may begin.
const LONGEST_NAME: usize = 64;
const SCHEMES: [&str; 6] = ["bearer", "basic", "digest", "token", "negotiate", "apikey"];
/// What is no secret, whatever its name.
const NOTHING: [&str; 6] = ["none", "null", "true", "false", "undefined", "nil"];

/// Adds where the values are.
pub(super) fn find(text: &str, all: &Redaction, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut done = 0;
    for at in memchr::memchr3_iter(b'=', b':', b',', bytes) {
        if at < done {
            continue;
        }
        let Some((name, quoted)) = name_before(text, at) else { continue };
        if (bytes[at] == b',' && !quoted) || !all.is_secret(name) {
            continue;
        }
        if let Some(value) = value_after(bytes, at, name, all.replacement().as_bytes()) {
            done = value.end;
            found.push(value);
        }
    }
}

/// The name that ends before `at`, and whether it is in quotes.
fn name_before(text: &str, at: usize) -> Option<(&str, bool)> {
    let bytes = &text.as_bytes()[..at];
    let spaces = bytes.iter().rev().take(2).take_while(|byte| **byte == b' ').count();
    let mut end = at - spaces;
    let quoted = end > 0 && is_quote(bytes[end - 1]);
    if quoted {
        end -= 1;
        end -= bytes[..end].iter().rev().take_while(|byte| **byte == b'\\').count();
    }
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let length = bytes[..end].iter().rev().take(LONGEST_NAME).take_while(is_name).count();
    (length > 0).then(|| (&text[end - length..end], quoted))
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

fn value_after(text: &[u8], at: usize, name: &str, replacement: &[u8]) -> Option<Range<usize>> {
    let separator = text[at];
    let mut start = at + 1;
    start += text[start..].iter().take(1).take_while(|byte| b"=>".contains(byte)).count();
    start += text[start..].iter().take(8).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    if text.get(start) == Some(&b'b') && text.get(start + 1).is_some_and(|byte| is_quote(*byte)) {
        start += 1;
    }
    let escapes = text[start..].iter().take_while(|byte| **byte == b'\\').count();
    let quote = text.get(start + escapes).copied().filter(|byte| is_quote(*byte));
    let value = match quote {
        Some(quote) => {
            let start = start + escapes + 1;
            start..closing(text, start, quote, escapes)
        }
        None if separator == b',' => return None,
        None => start..end_of_bare(text, start, name),
    };
    let shown = &text[value.clone()];
    let nothing = NOTHING.iter().any(|word| shown.eq_ignore_ascii_case(word.as_bytes()));
    let told = text[value.start..].starts_with(replacement) && !replacement.is_empty();
    (!shown.is_empty() && !nothing && !told && !shown.starts_with(b"//")).then_some(value)
}

/// Where a text in quotes ends, which has this many backslashes before each of its quotes; where the line
/// does if it is cut off.
fn closing(text: &[u8], start: usize, quote: u8, escapes: usize) -> usize {
    let mut before = 0;
    for (at, byte) in text.iter().enumerate().skip(start) {
        match *byte {
            b'\\' => before += 1,
            b'\n' => return at,
            byte if byte == quote => {
                // A quote within the text has one more escape before it at least; pairs of backslashes
                // stand for themselves.
                let extra = if escapes == 0 { before % 2 } else { usize::from(before > escapes) };
                if before >= escapes && extra == 0 {
                    return at - escapes;
                }
                before = 0;
            }
            _ => before = 0,
        }
    }
    text.len()
}

/// Where a value without quotes ends.
fn end_of_bare(text: &[u8], start: usize, name: &str) -> usize {
    let word = |from: usize| {
        let stop = |byte: &u8| byte.is_ascii_whitespace() || b",;&\"'`\\)]}<>".contains(byte);
        from + text[from..].iter().position(stop).unwrap_or(text.len() - from)
    };
    let lower = name.to_ascii_lowercase();
    if lower.ends_with("cookie") {
        // A header: pairs up to the end of its line.
        let stop = |byte: &u8| matches!(byte, b'\n' | b'\r' | b'"' | b'\'' | b'\\');
        return start + text[start..].iter().position(stop).unwrap_or(text.len() - start);
    }
    let end = word(start);
    let is_scheme =
        SCHEMES.iter().any(|scheme| text[start..end].eq_ignore_ascii_case(scheme.as_bytes()));
    if is_scheme && text.get(end) == Some(&b' ') { word(end + 1) } else { end }
}
