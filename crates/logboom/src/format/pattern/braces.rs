//! Patterns in the `{` style: `{levelname:<8}`.
//!
//! They are cut up as CPython does it (`Objects/stringlib/unicode_format.h`, `MarkupIterator_next`).
//! Native are places with a name alone; indexes, attributes and items of a value, and places within
//! a format specification, are left to Python.

use super::compile::{Builder, Refused};
use super::show::Show;
use crate::format::format_spec::FormatSpec;
use crate::format::percent::Conversion;
use memchr::memchr2;

/// What tells `logging` that the time is shown.
pub(super) const TIME: [&str; 1] = ["{asctime"];

/// A part of a pattern.
#[derive(Debug, PartialEq, Eq)]
enum Part<'p> {
    /// A text that stands for itself.
    Text(&'p str),
    /// `{name!conversion:spec}`.
    Place { name: &'p str, conversion: Option<char>, spec: &'p str },
}

/// The parts of a pattern, in order; an error ends them.
struct Parts<'p> {
    rest: &'p str,
    /// A place that follows the text given last.
    place: bool,
}

fn parts(pattern: &str) -> Parts<'_> {
    Parts { rest: pattern, place: false }
}

impl<'p> Iterator for Parts<'p> {
    type Item = Result<Part<'p>, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.place {
            self.place = false;
            return Some(self.place().inspect_err(|_| self.rest = ""));
        }
        let text = self.rest;
        let Some(at) = memchr2(b'{', b'}', text.as_bytes()) else {
            self.rest = "";
            return (!text.is_empty()).then_some(Ok(Part::Text(text)));
        };
        let (brace, behind) = text[at..].split_at(1);
        if let Some(behind) = behind.strip_prefix(brace) {
            self.rest = behind;
            return Some(Ok(Part::Text(&text[..=at])));
        }
        if brace == "}" || behind.is_empty() {
            self.rest = "";
            return Some(Err("got a single brace, expected a place in braces or two braces"));
        }
        self.rest = behind;
        self.place = true;
        Some(Ok(Part::Text(&text[..at])))
    }
}

impl<'p> Parts<'p> {
    /// Reads a place, whose opening brace is behind us.
    fn place(&mut self) -> Result<Part<'p>, &'static str> {
        const OPEN: &str = "got a place without its closing brace";
        let text = self.rest;
        let (mut at, mut in_item) = (0, false);
        let end = loop {
            match text.as_bytes().get(at) {
                None => return Err(OPEN),
                Some(b']') if in_item => in_item = false,
                Some(_) if in_item => {}
                Some(b'[') => in_item = true,
                Some(b'{') => return Err("got a brace in the name of a place"),
                Some(end @ (b'}' | b':' | b'!')) => break *end,
                Some(_) => {}
            }
            at += 1;
        };
        let name = &text[..at];
        let mut rest = &text[at + 1..];
        let mut conversion = None;
        if end == b'!' {
            let mut chars = rest.chars();
            conversion = Some(chars.next().ok_or(OPEN)?);
            rest = chars.as_str();
            match (rest.strip_prefix('}'), rest.strip_prefix(':')) {
                (Some(behind), _) => {
                    self.rest = behind;
                    return Ok(Part::Place { name, conversion, spec: "" });
                }
                (_, Some(behind)) => rest = behind,
                _ => return Err("got more than one character of a conversion"),
            }
        }
        let mut spec = "";
        if end != b'}' {
            let mut depth = 1;
            let end = rest.bytes().position(|byte| {
                match byte {
                    b'{' => depth += 1,
                    b'}' => depth -= 1,
                    _ => {}
                }
                depth == 0
            });
            let end = end.ok_or(OPEN)?;
            spec = &rest[..end];
            rest = &rest[end + 1..];
        }
        self.rest = rest;
        Ok(Part::Place { name, conversion, spec })
    }
}

