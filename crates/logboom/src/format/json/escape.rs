//! Text as the inside of a JSON string, on one line, and harmless on a terminal.
//!
//! Escaped are `"` and `\`, all control characters (ASCII's, DEL and those of ISO 6429, U+0080 to
//! U+009F), the separators of lines and paragraphs (U+2028, U+2029), and what changes the direction
//! of text (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069). Everything else stands as it is, in UTF-8. Bytes
//! that are not UTF-8 are shown as Python's `backslashreplace` shows them, `\xff`, as text.

const HEX: &[u8; 16] = b"0123456789abcdef";
/// How many bytes are looked at together.
const STEP: usize = 16;

/// Whether a byte stands for itself, whatever follows.
#[inline]
const fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte < 0x7F && byte != b'"' && byte != b'\\'
}

/// The length of a prefix that needs no look at single characters; ends between characters.
#[inline]
fn plain_prefix(text: &[u8]) -> usize {
    let mut chunks = text.chunks_exact(STEP);
    let mut at = 0;
    for chunk in chunks.by_ref() {
        if !chunk.iter().fold(true, |plain, byte| plain & is_plain(*byte)) {
            return at;
        }
        at += STEP;
    }
    let rest = chunks.remainder();
    at + rest.iter().position(|byte| !is_plain(*byte)).unwrap_or(rest.len())
}

/// Whether a text stands for itself.
#[inline]
pub(in crate::format) fn needs_no_escape(text: &[u8]) -> bool {
    plain_prefix(text) == text.len()
}

/// Appends the text, escaped.
#[inline]
pub(in crate::format) fn write_escaped(text: &[u8], out: &mut Vec<u8>) {
    let plain = plain_prefix(text);
    out.extend_from_slice(&text[..plain]);
    if plain < text.len() {
        write_carefully(&text[plain..], out);
    }
}

fn write_carefully(text: &[u8], out: &mut Vec<u8>) {
    for chunk in text.utf8_chunks() {
        write_characters(chunk.valid().as_bytes(), out);
        for byte in chunk.invalid() {
            out.extend_from_slice(&[b'\\', b'\\', b'x', digit(*byte >> 4), digit(*byte)]);
        }
    }
}

/// The length and the code of the character that begins a text, if it could forge a line or drive a
/// terminal. The text is UTF-8, or begins within a character.
#[inline]
pub(in crate::format) fn harmful(text: &[u8]) -> Option<(usize, u16)> {
    Some(match text {
        [byte @ (0..=0x1F | 0x7F), ..] => (1, u16::from(*byte)),
        [0xC2, low @ 0x80..=0x9F, ..] => (2, u16::from(*low)),
        [0xD8, 0x9C, ..] => (2, 0x061C),
        [0xE2, 0x80, low @ (0x8E | 0x8F | 0xA8..=0xAE), ..] => (3, 0x2000 | u16::from(low & 0x3F)),
        [0xE2, 0x81, low @ 0xA6..=0xA9, ..] => (3, 0x2040 | u16::from(low & 0x3F)),
        _ => return None,
    })
}

/// Appends text that is UTF-8.
fn write_characters(text: &[u8], out: &mut Vec<u8>) {
    let mut from = 0;
    let mut at = 0;
    while at < text.len() {
        let found = match text[at] {
            byte @ (b'"' | b'\\') => Some((1, u16::from(byte))),
            _ => harmful(&text[at..]),
        };
        let Some((len, code)) = found else {
            at += 1;
            continue;
        };
        out.extend_from_slice(&text[from..at]);
        write_escape(code, out);
        at += len;
        from = at;
    }
    out.extend_from_slice(&text[from..]);
}

fn write_escape(code: u16, out: &mut Vec<u8>) {
    let short = match code {
        0x08 => b'b',
        0x09 => b't',
        0x0A => b'n',
        0x0C => b'f',
        0x0D => b'r',
        0x22 => b'"',
        0x5C => b'\\',
        _ => {
            let [high, low] = code.to_be_bytes();
            let digits = [high >> 4, high, low >> 4, low].map(digit);
            out.extend_from_slice(b"\\u");
            return out.extend_from_slice(&digits);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn digit(number: u8) -> u8 {
    HEX[usize::from(number & 0xF)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &[u8]) -> String {
        let mut out = Vec::new();
        write_escaped(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_could_forge_a_line_is_escaped() {
        for (text, expected) in [
            ("plain, größe, 漢字, 🎉", "plain, größe, 漢字, 🎉"),
            ("say \"no\" \\ yes", "say \\\"no\\\" \\\\ yes"),
            ("a\nb\rc\td\u{8}\u{c}\0\u{1b}[31m", "a\\nb\\rc\\td\\b\\f\\u0000\\u001b[31m"),
            ("\u{7f}\u{80}\u{85}\u{9b}\u{9f}\u{a0}", "\\u007f\\u0080\\u0085\\u009b\\u009f\u{a0}"),
            ("\u{2027}\u{2028}\u{2029}", "\u{2027}\\u2028\\u2029"),
            ("\u{200d}\u{200e}\u{200f}\u{2010}", "\u{200d}\\u200e\\u200f\u{2010}"),
            ("\u{61b}\u{61c}\u{61d}", "\u{61b}\\u061c\u{61d}"),
            ("\u{202a}\u{202e}\u{202f}", "\\u202a\\u202e\u{202f}"),
            ("\u{2065}\u{2066}\u{2069}\u{206a}", "\u{2065}\\u2066\\u2069\u{206a}"),
            ("sixteen letters \n and \n more", "sixteen letters \\n and \\n more"),
        ] {
            assert_eq!(escaped(text.as_bytes()), expected);
        }
        assert_eq!(escaped(b"a\xffb\xed\xa0\x80\xc2"), "a\\\\xffb\\\\xed\\\\xa0\\\\x80\\\\xc2");
    }

    #[test]
    fn a_text_that_needs_no_escape_is_told() {
        assert!(needs_no_escape(b"0123456789abcdefghij"));
        assert!(!needs_no_escape(b"0123456789abcdefghi\n"));
        assert!(!needs_no_escape("0123456789abcdefé".as_bytes()));
    }
}
