//! Text without anything that could drive a terminal, and how wide it is.
//!
//! Characters that [`harmful`] knows are shown as `\x1b` or `\u202e`, bytes that are not UTF-8 as
//! `\xff`. That is for people: a text that has such an escape in it looks the same.

use crate::format::json::harmful;

const HEX: &[u8; 16] = b"0123456789abcdef";
const TAB: &[u8] = b"    ";

/// Appends a text that stays on its line.
pub(super) fn write_word(text: &[u8], out: &mut Vec<u8>) {
    write(text, None, out);
}

/// Appends a line of a text; tabs become spaces.
pub(super) fn write_line(text: &[u8], out: &mut Vec<u8>) {
    write(text, Some(b""), out);
}

/// Makes what was appended behind `start` plain, with `margin` before each line but the first; how many
/// lines it has.
pub(super) fn make_plain(
    start: usize,
    margin: &[u8],
    spare: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> usize {
    if is_plain(&out[start..]) {
        return 1;
    }
    spare.clear();
    spare.extend_from_slice(&out[start..]);
    out.truncate(start);
    write(spare, Some(margin), out);
    1 + out[start..].iter().filter(|byte| **byte == b'\n').count()
}

#[inline]
fn is_plain(text: &[u8]) -> bool {
    text.iter().fold(true, |plain, byte| plain & (0x20..0x7F).contains(byte))
}

fn write(text: &[u8], margin: Option<&[u8]>, out: &mut Vec<u8>) {
    if is_plain(text) {
        return out.extend_from_slice(text);
    }
    for chunk in text.utf8_chunks() {
        write_valid(chunk.valid().as_bytes(), margin, out);
        for byte in chunk.invalid() {
            write_escape(u16::from(*byte), out);
        }
    }
}

/// Appends text that is UTF-8; without a margin, line ends are escaped as well.
fn write_valid(text: &[u8], margin: Option<&[u8]>, out: &mut Vec<u8>) {
    let (mut from, mut at) = (0, 0);
    while at < text.len() {
        let Some((mut len, code)) = harmful(&text[at..]) else {
            at += 1;
            continue;
        };
        out.extend_from_slice(&text[from..at]);
        match (margin, &text[at..]) {
            (Some(margin), [b'\n', ..] | [b'\r', b'\n', ..]) => {
                len += usize::from(code == 0x0D);
                out.push(b'\n');
                out.extend_from_slice(margin);
            }
            (Some(_), [b'\t', ..]) => out.extend_from_slice(TAB),
            _ => write_escape(code, out),
        }
        at += len;
        from = at;
    }
    out.extend_from_slice(&text[from..]);
}

fn write_escape(code: u16, out: &mut Vec<u8>) {
    match code {
        0x09 => out.extend_from_slice(b"\\t"),
        0x0A => out.extend_from_slice(b"\\n"),
        0x0D => out.extend_from_slice(b"\\r"),
        0..0x100 => out.extend_from_slice(&[b'\\', b'x', digit(code >> 4), digit(code)]),
        _ => {
            out.extend_from_slice(b"\\u");
            out.extend_from_slice(&[code >> 12, code >> 8, code >> 4, code].map(digit));
        }
    }
}

fn digit(number: u16) -> u8 {
    HEX[usize::from(number & 0xF)]
}

/// How many columns the last line of a plain text takes.
pub(super) fn columns(text: &[u8]) -> usize {
    let line = memchr::memrchr(b'\n', text).map_or(text, |at| &text[at + 1..]);
    if line.is_ascii() {
        return line.len();
    }
    String::from_utf8_lossy(line).chars().map(char_columns).sum()
}

/// Roughly `wcwidth`: the blocks of East Asia and of emoji are wide, those of marks take nothing.
fn char_columns(char: char) -> usize {
    match u32::from(char) {
        0x0300..=0x036F | 0x200B..=0x200D | 0x20D0..=0x20FF | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}
