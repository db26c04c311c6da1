//! Python's format specification: what is behind the colon in `{levelname:<8}`.
//!
//! Invariants:
//! 1. What [`FormatSpec::accepts`] says yes to is shown byte for byte as `format(value, spec)` of
//!    CPython 3.10 to 3.13 does. In doubt it says no, and Python formats.
//! 2. No specification and no value panics, and nothing is allocated beside `out`, save for an error.
//!
//! The grammar is CPython's (`Python/formatter_unicode.c`,
//! `parse_internal_render_format_spec`): `[[fill]align][sign][z][#][0][width][,_][.precision][type]`.
//! An empty one is `str`, which is the only one that `None` takes.
//!
//! What it does not do: `n` (the locale's), `c` (allowed or not by the value), widths and precisions
//! above [`MAX_WIDTH`] or in other digits than ASCII's, separators behind the point, integers beyond
//! 64 bits but in decimal.
//!
//! Pinned by `tests.rs`, which replays what CPython gave for `testdata/format_spec.tsv`.

mod number;
#[cfg(test)]
mod tests;

use super::FormatError;
use super::percent::{self, Conversion, Kind, MAX_WIDTH, Spec};
use crate::field::Value;
use std::fmt;

/// Where the padding goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    /// `<`: behind the value.
    Left,
    /// `>`: before it.
    Right,
    /// `^`: around it, the odd one behind.
    Center,
    /// `=`: between sign and digits.
    Inside,
}

/// What stands before a number that is not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// `-`: nothing.
    Minus,
    /// `+`
    Plus,
    /// A space.
    Blank,
}

/// A format specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FormatSpec {
    /// Whether it is the empty text, which is not the same as one that asks for nothing: `<`.
    empty: bool,
    fill: Option<char>,
    align: Option<Align>,
    sign: Option<Sign>,
    /// `z`: what rounds to zero has no sign.
    positive_zero: bool,
    alternate: bool,
    /// A `0` before the width.
    zero: bool,
    width: u16,
    /// `,` or `_`.
    separator: Option<u8>,
    precision: Option<u16>,
    /// The letter at the end.
    letter: Option<u8>,
}

/// Why a specification is not rendered here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Python refuses it too.
    Malformed,
    /// A letter that Python does not know, or of which the result is not known here.
    Letter(char),
    TooWide,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Malformed => f.write_str("got a malformed format specification"),
            Unreadable::Letter(got) => {
                write!(f, "got format type `{}`, expected one of `{LETTERS}`", got.escape_debug())
            }
            Unreadable::TooWide => {
                write!(f, "got a width or precision above the bound, expected 0 to {MAX_WIDTH}")
            }
        }
    }
}

const LETTERS: &str = "bdeEfFgGosxX%";
const STR: Spec = Spec::plain(Conversion::Str);

impl FormatSpec {
    /// Reads a specification.
    ///
    /// # Errors
    /// [`Unreadable`] for what Python refuses for values of any type, and for what is left to it.
    pub(crate) fn parse(text: &str) -> Result<FormatSpec, Unreadable> {
        let mut spec = FormatSpec {
            empty: text.is_empty(),
            fill: None,
            align: None,
            sign: None,
            positive_zero: false,
            alternate: false,
            zero: false,
            width: 0,
            separator: None,
            precision: None,
            letter: None,
        };
        let mut rest = spec.read_align(text);
        let mut take = |char: char| {
            let behind = rest.strip_prefix(char);
            rest = behind.unwrap_or(rest);
            behind.is_some()
        };
        spec.sign = [(' ', Sign::Blank), ('+', Sign::Plus), ('-', Sign::Minus)]
            .into_iter()
            .find_map(|(char, sign)| take(char).then_some(sign));
        spec.positive_zero = take('z');
        spec.alternate = take('#');
        spec.zero = spec.fill.is_none() && take('0');
        spec.width = digits(&mut rest)?.unwrap_or(0);
        spec.separator = rest.bytes().next().filter(|byte| matches!(byte, b',' | b'_'));
        rest = &rest[usize::from(spec.separator.is_some())..];
        if let Some(behind) = rest.strip_prefix('.') {
            rest = behind;
            spec.precision = Some(digits(&mut rest)?.ok_or(Unreadable::Malformed)?);
        }
        let mut letters = rest.chars();
        match (letters.next(), letters.next()) {
            (None, _) => {}
            (Some(letter), None) if LETTERS.contains(letter) => spec.letter = Some(letter as u8),
            (Some(letter), None) => return Err(Unreadable::Letter(letter)),
            _ => return Err(Unreadable::Malformed),
        }
        Ok(spec)
    }

