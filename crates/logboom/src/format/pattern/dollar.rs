//! Patterns in the `$` style: `${levelname}`, by CPython's `string.Template`.
//!
//! A name is of ASCII letters, digits and underscores. Each value is shown by `str`.

use super::compile::{Builder, Refused};
use super::show::Show;

/// What tells `logging` that the time is shown.
pub(super) const TIME: [&str; 2] = ["$asctime", "${asctime}"];

/// A part of a pattern that begins with `$`, without it, and what is behind.
enum Part<'p> {
    Dollar(&'p str),
    Place(&'p str, &'p str),
    /// A `$` that means nothing.
    Bare,
}

fn part(text: &str) -> Part<'_> {
    if let Some(behind) = text.strip_prefix('$') {
        return Part::Dollar(behind);
    }
    if let Some((name, behind)) = name(text) {
        return Part::Place(name, behind);
    }
    let braced = text.strip_prefix('{').and_then(name);
    match braced.and_then(|(name, behind)| Some((name, behind.strip_prefix('}')?))) {
        Some((name, behind)) => Part::Place(name, behind),
        None => Part::Bare,
    }
}

/// Splits the name off that `text` begins with.
fn name(text: &str) -> Option<(&str, &str)> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let end = text.bytes().take_while(is_word).count();
    (end > 0 && !text.as_bytes()[0].is_ascii_digit()).then(|| text.split_at(end))
}

/// Reads a pattern.
pub(super) fn read(pattern: &str, builder: &mut Builder<'_>) -> Result<(), Refused> {
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('$') {
        builder.text(before);
        rest = match part(behind) {
            Part::Dollar(behind) => {
                builder.text("$");
                behind
            }
            Part::Place(name, behind) => {
                builder.place(name, Show::STR)?;
                behind
            }
            Part::Bare => return Err("got a bare `$`, expected `$name` or `$$`".into()),
        };
    }
    builder.text(rest);
    Ok(())
}

/// Whether `logging.Formatter(pattern, style="$", validate=True)` takes the pattern: whether it has
/// a place and no `$` that means nothing.
pub(super) fn is_valid(pattern: &str) -> bool {
    let mut found = false;
    let mut rest = pattern;
    while let Some((_, behind)) = rest.split_once('$') {
        rest = match part(behind) {
            Part::Dollar(behind) => behind,
            Part::Place(_, behind) => {
                found = true;
                behind
            }
            Part::Bare => return false,
        };
    }
    found
}
