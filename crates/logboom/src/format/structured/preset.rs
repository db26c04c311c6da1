//! What may stand in a line, and under which key: by default and for those who collect logs.
//!
//! Sources: Elastic Common Schema, `https://www.elastic.co/guide/en/ecs/current/` (the version that
//! Elastic's own `ecs-logging` for Python states); Google Cloud's structured logging and Error
//! Reporting, `https://cloud.google.com/logging/docs/structured-logging`,
//! `https://cloud.google.com/error-reporting/docs/formatting-error-messages`; Datadog's reserved and
//! standard attributes,
//! `https://docs.datadoghq.com/logs/log_configuration/attributes_naming_convention/`; OpenTelemetry's
//! log data model and semantic conventions for code and exceptions,
//! `https://opentelemetry.io/docs/specs/otel/logs/data-model/`.

/// Where a value comes from, and how it is shown where there is more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Time,
    UnixNanos,
    Created,
    LevelName,
    LevelNo,
    EcsLevel,
    GcpLevel,
    DatadogLevel,
    OtelLevel,
    Name,
    Message,
    PathName,
    FileName,
    Module,
    LineNo,
    LineText,
    FuncName,
    Thread,
    ThreadName,
    TaskName,
    Process,
    ProcessName,
    EcsVersion,
    Fixed,
    Fields,
    Exception,
    ExceptionType,
    ExceptionMessage,
    Stack,
}

/// The keys of a line, by who reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// `timestamp`, `level`, `logger`, `message`, the fields, `exception`, `stack`.
    #[default]
    Plain,
    /// Elastic Common Schema, with dots in the keys.
    Ecs,
    /// Google Cloud's structured logging.
    Gcp,
    /// Datadog.
    Datadog,
    /// OpenTelemetry's log data model, as its specification shows it in JSON.
    Otel,
}

