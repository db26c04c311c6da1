//! Takes the events of `tracing` as records: a layer for `tracing-subscriber`.
//!
//! An event's `message` becomes the message, its other fields and those of the spans it is in become
//! typed fields (outermost span first; where a key stands twice, the innermost value), its target
//! becomes the logger's name. Where a route wants it, the call site goes along, with the module's
//! path in place of the function. Spans make no records of their own.
//!
//! Fields of a span are gathered when they are recorded, once, and copied for each event in it.
//!
//! Levels: `TRACE` is 5, `DEBUG` 10, `INFO` 20, `WARN` 30, `ERROR` 40.

use super::destination::Destination;
use super::scratch::{Scratch, with_scratch};
use super::sites::Sites;
use crate::engine::{Engine, Route};
use crate::level::Level;
use crate::record::{CallSite, Message, Site};
use std::error::Error;
use std::fmt;
use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// Hands events to routes of an engine.
///
/// It takes every event; give it a filter of `tracing-subscriber`'s, so that a call site below the
/// level costs next to nothing.
///
/// ```
/// use logboom::facade::tracing::TracingLayer;
/// use logboom::{config::Config, engine::Engine, format::PatternFormatter};
/// use logboom::{route::RouteSpec, sink::MemorySinkSpec};
/// use tracing_subscriber::{Layer, filter::LevelFilter, layer::SubscriberExt};
///
/// let engine = Engine::new(Config::new())?;
/// let memory = MemorySinkSpec::default();
/// let format = PatternFormatter::new("%(levelname)s %(name)s: %(message)s", &Default::default())?;
/// let route = engine.route(RouteSpec::new("memory", format, memory.clone()))?;
///
/// let layer = TracingLayer::new(&engine, [&route]).with_filter(LevelFilter::INFO);
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
///     tracing::info!(target: "shop", apples = 3, "{} went shopping", "ann");
///     tracing::debug!("not looked at");
/// });
/// engine.flush(None);
/// assert_eq!(memory.text(), "INFO shop: ann went shopping\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TracingLayer {
    destination: Destination,
    sites: Sites,
}

impl TracingLayer {
    /// A layer that hands events to `routes`, which are routes of `engine` and stay open only as
    /// long as they are kept.
    pub fn new<'r>(engine: &Engine, routes: impl IntoIterator<Item = &'r Route>) -> Self {
        TracingLayer { destination: Destination::new(engine, routes), sites: Sites::new() }
    }

    fn submit(&self, metadata: &'static Metadata<'static>, scratch: &Scratch) {
        let (level, logger) = (level(*metadata.level()), metadata.target());
        let message = Message::Plain(scratch.message().into());
        scratch.with_fields(|fields| {
            let Some(site) = call_site(metadata).filter(|_| self.destination.needs_site()) else {
                return self.destination.submit(level, logger, Site::None, message, fields);
            };
            self.sites.with_site(&site, self.destination.engine(), |site| {
                self.destination.submit(level, logger, site, message, fields);
            });
        });
    }
}

/// What a span's extensions hold.
struct SpanFields(Scratch);

impl<S: Subscriber + for<'l> LookupSpan<'l>> Layer<S> for TracingLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut gathered = Scratch::default();
        attributes.record(&mut SpanVisitor(&mut gathered));
        add_to_span(id, gathered, &context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        // Gathered before the span is touched: a `Debug` may look at the very same span.
        let mut gathered = Scratch::default();
        values.record(&mut SpanVisitor(&mut gathered));
        add_to_span(id, gathered, &context);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if self.destination.is_cut() {
            return;
        }
        with_scratch(|scratch| {
            for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
                if let Some(SpanFields(fields)) = span.extensions().get() {
                    scratch.append_fields(fields);
                }
            }
            event.record(&mut EventVisitor(scratch));
            self.submit(event.metadata(), scratch);
        });
    }
}

fn add_to_span<S>(id: &Id, gathered: Scratch, context: &Context<'_, S>)
where
    S: Subscriber + for<'l> LookupSpan<'l>,
{
    let Some(span) = context.span(id) else { return };
    let mut extensions = span.extensions_mut();
    // Two of these layers over one registry share what they gather, which is the same.
    match extensions.get_mut() {
        Some(SpanFields(fields)) => fields.append_fields(&gathered),
        None => extensions.insert(SpanFields(gathered)),
    }
}

fn level(level: tracing_core::Level) -> Level {
    match level {
        tracing_core::Level::TRACE => Level::TRACE,
        tracing_core::Level::DEBUG => Level::DEBUG,
        tracing_core::Level::INFO => Level::INFO,
        tracing_core::Level::WARN => Level::WARNING,
        tracing_core::Level::ERROR => Level::ERROR,
    }
}

fn call_site(metadata: &'static Metadata<'static>) -> Option<CallSite<'static>> {
    Some(CallSite {
        path: metadata.file()?.as_bytes(),
        function: metadata.module_path().unwrap_or_default().as_bytes(),
        line: metadata.line().unwrap_or(0),
    })
}

/// Writes a visitor whose typed values become typed fields; the rest it has to write itself.
macro_rules! typed_fields {
    () => {
        fn record_f64(&mut self, field: &Field, value: f64) {
            self.0.field(field.name(), value.into());
        }

        fn record_i64(&mut self, field: &Field, value: i64) {
            self.0.field(field.name(), value.into());
        }

        fn record_u64(&mut self, field: &Field, value: u64) {
            self.0.field(field.name(), value.into());
        }

        fn record_i128(&mut self, field: &Field, value: i128) {
            self.0.field_wide(field.name(), value);
        }

        fn record_u128(&mut self, field: &Field, value: u128) {
            self.0.field_wide(field.name(), value);
        }

        fn record_bool(&mut self, field: &Field, value: bool) {
            self.0.field(field.name(), value.into());
        }

        fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
            self.0.field_display(field.name(), value);
        }
    };
}

/// Gathers a span's fields, one named `message` among them.
struct SpanVisitor<'s>(&'s mut Scratch);

impl Visit for SpanVisitor<'_> {
    typed_fields!();

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.field(field.name(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.field_display(field.name(), format_args!("{value:?}"));
    }
}

/// Gathers an event's fields and its message.
struct EventVisitor<'s>(&'s mut Scratch);

impl Visit for EventVisitor<'_> {
    typed_fields!();

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.0.set_message(value),
            name => self.0.field(name, value.into()),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.0.set_message(format_args!("{value:?}")),
            name => self.0.field_display(name, format_args!("{value:?}")),
        }
    }
}
