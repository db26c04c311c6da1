//! Typed values: what the arguments of a message and the fields of a record are made of.

/// A value as it was at the call. Its text is made later, by the writer.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Nothing: Python's `None`, JSON's `null`.
    None,
    /// True or false.
    Bool(bool),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A whole number too large for the others, as its decimal digits with an optional `-`.
    BigInt(&'a str),
    /// A floating-point number.
    F64(f64),
    /// Text.
    Str(&'a str),
    /// A list or a map, as JSON text of one line. A formatter that writes JSON looks whether it is
    /// that, and shows what is not as a text.
    Json(&'a str),
}

/// A key and a value on a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field<'a> {
    /// The key.
    pub key: &'a str,
    /// The value.
    pub value: Value<'a>,
}

macro_rules! from {
    ($($from:ty => $variant:ident as $to:ty),* $(,)?) => {$(
        impl From<$from> for Value<'_> {
            #[inline]
            fn from(value: $from) -> Self {
                Value::$variant(<$to>::from(value))
            }
        }
    )*};
}

from! {
    bool => Bool as bool,
    i8 => I64 as i64, i16 => I64 as i64, i32 => I64 as i64, i64 => I64 as i64,
    u8 => U64 as u64, u16 => U64 as u64, u32 => U64 as u64, u64 => U64 as u64,
    f32 => F64 as f64, f64 => F64 as f64,
}

impl From<usize> for Value<'_> {
    #[inline]
    fn from(value: usize) -> Self {
        // Lossless: no supported target has a `usize` wider than 64 bits.
        Value::U64(value as u64)
    }
}

impl From<isize> for Value<'_> {
    #[inline]
    fn from(value: isize) -> Self {
        // Lossless, as for `usize`.
        Value::I64(value as i64)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    #[inline]
    fn from(value: &'a str) -> Self {
        Value::Str(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    #[inline]
    fn from(value: &'a String) -> Self {
        Value::Str(value)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    #[inline]
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::None, Into::into)
    }
}
