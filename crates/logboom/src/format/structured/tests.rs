use super::*;
use crate::format::{Formatter, JsonFormatter, LogfmtFormatter};
use crate::level::Level;
use crate::record::{CallSite, Message, Record, Site, Text};

fn bytes(fields: &[Field<'_>], message: &str, exception: &str) -> Vec<u8> {
    let site = CallSite { path: b"/app/shop.py", function: b"sell", line: 7 }.to_text();
    let record = Record {
        time_ns: 1_700_000_000_123_456_789,
        level: Level::WARNING,
        thread: 5,
        logger: "shop".into(),
        site: Site::Inline(&site),
        message: Message::Plain(message.into()),
        fields,
        attributes: &[(Attribute::Exception, exception)],
        routes: &[],
    };
    let mut bytes = vec![0; record.encoded_len().unwrap()];
    record.encode(&mut bytes);
    bytes
}

fn show(formatter: &dyn Formatter, bytes: &[u8]) -> String {
    let record = RecordView::parse(bytes, &()).unwrap();
    let mut out = b"before".to_vec();
    formatter.format(&record, &mut FormatCache::for_process(9), &mut out).unwrap();
    String::from_utf8(out).unwrap().strip_prefix("before").unwrap().to_owned()
}

fn json(options: &StructuredOptions<'_>, fields: &[Field<'_>]) -> String {
    show(&JsonFormatter::new(options).unwrap(), &bytes(fields, "sold 3", ""))
}

fn field<'a>(key: &'a str, value: impl Into<Value<'a>>) -> Field<'a> {
    Field { key, value: value.into() }
}

const HEAD: &str = r#"{"timestamp":"2023-11-14T22:13:20.123456Z","level":"WARNING","logger":"shop","message":"sold 3""#;

#[test]
fn a_line_has_its_keys_in_order_and_its_values_typed() {
    let fields = [
        field("n", -3),
        field("u", u64::MAX),
        field("x", 1e16),
        field("bad", f64::NAN),
        field("none", Value::None),
        field("big", Value::BigInt("99999999999999999999")),
        field("list", Value::Json("[1,\"a\"]")),
        field("not", Value::Json("[1,\n")),
        field("a\nb", "c\nd"),
    ];
    assert_eq!(
        json(&Default::default(), &fields),
        HEAD.to_owned()
            + r#","n":-3,"u":18446744073709551615,"x":1e+16,"bad":"NaN","none":null,"big":"99999999999999999999","list":[1,"a"],"not":"[1,\n","a\nb":"c\nd"}"#
    );
}

