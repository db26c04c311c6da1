//! Whether a text is a JSON value that can stand in a line as it is.
//!
//! That is more than being JSON: no line break between tokens, nothing raw in a string that
//! [`escape`](super::escape) would escape, no half of a surrogate pair, no number that a reader
//! takes for another one (integers of at most 64 bits, floats that are finite), and no nesting that
//! readers give up on.

use super::escape::write_escaped;

/// The deepest nesting that is let through.
const MAX_DEPTH: usize = 64;

/// Whether the text is one JSON value as described above.
pub(super) fn is_json(text: &str) -> bool {
    let mut reader = Reader { rest: text };
    reader.value(MAX_DEPTH).is_some() && reader.rest.is_empty()
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        let rest = self.rest.strip_prefix(char::from(byte))?;
        self.rest = rest;
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match self.rest.as_bytes().first()? {
            b'"' => self.string(),
            b'[' => self.items(b'[', b']', |reader| reader.value(depth)),
            b'{' => self.items(b'{', b'}', |reader| {
                reader.string()?;
                reader.skip();
                reader.take(b':')?;
                reader.skip();
                reader.value(depth)
            }),
            b'-' | b'0'..=b'9' => self.number(),
            _ => {
                let word = ["null", "true", "false"].iter().find(|w| self.rest.starts_with(**w))?;
                self.rest = &self.rest[word.len()..];
                Some(())
            }
        }
    }

    fn items(&mut self, open: u8, close: u8, item: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        self.take(open)?;
        self.skip();
        if self.take(close).is_some() {
            return Some(());
        }
        loop {
            item(self)?;
            self.skip();
            if self.take(close).is_some() {
                return Some(());
            }
            self.take(b',')?;
            self.skip();
        }
    }

    fn string(&mut self) -> Option<()> {
        self.take(b'"')?;
        loop {
            let at = self.rest.find(['"', '\\'])?;
            let (plain, rest) = self.rest.split_at(at);
            let mut same = Vec::with_capacity(plain.len());
            write_escaped(plain.as_bytes(), &mut same);
            if same != plain.as_bytes() {
                return None;
            }
            self.rest = &rest[1..];
            if rest.starts_with('"') {
                return Some(());
            }
            self.escape()?;
        }
    }

    fn escape(&mut self) -> Option<()> {
        let letter = *self.rest.as_bytes().first()?;
        self.rest = self.rest.get(1..)?;
        match letter {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => match self.hex()? {
                0xD800..=0xDBFF => {
                    self.rest = self.rest.strip_prefix("\\u")?;
                    (0xDC00..=0xDFFF).contains(&self.hex()?).then_some(())
                }
                0xDC00..=0xDFFF => None,
                _ => Some(()),
            },
            _ => None,
        }
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4)?;
        self.rest = self.rest.get(4..)?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        plain.then(|| u32::from_str_radix(digits, 16).ok())?
    }

    fn number(&mut self) -> Option<()> {
        let is_part = |byte: u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let end = self.rest.bytes().position(|byte| !is_part(byte)).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        let digits = text.strip_prefix('-').unwrap_or(text);
        let whole = digits.bytes().take_while(u8::is_ascii_digit).count();
        if whole == 0 || (whole > 1 && digits.starts_with('0')) {
            return None;
        }
        if whole == digits.len() {
            return (text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok()).then_some(());
        }
        // What Rust takes and JSON does not is a point without digits on either side.
        if digits.ends_with('.') || digits.contains(".e") || digits.contains(".E") {
            return None;
        }
        text.parse::<f64>().ok().filter(|number| number.is_finite()).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_of_one_line_that_every_reader_takes_is_let_through() {
        for text in [
            "null",
            "true",
            "false",
            "0",
            "-1",
            "1.5",
            "1e-07",
            "-0.0",
            "18446744073709551615",
            "\"\"",
            "\"a\\n\\u2028\\\"\\ud83c\\udf89 größe\"",
            "[]",
            "{}",
            "[1, 2,[3]]",
            "{\"a\": 1,\"b\":{\"c\":[]}}",
        ] {
            assert!(is_json(text), "{text}");
        }
        for text in [
            "",
            " 1",
            "1 ",
            "nul",
            "nulll",
            "NaN",
            "Infinity",
            "-",
            "01",
            "1.",
            ".5",
            "1.e5",
            "1e",
            "+1",
            "1e999",
            "18446744073709551616",
            "-9223372036854775809",
            "\"",
            "\"\\\"",
            "\"\n\"",
            "\"\u{7f}\"",
            "\"\u{2028}\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"\\x\"",
            "[",
            "[1",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{",
            "{1:2}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "[1]]",
            "[\n1]",
            "\"é",
            "\"\\é\"",
        ] {
            assert!(!is_json(text), "{text}");
        }
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(is_json(&nested(MAX_DEPTH)));
        assert!(!is_json(&nested(MAX_DEPTH + 1)));
        assert!(!is_json(&"[".repeat(1_000_000)));
    }
}
