//! Formatters made again from their blueprints.

use super::console::{self, Colors, ConsoleFormatter, ConsoleOptions, Place, Width};
use super::pattern::{PatternOptions, PatternStyle};
use super::structured::{Notation, Preset, StructuredFormatter, StructuredOptions};
use super::{
    Formatter, JsonFormatter, LogfmtFormatter, PatternFormatter, Precision, TimeModel, Zone,
};
use crate::blueprint::{Blueprint, Parts};
use crate::field::Field;
use std::sync::Arc;

/// The formatter of a blueprint; `None` for one that this version does not know.
pub(crate) fn formatter(blueprint: &[u8]) -> Option<Arc<dyn Formatter>> {
    let mut parts = Parts::of(blueprint);
    match parts.text()? {
        "pattern" => Some(Arc::new(pattern(parts)?)),
        JsonFormatter::NAME => Some(Arc::new(structured::<super::json::Json>(parts)?)),
        LogfmtFormatter::NAME => Some(Arc::new(structured::<super::logfmt::Logfmt>(parts)?)),
        console::NAME => Some(Arc::new(console(parts)?)),
        _ => None,
    }
}

pub(super) fn of_pattern(text: &str, options: &PatternOptions<'_>) -> Blueprint {
    let (model, start) = match options.time {
        TimeModel::Nanoseconds { start_ns } => (0, start_ns as u64),
        TimeModel::Float { start } => (1, start.to_bits()),
    };
    let style = match options.style {
        PatternStyle::Percent => 0,
        PatternStyle::Brace => 1,
        PatternStyle::Dollar => 2,
    };
    let made = Blueprint::new("pattern")
        .text(text)
        .number(style)
        .optional(options.datefmt)
        .text(options.time_format)
        .optional(options.msec_format)
        .number((options.zone == Zone::Utc).into())
        .number(model)
        .number(start)
        .number(options.task_name.into())
        .number(options.knows_z.into());
    fields(made, options.defaults)
}

fn pattern(mut parts: Parts<'_>) -> Option<PatternFormatter> {
    let text = parts.text()?;
    let style = match parts.number()? {
        0 => PatternStyle::Percent,
        1 => PatternStyle::Brace,
        2 => PatternStyle::Dollar,
        _ => return None,
    };
    let (datefmt, time_format, msec_format) = (parts.optional()?, parts.text()?, parts.optional()?);
    let zone = if parts.truth()? { Zone::Utc } else { Zone::Local };
    let time = match (parts.truth()?, parts.number()?) {
        (false, start) => TimeModel::Nanoseconds { start_ns: start as i64 },
        (true, start) => TimeModel::Float { start: f64::from_bits(start) },
    };
    let (task_name, knows_z) = (parts.truth()?, parts.truth()?);
    let defaults = read_fields(&mut parts)?;
    let options = PatternOptions {
        style,
        datefmt,
        time_format,
        msec_format,
        zone,
        time,
        task_name,
        knows_z,
        defaults: &defaults,
        validate: false,
    };
    PatternFormatter::new(text, &options).ok()
}

pub(super) fn of_structured(name: &str, options: &StructuredOptions<'_>) -> Blueprint {
    let precision = match options.precision {
        Precision::Seconds => 0,
        Precision::Millis => 3,
        Precision::Micros => 6,
        Precision::Nanos => 9,
    };
    let keys = options.keys.unwrap_or_default();
    let made = Blueprint::new(name)
        .number(options.preset as u64)
        .number(options.keys.is_some().into())
        .list(keys.iter().copied())
        .list(options.rename.iter().map(|(from, _)| *from))
        .list(options.rename.iter().map(|(_, to)| *to))
        .list(options.drop.iter().copied())
        .number(precision);
    fields(made, options.fixed)
}

