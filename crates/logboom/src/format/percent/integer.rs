//! Integers as `%d`, `%x` and `%o` show them.

use super::spec::{Conversion, Spec};
use super::text::{insert, pad};
use std::io::Write;

/// Appends `number` in decimal, without flags.
#[inline]
pub(crate) fn write_plain(number: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends the integer with this sign and magnitude.
#[inline]
pub(crate) fn write_integer(spec: &Spec, negative: bool, magnitude: u64, out: &mut Vec<u8>) {
    let start = out.len();
    write_sign(spec, negative, out);
    let digits = match spec.conversion {
        Conversion::Hex | Conversion::Octal => {
            let (prefix, bits) =
                if spec.conversion == Conversion::Hex { (b"0x", 4) } else { (b"0o", 3) };
            if spec.alternate {
                out.extend_from_slice(prefix);
            }
            let digits = out.len();
            write_power_of_two(magnitude, bits, out);
            if spec.upper {
                out[start..].make_ascii_uppercase();
            }
            digits
        }
        _ => {
            let digits = out.len();
            write_plain(magnitude, out);
            digits
        }
    };
    finish(spec, start, digits, out);
}

/// Appends an integer given as decimal digits with an optional `-`.
pub(crate) fn write_digits(spec: &Spec, text: &str, out: &mut Vec<u8>) {
    let start = out.len();
    write_sign(spec, text.starts_with('-'), out);
    let digits = out.len();
    out.extend_from_slice(text.strip_prefix('-').unwrap_or(text).as_bytes());
    finish(spec, start, digits, out);
}

/// Appends a finite number without its fraction, all digits of it.
pub(crate) fn write_truncated(spec: &Spec, number: f64, out: &mut Vec<u8>) {
    let number = number.trunc();
    if number.abs() < 9e18 {
        write_integer(spec, number < 0.0, number.abs() as u64, out);
        return;
    }
    let start = out.len();
    write_sign(spec, number < 0.0, out);
    let digits = out.len();
    // Writing to a vector cannot fail.
    let _ = write!(out, "{:.0}", number.abs());
    finish(spec, start, digits, out);
}

pub(crate) fn write_sign(spec: &Spec, negative: bool, out: &mut Vec<u8>) {
    if negative {
        out.push(b'-');
    } else if spec.plus {
        out.push(b'+');
    } else if spec.blank {
        out.push(b' ');
    }
}

/// Zeros up to the precision, then padding up to the width.
fn finish(spec: &Spec, start: usize, digits: usize, out: &mut Vec<u8>) {
    if let Some(precision) = spec.precision {
        let missing = usize::from(precision).saturating_sub(out.len() - digits);
        insert(digits, b'0', missing, out);
    }
    if spec.width > 0 {
        let (at, fill) = if spec.zero { (digits, b'0') } else { (start, b' ') };
        pad(spec, start, out.len() - start, at, fill, out);
    }
}

/// Appends `number` in the base of that many bits a digit.
pub(in crate::format) fn write_power_of_two(mut number: u64, bits: u32, out: &mut Vec<u8>) {
    let mut buffer = [0; 64]; // one for each bit
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b"0123456789abcdef"[(number & ((1 << bits) - 1)) as usize];
        number >>= bits;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&buffer[at..]);
}
