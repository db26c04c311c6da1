//! `cargo +nightly fuzz run record`: whatever the bytes, reading a record and making text of it neither
//! panics nor breaks a line, and what a JSON formatter gives is JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use logboom::format::pattern::PatternOptions;
use logboom::format::structured::{Preset, StructuredOptions};
use logboom::format::{
    FormatCache, Formatter, JsonFormatter, LogfmtFormatter, PatternFormatter, Zone,
};
use logboom::record::{Attribute, RecordView, TextId, Texts};
use std::sync::LazyLock;

/// Few texts, of which the third is the place of a call.
struct Table;

impl Texts for Table {
    fn text(&self, id: TextId) -> Option<&[u8]> {
        match id.get() {
            1 => Some(b"app.db"),
            2 => Some(b"user %s did %5.1f%% of {} things"),
            3 => Some(b"\x07\0\0\0\x04\0\0\0main/srv/app.py"),
            4 => Some(b"not utf-8: \xff\n"),
            _ => None,
        }
    }
}

const PATTERN: &str = "%(asctime)s %(levelname)-8s %(name)s %(module)s:%(lineno)d \
    %(threadName)s %(process)d %(created)f %(message)s%(message)5s";

static PATTERNS: LazyLock<PatternFormatter> = LazyLock::new(|| {
    let options = PatternOptions { zone: Zone::Utc, ..PatternOptions::default() };
    PatternFormatter::new(PATTERN, &options).expect("native")
});

static STRUCTURED: LazyLock<Vec<(JsonFormatter, LogfmtFormatter)>> = LazyLock::new(|| {
    [Preset::Plain, Preset::Ecs, Preset::Gcp, Preset::Datadog, Preset::Otel]
        .map(|preset| {
            let options = StructuredOptions { preset, ..StructuredOptions::default() };
            (
                JsonFormatter::new(&options).expect("valid"),
                LogfmtFormatter::new(&options).expect("valid"),
            )
        })
        .into()
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(record) = RecordView::parse(bytes, &Table) else { return };
    assert!(record.fields().count() <= usize::from(u16::MAX));
    let _ = record.attribute(Attribute::Exception);
    let mut cache = FormatCache::for_process(1);
    let mut first = Vec::new();
    for round in 0..6 {
        // From some round on by shape, which has to give the same.
        let mut out = Vec::new();
        let outcome = PATTERNS.format(&record, &mut cache, &mut out);
        if outcome.is_ok() && round > 0 {
            assert_eq!(out, first);
        }
        first = out;
    }
    for (json, logfmt) in &*STRUCTURED {
        let mut out = Vec::new();
        if json.format(&record, &mut cache, &mut out).is_ok() {
            assert!(!out.contains(&b'\n'));
            serde_json::from_slice::<serde_json::Value>(&out).expect("JSON");
        }
        out.clear();
        if logfmt.format(&record, &mut cache, &mut out).is_ok() {
            assert!(!out.contains(&b'\n'));
        }
    }
});
