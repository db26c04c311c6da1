//! What a facade gathers of one record before it can be handed over: texts and fields that are not
//! typed values yet, in memory that is used again.
//!
//! Invariants:
//! 1. The memory is the thread's own and is taken out while in use: a `Display` that logs meanwhile
//!    finds none and makes its own. If it panics, the memory is freed and nothing is left half done.
//! 2. A key stands once; the later value takes the place of the earlier.
//! 3. Nothing of a record stays visible to the next, and no more than [`KEPT_BYTES`] stay reserved.

use crate::field::{Field, Value};
use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::ops::Range;

/// The most memory that a thread keeps between two records, in bytes of text.
const KEPT_BYTES: usize = 64 << 10;

/// A message and fields in the making.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    text: String,
    message: Range<usize>,
    fields: Vec<Piece>,
}

#[derive(Clone, Debug)]
struct Piece {
    key: Range<usize>,
    value: PieceValue,
}

#[derive(Clone, Debug)]
enum PieceValue {
    Scalar(Value<'static>),
    Text(Range<usize>),
    BigInt(Range<usize>),
    Json(Range<usize>),
}

thread_local! {
    static SCRATCH: Cell<Option<Scratch>> = const { Cell::new(None) };
}

/// Runs `gather` with an empty scratch.
pub(crate) fn with_scratch<R>(gather: impl FnOnce(&mut Scratch) -> R) -> R {
    // Both fail only while the thread ends; its last records are worth an allocation.
    let mut scratch = SCRATCH.try_with(Cell::take).ok().flatten().unwrap_or_default();
    let outcome = gather(&mut scratch);
    if scratch.text.capacity() <= KEPT_BYTES {
        scratch.clear();
        let _ = SCRATCH.try_with(|cell| cell.set(Some(scratch)));
    }
    outcome
}

impl Scratch {
    fn clear(&mut self) {
        self.text.clear();
        self.message = 0..0;
        self.fields.clear();
    }

    /// Sets the message. What an argument writes before its `Display` fails is kept.
    pub(crate) fn set_message(&mut self, message: impl fmt::Display) {
        self.message = self.put_display(message);
    }

    /// The message.
    pub(crate) fn message(&self) -> &str {
        &self.text[self.message.clone()]
    }

    /// Adds a field that has a type.
    pub(crate) fn field(&mut self, key: &str, value: Value<'_>) {
        let value = match value {
            Value::Str(text) => PieceValue::Text(self.put(text)),
            Value::Json(text) => PieceValue::Json(self.put(text)),
            Value::BigInt(digits) => PieceValue::BigInt(self.put(digits)),
            Value::None => PieceValue::Scalar(Value::None),
            Value::Bool(value) => PieceValue::Scalar(Value::Bool(value)),
            Value::I64(value) => PieceValue::Scalar(Value::I64(value)),
            Value::U64(value) => PieceValue::Scalar(Value::U64(value)),
            Value::F64(value) => PieceValue::Scalar(Value::F64(value)),
        };
        self.add(key, value);
    }

    /// Adds a field that has only a text.
    pub(crate) fn field_display(&mut self, key: &str, value: impl fmt::Display) {
        let value = PieceValue::Text(self.put_display(value));
        self.add(key, value);
    }

    /// Adds an integer of up to 128 bits.
    pub(crate) fn field_wide<T>(&mut self, key: &str, value: T)
    where
        T: fmt::Display + Copy + TryInto<i64> + TryInto<u64>,
    {
        if let Ok(value) = value.try_into() {
            self.field(key, Value::I64(value));
        } else if let Ok(value) = value.try_into() {
            self.field(key, Value::U64(value));
        } else {
            let digits = PieceValue::BigInt(self.put_display(value));
            self.add(key, digits);
        }
    }

    /// Adds the fields of `other`.
    pub(crate) fn append_fields(&mut self, other: &Scratch) {
        for piece in &other.fields {
            let value = match &piece.value {
                PieceValue::Scalar(value) => PieceValue::Scalar(*value),
                PieceValue::Text(text) => PieceValue::Text(self.put(&other.text[text.clone()])),
                PieceValue::BigInt(text) => PieceValue::BigInt(self.put(&other.text[text.clone()])),
                PieceValue::Json(text) => PieceValue::Json(self.put(&other.text[text.clone()])),
            };
            self.add(&other.text[piece.key.clone()], value);
        }
    }

