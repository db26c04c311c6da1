//! A text of JSON without its secrets: what stands under a secret key, at any depth, and what the patterns
//! find in its strings, which are read without their escapes and written with them again.
//!
//! It is gone through once, token by token, without a stack: in JSON nothing but a key has a colon behind it.
//! Of a text that is no JSON the strings that are there are looked at all the same.

use super::{Redaction, Verdicts};
use std::fmt::Write as _;

/// The text without its secrets; `None` where nothing was found.
pub(super) fn redacted(all: &Redaction, text: &str, verdicts: &mut Verdicts) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut out: Option<Vec<u8>> = None;
    let (mut at, mut done) = (0, 0);
    let mut cut = |from: usize, to: usize, instead: &str, done: &mut usize| {
        let out = out.get_or_insert_default();
        out.extend_from_slice(&bytes[*done..from]);
        out.push(b'"');
        out.extend_from_slice(instead.as_bytes());
        out.push(b'"');
        *done = to;
    };
    while let Some(start) = memchr::memchr(b'"', &bytes[at..]).map(|n| at + n) {
        let Some(end) = string_end(bytes, start) else { break };
        at = end;
        let inner = &text[start + 1..end - 1];
        let colon = skip_spaces(bytes, end);
        if bytes.get(colon) != Some(&b':') {
            if all.has_patterns() {
                let plain = unescaped(inner);
                if let Some(clean) = all.text(plain.as_deref().unwrap_or(inner).as_bytes()) {
                    cut(start, end, &escaped(&String::from_utf8_lossy(&clean)), &mut done);
                }
            }
            continue;
        }
        let plain = unescaped(inner);
        if verdicts.is_secret(all, plain.as_deref().unwrap_or(inner)) {
            let from = skip_spaces(bytes, colon + 1);
            let to = value_end(bytes, from);
            at = to;
            if !matches!(&text[from..to], "null" | "true" | "false" | "\"\"" | "") {
                cut(from, to, all.replacement(), &mut done);
            }
        }
    }
    let mut out = out?;
    out.extend_from_slice(&bytes[done..]);
    Some(out)
}

/// Whether every string in the text is closed, and every bracket: enough to go through it as JSON.
pub(super) fn is_whole(text: &str) -> bool {
    let bytes = text.trim_end().as_bytes();
    !bytes.is_empty() && value_end(bytes, 0) == bytes.len() && bytes.ends_with(b"}")
}

fn skip_spaces(bytes: &[u8], from: usize) -> usize {
    from + bytes[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Where the string that begins with the quote at `start` ends, behind its quote.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Where the value that begins at `start` ends; the end of the text where it does not.
fn value_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let Some(end) = string_end(bytes, at) else { return bytes.len() };
                at = end;
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            b',' | b' ' | b'\n' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// What a string says, where it has escapes.
fn unescaped(inner: &str) -> Option<String> {
    memchr::memchr(b'\\', inner.as_bytes())?;
    let mut plain = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(letter) = rest.chars().next() else { break };
        rest = &rest[letter.len_utf8()..];
        match letter {
            'n' => plain.push('\n'),
            't' => plain.push('\t'),
            'r' => plain.push('\r'),
            'b' => plain.push('\u{8}'),
            'f' => plain.push('\u{C}'),
            'u' => {
                let (character, left) = unit(rest);
                plain.push(character);
                rest = left;
            }
            other => plain.push(other),
        }
    }
    plain.push_str(rest);
    Some(plain)
}

/// The character of the digits behind a `\u`, and what follows; half a pair stands for none.
fn unit(rest: &str) -> (char, &str) {
    let code = |text: &str| u32::from_str_radix(text.get(..4)?, 16).ok();
    let Some(high) = code(rest) else { return ('\u{FFFD}', rest) };
    let left = &rest[4..];
    if let 0xD800..0xDC00 = high
        && let Some(low @ 0xDC00..0xE000) = left.strip_prefix("\\u").and_then(code)
    {
        let pair = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        return (char::from_u32(pair).unwrap_or('\u{FFFD}'), &left[6..]);
    }
    (char::from_u32(high).unwrap_or('\u{FFFD}'), left)
}

/// The inside of a string that says this.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter if letter.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out
}
