//! A pattern's text to the operations that render it, the same for all styles.

use super::show::{Kept, Show};
use super::source::Source;
use super::{PatternError, PatternOptions, PatternStyle, braces, dollar, percent};
use crate::format::percent::Kind;

/// A text, and behind it the place of a value.
#[derive(Clone, Debug)]
pub(super) struct Op {
    pub(super) before: Box<str>,
    pub(super) source: Source,
    pub(super) show: Show,
    /// Whether texts are shown as they are.
    pub(super) plain: bool,
    /// What stands here where the record has no such field.
    pub(super) default: Option<Kept>,
}

/// A pattern's operations and the text behind the last one.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) ops: Box<[Op]>,
    pub(super) after: Box<str>,
}

/// Why a pattern is not rendered natively.
pub(super) type Refused = String;

/// Puts operations together while a style reads its pattern.
pub(super) struct Builder<'a> {
    options: &'a PatternOptions<'a>,
    ops: Vec<Op>,
    literal: String,
}

impl<'a> Builder<'a> {
    /// What the formatter is made with.
    pub(super) fn options(&self) -> &'a PatternOptions<'a> {
        self.options
    }

    /// Adds a text that stands for itself.
    pub(super) fn text(&mut self, text: &str) {
        self.literal.push_str(text);
    }

    /// Adds a place.
    pub(super) fn place(&mut self, key: &str, show: Show) -> Result<(), Refused> {
        let source = Source::of(key, self.options.task_name)
            .ok_or_else(|| format!("got `{key}`, which needs a `LogRecord`"))?;
        let mut default = None;
        if let Source::Field(key) = &source {
            let given = self.options.defaults.iter().rfind(|field| field.key == &**key);
            // One that cannot be shown is as good as none: its record takes Python's way.
            default = given
                .filter(|field| show.accepts(Kind::of(&field.value)))
                .map(|field| Kept::of(field.value));
        }
        if !source.accepts(&show) {
            return Err(format!("got a format for `{key}` that it does not take"));
        }
        let plain = show.is_plain();
        let before = std::mem::take(&mut self.literal).into();
        self.ops.push(Op { before, source, show, plain, default });
        Ok(())
    }
}

/// Compiles a pattern that is not empty.
pub(super) fn compile(
    pattern: &str,
    options: &PatternOptions<'_>,
) -> Result<Program, PatternError> {
    let (is_valid, read) = match options.style {
        PatternStyle::Percent => (percent::is_valid as fn(&str) -> bool, percent::read as Read),
        PatternStyle::Brace => (braces::is_valid as fn(&str) -> bool, braces::read as Read),
        PatternStyle::Dollar => (dollar::is_valid as fn(&str) -> bool, dollar::read as Read),
    };
    if options.validate && !is_valid(pattern) {
        return Err(PatternError::invalid(pattern, options.style.example()));
    }
    let mut builder = Builder { options, ops: Vec::new(), literal: String::new() };
    read(pattern, &mut builder).map_err(|reason| PatternError::not_native("pattern", reason))?;
    Ok(Program { ops: builder.ops.into(), after: builder.literal.into() })
}

type Read = fn(&str, &mut Builder<'_>) -> Result<(), Refused>;

/// Whether `logging` makes a date for this pattern, shown or not.
pub(super) fn uses_time(pattern: &str, style: PatternStyle) -> bool {
    let marks: &[&str] = match style {
        PatternStyle::Percent => &percent::TIME,
        PatternStyle::Brace => &braces::TIME,
        PatternStyle::Dollar => &dollar::TIME,
    };
    marks.iter().any(|mark| pattern.contains(mark))
}