/// Reads a pattern.
pub(super) fn read(pattern: &str, builder: &mut Builder<'_>) -> Result<(), Refused> {
    for part in parts(pattern) {
        let (name, conversion, spec) = match part? {
            Part::Text(text) => {
                builder.text(text);
                continue;
            }
            Part::Place { name, conversion, spec } => (name, conversion, spec),
        };
        if !is_simple(name) {
            return Err(format!("got a place `{name}`, expected a name"));
        }
        let conversion = match conversion {
            None => None,
            Some('s') => Some(Conversion::Str),
            Some('r') => Some(Conversion::Repr),
            Some('a') => Some(Conversion::Ascii),
            Some(other) => return Err(format!("got conversion `{other}`, expected one of `sra`")),
        };
        if spec.contains('{') {
            return Err("got a place within a format specification".into());
        }
        let spec = FormatSpec::parse(spec).map_err(|reason| reason.to_string())?;
        if spec.has_z() && !builder.options().knows_z {
            return Err("got `z` in a format specification, which is of CPython 3.11".into());
        }
        builder.place(name, Show::Format(conversion, spec))?;
    }
    Ok(())
}

/// Whether a name is one that is looked up as it is.
fn is_simple(name: &str) -> bool {
    name.chars().all(is_word) && name.chars().next().is_some_and(|first| !first.is_numeric())
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Whether `logging.Formatter(pattern, style="{", validate=True)` takes the pattern: whether it can
/// be cut up, has a place, and every place looks as `logging` wants it.
pub(super) fn is_valid(pattern: &str) -> bool {
    let mut found = false;
    for part in parts(pattern) {
        match part {
            Err(_) => return false,
            Ok(Part::Text(_)) => {}
            Ok(Part::Place { name, conversion, spec }) => {
                found |= !name.is_empty();
                let valid = (name.is_empty() || is_valid_name(name))
                    && conversion.is_none_or(|letter| "rsa".contains(letter))
                    && (spec.is_empty() || is_valid_spec(spec));
                if !valid {
                    return false;
                }
            }
        }
    }
    found
}

/// `^(\d+|\w+)(\.\w+|\[[^]]+\])*$`
fn is_valid_name(name: &str) -> bool {
    let name = name.strip_suffix('\n').unwrap_or(name);
    let words = |text: &str| text.len() - text.trim_start_matches(is_word).len();
    let mut rest = &name[words(name)..];
    if rest.len() == name.len() {
        return false;
    }
    while !rest.is_empty() {
        let behind = if let Some(text) = rest.strip_prefix('.') {
            Some(&text[words(text)..]).filter(|behind| behind.len() < text.len())
        } else {
            let item = rest.strip_prefix('[').and_then(|text| text.split_once(']'));
            item.filter(|(item, _)| !item.is_empty()).map(|(_, behind)| behind)
        };
        match behind {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    true
}

/// `^(.?[<>=^])?[+ -]?#?0?(\d+|{\w+})?[,_]?(\.(\d+|{\w+}))?[bcdefgnosx%]?$`, in either case.
fn is_valid_spec(spec: &str) -> bool {
    let spec = spec.strip_suffix('\n').unwrap_or(spec);
    let mut chars = spec.chars();
    let is_align = |char: &char| "<>=^".contains(*char);
    let first = chars.next();
    let second = chars.next().filter(is_align);
    let mut rest = match (first, second) {
        (Some(first), Some(_)) if first != '\n' => chars.as_str(),
        (Some(first), _) if is_align(&first) => &spec[1..],
        _ => spec,
    };
    let skip = |text: &mut &str, set: &str| {
        if text.chars().next().is_some_and(|char| set.contains(char)) {
            *text = &text[1..];
        }
    };
    skip(&mut rest, "+ -");
    skip(&mut rest, "#");
    let padded = rest.strip_prefix('0').filter(|behind| behind.starts_with('{'));
    rest = number(padded.unwrap_or(rest));
    skip(&mut rest, ",_");
    if let Some(precision) = rest.strip_prefix('.') {
        let behind = number(precision);
        if behind.len() == precision.len() {
            return false;
        }
        rest = behind;
    }
    let mut letters = rest.chars();
    match (letters.next(), letters.next()) {
        (None, _) => true,
        (Some(letter), None) => "bcdefgnosx%".contains(letter.to_ascii_lowercase()),
        _ => false,
    }
}

/// What is behind digits or a place.
fn number(text: &str) -> &str {
    let inner = text.strip_prefix('{').and_then(|text| text.split_once('}'));
    match inner {
        Some((word, behind)) if !word.is_empty() && word.chars().all(is_word) => behind,
        _ => text.trim_start_matches(char::is_numeric),
    }
}
