//! A pattern's text to the operations that render it, and `logging`'s own check of such a text.

use super::error::PatternError;
use super::source::Source;
use crate::format::percent::{Conversion, Spec};
use memchr::memchr;
use std::fmt;

/// A text, and behind it the place of a value.
#[derive(Clone, Debug)]
pub(super) struct Op {
    pub(super) before: Box<str>,
    pub(super) source: Source,
    pub(super) spec: Spec,
    /// Whether the spec is a bare `%s`.
    pub(super) plain: bool,
}

/// A pattern's operations and the text behind the last one.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) ops: Box<[Op]>,
    pub(super) after: Box<str>,
}

pub(super) fn compile(pattern: &str, has_task_name: bool) -> Result<Program, PatternError> {
    let refuse = |reason: &dyn fmt::Display| PatternError::not_native("pattern", reason);
    let mut ops = Vec::new();
    let mut literal = String::new();
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('%') {
        literal.push_str(before);
        if let Some(behind) = behind.strip_prefix('%') {
            literal.push('%');
            rest = behind;
            continue;
        }
        let Some((key, behind)) = split_key(behind) else {
            return Err(refuse(&"got `%` without a key, expected `%(key)` or `%%`"));
        };
        let (spec, taken) = Spec::parse(behind.as_bytes()).map_err(|refusal| refuse(&refusal))?;
        let source = Source::of(key, has_task_name)
            .ok_or_else(|| refuse(&format_args!("got `%({key})`, which needs a `LogRecord`")))?;
        if !source.accepts(&spec) {
            let letter = spec.conversion.letter();
            return Err(refuse(&format_args!("got conversion `{letter}` for `%({key})`")));
        }
        let plain = spec == Spec::plain(Conversion::Str);
        ops.push(Op { before: std::mem::take(&mut literal).into(), source, spec, plain });
        rest = &behind[taken..];
    }
    literal.push_str(rest);
    Ok(Program { ops: ops.into(), after: literal.into() })
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
