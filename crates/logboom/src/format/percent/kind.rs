//! What a conversion has to know of a value before the call, so that nothing surprises the writer.

use crate::field::Value;

/// The kind of a value, as far as it decides whether a conversion takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Kind {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool,
    /// An integer of at most 64 bits.
    Int,
    /// A longer integer.
    BigInt,
    /// A finite floating-point number.
    Float,
    /// An infinity or not a number.
    NonFinite,
    /// Text of ASCII characters only.
    Ascii,
    /// Other text.
    Text,
    /// An object of another type, of which only its `str` is known, as a text. No value tells this of
    /// itself.
    Object,
    /// A list or a map, of which only its JSON is known: no conversion shows it as Python does.
    Nested,
}

impl Kind {
    pub(crate) const ALL: [Kind; 10] = [
        Kind::None,
        Kind::Bool,
        Kind::Int,
        Kind::BigInt,
        Kind::Float,
        Kind::NonFinite,
        Kind::Ascii,
        Kind::Text,
        Kind::Object,
        Kind::Nested,
    ];

    /// The kind of `value`. Looks at every byte of a text; a caller that knows already whether its
    /// text is ASCII need not ask.
    pub fn of(value: &Value<'_>) -> Kind {
        match value {
            Value::None => Kind::None,
            Value::Bool(_) => Kind::Bool,
            Value::I64(_) | Value::U64(_) => Kind::Int,
            Value::BigInt(_) => Kind::BigInt,
            Value::F64(number) if number.is_finite() => Kind::Float,
            Value::F64(_) => Kind::NonFinite,
            Value::Str(text) if text.is_ascii() => Kind::Ascii,
            Value::Str(_) => Kind::Text,
            Value::Json(_) => Kind::Nested,
        }
    }
}
