//! Reads the tables under `testdata`, which `testdata/generate.py` made of CPython's answers.

use crate::field::Value;

/// What CPython gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Text(String),
    /// The exception's name.
    Raised(String),
}

/// The cases of a table, each as its columns without escapes. An empty table is a mistake.
pub(crate) fn cases(table: &str) -> Vec<Vec<String>> {
    let cases: Vec<_> =
        table.lines().map(|line| line.split('\t').map(unescape).collect::<Vec<_>>()).collect();
    assert!(cases.len() > 100, "a table of {} cases", cases.len());
    cases
}

pub(crate) fn expected(column: &str) -> Expected {
    match column.split_at(1) {
        ("=", text) => Expected::Text(text.into()),
        ("!", name) => Expected::Raised(name.into()),
        _ => panic!("not a result: {column:?}"),
    }
}

pub(crate) fn value(column: &str) -> Value<'_> {
    match column.split_at(1) {
        ("n", "") => Value::None,
        ("b", digit) => Value::Bool(digit == "1"),
        ("i", digits) => match (digits.parse(), digits.parse()) {
            (Ok(number), _) => Value::I64(number),
            (_, Ok(number)) => Value::U64(number),
            _ => Value::BigInt(digits),
        },
        ("f", bits) => Value::F64(f64::from_bits(u64::from_str_radix(bits, 16).unwrap())),
        ("s", text) => Value::Str(text),
        _ => panic!("not a value: {column:?}"),
    }
}

fn unescape(column: &str) -> String {
    let mut text = String::new();
    let mut chars = column.chars();
    while let Some(char) = chars.next() {
        text.push(match char {
            '\\' => match chars.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('\\') => '\\',
                other => panic!("unknown escape {other:?}"),
            },
            _ => char,
        });
    }
    text
}