#[test]
fn no_field_takes_the_place_of_another_value() {
    let fields = [field("level", "FORGED"), field("level_", 1), field("a", 1), field("a", 2)];
    assert_eq!(
        json(&Default::default(), &fields),
        HEAD.to_owned() + r#","level_":"FORGED","level__":1,"a":2}"#
    );
    let many: Vec<String> = (0..100).map(|n| format!("k{}", n % 50)).collect();
    let mut fields: Vec<_> = many.iter().map(|key| field(key, key.as_str())).collect();
    fields.push(field("message", "FORGED"));
    let line = json(&Default::default(), &fields);
    assert_eq!(line.matches("\"k7\":").count(), 1);
    assert!(line.contains(r#""message":"sold 3""#) && line.ends_with(r#""message_":"FORGED"}"#));
}

#[test]
fn keys_are_chosen_renamed_dropped_and_fixed() {
    let fixed = [field("service", "till"), field("nodes", Value::Json("[1]"))];
    let options = StructuredOptions {
        keys: Some(&["message", "static", "fields", "lineno", "levelname"]),
        rename: &[("message", "msg"), ("user", "usr")],
        drop: &["lineno", "secret"],
        fixed: &fixed,
        ..Default::default()
    };
    let fields = [field("user", 1), field("secret", 2), field("service", 3)];
    assert_eq!(
        json(&options, &fields),
        r#"{"msg":"sold 3","service":"till","nodes":[1],"usr":1,"service_":3,"level":"WARNING"}"#
    );
    for options in [
        StructuredOptions { keys: Some(&["what"]), ..Default::default() },
        StructuredOptions { keys: Some(&["name", "name"]), ..Default::default() },
        StructuredOptions { rename: &[("message", "level")], ..Default::default() },
        StructuredOptions {
            fixed: &[Field { key: "level", value: Value::None }],
            ..Default::default()
        },
    ] {
        let error = JsonFormatter::new(&options).unwrap_err().to_string();
        assert!(error.starts_with("invalid `") && error.contains("expected"), "{error}");
    }
}

#[test]
fn presets_have_the_keys_of_those_who_read_them() {
    let traceback =
        "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nValueError: no";
    let bytes = bytes(&[field("user", 1)], "m", traceback);
    let escaped = traceback.replace('\n', "\\n").replace('"', "\\\"");
    for (preset, expected) in [
        (
            Preset::Ecs,
            r#"{"@timestamp":"2023-11-14T22:13:20.123456Z","log.level":"warning","message":"m","ecs.version":"1.6.0","log.logger":"shop","log.origin.file.name":"shop.py","log.origin.file.line":7,"log.origin.function":"sell","process.pid":9,"process.thread.id":5,"user":1,"error.type":"ValueError","error.message":"no","error.stack_trace":"TB"}"#,
        ),
        (
            Preset::Gcp,
            r#"{"severity":"WARNING","time":"2023-11-14T22:13:20.123456Z","message":"m","logger":"shop","logging.googleapis.com/sourceLocation":{"file":"/app/shop.py","line":"7","function":"sell"},"user":1,"stack_trace":"TB"}"#,
        ),
        (
            Preset::Datadog,
            r#"{"timestamp":"2023-11-14T22:13:20.123456Z","status":"warning","message":"m","logger":{"name":"shop","method_name":"sell"},"user":1,"error":{"kind":"ValueError","message":"no","stack":"TB"}}"#,
        ),
        (
            Preset::Otel,
            r#"{"Timestamp":"1700000000123456789","SeverityText":"WARNING","SeverityNumber":13,"Body":"m","InstrumentationScope":{"Name":"shop"},"Attributes":{"code.file.path":"/app/shop.py","code.line.number":7,"code.function.name":"sell","thread.id":5,"user":1,"exception.type":"ValueError","exception.message":"no","exception.stacktrace":"TB"}}"#,
        ),
    ] {
        let options = StructuredOptions { preset, ..Default::default() };
        let line = show(&JsonFormatter::new(&options).unwrap(), &bytes);
        assert_eq!(line, expected.replace("TB", &escaped), "{preset:?}");
    }
}

#[test]
fn an_exception_is_told_only_where_its_line_is_certain() {
    let framed = |end: &str| format!("Traceback (most recent call last):\n  File \"a\"\n{end}");
    assert_eq!(last_line(&framed("a.B: c: d")), Some(("a.B", Some("c: d"))));
    assert_eq!(last_line(&framed("KeyError")), Some(("KeyError", None)));
    assert_eq!(last_line("ValueError: no"), Some(("ValueError", Some("no"))));
    for end in [
        "E: a\nFake: b",
        "E: a\n  b",
        "E: a\n",
        "two words",
        "E: a\nTraceback (most recent call last):\n  x\nF: b",
    ] {
        assert_eq!(last_line(&framed(end)), None, "{end}");
    }
}

#[test]
fn logfmt_quotes_what_is_not_one_word() {
    let fields = [
        field("user", "ann"),
        field("empty", ""),
        field("q", "say \"a=b\"\n"),
        field("none", Value::None),
        field("list", Value::Json("[1,2]")),
        field("a b", 1),
        field("a=b", 2),
        field("", true),
        field("größe", "groß"),
        field("log ger", 0),
    ];
    let options = StructuredOptions {
        keys: Some(&["levelname", "name", "message", "fields"]),
        ..Default::default()
    };
    let line = show(&LogfmtFormatter::new(&options).unwrap(), &bytes(&fields, "sold 3", ""));
    assert_eq!(
        line,
        "level=WARNING logger=shop message=\"sold 3\" user=ann empty=\"\" q=\"say \\\"a=b\\\"\\n\" none=null list=[1,2] a_b=1 a_b_=2 _=true größe=groß log_ger=0"
    );
}

proptest::proptest! {
    #[test]
    fn every_line_is_one_safe_json_object(
        logger: Vec<u8>,
        message: Vec<u8>,
        texts in proptest::collection::vec((".{0,12}", ".{0,12}", 0..4u8), 0..40),
    ) {
        let fields: Vec<_> = texts
            .iter()
            .map(|(key, text, kind)| Field {
                key,
                value: match kind {
                    0 => Value::Json(text),
                    1 => Value::BigInt(text),
                    2 => Value::F64(f64::from_bits((text.len() as u64).wrapping_mul(0x0FFF_0123_4567_89AB))),
                    _ => Value::Str(text),
                },
            })
            .collect();
        let record = Record {
            time_ns: 0, level: Level(7), thread: 0, logger: Text::Inline(&logger), site: Site::None,
            message: Message::Plain(Text::Inline(&message)), fields: &fields, attributes: &[], routes: &[],
        };
        let mut bytes = vec![0; record.encoded_len().unwrap()];
        record.encode(&mut bytes);
        let line = show(&JsonFormatter::new(&Default::default()).unwrap(), &bytes);
        let mut whole = Vec::new();
        crate::format::write_json_value(Value::Json(&line), &mut whole);
        proptest::prop_assert_eq!(whole, line.as_bytes());
        let line = show(&LogfmtFormatter::new(&Default::default()).unwrap(), &bytes);
        proptest::prop_assert!(!line.chars().any(char::is_control));
    }
}
