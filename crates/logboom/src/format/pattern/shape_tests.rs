//! Shapes give what the operations give, whatever the pattern, the message and the moment.

use super::shape::PLACES;
use super::*;
use crate::format::tables::cases;
use crate::level::Level;
use crate::record::{Message, Record, RouteId, Site, Style, Text, TextId, Texts};

const TEXTS: [&str; 6] = [
    "app.größe",
    "app",
    "user %s did %d things",
    "100%% of %s: %5.1f",
    "no arguments",
    "%s and %s",
];
const MESSAGES: [(u32, &[Value<'static>]); 6] = [
    (3, &[Value::Str("ann"), Value::I64(3)]),
    (3, &[Value::None, Value::Bool(true)]),
    (4, &[Value::Str("größe"), Value::F64(0.25)]),
    // Does not match: Python would raise.
    (3, &[Value::Str("ann"), Value::Str("three")]),
    (6, &[Value::Str("one too few")]),
    (5, &[]),
];

struct Table(Vec<Vec<u8>>);

impl Texts for Table {
    fn text(&self, id: TextId) -> Option<&[u8]> {
        self.0.get(id.get() as usize - 1).map(Vec::as_slice)
    }
}

fn table() -> Table {
    let site = CallSite { path: b"/srv/app/main.v2.py", function: b"handle", line: 42 };
    let texts = TEXTS.iter().map(|text| text.as_bytes().to_vec());
    Table(texts.chain([site.to_text()]).collect())
}

/// Runs with a record all of whose texts are in the table, or only some.
fn with_record(
    time_ns: i64,
    (message, values): (u32, &[Value<'_>]),
    inline: bool,
    run: impl FnOnce(&RecordView<'_>),
) {
    let table = table();
    let id = |id: u32| Text::Id(TextId::new(id).unwrap());
    let text = match inline {
        true => Text::Inline(TEXTS[message as usize - 1].as_bytes()),
        false => id(message),
    };
    let record = Record {
        time_ns,
        level: Level::WARNING,
        thread: 7,
        logger: id(1),
        site: Site::Id(TextId::new(TEXTS.len() as u32 + 1).unwrap()),
        message: match values {
            [] => Message::Plain(text),
            _ => Message::Template(Style::Percent, text, values),
        },
        fields: &[Field { key: "user", value: Value::Str("ann") }],
        attributes: &[],
        routes: &[RouteId(1)],
    };
    let mut bytes = vec![0; record.encoded_len().unwrap()];
    record.encode(&mut bytes);
    run(&RecordView::parse(&bytes, &table).unwrap());
}

/// Moments next to where a float shows another millisecond or second, and others.
fn moments() -> impl Iterator<Item = i64> {
    let second = 1_700_000_000_000_000_000_i64;
    let near = [-1001, -999, -120, -1, 0, 1, 119, 999, 1001, 500_000];
    let bases = [0, 1, 122, 123, 500, 998, 999, 1000].map(|msecs| second + msecs * 1_000_000);
    bases.into_iter().flat_map(move |base| near.map(|off| base + off)).chain([
        0,
        -1,
        -1_500_000,
        i64::MIN,
        i64::MIN + 400_000_000,
        i64::MAX,
    ])
}

#[test]
fn a_shape_gives_what_the_operations_give() {
    let mut shaped = 0;
    let more = ["%(message)s\n%(message)s %(asctime)s", "%(user)s: %(message)-40s%(message)s"]
        .map(|pattern| ["", pattern, ""].map(String::from).to_vec());
    let table = cases(include_str!("../testdata/pattern_ns.tsv"));
    for (at, case) in table.iter().chain(&more).enumerate() {
        let time = match at % 2 {
            0 => TimeModel::Float { start: 1.5 },
            _ => TimeModel::Nanoseconds { start_ns: 1_500_000_000 },
        };
        let options = PatternOptions {
            datefmt: Some(&case[2]),
            zone: Zone::Utc,
            time,
            ..PatternOptions::default()
        };
        let Ok(formatter) = PatternFormatter::new(&case[1], &options) else { continue };
        let mut cache = FormatCache::for_process(4242);
        for (at, time_ns) in moments().enumerate() {
            for message in MESSAGES {
                with_record(time_ns, message, at % 5 == 0, |record| {
                    let (mut ours, mut expected) = (b"before\n".to_vec(), b"before\n".to_vec());
                    let operations = FormatCache::for_process(4242);
                    let expected_outcome =
                        formatter.format_by_operations(record, &mut { operations }, &mut expected);
                    let outcome = formatter.format(record, &mut cache, &mut ours);
                    assert_eq!(outcome, expected_outcome, "{case:?} {time_ns} {message:?}");
                    if outcome.is_ok() {
                        assert_eq!(ours, expected, "{case:?} {time_ns} {message:?}");
                    }
                });
            }
        }
        shaped += cache.shapes.known();
    }
    assert!(shaped > 200, "{shaped} shapes were made");
}

#[test]
fn one_cache_serves_formatters_in_turns_and_stays_bounded() {
    let patterns = ["%(name)s %(message)s", "%(message)s %(lineno)d", "%(asctime)s %(message)s"];
    let options = PatternOptions { zone: Zone::Utc, ..PatternOptions::default() };
    let formatters = patterns.map(|pattern| PatternFormatter::new(pattern, &options).unwrap());
    let mut cache = FormatCache::default();
    for round in 0..50 {
        for formatter in &formatters {
            with_record(round * 1_000_000, MESSAGES[0], false, |record| {
                let (mut ours, mut expected) = (Vec::new(), Vec::new());
                formatter.format(record, &mut cache, &mut ours).unwrap();
                let mut fresh = FormatCache::default();
                formatter.format_by_operations(record, &mut fresh, &mut expected).unwrap();
                assert_eq!(ours, expected);
            });
        }
    }
    assert!(cache.shapes.known() <= PLACES);
}

#[test]
fn a_record_with_attributes_takes_the_operations() {
    let formatter = PatternFormatter::new("%(message)s", &PatternOptions::default()).unwrap();
    let mut cache = FormatCache::default();
    for round in 0..20 {
        let attributes: &[_] =
            if round % 2 == 0 { &[] } else { &[(Attribute::Exception, "Traceback: no")] };
        let table = table();
        let record = Record {
            time_ns: 0,
            level: Level::ERROR,
            thread: 7,
            logger: Text::Id(TextId::new(1).unwrap()),
            site: Site::None,
            message: Message::Plain(Text::Id(TextId::new(5).unwrap())),
            fields: &[],
            attributes,
            routes: &[RouteId(1)],
        };
        let mut bytes = vec![0; record.encoded_len().unwrap()];
        record.encode(&mut bytes);
        let mut out = Vec::new();
        let view = RecordView::parse(&bytes, &table).unwrap();
        formatter.format(&view, &mut cache, &mut out).unwrap();
        let expected: &[u8] =
            if round % 2 == 0 { b"no arguments" } else { b"no arguments\nTraceback: no" };
        assert_eq!(out, expected);
    }
    assert_eq!(cache.shapes.known(), 1);
}
