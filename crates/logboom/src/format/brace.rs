//! Templates with `{}`, for callers in Rust.
//!
//! Each `{}` takes the next argument and shows it as [`std::fmt::Display`] would. `{{` and `}}` are
//! braces. Nothing that was logged vanishes and nothing fails: a placeholder without an argument
//! stays visible as `{}`, arguments without a placeholder follow the text, each behind a space, and
//! any other use of braces (`{name}`, `{:?}`) stands for itself.

use super::percent::{write_integer, write_str};
use crate::field::Value;
use memchr::memchr2;
use std::io::Write;

/// Appends `template` with `values` put in.
pub(super) fn render<'a>(
    template: &[u8],
    values: impl IntoIterator<Item = Value<'a>>,
    out: &mut Vec<u8>,
) {
    let mut values = values.into_iter();
    let mut rest = template;
    while let Some(at) = memchr2(b'{', b'}', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = match &rest[at..] {
            [b'{', b'}', behind @ ..] => {
                match values.next() {
                    Some(value) => write_display(value, out),
                    None => out.extend_from_slice(b"{}"),
                }
                behind
            }
            [first, second, behind @ ..] if first == second => {
                out.push(*first);
                behind
            }
            _ => {
                out.push(rest[at]);
                &rest[at + 1..]
            }
        };
    }
    out.extend_from_slice(rest);
    for value in values {
        out.push(b' ');
        write_display(value, out);
    }
}

fn write_display(value: Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::I64(number) => write_integer(number, out),
        Value::F64(number) => {
            // Writing to a vector cannot fail.
            let _ = write!(out, "{number}");
        }
        _ => write_str(value, out),
    }
}
