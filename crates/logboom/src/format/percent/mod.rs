//! Python's `%` operator for typed arguments: `"user %s did %d things" % ("ann", 3)`.
//!
//! Invariants:
//! 1. What [`Template::accepts`] says yes to is rendered byte for byte as CPython 3.10 to 3.13 does.
//!    In doubt it says no, and Python formats at the call.
//! 2. No template and no value panics, and nothing is allocated beside `out`, save for an error.
//! 3. An error appends nothing that matters: the writer cuts it off.
//!
//! Two ways lead here. The binding parses a [`Template`] once for a call site and asks it about the
//! kinds of the arguments at each call. The writer gets the template's bytes and the values with
//! each record and renders them in one pass ([`render`]), the bare `%s` and `%d` first.
//!
//! ```text
//! kind     what a conversion has to know of a value
//! spec     "%-8.3s" parsed; which kinds it takes
//! integer, float, text   a value and a spec to bytes; padding
//! ```
//!
//! What it does not do: mappings (`%(key)s` with a dict), `*` as width, and values of other types
//! than [`Value`]'s; those are formatted at the call. Without arguments `logging` applies no `%` at
//! all, which is [`Message::Plain`](crate::record::Message::Plain), not a template.
//!
//! Pinned by `tests.rs`, which replays what CPython gave for `testdata/percent.tsv`.

mod float;
mod integer;
mod kind;
mod spec;
mod text;

pub use kind::Kind;
pub use spec::MAX_WIDTH;

pub(in crate::format) use float::{write_exponent, write_fixed, write_general, write_repr};
pub(crate) use integer::write_plain as write_integer;
pub(in crate::format) use integer::write_power_of_two;
pub(crate) use spec::{Conversion, Refusal, Spec};
pub(in crate::format) use text::{code_points, insert, prefix_len};
pub(crate) use text::{fit_text, write_text};

use super::FormatError;
use crate::field::Value;
use crate::record::Argument;
use memchr::memchr;
use std::fmt;

/// A template that was read once, to be asked whether it takes the arguments of a call.
#[derive(Clone, Debug)]
pub struct Template {
    text: Box<[u8]>,
    specs: Box<[Spec]>,
}

/// A text of a template, and the conversion behind it, if any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'t> {
    pub(crate) before: &'t [u8],
    pub(crate) spec: Option<Spec>,
}

/// Why a template is not rendered natively. Python may still take it, or raise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    refusal: Refusal,
    at: usize,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid template at byte {}: {}", self.at, self.refusal)
    }
}

impl std::error::Error for TemplateError {}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`TemplateError`] for what Python refuses (an incomplete or unknown conversion) and for what
    /// is left to Python: a key in parentheses, `*`, a width or precision above [`MAX_WIDTH`].
    pub fn parse(text: &[u8]) -> Result<Template, TemplateError> {
        let mut specs = Vec::new();
        let mut rest = text;
        while let Some(at) = memchr(b'%', rest) {
            let behind = &rest[at + 1..];
            let taken = if behind.first() == Some(&b'%') {
                1
            } else {
                let at = text.len() - behind.len() - 1;
                let (spec, taken) =
                    Spec::parse(behind).map_err(|refusal| TemplateError { refusal, at })?;
                specs.push(spec);
                taken
            };
            rest = &behind[taken..];
        }
        Ok(Template { text: text.into(), specs: specs.into() })
    }

    /// Its texts, each with the conversion behind it; the last one has none.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut specs = self.specs.iter();
        let mut rest = Some(&*self.text);
        std::iter::from_fn(move || {
            let text = rest.take()?;
            let Some(at) = memchr(b'%', text) else {
                return Some(Piece { before: text, spec: None });
            };
            let behind = &text[at + 1..];
            if behind.first() == Some(&b'%') {
                rest = Some(&behind[1..]);
                // One of the two stands for itself.
                return Some(Piece { before: &text[..=at], spec: None });
            }
            rest = Some(&behind[Spec::parse(behind).map_or(0, |(_, taken)| taken)..]);
            Some(Piece { before: &text[..at], spec: specs.next().copied() })
        })
    }

    pub(crate) fn specs(&self) -> &[Spec] {
        &self.specs
    }

    /// How many arguments it takes.
    pub fn arguments(&self) -> usize {
        self.specs.len()
    }

    /// Whether Python's `%` succeeds with arguments of these kinds and [`Template::render`] gives
    /// the same text. Costs a few nanoseconds an argument.
    pub fn accepts(&self, kinds: impl IntoIterator<Item = Kind>) -> bool {
        let mut kinds = kinds.into_iter();
        self.specs.iter().all(|spec| kinds.next().is_some_and(|kind| spec.accepts(kind)))
            && kinds.next().is_none()
    }

    /// Appends the template with `values` put in.
    ///
    /// # Errors
    /// [`FormatError`] where Python's `%` would raise.
    pub fn render<'a>(
        &self,
        values: impl IntoIterator<Item = Value<'a>>,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        render(&self.text, values, out)
    }
}

/// Appends `template` with `values` put in, reading the template on the way.
///
/// # Errors
/// [`FormatError`] where Python's `%` would raise, and for templates that [`Template::parse`]
/// refuses.
#[inline]
pub fn render<'a>(
    template: &[u8],
    values: impl IntoIterator<Item = Value<'a>>,
    out: &mut Vec<u8>,
) -> Result<(), FormatError> {
    let mut values = values.into_iter();
    let mut rest = template;
    while let Some(at) = memchr(b'%', rest) {
        out.extend_from_slice(&rest[..at]);
        let behind = &rest[at + 1..];
        let (spec, taken) = match behind.first() {
            Some(b's') => (STR, 1),
            Some(b'd') => (DECIMAL, 1),
            Some(b'%') => {
                out.push(b'%');
                rest = &behind[1..];
                continue;
            }
            _ => Spec::parse(behind).map_err(|refusal| unreadable(template, refusal))?,
        };
        write_value(&spec, values.next().ok_or_else(too_few)?, out)?;
        rest = &behind[taken..];
    }
    out.extend_from_slice(rest);
    if values.next().is_some() { Err(too_many()) } else { Ok(()) }
}

