use super::*;
use crate::field::{Field, Value};
use crate::record::{Message, Record, Site, Text};

const TIME_NS: i64 = 1_700_000_000_123_456_789;

struct Said<'a> {
    logger: &'a [u8],
    level: i32,
    message: &'a [u8],
    fields: &'a [Field<'a>],
    exception: &'a str,
}

const SOLD: Said<'static> =
    Said { logger: b"shop.till", level: 20, message: b"sold 3", fields: &[], exception: "" };

fn show(options: &ConsoleOptions<'_>, said: &Said<'_>) -> String {
    let attributes = [(Attribute::Exception, said.exception)];
    let record = Record {
        time_ns: TIME_NS,
        level: Level(said.level),
        thread: 0,
        logger: Text::Inline(said.logger),
        site: Site::None,
        message: Message::Plain(Text::Inline(said.message)),
        fields: said.fields,
        attributes: if said.exception.is_empty() { &[] } else { &attributes },
        routes: &[],
    };
    let mut bytes = vec![0; record.encoded_len().unwrap()];
    record.encode(&mut bytes);
    let view = RecordView::parse(&bytes, &()).unwrap();
    let mut out = Vec::new();
    let formatter = ConsoleFormatter::new(options).unwrap();
    formatter.format(&view, &mut FormatCache::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn options() -> ConsoleOptions<'static> {
    ConsoleOptions { zone: Zone::Utc, library: &["/usr/lib/python3.11/"], ..Default::default() }
}

fn field<'a>(key: &'a str, value: impl Into<Value<'a>>) -> Field<'a> {
    Field { key, value: value.into() }
}

#[test]
fn a_line_is_aligned() {
    let fields = [field("user", "ann smith"), field("total", 3), field("paid", true)];
    let said = Said { fields: &fields, ..SOLD };
    assert_eq!(
        show(&options(), &said),
        "2023-11-14 22:13:20.123 INFO     shop.till        sold 3  user=\"ann smith\" total=3 paid=true"
    );
    let said = Said { level: 7, logger: b"a.rather.long.name.of.one", ..SOLD };
    let other = ConsoleOptions { datefmt: Some("%H:%M"), ..options() };
    assert_eq!(show(&other, &said), "22:13 Level 7  a.rather.long.name.of.one sold 3");
    let other = ConsoleOptions { datefmt: Some(""), logger_width: 0, ..options() };
    assert_eq!(show(&other, &SOLD), "INFO     shop.till sold 3");
    let other = ConsoleOptions { drop: &["total", "paid"], ..options() };
    assert!(
        show(&other, &Said { fields: &fields, ..SOLD }).ends_with("sold 3  user=\"ann smith\"")
    );
    let refused = ConsoleFormatter::new(&ConsoleOptions { datefmt: Some("%c"), ..options() });
    assert!(refused.unwrap_err().to_string().starts_with("invalid `datefmt`: got `%c`"));
}

#[test]
fn fields_that_do_not_fit_have_lines_of_their_own() {
    let fields = [field("user", "ann smith"), field("total", 3), field("note", "größer \" = 漢字")];
    let at = |columns, message: &'static [u8]| {
        let width = Width::Columns(columns);
        show(&ConsoleOptions { width, ..options() }, &Said { fields: &fields, message, ..SOLD })
    };
    let head = "2023-11-14 22:13:20.123 INFO     shop.till        ";
    let all = "user=\"ann smith\" total=3 note=\"größer \\\" = 漢字\"";
    let width = 50 + 6 + 2 + 16 + 1 + 7 + 1 + 23;
    assert_eq!(at(width, b"sold 3"), format!("{head}sold 3  {all}"));
    assert_eq!(at(width - 1, b"sold 3"), format!("{head}sold 3\n    {all}"));
    assert_eq!(
        at(20, b"sold 3"),
        format!(
            "{head}sold 3\n    user=\"ann smith\"\n    total=3\n    note=\"größer \\\" = 漢字\""
        )
    );
    assert_eq!(at(200, b"sold\n3\n"), format!("{head}sold\n  | 3\n    {all}"));
}

#[test]
fn what_could_drive_a_terminal_or_forge_a_line_is_shown() {
    let line = "a\nb\r\nc\rd\te\u{1b}[31mf\u{7f}\u{85}\u{202e}\u{2028}\u{200f}".as_bytes();
    let text = "a\n  | b\n  | c\\rd    e\\x1b[31mf\\x7f\\x85\\u202e\\u2028\\u200f";
    let shown = show(&options(), &Said { message: line, ..SOLD });
    assert!(shown.ends_with(text), "{shown}");
    let shown = show(&options(), &Said { logger: line, message: b"\xff\n\n", ..SOLD });
    let name = "a\\nb\\r\\nc\\rd\\te\\x1b[31mf\\x7f\\x85\\u202e\\u2028\\u200f";
    assert!(shown.ends_with(&format!(" {name} \\xff")), "{shown}");
}

#[test]
fn colours_are_there_where_they_are_asked_for_and_end_with_their_line() {
    let fields = [field("user", "ann"), field("total", 3)];
    let said = Said { level: 40, message: b"no\nmoney", fields: &fields, exception: TRACE, ..SOLD };
    let colored = ConsoleOptions { colors: Colors::Always, width: Width::Columns(12), ..options() };
    let text = show(&colored, &said);
    assert!(
        text.starts_with("\x1b[2m2023-11-14 22:13:20.123\x1b[0m \x1b[1;31mERROR\x1b[0m    "),
        "{text}"
    );
    assert!(text.contains("\n    \x1b[2muser=ann\x1b[0m\n    \x1b[2mtotal=3\x1b[0m\n"), "{text}");
    assert!(text.contains("\n  \x1b[1m  File \"/srv/shop/till.py\""), "{text}");
    for line in text.lines() {
        assert!(
            !line.contains('\x1b') || line.ends_with("\x1b[0m") || !line.contains("\x1b[0m\x1b")
        );
        let begun = line.matches("\x1b[").count();
        assert_eq!(begun, 2 * line.matches("\x1b[0m").count(), "{line:?}");
    }
    let plain = ConsoleOptions { colors: Colors::Never, ..colored };
    assert!(!show(&plain, &said).contains('\x1b'));
}

