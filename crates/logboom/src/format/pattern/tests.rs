use super::*;
use crate::field::Field;
use crate::format::tables::{Expected, cases, expected};
use crate::level::Level;
use crate::record::{Message, Record, RouteId, Site, Style};

const START_NS: i64 = 1_699_999_999_500_000_001;
const START: f64 = 1_699_999_999.5;

const ARGUMENTS: [Value<'static>; 2] = [Value::Str("ann"), Value::I64(3)];
const FIELDS: [Field<'static>; 6] = [
    Field { key: "user", value: Value::Str("somebody else") },
    Field { key: "count", value: Value::I64(3) },
    Field { key: "ratio", value: Value::F64(0.1) },
    Field { key: "nothing", value: Value::None },
    Field { key: "größe", value: Value::Str("groß") },
    Field { key: "user", value: Value::Str("it's ann") },
];
const NAMES: [(Attribute, &str); 2] =
    [(Attribute::ThreadName, "MainThread"), (Attribute::ProcessName, "MainProcess")];

/// What `formatter` makes of the record that `generate.py` makes, with these attributes.
fn formatted(
    formatter: &PatternFormatter,
    time_ns: i64,
    attributes: &[(Attribute, &str)],
) -> Result<String, FormatError> {
    with_record(time_ns, attributes, |record| {
        let mut out = b"the line before\n".to_vec();
        formatter.format(record, &mut FormatCache::for_process(4242), &mut out)?;
        let text = String::from_utf8(out).unwrap();
        Ok(text.strip_prefix("the line before\n").expect("what was there stays").to_owned())
    })
}

fn with_record<R>(
    time_ns: i64,
    attributes: &[(Attribute, &str)],
    run: impl FnOnce(&RecordView<'_>) -> R,
) -> R {
    let site = CallSite { path: b"/srv/app/main.v2.py", function: b"handle", line: 42 }.to_text();
    let record = Record {
        time_ns,
        level: Level::WARNING,
        thread: 140_000_000_000_001,
        logger: "app.größe".into(),
        site: Site::Inline(&site),
        message: Message::Template(Style::Percent, "user %s did %d things".into(), &ARGUMENTS),
        fields: &FIELDS,
        attributes,
        routes: &[RouteId(1)],
    };
    let mut bytes = vec![0; record.encoded_len().unwrap()];
    record.encode(&mut bytes);
    run(&RecordView::parse(&bytes, &()).unwrap())
}

fn utc(time: TimeModel) -> PatternOptions<'static> {
    PatternOptions { zone: Zone::Utc, time, ..PatternOptions::default() }
}

fn replay(table: &str, time: TimeModel) {
    let mut native = 0;
    for case in cases(table) {
        let [time_ns, pattern, datefmt, exception, stack, result] = &case[..] else {
            panic!("{case:?}")
        };
        let result = expected(result);
        let options = PatternOptions { datefmt: Some(datefmt), ..utc(time) };
        match PatternFormatter::new(pattern, &options) {
            Err(error) => {
                let invalid = result == Expected::Raised("invalid".into());
                assert_eq!(error.kind() == PatternErrorKind::Invalid, invalid, "{case:?} {error}");
                let known = [
                    "%(message)r",
                    "%(message)2000s",
                    "%(lineno)c",
                    "%(message)s %(args)s",
                    "%(msg)s",
                    "%(exc_info)s",
                    "%(message)s %s",
                ];
                let raises = matches!(result, Expected::Raised(_));
                assert!(raises || known.contains(&pattern.as_str()), "{case:?} {error}");
            }
            Ok(formatter) => {
                native += 1;
                let mut attributes = NAMES.to_vec();
                attributes
                    .extend([(Attribute::Exception, &**exception), (Attribute::Stack, stack)]);
                let ours = formatted(&formatter, time_ns.parse().unwrap(), &attributes);
                match result {
                    Expected::Text(text) => assert_eq!(ours, Ok(text), "{case:?}"),
                    Expected::Raised(_) => assert!(ours.is_err(), "{case:?} {ours:?}"),
                }
            }
        }
    }
    assert!(native > 200, "{native} cases were native");
}

#[test]
fn records_are_shown_as_cpython_before_3_13_shows_them() {
    replay(include_str!("../testdata/pattern_float.tsv"), TimeModel::Float { start: START });
}

#[test]
fn records_are_shown_as_cpython_since_3_13_shows_them() {
    let time = TimeModel::Nanoseconds { start_ns: START_NS };
    replay(include_str!("../testdata/pattern_ns.tsv"), time);
}

const DEFAULTS: [Field<'static>; 8] = [
    Field { key: "user", value: Value::Str("hidden") },
    Field { key: "message", value: Value::Str("hidden") },
    Field { key: "name", value: Value::Str("hidden") },
    Field { key: "extra", value: Value::Str("größe") },
    Field { key: "number", value: Value::I64(-7) },
    Field { key: "none", value: Value::None },
    Field { key: "flag", value: Value::Bool(true) },
    Field { key: "level", value: Value::F64(2.5) },
];

/// Patterns that Python shows and we leave to it.
const LEFT_TO_PYTHON: [&str; 5] =
    ["{message[0]}", "{message!r}", "{lineno:n}", "{lineno:c}", "{message:{lineno}}"];

fn asks_for_a_record(pattern: &str) -> bool {
    pattern.contains("args") || pattern.contains("msg")
}

/// Whether a place shows a field that the record has not, or of a kind that the place does not take.
fn lacks_a_field(formatter: &PatternFormatter) -> bool {
    formatter.required_fields().any(|field| {
        match FIELDS.iter().rfind(|known| known.key == field.key()) {
            Some(known) => !field.accepts(Kind::of(&known.value)),
            None => !field.has_default(),
        }
    })
}

#[test]
fn every_style_shows_records_as_cpython_shows_them() {
    let mut native = [0; 3];
    for case in cases(include_str!("../testdata/pattern_styles.tsv")) {
        let [style, validate, defaults, pattern, result] = &case[..] else { panic!("{case:?}") };
        let style = match &**style {
            "%" => PatternStyle::Percent,
            "{" => PatternStyle::Brace,
            _ => PatternStyle::Dollar,
        };
        let options = PatternOptions {
            style,
            validate: validate == "1",
            defaults: if defaults == "1" { &DEFAULTS } else { &[] },
            ..utc(TimeModel::Nanoseconds { start_ns: START_NS })
        };
        let result = expected(result);
        let formatter = match PatternFormatter::new(pattern, &options) {
            Ok(formatter) => formatter,
            Err(error) => {
                let invalid = result == Expected::Raised("invalid".into());
                assert_eq!(error.kind() == PatternErrorKind::Invalid, invalid, "{case:?} {error}");
                let left = LEFT_TO_PYTHON.contains(&&**pattern) || pattern.contains("1001");
                let raised = matches!(result, Expected::Raised(_));
                assert!(raised || left || asks_for_a_record(pattern), "{case:?} {error}");
                continue;
            }
        };
        let ours = formatted(&formatter, 1_677_903_920_999_998_503, &NAMES);
        match result {
            Expected::Text(text) => {
                native[style as usize] += 1;
                assert!(!lacks_a_field(&formatter), "{case:?}");
                assert_eq!(ours, Ok(text), "{case:?}");
            }
            Expected::Raised(_) => {
                assert!(lacks_a_field(&formatter), "{case:?}");
                assert!(ours.is_err(), "{case:?} {ours:?}");
            }
        }
    }
    assert!(native.iter().all(|cases| *cases > 1) && native[1] > 20, "{native:?} were native");
}

#[test]
fn a_z_is_known_since_3_11() {
    let options = PatternOptions { style: PatternStyle::Brace, ..utc(TimeModel::default()) };
    let pattern = "{message} {created:z.1f}";
    let validated = PatternFormatter::new(pattern, &options).unwrap_err();
    assert_eq!(validated.kind(), PatternErrorKind::Invalid);
    let options = PatternOptions { validate: false, ..options };
    assert!(PatternFormatter::new(pattern, &options).is_ok());
    let options = PatternOptions { knows_z: false, ..options };
    assert!(PatternFormatter::new(pattern, &options).is_err());
    assert!(PatternFormatter::new("{message:z<9}", &options).is_ok());
}

#[test]
fn a_date_that_is_made_and_not_shown_has_to_be_one_we_can_make() {
    for (style, pattern) in [
        (PatternStyle::Percent, "%%(asctime)s %(message)s"),
        (PatternStyle::Brace, "{asctimes} {message}"),
        (PatternStyle::Dollar, "$$asctime $message"),
    ] {
        let options = PatternOptions { style, datefmt: Some("\0"), ..utc(TimeModel::default()) };
        assert!(PatternFormatter::new(pattern, &options).is_err(), "{pattern}");
    }
}

#[test]
fn what_was_not_captured_is_none() {
    let pattern = "%(threadName)s %(processName)6s %(taskName)s";
    let formatter = PatternFormatter::new(pattern, &utc(TimeModel::default())).unwrap();
    assert_eq!(formatted(&formatter, 0, &[]), Ok("None   None None".into()));
    let needs = Needs { thread_name: true, process_name: true, task_name: true, site: false };
    assert_eq!(formatter.needs(), needs);
}

#[test]
fn a_level_without_a_name_and_a_renamed_one() {
    let formatter = PatternFormatter::new("%(levelname)9s|", &utc(TimeModel::default())).unwrap();
    let renamed = formatted(&formatter, 0, &[(Attribute::LevelName, "ACHTUNG")]);
    assert_eq!(renamed, Ok("  ACHTUNG|".into()));
    let unnamed = with_record(0, &[], |record| {
        let mut record = *record;
        record.level = Level(7);
        let mut out = Vec::new();
        formatter.format(&record, &mut FormatCache::default(), &mut out).map(|()| out)
    });
    assert_eq!(unnamed, Ok(b"  Level 7|".to_vec()));
}

#[test]
fn a_record_without_a_call_site_has_the_names_of_find_caller() {
    let pattern = "%(pathname)s %(filename)s %(module)s %(lineno)d %(funcName)s";
    let formatter = PatternFormatter::new(pattern, &utc(TimeModel::default())).unwrap();
    assert!(formatter.needs().site);
    let text = with_record(0, &[], |record| {
        let mut record = *record;
        record.site = None;
        let mut out = Vec::new();
        formatter.format(&record, &mut FormatCache::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    });
    assert_eq!(text, "(unknown file) (unknown file) (unknown file) 0 (unknown function)");
}

#[test]
fn required_fields_are_told_with_what_they_take() {
    let pattern = "%(user)s %(message)s %(count)03d %(taskName)s";
    let options = PatternOptions { task_name: false, ..utc(TimeModel::default()) };
    let formatter = PatternFormatter::new(pattern, &options).unwrap();
    let fields: Vec<_> = formatter
        .required_fields()
        .map(|field| (field.key(), field.accepts(Kind::Text), field.accepts(Kind::Int)))
        .collect();
    assert_eq!(fields, [("user", true, true), ("count", false, true), ("taskName", true, true)]);
    assert_eq!(
        formatted(&formatter, 0, &[]).unwrap_err().to_string(),
        "formatting field not found in record: 'taskName'"
    );
}

#[test]
fn milliseconds_follow_their_own_format() {
    let time = TimeModel::default();
    for (msec_format, text) in [
        (Some("%s,%03d"), "00:00:01,002"),
        (Some("%s.%03d!"), "00:00:01.002!"),
        (Some("<%s> %05.1f"), "<00:00:01> 002.0"),
        (Some("%%%s %03d"), "%00:00:01 002"),
        (Some(""), "00:00:01"),
        (None, "00:00:01"),
    ] {
        let options = PatternOptions { time_format: "%H:%M:%S", msec_format, ..utc(time) };
        let formatter = PatternFormatter::new("%(asctime)s", &options).unwrap();
        assert_eq!(formatted(&formatter, 1_002_000_000, &[]), Ok(text.into()));
    }
    let options = PatternOptions { msec_format: Some("%s"), ..utc(time) };
    let error = PatternFormatter::new("%(asctime)s", &options).unwrap_err();
    assert_eq!(error.kind(), PatternErrorKind::NotNative);
    assert_eq!(
        error.to_string(),
        "`msec_format` is not rendered natively: got \"%s\", expected places for a text and a number"
    );
}

#[test]
fn a_cache_serves_two_formatters_and_seconds_in_any_order() {
    let options = utc(TimeModel::default());
    let short = PatternOptions { datefmt: Some("%S"), ..options };
    let long = PatternFormatter::new("%(asctime)s", &options).unwrap();
    let short = PatternFormatter::new("%(asctime)s", &short).unwrap();
    let mut cache = FormatCache::default();
    let mut lines = Vec::new();
    for (formatter, second) in [(&long, 5), (&short, 5), (&short, 4), (&long, 4), (&long, 5)] {
        with_record(second * 1_000_000_000, &[], |record| {
            formatter.format(record, &mut cache, &mut lines).unwrap();
            lines.push(b'\n');
        });
    }
    assert_eq!(
        String::from_utf8(lines).unwrap(),
        "1970-01-01 00:00:05,000\n05\n04\n1970-01-01 00:00:04,000\n1970-01-01 00:00:05,000\n"
    );
}

#[test]
fn without_validation_a_pattern_may_have_no_place() {
    let options = utc(TimeModel::default());
    let error = PatternFormatter::new("hello", &options).unwrap_err();
    assert_eq!(error.kind(), PatternErrorKind::Invalid);
    assert_eq!(
        error.to_string(),
        "invalid pattern: got \"hello\", expected a place such as `%(message)s`"
    );
    let options = PatternOptions { validate: false, ..options };
    let formatter = PatternFormatter::new("hello", &options).unwrap();
    assert_eq!(formatted(&formatter, 0, &[]), Ok("hello".into()));
}

proptest::proptest! {
    #[test]
    fn no_pattern_date_format_or_time_panics(
        pattern in proptest::prop_oneof![
            "(%\\((name|asctime|msecs|created|relativeCreated|levelno|message|user|[a-z%()]{0,4})\\)\
             [-+ #0]{0,3}[0-9]{0,3}(\\.[0-9]{0,2})?[hlL]?[sradiuxXoeEfFgGc%]|é|%){0,5}",
            "(\\{(name|asctime|msecs|created|levelno|taskName|user|count|ratio|nothing|[a-z.{}]{0,2})\
             (![srax])?(:(.?[<>=^])?[-+ ]?z?#?0?[0-9]{0,2}[,_]?(\\.[0-9]{1,2})?[sdxobeEfFgG%]?)?\\}\
             |\\{\\{|\\}\\}|é|\\$\\{?(name|asctime|msecs|user|größe|[a-z]?)\\}?|\\$){0,5}",
            ".*",
        ],
        datefmt in "(%[a-zA-Z%+-]|é|:){0,6}",
        time_ns in proptest::prelude::any::<i64>(),
        floats in proptest::prelude::any::<bool>(),
        style in proptest::prelude::prop_oneof![
            proptest::prelude::Just(PatternStyle::Percent),
            proptest::prelude::Just(PatternStyle::Brace),
            proptest::prelude::Just(PatternStyle::Dollar),
        ],
    ) {
        let time = if floats { TimeModel::Float { start: START } } else { TimeModel::default() };
        for datefmt in [None, Some(&*datefmt)] {
            let options = PatternOptions { style, datefmt, validate: false, ..utc(time) };
            if let Ok(formatter) = PatternFormatter::new(&pattern, &options) {
                let missing = lacks_a_field(&formatter);
                let text = formatted(&formatter, time_ns, &NAMES);
                proptest::prop_assert!(text.is_ok() || missing, "{:?} {:?}", pattern, text);
            }
        }
    }
}