/// The name by which options speak of it, the source, the object it stands in, and its key there.
pub(super) type Entry = (&'static str, Source, &'static str, &'static str);

/// Every name there is.
pub(super) const ALL: &[Entry] = &[
    ("timestamp", Source::Time, "", "timestamp"),
    ("created", Source::Created, "", "created"),
    ("levelname", Source::LevelName, "", "level"),
    ("levelno", Source::LevelNo, "", "levelno"),
    ("name", Source::Name, "", "logger"),
    ("message", Source::Message, "", "message"),
    ("pathname", Source::PathName, "", "pathname"),
    ("filename", Source::FileName, "", "filename"),
    ("module", Source::Module, "", "module"),
    ("lineno", Source::LineNo, "", "lineno"),
    ("funcName", Source::FuncName, "", "funcName"),
    ("thread", Source::Thread, "", "thread"),
    ("threadName", Source::ThreadName, "", "threadName"),
    ("taskName", Source::TaskName, "", "taskName"),
    ("process", Source::Process, "", "process"),
    ("processName", Source::ProcessName, "", "processName"),
    ("static", Source::Fixed, "", ""),
    ("fields", Source::Fields, "", ""),
    ("exc_type", Source::ExceptionType, "", "exception_type"),
    ("exc_message", Source::ExceptionMessage, "", "exception_message"),
    ("exc_info", Source::Exception, "", "exception"),
    ("stack_info", Source::Stack, "", "stack"),
];

const PLAIN: &[Entry] = &[
    ("timestamp", Source::Time, "", "timestamp"),
    ("levelname", Source::LevelName, "", "level"),
    ("name", Source::Name, "", "logger"),
    ("message", Source::Message, "", "message"),
    ("static", Source::Fixed, "", ""),
    ("fields", Source::Fields, "", ""),
    ("exc_info", Source::Exception, "", "exception"),
    ("stack_info", Source::Stack, "", "stack"),
];
const ECS: &[Entry] = &[
    ("timestamp", Source::Time, "", "@timestamp"),
    ("levelname", Source::EcsLevel, "", "log.level"),
    ("message", Source::Message, "", "message"),
    ("ecs_version", Source::EcsVersion, "", "ecs.version"),
    ("name", Source::Name, "", "log.logger"),
    ("filename", Source::FileName, "", "log.origin.file.name"),
    ("lineno", Source::LineNo, "", "log.origin.file.line"),
    ("funcName", Source::FuncName, "", "log.origin.function"),
    ("process", Source::Process, "", "process.pid"),
    ("thread", Source::Thread, "", "process.thread.id"),
    ("static", Source::Fixed, "", ""),
    ("fields", Source::Fields, "", ""),
    ("exc_type", Source::ExceptionType, "", "error.type"),
    ("exc_message", Source::ExceptionMessage, "", "error.message"),
    ("exc_info", Source::Exception, "", "error.stack_trace"),
    ("stack_info", Source::Stack, "", "stack"),
];
const GCP_SITE: &str = "logging.googleapis.com/sourceLocation";
const GCP: &[Entry] = &[
    ("levelname", Source::GcpLevel, "", "severity"),
    ("timestamp", Source::Time, "", "time"),
    ("message", Source::Message, "", "message"),
    ("name", Source::Name, "", "logger"),
    ("pathname", Source::PathName, GCP_SITE, "file"),
    ("lineno", Source::LineText, GCP_SITE, "line"),
    ("funcName", Source::FuncName, GCP_SITE, "function"),
    ("static", Source::Fixed, "", ""),
    ("fields", Source::Fields, "", ""),
    ("exc_info", Source::Exception, "", "stack_trace"),
    ("stack_info", Source::Stack, "", "stack"),
];
const DATADOG: &[Entry] = &[
    ("timestamp", Source::Time, "", "timestamp"),
    ("levelname", Source::DatadogLevel, "", "status"),
    ("message", Source::Message, "", "message"),
    ("name", Source::Name, "logger", "name"),
    ("funcName", Source::FuncName, "logger", "method_name"),
    ("static", Source::Fixed, "", ""),
    ("fields", Source::Fields, "", ""),
    ("exc_type", Source::ExceptionType, "error", "kind"),
    ("exc_message", Source::ExceptionMessage, "error", "message"),
    ("exc_info", Source::Exception, "error", "stack"),
    ("stack_info", Source::Stack, "", "stack"),
];
const OTEL: &[Entry] = &[
    ("timestamp", Source::UnixNanos, "", "Timestamp"),
    ("levelname", Source::LevelName, "", "SeverityText"),
    ("levelno", Source::OtelLevel, "", "SeverityNumber"),
    ("message", Source::Message, "", "Body"),
    ("static", Source::Fixed, "Resource", ""),
    ("name", Source::Name, "InstrumentationScope", "Name"),
    ("pathname", Source::PathName, "Attributes", "code.file.path"),
    ("lineno", Source::LineNo, "Attributes", "code.line.number"),
    ("funcName", Source::FuncName, "Attributes", "code.function.name"),
    ("thread", Source::Thread, "Attributes", "thread.id"),
    ("fields", Source::Fields, "Attributes", ""),
    ("exc_type", Source::ExceptionType, "Attributes", "exception.type"),
    ("exc_message", Source::ExceptionMessage, "Attributes", "exception.message"),
    ("exc_info", Source::Exception, "Attributes", "exception.stacktrace"),
    ("stack_info", Source::Stack, "Attributes", "code.stacktrace"),
];

impl Preset {
    /// The preset of this name.
    pub fn of(name: &str) -> Option<Preset> {
        Some(match name {
            "ecs" => Preset::Ecs,
            "gcp" => Preset::Gcp,
            "datadog" => Preset::Datadog,
            "otel" => Preset::Otel,
            _ => return None,
        })
    }

    /// What stands in a line, in order.
    pub(super) fn entries(self) -> &'static [Entry] {
        match self {
            Preset::Plain => PLAIN,
            Preset::Ecs => ECS,
            Preset::Gcp => GCP,
            Preset::Datadog => DATADOG,
            Preset::Otel => OTEL,
        }
    }
}

/// What a level is called by those who have names of their own; any number by the next one below.
pub(super) fn level_word(source: Source, level: i32) -> &'static [u8] {
    let rank = (level.clamp(0, 50) / 10) as usize;
    let words: [&'static str; 6] = match source {
        Source::GcpLevel => ["DEFAULT", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
        _ => ["debug", "debug", "info", "warning", "error", "critical"],
    };
    words[rank].as_bytes()
}

/// `SeverityNumber`: four for each of Python's levels, so that those in between keep their order.
pub(super) fn otel_level(level: i32) -> i32 {
    match level {
        ..=0 => 0,
        1..=9 => 1,
        _ => {
            let rank = level.min(50) / 10;
            rank * 4 + 1 + (level - rank * 10).min(3)
        }
    }
}
