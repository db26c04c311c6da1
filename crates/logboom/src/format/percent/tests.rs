use super::*;
use crate::format::tables::{Expected, cases, expected, value};
use proptest::prelude::*;

fn rendered(template: &str, values: &[Value<'_>]) -> Result<String, FormatError> {
    let mut out = b"before ".to_vec();
    render(template.as_bytes(), values.iter().copied(), &mut out)?;
    let text = String::from_utf8(out).unwrap();
    Ok(text.strip_prefix("before ").expect("what was there stays").to_owned())
}

/// Whether we leave this to Python although Python renders it.
fn is_left_to_python(template: &str, values: &[Value<'_>]) -> bool {
    let Ok(template) = Template::parse(template.as_bytes()) else { return true };
    template.specs().iter().zip(values).any(|(spec, value)| match spec.conversion {
        Conversion::Char => true,
        Conversion::Repr => Kind::of(value) == Kind::Text,
        Conversion::Decimal | Conversion::Str | Conversion::Ascii => false,
        _ => Kind::of(value) == Kind::BigInt,
    })
}

#[test]
fn templates_are_rendered_as_cpython_renders_them() {
    let (mut accepted, mut refused) = (0, 0);
    for case in cases(include_str!("../testdata/percent.tsv")) {
        let (template, result) = (&case[0], expected(&case[1]));
        let values: Vec<_> = case[2..].iter().map(|column| value(column)).collect();
        let accepts = Template::parse(template.as_bytes())
            .is_ok_and(|template| template.accepts(values.iter().map(Kind::of)));
        let ours = rendered(template, &values);
        match result {
            Expected::Raised(name) => {
                assert!(!accepts, "{template:?} {values:?} raises {name}");
                // A float's kind is not checked while rendering: all of `%d` but inf and nan.
                assert!(ours.is_err(), "{template:?} {values:?} raises {name}: {ours:?}");
            }
            Expected::Text(text) => {
                let left = is_left_to_python(template, &values);
                assert_eq!(accepts, !left, "{template:?} {values:?}");
                let same = ours.as_ref() == Ok(&text);
                assert!(left || same, "{template:?} {values:?}: {text:?}, got {ours:?}");
                *(if left { &mut refused } else { &mut accepted }) += 1;
            }
        }
    }
    assert!(accepted > 4000 && refused < accepted / 4, "{accepted} accepted, {refused} refused");
}

#[test]
fn a_character_is_rendered_where_it_is_one() {
    assert_eq!(
        rendered(
            "%c%c|%3c|%-3c|",
            &["ß".into(), 65.into(), 'x'.to_string().as_str().into(), 0x1F600.into()]
        ),
        Ok("ßA|  x|😀  |".into())
    );
    for bad in
        [Value::I64(-1), Value::I64(0xD800), Value::I64(0x11_0000), Value::Str("ab"), Value::None]
    {
        assert!(rendered("%c", &[bad]).is_err(), "{bad:?}");
    }
}

#[test]
fn kinds_count_as_many_as_places() {
    let template = Template::parse(b"%s %d%% %x").unwrap();
    assert_eq!(template.arguments(), 3);
    assert!(template.accepts([Kind::Text, Kind::Float, Kind::Int]));
    assert!(!template.accepts([Kind::Text, Kind::Float]));
    assert!(!template.accepts([Kind::Text, Kind::Float, Kind::Int, Kind::Int]));
    assert!(!template.accepts([Kind::Text, Kind::NonFinite, Kind::Int]));
}

#[test]
fn errors_say_what_was_got_and_expected() {
    let error = |template: &[u8]| Template::parse(template).unwrap_err().to_string();
    assert_eq!(
        error(b"abc %q"),
        "invalid template at byte 4: got conversion `q`, expected one of `diouxXeEfFgGcrsa%`"
    );
    assert_eq!(
        error(b"%s %"),
        "invalid template at byte 3: got the end of the text, expected a conversion"
    );
    assert_eq!(
        rendered("%d", &["x".into()]).unwrap_err().to_string(),
        "invalid argument for `%d`: got Ascii"
    );
}

fn any_value() -> impl Strategy<Value = (u8, u64, String)> {
    (0..7_u8, any::<u64>(), any::<String>())
}

fn make((tag, bits, text): &(u8, u64, String)) -> Value<'_> {
    match tag {
        0 => Value::None,
        1 => Value::Bool(bits & 1 == 1),
        2 => Value::I64(*bits as i64),
        3 => Value::U64(*bits),
        4 => Value::F64(f64::from_bits(*bits)),
        5 => Value::BigInt(text),
        _ => Value::Str(text),
    }
}

proptest! {
    #[test]
    fn no_template_and_no_value_panics(
        template in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40),
            "(%[-+ #0]{0,3}[0-9]{0,4}(\\.[0-9]{0,4})?[hlL]?[sradiuxXoeEfFgGc%]|a|é|%){0,5}"
                .prop_map(String::into_bytes),
        ],
        values in proptest::collection::vec(any_value(), 0..5),
    ) {
        let values: Vec<_> = values.iter().map(make).collect();
        let mut out = Vec::new();
        let result = render(&template, values.iter().copied(), &mut out);
        if let Ok(parsed) = Template::parse(&template) {
            let accepts = parsed.accepts(values.iter().map(Kind::of));
            prop_assert!(result.is_ok() || !accepts, "accepted and then failed: {result:?}");
        } else {
            prop_assert!(result.is_err());
        }
        crate::format::brace::render(&template, values.iter().copied(), &mut out);
    }

    #[test]
    fn a_float_reads_back_from_its_text(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        let text = rendered("%s", &[number.into()]).unwrap();
        let back: f64 = text.parse().unwrap();
        prop_assert!(back == number || number.is_nan());
    }
}
