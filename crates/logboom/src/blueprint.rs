//! Blueprints: what it takes to make a formatter, a filter or a sink again in another process.
//!
//! Invariants:
//! 1. A blueprint is bytes without an address: parts one behind the other, the first of which names the
//!    kind. A number is 8 bytes, a text its length as `u32` and its bytes, in the byte order of the
//!    machine.
//! 2. [`Parts`] reads any bytes without a panic: whoever reads one that came out of a file gets `None`
//!    where it is none.
//!
//! They lie beside a durable ring, so that what a dead process had not written can be written as it
//! would have been. What has none (a sink into memory, a filter that is a closure) is not made again.

use crate::field::Value;

/// What it takes to make a part of a route again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blueprint(Vec<u8>);

impl Blueprint {
    /// One of this kind, without parts.
    pub fn new(kind: &str) -> Blueprint {
        Blueprint::default().text(kind)
    }

    /// Adds a text.
    #[must_use]
    pub fn text(mut self, text: impl AsRef<[u8]>) -> Blueprint {
        let text = text.as_ref();
        self.0.extend_from_slice(&(text.len() as u32).to_ne_bytes());
        self.0.extend_from_slice(text);
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Blueprint {
        self.0.extend_from_slice(&number.to_ne_bytes());
        self
    }

    /// Adds a text that may be missing.
    #[must_use]
    pub fn optional(self, text: Option<&str>) -> Blueprint {
        let made = self.number(text.is_some().into());
        text.into_iter().fold(made, |made, text| made.text(text))
    }

    /// Adds a list of texts.
    #[must_use]
    pub fn list<'t>(self, texts: impl ExactSizeIterator<Item = &'t str>) -> Blueprint {
        let made = self.number(texts.len() as u64);
        texts.fold(made, |made, text| made.text(text))
    }

    /// Adds a value.
    #[must_use]
    pub fn value(self, value: Value<'_>) -> Blueprint {
        match value {
            Value::None => self.number(0),
            Value::Bool(truth) => self.number(1).number(truth.into()),
            Value::I64(number) => self.number(2).number(number as u64),
            Value::U64(number) => self.number(3).number(number),
            Value::F64(number) => self.number(4).number(number.to_bits()),
            Value::BigInt(text) => self.number(5).text(text),
            Value::Str(text) => self.number(6).text(text),
            Value::Json(text) => self.number(7).text(text),
        }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The parts of a blueprint that were not read yet.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    /// Those of these bytes.
    pub fn of(bytes: &'a [u8]) -> Parts<'a> {
        Parts(bytes)
    }

    /// The next part, a text.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let (len, rest) = self.0.split_first_chunk()?;
        let (text, rest) = rest.split_at_checked(u32::from_ne_bytes(*len) as usize)?;
        self.0 = rest;
        Some(text)
    }

    /// The same, if it is UTF-8.
    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// The next part, a number.
    pub fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_ne_bytes(*number))
    }

    /// The next part, a number that says yes or no.
    pub fn truth(&mut self) -> Option<bool> {
        match self.number()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// The next part, a text that may be missing.
    pub fn optional(&mut self) -> Option<Option<&'a str>> {
        if self.truth()? { self.text().map(Some) } else { Some(None) }
    }

    /// The next part, a list; each item is read by `item`.
    pub fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        // Not to be trusted: nothing is reserved for as many.
        let count = self.number()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Some(items)
    }

    /// The next part, a value.
    pub fn value(&mut self) -> Option<Value<'a>> {
        Some(match self.number()? {
            0 => Value::None,
            1 => Value::Bool(self.truth()?),
            2 => Value::I64(self.number()? as i64),
            3 => Value::U64(self.number()?),
            4 => Value::F64(f64::from_bits(self.number()?)),
            5 => Value::BigInt(self.text()?),
            6 => Value::Str(self.text()?),
            7 => Value::Json(self.text()?),
            _ => return None,
        })
    }

    /// Whether all of them were read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_comes_out_and_a_cut_is_told() {
        let values = [
            Value::None,
            Value::Bool(true),
            Value::I64(-3),
            Value::U64(u64::MAX),
            Value::F64(0.1),
            Value::BigInt("99999999999999999999"),
            Value::Str("text"),
            Value::Json("[1]"),
        ];
        let made = Blueprint::new("kind").number(7).optional(None).optional(Some("")).text(b"\xff");
        let made = made.list(["a", "b"].into_iter());
        let made = values.into_iter().fold(made, Blueprint::value);
        let read = |bytes: &[u8]| {
            let mut parts = Parts::of(bytes);
            assert_eq!(parts.text()?, "kind");
            assert_eq!(parts.number()?, 7);
            assert_eq!((parts.optional()?, parts.optional()?), (None, Some("")));
            assert_eq!(parts.bytes()?, b"\xff");
            assert_eq!(parts.list(|parts| parts.text().map(str::to_owned))?, ["a", "b"]);
            for value in values {
                assert_eq!(parts.value()?, value);
            }
            Some(parts.is_empty())
        };
        assert_eq!(read(made.as_bytes()), Some(true));
        for cut in 0..made.as_bytes().len() {
            assert_eq!(read(&made.as_bytes()[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn a_count_that_lies_costs_nothing() {
        let made = Blueprint::default().number(u64::MAX);
        assert_eq!(Parts::of(made.as_bytes()).list(|parts| parts.number()), None);
        let long = u32::MAX.to_ne_bytes();
        assert_eq!(Parts::of(&long).bytes(), None);
    }
}