    /// Reads fill and alignment off the front of `text` and gives the rest.
    fn read_align<'t>(&mut self, text: &'t str) -> &'t str {
        let align = |char| {
            Some(match char {
                '<' => Align::Left,
                '>' => Align::Right,
                '^' => Align::Center,
                '=' => Align::Inside,
                _ => return None,
            })
        };
        let mut chars = text.chars();
        let first = chars.next();
        if let Some(second) = chars.next().and_then(align) {
            self.fill = first;
            self.align = Some(second);
            return chars.as_str();
        }
        self.align = first.and_then(align);
        &text[usize::from(self.align.is_some())..]
    }

    /// Whether it is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.empty
    }

    /// Whether it has the `z` that only CPython since 3.11 knows.
    pub(crate) fn has_z(&self) -> bool {
        self.positive_zero
    }

    /// Whether Python shows a value of this kind without raising, and we get the same text.
    pub(crate) fn accepts(&self, kind: Kind) -> bool {
        match kind {
            Kind::None => self.empty,
            Kind::Bool | Kind::Int => self.empty || self.takes_integers(),
            Kind::BigInt => self.takes_integers() && matches!(self.letter, None | Some(b'd')),
            Kind::Float | Kind::NonFinite => self.takes_floats(),
            Kind::Ascii | Kind::Text => self.takes_text(),
            // Its class has the say.
            Kind::Object | Kind::Nested => false,
        }
    }

    fn takes_text(&self) -> bool {
        self.sign.is_none()
            && !self.positive_zero
            && !self.alternate
            && self.align != Some(Align::Inside)
            && self.separator.is_none()
            && matches!(self.letter, None | Some(b's'))
    }

    fn takes_integers(&self) -> bool {
        match self.letter {
            None | Some(b'd') => self.precision.is_none() && !self.positive_zero,
            Some(b'b' | b'o' | b'x' | b'X') => {
                self.precision.is_none() && !self.positive_zero && self.separator != Some(b',')
            }
            _ => self.takes_floats(),
        }
    }

    fn takes_floats(&self) -> bool {
        !matches!(self.letter, Some(b's' | b'd' | b'b' | b'o' | b'x' | b'X'))
    }

    /// Appends `value` as `format` shows it.
    ///
    /// # Errors
    /// [`FormatError`] where `format` would raise.
    pub(crate) fn write(&self, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        if self.empty {
            return percent::write_value(&STR, value, out);
        }
        let kind = Kind::of(&value);
        if !self.accepts(kind) {
            return Err(FormatError(format!("invalid value for {self:?}: got {kind:?}")));
        }
        match value {
            Value::Str(text) => {
                let start = out.len();
                out.extend_from_slice(text.as_bytes());
                self.fit(start, out);
            }
            Value::BigInt(digits) => {
                let (negative, digits) = match digits.strip_prefix('-') {
                    Some(digits) => (true, digits),
                    None => (false, digits),
                };
                self.write_digits(negative, digits, out);
            }
            Value::F64(number) => self.write_float(number, out),
            _ if matches!(self.letter, None | Some(b'd' | b'b' | b'o' | b'x' | b'X')) => {
                let (negative, magnitude) = percent::integer(value).unwrap_or_default();
                self.write_integer(negative, magnitude, out);
            }
            _ => self.write_float(percent::float(value).unwrap_or_default(), out),
        }
        Ok(())
    }

    /// Cuts the text that stands behind `start` to the precision and pads it to the width.
    pub(crate) fn fit(&self, start: usize, out: &mut Vec<u8>) {
        if let Some(precision) = self.precision {
            let end = percent::prefix_len(&out[start..], usize::from(precision));
            out.truncate(start + end);
        }
        if self.width > 0 {
            let len = percent::code_points(&out[start..]);
            self.pad(self.align.unwrap_or(Align::Left), start, start, len, out);
        }
    }

    /// What the padding is made of.
    fn filling(&self) -> char {
        self.fill.unwrap_or(if self.zero { '0' } else { ' ' })
    }

    /// Pads what stands behind `start` and is `len` code points long; `inside` is where the padding
    /// goes that is between sign and digits.
    fn pad(&self, align: Align, start: usize, inside: usize, len: usize, out: &mut Vec<u8>) {
        let missing = usize::from(self.width).saturating_sub(len);
        let (at, before) = match align {
            Align::Left => (start, 0),
            Align::Right => (start, missing),
            Align::Center => (start, missing / 2),
            Align::Inside => (inside, missing),
        };
        let fill = self.filling();
        let mut bytes = [0; 4];
        let bytes = fill.encode_utf8(&mut bytes).as_bytes();
        for _ in before..missing {
            out.extend_from_slice(bytes);
        }
        // Filled from the front, since the bytes of one character stay in their order.
        percent::insert(at, 0, before * bytes.len(), out);
        for place in out[at..at + before * bytes.len()].chunks_exact_mut(bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}

/// Reads digits off the front of `rest`; `None` where there are none.
fn digits(rest: &mut &str) -> Result<Option<u16>, Unreadable> {
    let end = rest.bytes().take_while(u8::is_ascii_digit).count();
    if end == 0 {
        return Ok(None);
    }
    let (digits, behind) = rest.split_at(end);
    *rest = behind;
    let number = digits.parse().ok().filter(|number| *number <= MAX_WIDTH);
    number.map(Some).ok_or(Unreadable::TooWide)
}
