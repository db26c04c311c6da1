//! Patterns in the `%` style: `%(levelname)-8s`.

use super::compile::{Builder, Refused};
use super::show::Show;
use crate::format::percent::Spec;
use memchr::memchr;

/// What tells `logging` that the time is shown.
pub(super) const TIME: [&str; 1] = ["%(asctime)"];

/// Reads a pattern.
pub(super) fn read(pattern: &str, builder: &mut Builder<'_>) -> Result<(), Refused> {
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('%') {
        builder.text(before);
        if let Some(behind) = behind.strip_prefix('%') {
            builder.text("%");
            rest = behind;
            continue;
        }
        let Some((key, behind)) = split_key(behind) else {
            return Err("got `%` without a key, expected `%(key)` or `%%`".into());
        };
        let (spec, taken) =
            Spec::parse(behind.as_bytes()).map_err(|refusal| refusal.to_string())?;
        builder.place(key, Show::Percent(spec))?;
        rest = &behind[taken..];
    }
    builder.text(rest);
    Ok(())
}

/// Splits `(key)rest`; parentheses nest.
fn split_key(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('(')?;
    let mut depth = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return Some((&text[..at], &text[at + 1..]));
        }
    }
    None
}

/// Whether `logging.Formatter(pattern, validate=True)` takes the pattern: whether it has, anywhere,
/// `%(word)`, flags, a width, a precision and a known conversion letter of either case.
pub(super) fn is_valid(pattern: &str) -> bool {
    let mut rest = pattern;
    while let Some(at) = memchr(b'%', rest.as_bytes()) {
        rest = &rest[at + 1..];
        if starts_with_place(rest) {
            return true;
        }
    }
    false
}

fn starts_with_place(text: &str) -> bool {
    let Some((word, rest)) = text.strip_prefix('(').and_then(|text| text.split_once(')')) else {
        return false;
    };
    if word.is_empty() || !word.chars().all(|char| char.is_alphanumeric() || char == '_') {
        return false;
    }
    let mut rest = number(rest.trim_start_matches(['#', '0', '+', ' ', '-']));
    if let Some(precision) = rest.strip_prefix('.') {
        let behind = number(precision);
        if behind.len() < precision.len() {
            rest = behind;
        }
    }
    let letter = rest.chars().next().unwrap_or_default();
    "diouxefgcrsa%".contains(letter.to_ascii_lowercase())
}

/// What is behind a `*` or digits.
fn number(text: &str) -> &str {
    text.strip_prefix('*').unwrap_or_else(|| text.trim_start_matches(char::is_numeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_valid_where_logging_says_so() {
        for valid in
            ["%(a)s", "x %(b_1)-8.3f", "%(c)*d", "%(d)#.*X", "%q %(é)s", "%(e)%", "%(%(f)s"]
        {
            assert!(is_valid(valid), "{valid}");
        }
        for invalid in
            ["", "x", "%s", "%(a)", "%()s", "%(a b)s", "%(a)z", "%(a).s", "{a}", "%(a)ls"]
        {
            assert!(!is_valid(invalid), "{invalid}");
        }
    }
}
