//! `time.strftime` for the directives whose text depends on nothing but the time and its zone.
//!
//! Names of days and months are those of the C locale, which is what Python uses unless the program
//! calls `locale.setlocale` for `LC_TIME`; [`DateFormat::uses_names`] tells who relies on it.

use super::civil::Civil;
use std::fmt;

/// A date format, read once.
#[derive(Clone, Debug)]
pub(crate) struct DateFormat {
    ops: Box<[Op]>,
}

#[derive(Clone, Debug)]
enum Op {
    Literal(Box<str>),
    /// A directive that stands for itself; its letter was checked.
    Directive(u8),
}

/// A directive that is left to Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsupported(pub(crate) Option<char>);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some('\0') => f.write_str("got a zero byte, expected text"),
            Some(got) => write!(f, "got `%{}`, expected one of `%{SUPPORTED}`", got.escape_debug()),
            None => f.write_str("got a `%` at the end, expected a directive"),
        }
    }
}

const SUPPORTED: &str = "aAbBCdDeFgGhHIjmMnpRStTuUVwWyYzZ%";
const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl DateFormat {
    /// Reads a format.
    ///
    /// # Errors
    /// [`Unsupported`] for a directive that depends on the locale or the platform.
    pub(crate) fn parse(format: &str) -> Result<DateFormat, Unsupported> {
        if format.contains('\0') {
            return Err(Unsupported(Some('\0')));
        }
        let mut ops = Vec::new();
        let mut literal = String::new();
        let mut chars = format.chars();
        while let Some(char) = chars.next() {
            if char != '%' {
                literal.push(char);
                continue;
            }
            let directives = match chars.next().ok_or(Unsupported(None))? {
                'D' => "m/d/y",
                'F' => "Y-m-d",
                'R' => "H:M",
                'T' => "H:M:S",
                '%' => {
                    literal.push('%');
                    continue;
                }
                'n' => {
                    literal.push('\n');
                    continue;
                }
                't' => {
                    literal.push('\t');
                    continue;
                }
                letter => {
                    let at = SUPPORTED.find(letter).ok_or(Unsupported(Some(letter)))?;
                    &SUPPORTED[at..=at]
                }
            };
            for byte in directives.bytes() {
                if byte.is_ascii_alphabetic() {
                    if !literal.is_empty() {
                        ops.push(Op::Literal(std::mem::take(&mut literal).into()));
                    }
                    ops.push(Op::Directive(byte));
                } else {
                    literal.push(char::from(byte));
                }
            }
        }
        if !literal.is_empty() {
            ops.push(Op::Literal(literal.into()));
        }
        Ok(DateFormat { ops: ops.into() })
    }

    /// Whether the text has names in it, which are right only in the C locale.
    pub(crate) fn uses_names(&self) -> bool {
        self.ops
            .iter()
            .any(|op| matches!(op, Op::Directive(b'a' | b'A' | b'b' | b'B' | b'h' | b'p')))
    }

    /// Appends the text of `civil`.
    pub(crate) fn write(&self, civil: &Civil<'_>, out: &mut Vec<u8>) {
        for op in &self.ops {
            match op {
                Op::Literal(text) => out.extend_from_slice(text.as_bytes()),
                Op::Directive(letter) => write_directive(*letter, civil, out),
            }
        }
    }
}

fn write_directive(letter: u8, civil: &Civil<'_>, out: &mut Vec<u8>) {
    match letter {
        b'Y' => write_year(civil.year, out),
        b'y' => write_two(civil.year.rem_euclid(100) as u32, out),
        b'C' => write_two(civil.year.div_euclid(100) as u32, out),
        b'm' => write_two(civil.month, out),
        b'd' => write_two(civil.day, out),
        b'e' if civil.day < 10 => out.extend_from_slice(&[b' ', b'0' + civil.day as u8]),
        b'e' => write_two(civil.day, out),
        b'H' => write_two(civil.hour, out),
        b'I' => write_two((civil.hour + 11) % 12 + 1, out),
        b'M' => write_two(civil.minute, out),
        b'S' => write_two(civil.second, out),
        b'p' => out.extend_from_slice(if civil.hour < 12 { b"AM" } else { b"PM" }),
        b'j' => write_three(civil.yearday + 1, out),
        b'a' => out.extend_from_slice(&DAYS[civil.weekday as usize].as_bytes()[..3]),
        b'A' => out.extend_from_slice(DAYS[civil.weekday as usize].as_bytes()),
        b'b' | b'h' => out.extend_from_slice(&MONTHS[civil.month as usize - 1].as_bytes()[..3]),
        b'B' => out.extend_from_slice(MONTHS[civil.month as usize - 1].as_bytes()),
        b'u' => out.push(b'1' + ((civil.weekday + 6) % 7) as u8),
        b'w' => out.push(b'0' + civil.weekday as u8),
        b'U' => write_two(civil.week(0), out),
        b'W' => write_two(civil.week(1), out),
        b'V' => write_two(civil.iso_week().1, out),
        b'G' => write_year(civil.iso_week().0, out),
        b'g' => write_two(civil.iso_week().0.rem_euclid(100) as u32, out),
        b'z' => write_offset(civil.offset, out),
        b'Z' => out.extend_from_slice(civil.zone.as_bytes()),
        _ => debug_assert!(false, "directive {letter} was let through"),
    }
}

fn write_year(year: i64, out: &mut Vec<u8>) {
    write_two(year.div_euclid(100) as u32, out);
    write_two(year.rem_euclid(100) as u32, out);
}

fn write_offset(offset: i32, out: &mut Vec<u8>) {
    let minutes = offset.unsigned_abs() / 60;
    out.push(if offset < 0 { b'-' } else { b'+' });
    write_two(minutes / 60, out);
    write_two(minutes % 60, out);
}

/// Appends the last two digits of `number`.
#[inline]
pub(crate) fn write_two(number: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]);
}

/// Appends the last three digits of `number`.
#[inline]
pub(crate) fn write_three(number: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&[
        b'0' + (number / 100 % 10) as u8,
        b'0' + (number / 10 % 10) as u8,
        b'0' + (number % 10) as u8,
    ]);
}
