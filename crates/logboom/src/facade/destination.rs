//! Where the records of a facade go, and the part of a record that all facades capture alike.

use crate::clock::wall_ns;
use crate::engine::{Engine, Route, is_writer_thread};
use crate::field::Field;
use crate::format::Needs;
use crate::level::Level;
use crate::record::{Attribute, Message, Record, RouteId, Site, Text};

/// An engine, some of its routes, and what their formatters need to be captured.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    engine: Engine,
    routes: Box<[RouteId]>,
    needs: Needs,
}

impl Destination {
    pub(crate) fn new<'r>(engine: &Engine, routes: impl IntoIterator<Item = &'r Route>) -> Self {
        let mut needs = Needs::default();
        let mut ids = Vec::new();
        for route in routes {
            let of = route.needs();
            needs.site |= of.site;
            needs.thread_name |= of.thread_name;
            ids.push(route.id());
        }
        Destination { engine: engine.clone(), routes: ids.into(), needs }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether the call site has to be captured.
    #[inline]
    pub(crate) fn needs_site(&self) -> bool {
        self.needs.site
    }

    /// Whether this call would feed the writer with what the writer makes.
    #[inline]
    pub(crate) fn is_cut(&self) -> bool {
        is_writer_thread()
    }

    /// Hands a record over. Its outcome is in the engine's counters.
    #[inline]
    pub(crate) fn submit(
        &self,
        level: Level,
        logger: &str,
        site: Site<'_>,
        message: Message<'_>,
        fields: &[Field<'_>],
    ) {
        let thread = self.needs.thread_name.then(std::thread::current);
        let name = thread.as_ref().and_then(|thread| thread.name());
        let attributes = [
            name.map(|name| (Attribute::ThreadName, name)),
            // The standard library of Python has no name for this one.
            (level == Level::TRACE).then_some((Attribute::LevelName, "TRACE")),
        ];
        let mut present = [(Attribute::ThreadName, ""); 2];
        let mut count = 0;
        for attribute in attributes.into_iter().flatten() {
            present[count] = attribute;
            count += 1;
        }
        let _ = self.engine.submit(&Record {
            time_ns: wall_ns(),
            level,
            thread: thread_number(),
            logger: Text::from(logger),
            site,
            message,
            fields,
            attributes: &present[..count],
            routes: &self.routes,
        });
    }
}

/// The system's number of this thread on Linux; elsewhere one that is counted up. Asked for once per
/// thread, so a forked child's first thread shows its parent's.
fn thread_number() -> u64 {
    thread_local! {
        static NUMBER: u64 = new_thread_number();
    }
    NUMBER.try_with(|number| *number).unwrap_or(0)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn new_thread_number() -> u64 {
    // Thread ids are positive.
    u64::from(rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn new_thread_number() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NUMBERS: AtomicU64 = AtomicU64::new(1);
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}
