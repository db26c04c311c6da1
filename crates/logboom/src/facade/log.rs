//! Takes the records of the `log` crate.
//!
//! The message is formatted on the caller's thread (the `log` crate lends its arguments for the time
//! of the call only), key-values become typed fields, the target becomes the logger's name. Where a
//! route wants it, the call site goes along, with the module's path in place of the function.
//!
//! Levels: `Trace` is 5, `Debug` 10, `Info` 20, `Warn` 30, `Error` 40.

use super::destination::Destination;
use super::scratch::{Scratch, with_scratch};
use super::sites::Sites;
use crate::engine::{Engine, Route};
use crate::field::Value;
use crate::level::Level;
use crate::record::{CallSite, Message, Site};
use ::log::kv::{self, VisitSource, VisitValue};
use ::log::{LevelFilter, Log, Metadata};
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// How long [`LogFacade::flush`](Log::flush), which has no timeout of its own, waits for the sinks.
pub const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes `engine` the destination of the `log` crate's macros in the whole process: records up to
/// `level` go to `routes`, which are routes of that engine and stay open only as long as they are
/// kept.
///
/// ```
/// use logboom::{config::Config, engine::Engine, facade, format::PatternFormatter};
/// use logboom::{route::RouteSpec, sink::MemorySinkSpec};
///
/// let engine = Engine::new(Config::new())?;
/// let memory = MemorySinkSpec::default();
/// let format = PatternFormatter::new("%(levelname)s %(name)s: %(message)s", &Default::default())?;
/// let route = engine.route(RouteSpec::new("memory", format, memory.clone()))?;
/// facade::log::init(&engine, [&route], log::LevelFilter::Info)?;
///
/// log::info!(target: "shop", "{} bought {} apples", "ann", 3);
/// log::logger().flush();
/// assert_eq!(memory.text(), "INFO shop: ann bought 3 apples\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`AlreadySet`] where the process has a logger already; nothing is changed then.
pub fn init<'r>(
    engine: &Engine,
    routes: impl IntoIterator<Item = &'r Route>,
    level: LevelFilter,
) -> Result<(), AlreadySet> {
    let facade = LogFacade::new(engine, routes, level);
    ::log::set_boxed_logger(Box::new(facade)).map_err(|_| AlreadySet)?;
    ::log::set_max_level(level);
    Ok(())
}

/// The `log` crate has a logger already, and can have only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadySet;

impl fmt::Display for AlreadySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot take the records of `log`: this process has set a logger already")
    }
}

impl Error for AlreadySet {}

/// A logger for the `log` crate; for whoever sets it themselves, or wraps it.
#[derive(Debug)]
pub struct LogFacade {
    destination: Destination,
    sites: Sites,
    level: LevelFilter,
}

impl LogFacade {
    /// A logger that hands records up to `level` to `routes`.
    pub fn new<'r>(
        engine: &Engine,
        routes: impl IntoIterator<Item = &'r Route>,
        level: LevelFilter,
    ) -> Self {
        LogFacade { destination: Destination::new(engine, routes), sites: Sites::new(), level }
    }

    fn submit(&self, record: &::log::Record<'_>, message: &str, scratch: &Scratch) {
        let (level, logger) = (level(record.level()), record.target());
        let message = Message::Plain(message.into());
        scratch.with_fields(|fields| {
            let Some(site) = call_site(record).filter(|_| self.destination.needs_site()) else {
                return self.destination.submit(level, logger, Site::None, message, fields);
            };
            self.sites.with_site(&site, self.destination.engine(), |site| {
                self.destination.submit(level, logger, site, message, fields);
            });
        });
    }
}

impl Log for LogFacade {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.level
    }

    fn log(&self, record: &::log::Record<'_>) {
        if !self.enabled(record.metadata()) || self.destination.is_cut() {
            return;
        }
        with_scratch(|scratch| {
            // What a source of key-values complains about is its own; the record goes on.
            let _ = record.key_values().visit(&mut Fields(scratch));
            match record.args().as_str() {
                Some(message) => self.submit(record, message, scratch),
                None => {
                    scratch.set_message(record.args());
                    self.submit(record, scratch.message(), scratch);
                }
            }
        });
    }

    /// Waits until every sink has been given what was logged before, at most [`FLUSH_TIMEOUT`]. On
    /// the writer's own thread it returns at once.
    fn flush(&self) {
        let _ = self.destination.engine().flush(Some(FLUSH_TIMEOUT));
    }
}

fn level(level: ::log::Level) -> Level {
    match level {
        ::log::Level::Trace => Level::TRACE,
        ::log::Level::Debug => Level::DEBUG,
        ::log::Level::Info => Level::INFO,
        ::log::Level::Warn => Level::WARNING,
        ::log::Level::Error => Level::ERROR,
    }
}

/// The call site, where the record was made by the macros.
fn call_site(record: &::log::Record<'_>) -> Option<CallSite<'static>> {
    Some(CallSite {
        path: record.file_static()?.as_bytes(),
        function: record.module_path_static().unwrap_or_default().as_bytes(),
        line: record.line().unwrap_or(0),
    })
}

struct Fields<'s>(&'s mut Scratch);

impl<'kvs> VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: kv::Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        value.visit(OneField { scratch: self.0, key: key.as_str() })
    }
}

struct OneField<'s, 'k> {
    scratch: &'s mut Scratch,
    key: &'k str,
}

impl<'v> VisitValue<'v> for OneField<'_, '_> {
    fn visit_any(&mut self, value: kv::Value<'_>) -> Result<(), kv::Error> {
        self.scratch.field_display(self.key, value);
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), kv::Error> {
        self.scratch.field(self.key, Value::None);
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), kv::Error> {
        self.scratch.field(self.key, value.into());
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), kv::Error> {
        self.scratch.field(self.key, value.into());
        Ok(())
    }

    fn visit_u128(&mut self, value: u128) -> Result<(), kv::Error> {
        self.scratch.field_wide(self.key, value);
        Ok(())
    }

    fn visit_i128(&mut self, value: i128) -> Result<(), kv::Error> {
        self.scratch.field_wide(self.key, value);
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), kv::Error> {
        self.scratch.field(self.key, value.into());
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), kv::Error> {
        self.scratch.field(self.key, value.into());
        Ok(())
    }

    fn visit_str(&mut self, value: &str) -> Result<(), kv::Error> {
        self.scratch.field(self.key, value.into());
        Ok(())
    }
}
