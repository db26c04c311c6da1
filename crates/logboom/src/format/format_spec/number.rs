//! Numbers as a format specification shows them.
//!
//! A number is `sign, prefix, digits, rest`, where the rest begins with the point and ends with the
//! exponent or the percent sign. Separators go into the digits; so do the zeros of a zero padding,
//! which are grouped like digits (CPython `Python/formatter_unicode.c`, `calc_number_widths`).

use super::{Align, FormatSpec, Sign};
use crate::format::percent::{self, insert};

const DEFAULT_PRECISION: u16 = 6;

impl FormatSpec {
    /// Appends the integer with this sign and magnitude.
    pub(super) fn write_integer(&self, negative: bool, magnitude: u64, out: &mut Vec<u8>) {
        let start = out.len();
        self.write_sign(negative, out);
        let (prefix, bits) = match self.letter {
            Some(b'b') => ("0b", 1),
            Some(b'o') => ("0o", 3),
            Some(b'x' | b'X') => ("0x", 4),
            _ => ("", 0),
        };
        if self.alternate {
            out.extend_from_slice(prefix.as_bytes());
        }
        let digits = out.len();
        match bits {
            0 => percent::write_integer(magnitude, out),
            _ => percent::write_power_of_two(magnitude, bits, out),
        }
        if self.letter == Some(b'X') {
            out[start..].make_ascii_uppercase();
        }
        self.finish(start, digits, out);
    }

    /// Appends an integer given as decimal digits.
    pub(super) fn write_digits(&self, negative: bool, digits: &str, out: &mut Vec<u8>) {
        let start = out.len();
        self.write_sign(negative, out);
        let at = out.len();
        out.extend_from_slice(digits.as_bytes());
        self.finish(start, at, out);
    }

    /// Appends `number` as a `float`.
    pub(super) fn write_float(&self, number: f64, out: &mut Vec<u8>) {
        let number = if self.letter == Some(b'%') { number * 100.0 } else { number };
        let start = out.len();
        self.write_magnitude(number.abs(), out);
        let negative = number.is_sign_negative()
            && !number.is_nan()
            && !(self.positive_zero && is_zero(&out[start..]));
        if let Some(b'E' | b'F' | b'G') = self.letter {
            out[start..].make_ascii_uppercase();
        }
        if let Some(sign) = self.sign(negative) {
            insert(start, sign, 1, out);
        }
        let digits = start + usize::from(self.sign(negative).is_some());
        self.finish(start, digits, out);
    }

    fn write_magnitude(&self, magnitude: f64, out: &mut Vec<u8>) {
        let start = out.len();
        let precision = usize::from(self.precision.unwrap_or(DEFAULT_PRECISION));
        if magnitude.is_nan() {
            out.extend_from_slice(b"nan");
        } else if magnitude.is_infinite() {
            out.extend_from_slice(b"inf");
        } else {
            match (self.letter, self.precision) {
                (None, None) => {
                    percent::write_repr(magnitude, out);
                    if self.alternate && !out[start..].contains(&b'.') {
                        insert(start + 1, b'.', 1, out); // one digit and an exponent
                    }
                }
                (None, _) => {
                    percent::write_general(magnitude, precision, self.alternate, true, out)
                }
                (Some(b'g' | b'G'), _) => {
                    percent::write_general(magnitude, precision, self.alternate, false, out);
                }
                (Some(b'e' | b'E'), _) => {
                    percent::write_exponent(magnitude, precision, self.alternate, out);
                }
                _ => {
                    percent::write_fixed(magnitude, precision, out);
                    if self.alternate && precision == 0 {
                        out.push(b'.');
                    }
                }
            }
        }
        if self.letter == Some(b'%') {
            out.push(b'%');
        }
    }

    fn sign(&self, negative: bool) -> Option<u8> {
        match self.sign {
            _ if negative => Some(b'-'),
            Some(Sign::Plus) => Some(b'+'),
            Some(Sign::Blank) => Some(b' '),
            Some(Sign::Minus) | None => None,
        }
    }

    fn write_sign(&self, negative: bool, out: &mut Vec<u8>) {
        out.extend(self.sign(negative));
    }

    /// Separators, then padding up to the width. The digits begin at `digits`.
    fn finish(&self, start: usize, digits: usize, out: &mut Vec<u8>) {
        let align = self.align.unwrap_or(if self.zero { Align::Inside } else { Align::Right });
        if let Some(separator) = self.separator {
            let zeros = align == Align::Inside && self.filling() == '0';
            self.group(separator, zeros, start, digits, out);
        }
        if self.width > 0 {
            self.pad(align, start, digits, out.len() - start, out);
        }
    }

    /// Puts separators between the groups of digits, and before that as many zeros as it takes for
    /// the whole to reach the width with them.
    fn group(&self, separator: u8, zeros: bool, start: usize, digits: usize, out: &mut Vec<u8>) {
        let (size, is_digit) = match self.letter {
            Some(b'b' | b'o' | b'x' | b'X') => (4, u8::is_ascii_hexdigit as fn(&u8) -> bool),
            _ => (3, u8::is_ascii_digit as fn(&u8) -> bool),
        };
        let mut count = out[digits..].iter().take_while(|byte| is_digit(byte)).count();
        if count == 0 {
            return; // not a number, or infinite
        }
        if zeros {
            let others = out.len() - start - count;
            let asked = usize::from(self.width).saturating_sub(others);
            let mut all = count;
            while all + (all - 1) / size < asked {
                all += 1;
            }
            insert(digits, b'0', all - count, out);
            count = all;
        }
        let mut left = count;
        while left > size {
            left -= size;
            insert(digits + left, separator, 1, out);
        }
    }
}

/// Whether a magnitude's digits are all zero.
fn is_zero(text: &[u8]) -> bool {
    let mantissa = text.split(|byte| *byte == b'e').next().unwrap_or_default();
    mantissa.iter().all(|byte| matches!(byte, b'0' | b'.' | b'%'))
}
