//! Numbers of payment cards: 13 to 19 digits, alone or in groups with one space or hyphen between them.

use std::ops::Range;

const LONGEST: usize = 19;

/// Adds where they are.
pub(super) fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(start) = text[at..].iter().position(u8::is_ascii_digit).map(|n| at + n) {
        let (end, digits) = run(text, start);
        at = end;
        let joined = start > 0 && is_word(text[start - 1]);
        if !joined && !text.get(end).is_some_and(|byte| is_word(*byte)) && is_card(&digits) {
            found.push(start..end);
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Where the digits that begin at `start` end, and which they are; too many of them are none.
fn run(text: &[u8], start: usize) -> (usize, Vec<u8>) {
    let (mut end, mut digits) = (start, Vec::with_capacity(LONGEST + 1));
    while let Some(byte) = text.get(end) {
        if byte.is_ascii_digit() {
            if digits.len() <= LONGEST {
                digits.push(byte - b'0');
            }
            end += 1;
        } else if matches!(byte, b' ' | b'-') && text.get(end + 1).is_some_and(u8::is_ascii_digit) {
            end += 1;
        } else {
            break;
        }
    }
    (end, digits)
}

fn is_card(digits: &[u8]) -> bool {
    if digits.len() < 13 {
        return false;
    }
    let prefix = digits[..4].iter().fold(0, |number, digit| number * 10 + u32::from(*digit));
    let known = match prefix {
        4000..5000 => matches!(digits.len(), 13 | 16 | 19),
        5100..5600 | 2221..2721 | 3528..3590 => digits.len() == 16,
        3400..3500 | 3700..3800 => digits.len() == 15,
        3000..3060 | 3600..3700 | 3800..4000 => digits.len() == 14,
        5600..5900 | 6000..7000 => digits.len() <= LONGEST,
        _ => false,
    };
    known && luhn(digits)
}

/// The check digit that all of them have (ISO/IEC 7812-1).
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = (digits.iter().rev().enumerate())
        .map(|(at, digit)| match (at % 2, u32::from(*digit) * 2) {
            (0, twice) => twice / 2,
            (_, twice) => twice / 10 + twice % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}