    /// Shows the fields as a record has them.
    #[inline]
    pub(crate) fn with_fields<R>(&self, show: impl FnOnce(&[Field<'_>]) -> R) -> R {
        match self.fields.len() {
            0 => show(&[]),
            1..=4 => self.with_up_to::<4, R>(show),
            5..=16 => self.with_up_to::<16, R>(show),
            _ => show(&self.shown().collect::<Vec<_>>()),
        }
    }

    /// Shows up to `N` fields without an allocation.
    fn with_up_to<const N: usize, R>(&self, show: impl FnOnce(&[Field<'_>]) -> R) -> R {
        let mut fields = [Field { key: "", value: Value::None }; N];
        fields.iter_mut().zip(self.shown()).for_each(|(place, field)| *place = field);
        show(&fields[..self.fields.len()])
    }

    fn shown(&self) -> impl Iterator<Item = Field<'_>> {
        self.fields.iter().map(|piece| Field {
            key: &self.text[piece.key.clone()],
            value: match &piece.value {
                PieceValue::Scalar(value) => *value,
                PieceValue::Text(text) => Value::Str(&self.text[text.clone()]),
                PieceValue::BigInt(digits) => Value::BigInt(&self.text[digits.clone()]),
                PieceValue::Json(text) => Value::Json(&self.text[text.clone()]),
            },
        })
    }

    fn add(&mut self, key: &str, value: PieceValue) {
        let text = &self.text;
        if let Some(same) = self.fields.iter_mut().find(|piece| text[piece.key.clone()] == *key) {
            same.value = value;
            return;
        }
        let key = self.put(key);
        self.fields.push(Piece { key, value });
    }

    fn put(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(text);
        start..self.text.len()
    }

    fn put_display(&mut self, value: impl fmt::Display) -> Range<usize> {
        let start = self.text.len();
        // An error here is one that a `Display` made up; there is nobody to tell it to.
        let _ = write!(self.text, "{value}");
        start..self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(scratch: &Scratch) -> Vec<(String, String)> {
        scratch.with_fields(|fields| {
            fields.iter().map(|f| (f.key.to_owned(), format!("{:?}", f.value))).collect()
        })
    }

    #[test]
    fn later_values_take_the_place_of_earlier_ones() {
        let mut outer = Scratch::default();
        outer.field("user", Value::Str("ann"));
        outer.field_wide("big", u128::MAX);
        outer.field_wide("small", -3_i128);
        let mut inner = Scratch::default();
        inner.append_fields(&outer);
        inner.field_display("user", format_args!("{}", 7));
        inner.set_message(format_args!("hello {}", "you"));
        assert_eq!(inner.message(), "hello you");
        let expected = [
            ("user", "Str(\"7\")"),
            ("big", "BigInt(\"340282366920938463463374607431768211455\")"),
            ("small", "I64(-3)"),
        ];
        assert_eq!(fields(&inner), expected.map(|(key, value)| (key.into(), value.into())));
    }

    #[test]
    fn many_fields_are_all_there() {
        let mut scratch = Scratch::default();
        for n in 0..100 {
            scratch.field(&n.to_string(), Value::U64(n));
        }
        scratch.with_fields(|fields| {
            assert_eq!(fields.len(), 100);
            assert_eq!(fields[99], Field { key: "99", value: Value::U64(99) });
        });
    }

    #[test]
    fn a_value_that_logs_while_it_is_written_does_not_meet_the_record_in_the_making() {
        struct Logs;
        impl fmt::Display for Logs {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let inner = with_scratch(|scratch| {
                    scratch.set_message("inner");
                    assert!(fields(scratch).is_empty());
                    scratch.message().len()
                });
                write!(f, "inner had {inner}")
            }
        }
        with_scratch(|scratch| {
            scratch.field("a", Value::U64(1));
            scratch.set_message(Logs);
            assert_eq!(scratch.message(), "inner had 5");
        });
        with_scratch(|scratch| assert!(scratch.message().is_empty() && fields(scratch).is_empty()));
    }
}
