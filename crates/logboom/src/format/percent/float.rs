//! Floating-point numbers as `%e`, `%f`, `%g` and `repr` show them.
//!
//! The digits come from the standard library (correctly rounded for every precision) and, for
//! `repr`, from the shortest text that reads back as the same number. Exponents have a sign and at
//! least two digits. Everything is built at the end of `out`, so nothing is allocated beside it.

use super::integer::{write_plain, write_sign};
use super::spec::{Conversion, Spec};
use super::text::{insert, pad};
use std::io::Write;

const DEFAULT_PRECISION: u16 = 6;

/// Appends `number` as the specifier shows a `float`.
pub(crate) fn write_float(spec: &Spec, number: f64, out: &mut Vec<u8>) {
    let start = out.len();
    write_sign(spec, number.is_sign_negative() && !number.is_nan(), out);
    let body = out.len();
    let magnitude = number.abs();
    let precision = usize::from(spec.precision.unwrap_or(DEFAULT_PRECISION));
    if number.is_nan() {
        out.extend_from_slice(b"nan");
    } else if number.is_infinite() {
        out.extend_from_slice(b"inf");
    } else {
        match spec.conversion {
            Conversion::Exponent => write_exponent(magnitude, precision, spec.alternate, out),
            Conversion::General => {
                write_general(magnitude, precision, spec.alternate, false, out);
            }
            _ => {
                write_fixed(magnitude, precision, out);
                if spec.alternate && precision == 0 {
                    out.push(b'.');
                }
            }
        }
    }
    if spec.upper {
        out[body..].make_ascii_uppercase();
    }
    if spec.width > 0 {
        let (at, fill) = if spec.zero { (body, b'0') } else { (start, b' ') };
        pad(spec, start, out.len() - start, at, fill, out);
    }
}

/// Appends `magnitude` with `precision` digits behind the point, rounded half to even.
pub(in crate::format) fn write_fixed(magnitude: f64, precision: usize, out: &mut Vec<u8>) {
    const POWERS: [u64; 10] =
        [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];
    // The number is `mantissa / 2^shift` exactly. Where the shift fits, so do all products below.
    let bits = magnitude.to_bits();
    let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
    let shift = 1075 - (bits >> 52) as i64;
    let (Some(power), 1..=63) = (POWERS.get(precision).copied(), shift) else {
        // Writing to a vector cannot fail.
        let _ = write!(out, "{magnitude:.precision$}");
        return;
    };
    let mut whole = mantissa >> shift;
    let scaled = u128::from(mantissa & ((1 << shift) - 1)) * u128::from(power);
    let mut fraction = (scaled >> shift) as u64;
    let rest = scaled & ((1 << shift) - 1);
    let half = 1 << (shift - 1);
    let is_odd = if precision == 0 { whole & 1 } else { fraction & 1 } == 1;
    if rest > half || (rest == half && is_odd) {
        fraction += 1;
    }
    if fraction == power {
        fraction = 0;
        whole += 1;
    }
    write_plain(whole, out);
    if precision > 0 {
        out.push(b'.');
        let start = out.len();
        write_plain(fraction, out);
        insert(start, b'0', start + precision - out.len(), out);
    }
}

/// Appends `repr(number)`.
pub(crate) fn write_repr(number: f64, out: &mut Vec<u8>) {
    if number.is_nan() {
        return out.extend_from_slice(b"nan");
    }
    if number.is_sign_negative() {
        out.push(b'-');
    }
    if number.is_infinite() {
        return out.extend_from_slice(b"inf");
    }
    if number == 0.0 {
        return out.extend_from_slice(b"0.0");
    }
    let start = out.len();
    let mut buffer = zmij::Buffer::new();
    let shortest = buffer.format_finite(number.abs());
    if (1e-4..1e16).contains(&number.abs()) {
        // There both agree, down to the `.0` of whole numbers.
        return out.extend_from_slice(shortest.as_bytes());
    }
    let exponent = write_shortest(shortest, out);
    place_exponent(start, exponent, false, out);
}

