//! One conversion specifier: `%-8.3s` as flags, width, precision and what to make of the value.

use super::kind::Kind;
use std::fmt;

/// The widest field and the highest precision rendered here. Python allows more; whoever asks for
/// more gets it from Python.
pub const MAX_WIDTH: u16 = 1000;

/// How a value becomes text. The letter behind the flags, without its case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// `s`
    Str,
    /// `r`
    Repr,
    /// `a`
    Ascii,
    /// `d`, `i`, `u`
    Decimal,
    /// `x`, `X`
    Hex,
    /// `o`
    Octal,
    /// `e`, `E`
    Exponent,
    /// `f`, `F`
    Fixed,
    /// `g`, `G`
    General,
    /// `c`
    Char,
}

/// A conversion specifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) conversion: Conversion,
    /// `X`, `E`, `F`, `G` rather than the small letter.
    pub(crate) upper: bool,
    /// `-`: padding goes to the right.
    pub(crate) left: bool,
    /// `0`: numbers are padded with zeros behind the sign.
    pub(crate) zero: bool,
    /// `+`: numbers always have a sign.
    pub(crate) plus: bool,
    /// A space where the sign would be.
    pub(crate) blank: bool,
    /// `#`: the alternate form.
    pub(crate) alternate: bool,
    /// At least so many code points.
    pub(crate) width: u16,
    pub(crate) precision: Option<u16>,
}

/// Why a template or pattern is not rendered here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Incomplete,
    Conversion(u8),
    Star,
    Key,
    TooWide,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Incomplete => f.write_str("got the end of the text, expected a conversion"),
            Refusal::Conversion(got) => write!(
                f,
                "got conversion `{}`, expected one of `diouxXeEfFgGcrsa%`",
                got.escape_ascii()
            ),
            Refusal::Star => f.write_str("got `*`, expected a width or precision in digits"),
            Refusal::Key => f.write_str("got a key in parentheses, expected a positional argument"),
            Refusal::TooWide => {
                write!(f, "got a width or precision above the bound, expected 0 to {MAX_WIDTH}")
            }
        }
    }
}

impl Spec {
    /// A conversion without flags, width or precision.
    pub(crate) const fn plain(conversion: Conversion) -> Spec {
        Spec {
            conversion,
            upper: false,
            left: false,
            zero: false,
            plus: false,
            blank: false,
            alternate: false,
            width: 0,
            precision: None,
        }
    }

    /// Reads what follows a `%` (and its key, if any) and says how many bytes that were.
    pub(crate) fn parse(bytes: &[u8]) -> Result<(Spec, usize), Refusal> {
        let mut spec = Spec::plain(Conversion::Str);
        let mut at = 0;
        while let Some(flag) = bytes.get(at) {
            match flag {
                b'-' => spec.left = true,
                b'0' => spec.zero = true,
                b'+' => spec.plus = true,
                b' ' => spec.blank = true,
                b'#' => spec.alternate = true,
                _ => break,
            }
            at += 1;
        }
        spec.width = digits(bytes, &mut at)?;
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            spec.precision = Some(digits(bytes, &mut at)?);
        }
        if let Some(b'h' | b'l' | b'L') = bytes.get(at) {
            at += 1; // C's length: Python reads over it
        }
        let letter = *bytes.get(at).ok_or(Refusal::Incomplete)?;
        spec.conversion = Conversion::from_letter(letter)?;
        spec.upper = letter.is_ascii_uppercase();
        Ok((spec, at + 1))
    }

    /// Whether this is a bare `%s`, `%d` …
    pub(crate) fn is_plain(&self) -> bool {
        *self == Spec::plain(self.conversion)
    }

    /// Whether Python converts a value of this kind without raising, and we get the same text.
    pub(crate) fn accepts(&self, kind: Kind) -> bool {
        use Kind::{BigInt, Bool, Float, Int, Nested, NonFinite, Object, Text};
        match self.conversion {
            Conversion::Str => kind != Nested,
            Conversion::Ascii => !matches!(kind, Object | Nested),
            // Which characters are printable depends on the interpreter's Unicode version.
            Conversion::Repr => !matches!(kind, Text | Object | Nested),
            Conversion::Decimal => matches!(kind, Bool | Int | BigInt | Float),
            Conversion::Hex | Conversion::Octal => matches!(kind, Bool | Int),
            Conversion::Exponent | Conversion::Fixed | Conversion::General => {
                matches!(kind, Bool | Int | Float | NonFinite)
            }
            // Whether it is allowed depends on the value, not on its kind.
            Conversion::Char => false,
        }
    }
}

impl Conversion {
    fn from_letter(letter: u8) -> Result<Conversion, Refusal> {
        Ok(match letter {
            b's' => Conversion::Str,
            b'r' => Conversion::Repr,
            b'a' => Conversion::Ascii,
            b'd' | b'i' | b'u' => Conversion::Decimal,
            b'x' | b'X' => Conversion::Hex,
            b'o' => Conversion::Octal,
            b'e' | b'E' => Conversion::Exponent,
            b'f' | b'F' => Conversion::Fixed,
            b'g' | b'G' => Conversion::General,
            b'c' => Conversion::Char,
            b'*' => return Err(Refusal::Star),
            b'(' => return Err(Refusal::Key),
            _ => return Err(Refusal::Conversion(letter)),
        })
    }

    pub(crate) fn letter(self) -> char {
        match self {
            Conversion::Str => 's',
            Conversion::Repr => 'r',
            Conversion::Ascii => 'a',
            Conversion::Decimal => 'd',
            Conversion::Hex => 'x',
            Conversion::Octal => 'o',
            Conversion::Exponent => 'e',
            Conversion::Fixed => 'f',
            Conversion::General => 'g',
            Conversion::Char => 'c',
        }
    }
}

fn digits(bytes: &[u8], at: &mut usize) -> Result<u16, Refusal> {
    let mut number: u16 = 0;
    while let Some(digit @ b'0'..=b'9') = bytes.get(*at) {
        // No overflow: `number` is at most `MAX_WIDTH` here.
        number = number * 10 + u16::from(digit - b'0');
        if number > MAX_WIDTH {
            return Err(Refusal::TooWide);
        }
        *at += 1;
    }
    Ok(number)
}