fn structured<N: Notation>(mut parts: Parts<'_>) -> Option<StructuredFormatter<N>> {
    let preset = match parts.number()? {
        n if n == Preset::Plain as u64 => Preset::Plain,
        n if n == Preset::Ecs as u64 => Preset::Ecs,
        n if n == Preset::Gcp as u64 => Preset::Gcp,
        n if n == Preset::Datadog as u64 => Preset::Datadog,
        n if n == Preset::Otel as u64 => Preset::Otel,
        _ => return None,
    };
    let has_keys = parts.truth()?;
    let keys = parts.list(Parts::text)?;
    let (from, to) = (parts.list(Parts::text)?, parts.list(Parts::text)?);
    let rename: Vec<_> = from.into_iter().zip(to).collect();
    let drop = parts.list(Parts::text)?;
    let precision = match parts.number()? {
        0 => Precision::Seconds,
        3 => Precision::Millis,
        6 => Precision::Micros,
        9 => Precision::Nanos,
        _ => return None,
    };
    let fixed = read_fields(&mut parts)?;
    let keys = has_keys.then_some(keys.as_slice());
    let (rename, drop, fixed) = (&rename, &drop, &fixed);
    StructuredFormatter::new(&StructuredOptions { preset, keys, rename, drop, fixed, precision })
        .ok()
}

pub(super) fn of_console(options: &ConsoleOptions<'_>) -> Blueprint {
    let colors = match options.colors {
        Colors::Auto => 0,
        Colors::Always => 1,
        Colors::Never => 2,
    };
    let place = match options.place {
        Place::Elsewhere => 0,
        Place::Stdout => 1,
        Place::Stderr => 2,
    };
    let (kind, columns) = match options.width {
        Width::Terminal => (0, 0),
        Width::Columns(columns) => (1, columns),
        Width::Unlimited => (2, 0),
    };
    Blueprint::new(console::NAME)
        .number(colors)
        .number(place)
        .number(kind)
        .number(columns.into())
        .number(options.full_traceback.into())
        .optional(options.datefmt)
        .number((options.zone == Zone::Utc).into())
        .number(options.logger_width.into())
        .list(options.drop.iter().copied())
        .list(options.library.iter().copied())
        .list(options.own.iter().copied())
}

fn console(mut parts: Parts<'_>) -> Option<ConsoleFormatter> {
    let colors = match parts.number()? {
        0 => Colors::Auto,
        1 => Colors::Always,
        2 => Colors::Never,
        _ => return None,
    };
    let place = match parts.number()? {
        0 => Place::Elsewhere,
        1 => Place::Stdout,
        2 => Place::Stderr,
        _ => return None,
    };
    let width = match (parts.number()?, u16::try_from(parts.number()?).ok()?) {
        (0, _) => Width::Terminal,
        (1, columns) => Width::Columns(columns),
        (2, _) => Width::Unlimited,
        _ => return None,
    };
    let (full_traceback, datefmt) = (parts.truth()?, parts.optional()?);
    let zone = if parts.truth()? { Zone::Utc } else { Zone::Local };
    let logger_width = u16::try_from(parts.number()?).ok()?;
    let (drop, library) = (parts.list(Parts::text)?, parts.list(Parts::text)?);
    let own = parts.list(Parts::text)?;
    let (drop, library, own) = (&drop, &library, &own);
    ConsoleFormatter::new(&ConsoleOptions {
        colors,
        place,
        width,
        full_traceback,
        datefmt,
        zone,
        logger_width,
        drop,
        library,
        own,
    })
    .ok()
}