const STR: Spec = Spec::plain(Conversion::Str);
const DECIMAL: Spec = Spec::plain(Conversion::Decimal);

/// Appends an argument as `spec` shows it.
///
/// # Errors
/// [`FormatError`] where Python's `%` would raise.
#[inline]
pub(crate) fn write_argument(
    spec: &Spec,
    argument: Argument<'_>,
    out: &mut Vec<u8>,
) -> Result<(), FormatError> {
    match argument {
        Argument::Text(text) if spec.conversion == Conversion::Str && spec.is_plain() => {
            out.extend_from_slice(text);
            Ok(())
        }
        _ => write_value(spec, argument.value(), out),
    }
}

/// Appends `value` as `spec` shows it.
#[inline]
pub(crate) fn write_value(
    spec: &Spec,
    value: Value<'_>,
    out: &mut Vec<u8>,
) -> Result<(), FormatError> {
    match (spec.conversion, value) {
        (Conversion::Str, Value::Str(text)) if spec.is_plain() => {
            out.extend_from_slice(text.as_bytes());
            Ok(())
        }
        (Conversion::Str | Conversion::Decimal, Value::I64(number)) if spec.is_plain() => {
            integer::write_plain(number, out);
            Ok(())
        }
        _ => write_other(spec, value, out),
    }
}

fn write_other(spec: &Spec, value: Value<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
    match spec.conversion {
        Conversion::Str | Conversion::Repr | Conversion::Ascii => {
            if let Value::Str(text) = value {
                write_text(spec, text.as_bytes(), out);
            } else {
                let start = out.len();
                write_str(value, out);
                fit_text(spec, start, out);
            }
        }
        Conversion::Decimal => match value {
            Value::F64(number) if number.is_finite() => integer::write_truncated(spec, number, out),
            Value::BigInt(digits) => integer::write_digits(spec, digits, out),
            _ => {
                let (negative, magnitude) = integer(value).ok_or_else(|| mismatch(spec, value))?;
                integer::write_integer(spec, negative, magnitude, out);
            }
        },
        Conversion::Hex | Conversion::Octal => {
            let (negative, magnitude) = integer(value).ok_or_else(|| mismatch(spec, value))?;
            integer::write_integer(spec, negative, magnitude, out);
        }
        Conversion::Exponent | Conversion::Fixed | Conversion::General => {
            let number = float(value).ok_or_else(|| mismatch(spec, value))?;
            float::write_float(spec, number, out);
        }
        Conversion::Char => {
            let char = char(value).ok_or_else(|| mismatch(spec, value))?;
            let spec = Spec { conversion: Conversion::Str, precision: None, ..*spec };
            write_text(&spec, char.encode_utf8(&mut [0; 4]).as_bytes(), out);
        }
    }
    Ok(())
}

/// Appends `str(value)`.
pub(crate) fn write_str(value: Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::None => out.extend_from_slice(b"None"),
        Value::Bool(true) => out.extend_from_slice(b"True"),
        Value::Bool(false) => out.extend_from_slice(b"False"),
        Value::I64(number) => integer::write_plain(number, out),
        Value::U64(number) => integer::write_plain(number, out),
        Value::BigInt(text) | Value::Str(text) | Value::Json(text) => {
            out.extend_from_slice(text.as_bytes())
        }
        Value::F64(number) => float::write_repr(number, out),
    }
}

/// The sign and magnitude of an integer of at most 64 bits.
pub(super) fn integer(value: Value<'_>) -> Option<(bool, u64)> {
    match value {
        Value::Bool(value) => Some((false, u64::from(value))),
        Value::I64(number) => Some((number < 0, number.unsigned_abs())),
        Value::U64(number) => Some((false, number)),
        _ => None,
    }
}

/// `float(value)` of a number of at most 64 bits.
pub(super) fn float(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Bool(value) => Some(f64::from(u8::from(value))),
        // Both round half to even, as Python's `float` does.
        Value::I64(number) => Some(number as f64),
        Value::U64(number) => Some(number as f64),
        Value::F64(number) => Some(number),
        _ => None,
    }
}

fn char(value: Value<'_>) -> Option<char> {
    match value {
        Value::Str(text) => {
            let mut chars = text.chars();
            chars.next().filter(|_| chars.next().is_none())
        }
        _ => {
            let (negative, code) = integer(value)?;
            char::from_u32(u32::try_from(code).ok()?).filter(|_| !negative)
        }
    }
}

#[cold]
fn too_few() -> FormatError {
    FormatError("not enough arguments for format string".into())
}

#[cold]
fn too_many() -> FormatError {
    FormatError("not all arguments converted during string formatting".into())
}

#[cold]
fn unreadable(template: &[u8], refusal: Refusal) -> FormatError {
    FormatError(format!("invalid template `{}`: {refusal}", template.escape_ascii()))
}

#[cold]
fn mismatch(spec: &Spec, value: Value<'_>) -> FormatError {
    let letter = spec.conversion.letter();
    FormatError(format!("invalid argument for `%{letter}`: got {:?}", Kind::of(&value)))
}

#[cfg(test)]
mod tests;