/// Appends the significant digits in `text`, without zeros at either end, and returns the power of
/// ten of the first.
fn write_shortest(text: &str, out: &mut Vec<u8>) -> i32 {
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().unwrap_or(0)),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let start = out.len();
    out.extend_from_slice(whole.as_bytes());
    out.extend_from_slice(fraction.as_bytes());
    let zeros = out[start..].iter().take_while(|digit| **digit == b'0').count();
    out.copy_within(start + zeros.., start);
    out.truncate(out.len() - zeros);
    strip_zeros(start, out);
    exponent + whole.len() as i32 - 1 - zeros as i32
}

fn strip_zeros(start: usize, out: &mut Vec<u8>) {
    let zeros = out[start + 1..].iter().rev().take_while(|digit| **digit == b'0').count();
    out.truncate(out.len() - zeros);
}

/// Makes `123` with the exponent 1 to `12.3`, 4 to `12300`, -2 to `0.0123`.
fn place_point(start: usize, exponent: i32, out: &mut Vec<u8>) {
    let digits = out.len() - start;
    match usize::try_from(exponent) {
        Ok(exponent) if digits <= exponent => out.resize(start + exponent + 1, b'0'),
        Ok(exponent) if digits == exponent + 1 => {}
        Ok(exponent) => insert(start + exponent + 1, b'.', 1, out),
        Err(_) => {
            insert(start, b'0', exponent.unsigned_abs() as usize + 1, out);
            out[start + 1] = b'.';
        }
    }
}

/// Makes `123` with the exponent -7 to `1.23e-07`.
fn place_exponent(start: usize, exponent: i32, point: bool, out: &mut Vec<u8>) {
    if point || out.len() > start + 1 {
        insert(start + 1, b'.', 1, out);
    }
    out.push(b'e');
    out.push(if exponent < 0 { b'-' } else { b'+' });
    let exponent = exponent.unsigned_abs();
    if exponent < 10 {
        out.push(b'0');
    }
    write_plain(exponent, out);
}

/// Appends `precision + 1` significant digits and returns the power of ten of the first.
fn write_significant(magnitude: f64, precision: usize, out: &mut Vec<u8>) -> i32 {
    let start = out.len();
    // Writing to a vector cannot fail.
    let _ = write!(out, "{magnitude:.precision$e}");
    let at = memchr::memrchr(b'e', &out[start..]).map_or(out.len(), |at| start + at);
    let exponent = std::str::from_utf8(&out[at..]).ok().and_then(|text| text[1..].parse().ok());
    out.truncate(at);
    if precision > 0 {
        out.remove(start + 1); // the point
    }
    exponent.unwrap_or(0)
}

/// Appends `magnitude` with one digit before the point, `precision` behind it, and an exponent.
pub(in crate::format) fn write_exponent(
    magnitude: f64,
    precision: usize,
    point: bool,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    let exponent = write_significant(magnitude, precision, out);
    place_exponent(start, exponent, point, out);
}

/// Appends `magnitude` with `precision` significant digits, with an exponent where it is too large or
/// too small for them. `point` asks for a digit behind the point where there is no exponent.
pub(in crate::format) fn write_general(
    magnitude: f64,
    precision: usize,
    alternate: bool,
    point: bool,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    let digits = precision.max(1);
    let exponent = write_significant(magnitude, digits - 1, out);
    if !alternate {
        strip_zeros(start, out);
    }
    if (-4..digits as i32 - i32::from(point)).contains(&exponent) {
        place_point(start, exponent, out);
        if point && !out[start..].contains(&b'.') {
            out.extend_from_slice(b".0");
        }
        if alternate && exponent == digits as i32 - 1 {
            out.push(b'.');
        }
    } else {
        place_exponent(start, exponent, alternate, out);
    }
}