fn fields(made: Blueprint, fields: &[Field<'_>]) -> Blueprint {
    let made = made.number(fields.len() as u64);
    fields.iter().fold(made, |made, field| made.text(field.key).value(field.value))
}

fn read_fields<'a>(parts: &mut Parts<'a>) -> Option<Vec<Field<'a>>> {
    parts.list(|parts| Some(Field { key: parts.text()?, value: parts.value()? }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Value;
    use crate::format::FormatCache;
    use crate::level::Level;
    use crate::record::{CallSite, Message, Record, RecordView, Site};

    fn line(formatter: &dyn Formatter) -> String {
        let site = CallSite { path: b"/a/b.py", function: b"f", line: 3 }.to_text();
        let fields = [Field { key: "user", value: Value::Str("ann") }];
        let record = Record {
            time_ns: 1_700_000_000_123_456_789,
            level: Level::INFO,
            thread: 5,
            logger: "app".into(),
            site: Site::Inline(&site),
            message: Message::Plain("hello".into()),
            fields: &fields,
            attributes: &[],
            routes: &[],
        };
        let mut bytes = vec![0; record.encoded_len().unwrap()];
        record.encode(&mut bytes);
        let view = RecordView::parse(&bytes, &()).unwrap();
        let mut out = Vec::new();
        formatter.format(&view, &mut FormatCache::for_process(42), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn agrees(original: impl Formatter) {
        let blueprint = original.blueprint().unwrap();
        let again = formatter(blueprint.as_bytes()).unwrap();
        assert_eq!(line(&original), line(&*again));
        assert_eq!(original.needs(), again.needs());
        assert_eq!(again.blueprint(), Some(blueprint.clone()), "and from that, a third");
        for cut in 0..blueprint.as_bytes().len() {
            assert!(formatter(&blueprint.as_bytes()[..cut]).is_none(), "cut at {cut}");
        }
    }

    #[test]
    fn a_pattern_made_again_formats_the_same() {
        let defaults = [Field { key: "tenant", value: Value::I64(-9) }];
        let percent =
            "%(asctime)s %(process)d %(relativeCreated)d %(lineno)3d %(tenant)s %(message)s";
        for time in [TimeModel::Nanoseconds { start_ns: 5 }, TimeModel::Float { start: 0.5 }] {
            let (zone, defaults) = (Zone::Utc, &defaults[..]);
            let options = PatternOptions { time, zone, defaults, ..Default::default() };
            agrees(PatternFormatter::new(percent, &options).unwrap());
            let datefmt = Some("%H:%M");
            let options = PatternOptions { datefmt, msec_format: None, ..options };
            agrees(PatternFormatter::new(percent, &options).unwrap());
        }
        let style = PatternStyle::Brace;
        let options = PatternOptions { style, zone: Zone::Utc, ..Default::default() };
        agrees(PatternFormatter::new("{asctime} {levelname:>8} {user}", &options).unwrap());
        let options = PatternOptions { style: PatternStyle::Dollar, ..options };
        agrees(PatternFormatter::new("$name ${message}", &options).unwrap());
    }

    #[test]
    fn a_console_one_made_again_formats_the_same() {
        let zone = Zone::Utc;
        let options = ConsoleOptions { zone, ..Default::default() };
        agrees(ConsoleFormatter::new(&options).unwrap());
        for (colors, width) in
            [(Colors::Always, Width::Columns(30)), (Colors::Never, Width::Unlimited)]
        {
            for place in [Place::Stdout, Place::Stderr] {
                let (full_traceback, logger_width) = (true, 4);
                let (drop, library) = (&["user"][..], &["/usr/lib"][..]);
                let datefmt = Some("%H:%M");
                let options = ConsoleOptions {
                    colors,
                    place,
                    width,
                    full_traceback,
                    datefmt,
                    zone,
                    logger_width,
                    drop,
                    library,
                    own: &["shop"],
                };
                agrees(ConsoleFormatter::new(&options).unwrap());
            }
        }
    }

    #[test]
    fn a_structured_one_made_again_formats_the_same() {
        let fixed = [Field { key: "service", value: Value::Str("shop") }];
        for preset in [Preset::Plain, Preset::Ecs, Preset::Gcp, Preset::Datadog, Preset::Otel] {
            for precision in
                [Precision::Seconds, Precision::Millis, Precision::Micros, Precision::Nanos]
            {
                let options =
                    StructuredOptions { preset, precision, fixed: &fixed, ..Default::default() };
                agrees(JsonFormatter::new(&options).unwrap());
                agrees(LogfmtFormatter::new(&options).unwrap());
            }
        }
        let options = StructuredOptions {
            keys: Some(&["message", "fields", "static"]),
            rename: &[("message", "msg"), ("user", "who")],
            drop: &["static"],
            ..Default::default()
        };
        agrees(JsonFormatter::new(&options).unwrap());
    }
}
