//! How a place shows its value: by Python's `%`, `str.format` or `str`.

use crate::field::Value;
use crate::format::FormatError;
use crate::format::format_spec::FormatSpec;
use crate::format::percent::{Conversion, Kind, Spec, fit_text, write_text, write_value};

/// How a place shows its value.
#[derive(Clone, Debug)]
pub(super) enum Show {
    /// `%(key)-8s`; also `$key`, which is `%(key)s`.
    Percent(Spec),
    /// `{key!r:<8}`: converted first, where a conversion is given, and then formatted.
    Format(Option<Conversion>, FormatSpec),
}

impl Show {
    /// By `str`.
    pub(super) const STR: Show = Show::Percent(Spec::plain(Conversion::Str));

    /// Whether every text is shown as it is.
    pub(super) fn is_plain(&self) -> bool {
        match self {
            Show::Percent(spec) => *spec == Spec::plain(Conversion::Str),
            Show::Format(conversion, spec) => {
                spec.is_empty() && matches!(conversion, None | Some(Conversion::Str))
            }
        }
    }

    /// Whether Python shows a value of this kind without raising, and we get the same text.
    pub(super) fn accepts(&self, kind: Kind) -> bool {
        match self {
            Show::Percent(spec) => spec.accepts(kind),
            Show::Format(None, spec) => spec.accepts(kind),
            Show::Format(Some(conversion), spec) => {
                Spec::plain(*conversion).accepts(kind) && spec.accepts(Kind::Text)
            }
        }
    }

    /// Appends `value`.
    ///
    /// # Errors
    /// [`FormatError`] where Python would raise.
    #[inline]
    pub(super) fn write(&self, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        match self {
            Show::Percent(spec) => write_value(spec, value, out),
            Show::Format(None, spec) => spec.write(value, out),
            Show::Format(Some(conversion), spec) => {
                let start = out.len();
                write_value(&Spec::plain(*conversion), value, out)?;
                spec.fit(start, out);
                Ok(())
            }
        }
    }

    /// Appends a text.
    #[inline]
    pub(super) fn write_text(&self, text: &[u8], out: &mut Vec<u8>) {
        match self {
            Show::Percent(spec) => write_text(spec, text, out),
            Show::Format(conversion, spec) => {
                let start = out.len();
                write_text(&Spec::plain(conversion.unwrap_or(Conversion::Str)), text, out);
                spec.fit(start, out);
            }
        }
    }

    /// Shows the text that stands behind `start`.
    pub(super) fn rewrite(&self, start: usize, out: &mut Vec<u8>) {
        match self {
            Show::Percent(spec) if spec.conversion == Conversion::Str => {
                fit_text(spec, start, out);
            }
            Show::Format(None | Some(Conversion::Str), spec) => spec.fit(start, out),
            _ => {
                let text = out.split_off(start);
                self.write_text(&text, out);
            }
        }
    }

    /// Whether it takes `None` for the text `None`.
    pub(super) fn shows_none_as_text(&self) -> bool {
        match self {
            Show::Percent(spec) => spec.conversion == Conversion::Str,
            Show::Format(Some(conversion), _) => *conversion == Conversion::Str,
            Show::Format(None, spec) => spec.is_empty(),
        }
    }
}

/// A value that a pattern keeps: a default.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    Text(Box<str>),
    BigInt(Box<str>),
    Other(Value<'static>),
}

impl Kept {
    pub(super) fn of(value: Value<'_>) -> Kept {
        Kept::Other(match value {
            Value::Str(text) | Value::Json(text) => return Kept::Text(text.into()),
            Value::BigInt(digits) => return Kept::BigInt(digits.into()),
            Value::None => Value::None,
            Value::Bool(truth) => Value::Bool(truth),
            Value::I64(number) => Value::I64(number),
            Value::U64(number) => Value::U64(number),
            Value::F64(number) => Value::F64(number),
        })
    }

    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Kept::Text(text) => Value::Str(text),
            Kept::BigInt(digits) => Value::BigInt(digits),
            Kept::Other(value) => *value,
        }
    }
}
