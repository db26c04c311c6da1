use super::*;
use crate::format::tables::{Expected, cases, expected, value};

/// Specifications that Python knows and we leave to it.
fn is_left_to_python(text: &str, value: &Value<'_>) -> bool {
    ["n", "c"].iter().any(|letter| text.ends_with(letter))
        || text.contains("1001")
        || text == "١"
        || matches!(value, Value::BigInt(_)) && !text.ends_with('d')
}

#[test]
fn values_are_shown_as_cpython_shows_them() {
    let mut native = 0;
    for case in cases(include_str!("../testdata/format_spec.tsv")) {
        let [text, result, column] = &case[..] else { panic!("{case:?}") };
        let value = value(column);
        let result = expected(result);
        let mut out = b"before ".to_vec();
        let spec = FormatSpec::parse(text);
        let accepted = spec.is_ok_and(|spec| spec.accepts(Kind::of(&value)));
        match (spec, result) {
            (Ok(spec), Expected::Text(result)) if accepted => {
                native += 1;
                spec.write(value, &mut out).unwrap();
                let shown = String::from_utf8(out).unwrap();
                assert_eq!(shown, format!("before {result}"), "{case:?}");
            }
            (_, Expected::Text(_)) => assert!(is_left_to_python(text, &value), "{case:?}"),
            (spec, Expected::Raised(_)) => {
                assert!(!accepted, "{case:?}");
                assert!(spec.map_or(true, |spec| spec.write(value, &mut out).is_err()), "{case:?}");
            }
        }
    }
    assert!(native > 1000, "{native} cases were native");
}

#[test]
fn what_no_value_says_of_itself_is_not_accepted() {
    assert!(!FormatSpec::parse("").unwrap().accepts(Kind::Object));
    assert!(FormatSpec::parse("z").unwrap().has_z());
    assert!(!FormatSpec::parse("z<3").unwrap().has_z());
}

#[test]
fn what_is_refused_is_told() {
    for (text, told) in [
        ("q", "got format type `q`, expected one of `bdeEfFgGosxX%`"),
        ("1001", "got a width or precision above the bound, expected 0 to 1000"),
        ("99999999999", "got a width or precision above the bound, expected 0 to 1000"),
        (".", "got a malformed format specification"),
        ("5 5", "got a malformed format specification"),
    ] {
        assert_eq!(FormatSpec::parse(text).unwrap_err().to_string(), told, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_specification_and_no_value_panics(
        text in proptest::prop_oneof![
            "(.?[<>=^])?[-+ ]?z?#?0?[0-9]{0,2}[,_]?(\\.[0-9]{1,2})?[sdbeEfFgGoxX%]?",
            ".{0,6}",
        ],
        number in proptest::prelude::any::<f64>(),
        integer in proptest::prelude::any::<i64>(),
        string in ".*",
    ) {
        if let Ok(spec) = FormatSpec::parse(&text) {
            for value in [Value::F64(number), Value::I64(integer), Value::Str(&string), Value::None] {
                let mut out = Vec::new();
                let shown = spec.write(value, &mut out).is_ok();
                proptest::prop_assert_eq!(shown, spec.accepts(Kind::of(&value)), "{:?} {:?}", text, value);
                proptest::prop_assert!(std::str::from_utf8(&out).is_ok());
            }
        }
    }
}
