use super::*;

struct One(&'static [u8]);

impl Texts for One {
    fn text(&self, id: TextId) -> Option<&[u8]> {
        (id.get() == 8).then_some(self.0)
    }
}

fn encode(record: &Record<'_>) -> Vec<u8> {
    let mut bytes = vec![0xAA; record.encoded_len().unwrap()];
    record.encode(&mut bytes);
    bytes
}

const VALUES: [Value<'static>; 9] = [
    Value::None,
    Value::Bool(true),
    Value::Bool(false),
    Value::I64(-3),
    Value::U64(u64::MAX),
    Value::BigInt("-123456789012345678901234567890"),
    Value::F64(-0.5),
    Value::Str("größe"),
    Value::Json("[1,{\"a\":null}]"),
];

fn full<'a>(site: &'a [u8]) -> Record<'a> {
    Record {
        time_ns: -1,
        level: Level::ERROR,
        thread: u64::MAX,
        logger: "app.db".into(),
        site: Site::Inline(site),
        message: Message::Template(Style::Percent, "a %s".into(), &VALUES),
        fields: &[Field { key: "user", value: Value::Str("ann") }],
        attributes: &[(Attribute::ThreadName, "MainThread"), (Attribute::Stack, "")],
        routes: &[RouteId(1), RouteId(7)],
    }
}

#[test]
fn a_record_comes_back_as_it_was() {
    let site = CallSite { path: b"/app/a.py", function: b"main", line: 12 };
    let text = site.to_text();
    let bytes = encode(&full(&text));
    let view = RecordView::parse(&bytes, &()).unwrap();
    assert_eq!((view.time_ns, view.level, view.thread), (-1, Level::ERROR, u64::MAX));
    assert_eq!(view.logger, b"app.db");
    assert_eq!(view.site, Some(site));
    let MessageView::Template(Style::Percent, template, values) = view.message else {
        panic!("{:?}", view.message)
    };
    assert_eq!(template, b"a %s");
    assert_eq!(values.collect::<Vec<_>>(), VALUES);
    assert_eq!(
        view.fields().collect::<Vec<_>>(),
        [Field { key: "user", value: Value::Str("ann") }]
    );
    assert_eq!(view.attribute(Attribute::ThreadName), Some("MainThread"));
    assert_eq!(view.attribute(Attribute::Stack), Some(""));
    assert_eq!(view.attribute(Attribute::TaskName), None);
    assert_eq!(view.routes().collect::<Vec<_>>(), [RouteId(1), RouteId(7)]);
}

#[test]
fn texts_named_by_id_come_from_the_table() {
    let id = TextId::new(8).unwrap();
    let record = Record {
        logger: Text::Id(id),
        site: Site::None,
        message: Message::Plain(Text::Id(id)),
        ..full(b"")
    };
    let bytes = encode(&record);
    let view = RecordView::parse(&bytes, &One(b"hello")).unwrap();
    assert_eq!(view.logger, b"hello");
    assert!(matches!(view.message, MessageView::Plain(b"hello")));
    assert_eq!(view.site, None);
    assert!(RecordView::parse(&bytes, &()).is_err(), "an unknown id is malformed");
}

#[test]
fn every_truncation_and_every_flipped_byte_is_refused_or_read() {
    let site = CallSite { path: b"p", function: b"f", line: 1 }.to_text();
    let bytes = encode(&full(&site));
    for len in 0..bytes.len() {
        assert!(RecordView::parse(&bytes[..len], &()).is_err(), "{len} of {}", bytes.len());
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << bit;
            if let Ok(view) = RecordView::parse(&bytes, &()) {
                view.fields().for_each(drop);
                view.routes().for_each(drop);
            }
        }
    }
}

#[test]
fn what_the_counts_cannot_hold_is_refused() {
    let values = vec![Value::None; 256];
    let record =
        Record { message: Message::Template(Style::Brace, "".into(), &values), ..full(b"") };
    assert_eq!(record.encoded_len(), None);
}
