//! Routes: filter + formatter + sink under an id, as the user describes and owns them.
//!
//! A [`RouteSpec`] is what the user gives; the registry keeps it as long as the route is open, so
//! that a forked child and a successor can open the same routes again. What a route remembers
//! between records (its sink, its buffer) is the writer's.

pub(crate) mod registry;

use crate::filter::Filter;
use crate::format::Formatter;
use crate::sink::SinkSpec;
use std::fmt;
use std::sync::Arc;

/// What a route is made of.
#[derive(Clone)]
pub struct RouteSpec {
    /// A name for messages and statistics. Need not be unique.
    pub name: String,
    /// Makes the text of a record.
    pub formatter: Arc<dyn Formatter>,
    /// Where the text goes.
    ///
    /// Routes that hold the same `Arc` here (clones of it, not equal specs) lead to one place: they
    /// share one sink, opened with the first of them and closed with the last, and one buffer, so that
    /// their records reach the place in the order in which they were submitted. Each keeps its own
    /// filter, formatter, terminator and counts. Routes with sinks of their own to the same file or
    /// stream are written one after the other, a batch at a time, so their lines lie out of order by
    /// up to a batch. Sharing costs nothing; a flush of one such route writes what lies before it for
    /// all of them, and what their sink keeps or refuses counts for the route whose record it is.
    pub sink: Arc<dyn SinkSpec>,
    /// Which records it takes; default `None`, all of them.
    pub filter: Option<Arc<dyn Filter>>,
    /// What follows each formatted record; default `"\n"`. Lines that are formatted already
    /// ([`Message::Line`](crate::record::Message::Line)) carry their own.
    pub terminator: Vec<u8>,
}

impl RouteSpec {
    /// A route without a filter, whose records end with a newline.
    pub fn new(
        name: impl Into<String>,
        formatter: impl Formatter,
        sink: impl SinkSpec,
    ) -> RouteSpec {
        RouteSpec::shared(name, Arc::new(formatter), Arc::new(sink))
    }

    /// The same from parts that are shared with others; see [`RouteSpec::sink`] for what it means to
    /// share a sink.
    pub fn shared(
        name: impl Into<String>,
        formatter: Arc<dyn Formatter>,
        sink: Arc<dyn SinkSpec>,
    ) -> RouteSpec {
        let name = name.into();
        RouteSpec { name, formatter, sink, filter: None, terminator: b"\n".to_vec() }
    }

    /// What tells sinks apart: the address of the spec, which nothing else has while a route holds it.
    pub(crate) fn sink_key(&self) -> usize {
        Arc::as_ptr(&self.sink).cast::<()>().addr()
    }

    /// Sets [`RouteSpec::filter`].
    #[must_use]
    pub fn filter(mut self, filter: impl Filter) -> Self {
        self.filter = Some(Arc::new(filter));
        self
    }

    /// Sets [`RouteSpec::terminator`].
    #[must_use]
    pub fn terminator(mut self, terminator: impl Into<Vec<u8>>) -> Self {
        self.terminator = terminator.into();
        self
    }
}

impl fmt::Debug for RouteSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteSpec")
            .field("name", &self.name)
            .field("sink", &self.sink)
            .field("filtered", &self.filter.is_some())
            .field("terminator", &self.terminator.escape_ascii().to_string())
            .finish_non_exhaustive()
    }
}
