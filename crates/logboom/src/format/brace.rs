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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_take_values_in_order_and_nothing_vanishes() {
        let values = [Value::Str("ä"), Value::I64(-3), Value::Bool(true)];
        for (template, text) in [
            ("{} {} {}", "ä -3 true"),
            ("{}", "ä -3 true"),
            ("{}{}{}{}", "ä-3true{}"),
            ("{{}} {}{}{}", "{} ä-3true"),
            ("}{} {{{}}} {}", "}ä {-3} true"),
            ("{name} {:?} {", "{name} {:?} { ä -3 true"),
            ("", " ä -3 true"),
        ] {
            let mut out = Vec::new();
            render(template.as_bytes(), values, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text, "{template}");
        }
    }

    #[test]
    fn values_are_shown_as_display_shows_them() {
        for (value, text) in [
            (Value::None, "None"),
            (Value::F64(1.0), "1"),
            (Value::F64(1e21), "1000000000000000000000"),
            (Value::F64(f64::NAN), "NaN"),
            (Value::U64(u64::MAX), "18446744073709551615"),
            (Value::BigInt("-99999999999999999999"), "-99999999999999999999"),
        ] {
            let mut out = Vec::new();
            render(b"{}", [value], &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