const TRACE: &str = r#"Traceback (most recent call last):
  File "/v/lib/python3.11/site-packages/uvicorn/run.py", line 1, in run
    await app()
          ^^^^^
  File "/v/lib/python3.11/site-packages/starlette/app.py", line 2, in app
    return handle()
  [Previous line repeated 9 more times]
  File "/srv/shop/till.py", line 42, in sell
    charge(card)
  File "/usr/lib/python3.11/json/decoder.py", line 3, in decode
    raw()
  File "/v/lib/python3.11/site-packages/six.py", line 4, in raw
    raise error
ValueError: no card
  File "/usr/lib/python3.11/forged.py", line 5, in a_message

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/shop/app.py", line 7, in <module>
    sell()
RuntimeError"#;

#[test]
fn frames_of_libraries_are_folded_and_the_one_that_raised_is_shown() {
    let shown = show(&options(), &Said { exception: TRACE, ..SOLD });
    let expected = r#"sold 3
  Traceback (most recent call last):
    ... 11 frames in uvicorn, starlette
    File "/srv/shop/till.py", line 42, in sell
      charge(card)
    ... 1 frame in python
    File "/v/lib/python3.11/site-packages/six.py", line 4, in raw
      raise error
  ValueError: no card
    File "/usr/lib/python3.11/forged.py", line 5, in a_message
  
  The above exception was the direct cause of the following exception:
  
  Traceback (most recent call last):
    File "/srv/shop/app.py", line 7, in <module>
      sell()
  RuntimeError"#;
    assert!(shown.ends_with(expected), "{shown}");
    let own = ConsoleOptions { own: &["starlette", "six"], ..options() };
    let shown = show(&own, &Said { exception: TRACE, ..SOLD });
    for line in ["\n    ... 1 frame in uvicorn\n", "  [Previous line repeated 9 more times]\n"] {
        assert!(shown.contains(line), "{shown}");
    }
    let full = ConsoleOptions { full_traceback: true, ..options() };
    let whole = format!("sold 3\n  {}", TRACE.replace('\n', "\n  "));
    assert!(show(&full, &Said { exception: TRACE, ..SOLD }).ends_with(&whole));
}

#[test]
fn groups_are_folded_within_their_margins() {
    let group = r#"  + Exception Group Traceback (most recent call last):
  |   File "/v/site-packages/anyio/group.py", line 1, in run
  |     raise group
  |   File "/srv/app.py", line 2, in main
  |     run()
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/v/site-packages/httpx/a.py", line 3, in a
    |     b()
    |   File "/v/site-packages/httpx/b.py", line 4, in b
    |     raise
    | ValueError: one
    +---------------- 2 ----------------
    | TypeError: two
    +------------------------------------"#;
    let shown = show(&options(), &Said { exception: group, ..SOLD });
    let expected = r#"
    + Exception Group Traceback (most recent call last):
    |   ... 1 frame in anyio
    |   File "/srv/app.py", line 2, in main
    |     run()
    | ExceptionGroup: two (2 sub-exceptions)
    +-+---------------- 1 ----------------
      | Traceback (most recent call last):
      |   ... 1 frame in httpx
      |   File "/v/site-packages/httpx/b.py", line 4, in b
      |     raise
      | ValueError: one
      +---------------- 2 ----------------
      | TypeError: two
      +------------------------------------"#;
    assert!(shown.ends_with(expected), "{shown}");
}

proptest::proptest! {
    #[test]
    fn no_record_looks_like_two_or_drives_a_terminal(
        logger: Vec<u8>,
        message: Vec<u8>,
        texts in proptest::collection::vec((".{0,12}", ".{0,12}", proptest::bool::ANY), 0..40),
        exception in "(Traceback \\(most recent call last\\):\n|  File \"/usr/lib/python3.11/a\", line 1, in b\n|    x\n|\\PC|\\pC|\n){0,12}",
        columns in 0..200_u16,
        colors in proptest::bool::ANY,
    ) {
        let fields: Vec<_> = texts
            .iter()
            .map(|(key, text, json)| Field { key, value: if *json { Value::Json(text) } else { Value::Str(text) } })
            .collect();
        let colors = if colors { Colors::Always } else { Colors::Never };
        let options = ConsoleOptions { colors, width: Width::Columns(columns), ..options() };
        let said = Said { logger: &logger, level: 30, message: &message, fields: &fields, exception: &exception };
        let mut text = show(&options, &said);
        if colors == Colors::Always {
            for code in ["2", "1", "36", "33", "1;31", "0"] {
                text = text.replace(&format!("\x1b[{code}m"), "");
            }
        }
        for (number, line) in text.split('\n').enumerate() {
            proptest::prop_assert!(line.starts_with("  ") || number == 0, "{line:?}");
            for c in line.chars() {
                proptest::prop_assert!(!c.is_control(), "{c:?}");
                proptest::prop_assert!(!matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'), "{c:?}");
            }
        }
    }
}
