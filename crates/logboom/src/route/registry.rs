//! The registry: which routes there are, what they count, and what closed ones had counted.
//!
//! Invariants:
//! 1. Ids are given out in ascending order and never again.
//! 2. The map changes only while the [gate](crate::fork) is held; [`Registry::epoch`] moves after
//!    each route that is added, which is how the writer learns of it.
//! 3. A caller counts a drop, a rejection or a failure while it holds the map for reading; a route is
//!    folded while the map is held for writing. So no count falls between a route and the total.
//!
//! The writer takes the sink that the caller opened out of the entry, once.

use crate::barrier::Scope;
use crate::error::{Error, RouteError};
use crate::fork::GateGuard;
use crate::metrics::{Counts, RouteCounters};
use crate::record::RouteId;
use crate::route::RouteSpec;
use crate::sink::Sink;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

/// An open route.
pub(crate) struct Entry {
    pub(crate) id: RouteId,
    pub(crate) spec: RouteSpec,
    pub(crate) counters: RouteCounters,
    /// Set when it was asked to close: a child does not open it again.
    closing: AtomicBool,
    /// Opened on the caller's thread, waiting for the writer. `None` where the route shares the sink of
    /// one that was open already.
    sink: Mutex<Option<Box<dyn Sink>>>,
}

impl Entry {
    /// The sink that the caller opened, the first time.
    pub(crate) fn take_sink(&self) -> Option<Box<dyn Sink>> {
        self.sink.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("id", &self.id).field("spec", &self.spec).finish()
    }
}

/// What there is, under one lock.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    pub(crate) open: BTreeMap<RouteId, Arc<Entry>>,
    /// What closed routes had counted.
    pub(crate) closed: Counts,
    /// Deliveries to routes that are not open.
    pub(crate) unknown: RouteCounters,
    /// What shared sinks kept when the record's route was closed, and what became of it.
    pub(crate) left: RouteCounters,
    /// How many open routes lead to each sink, by [`RouteSpec::sink_key`].
    sinks: HashMap<usize, usize>,
    next: u32,
}

/// The routes of an engine and of its successors.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    epoch: AtomicU64,
    routes: RwLock<Routes>,
}

impl Registry {
    /// Whether the sink of a spec is open already, for another route.
    pub(crate) fn has_sink(&self, spec: &RouteSpec) -> bool {
        self.read().sinks.contains_key(&spec.sink_key())
    }

    /// Adds a route with the sink that was opened for it, if it needed one. Where the route that it
    /// was to share a sink with is gone meanwhile, the writer opens one at first need.
    pub(crate) fn add(
        &self,
        _: &GateGuard,
        spec: RouteSpec,
        sink: Option<Box<dyn Sink>>,
    ) -> Result<RouteId, Error> {
        let mut routes = self.write();
        let id = RouteId(routes.next);
        routes.next = routes.next.checked_add(1).ok_or(RouteError::TooMany)?;
        *routes.sinks.entry(spec.sink_key()).or_default() += 1;
        let entry = Entry {
            id,
            spec,
            counters: RouteCounters::default(),
            closing: AtomicBool::new(false),
            sink: Mutex::new(sink),
        };
        routes.open.insert(id, Arc::new(entry));
        drop(routes);
        self.epoch.fetch_add(1, Ordering::Release);
        Ok(id)
    }

    /// Marks a route as closing; false where it is not open.
    pub(crate) fn begin_close(&self, id: RouteId) -> bool {
        match self.read().open.get(&id) {
            Some(entry) => {
                entry.closing.store(true, Ordering::Relaxed);
                true
            }
            None => false,
        }
    }

    /// Takes a route out and folds its counts into the total. The entry is given back, to be
    /// dropped under no lock: with it goes what the user put into the spec.
    pub(crate) fn remove(&self, _: &GateGuard, id: RouteId) -> Option<Arc<Entry>> {
        let mut routes = self.write();
        let entry = routes.open.remove(&id)?;
        routes.closed += entry.counters.counts();
        let key = entry.spec.sink_key();
        if let Some(left) = routes.sinks.get_mut(&key) {
            *left -= 1;
            if *left == 0 {
                routes.sinks.remove(&key);
            }
        }
        Some(entry)
    }

    /// Moves whenever a route was added.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// The routes from `first` on, in order.
    pub(crate) fn from(&self, first: RouteId) -> Vec<Arc<Entry>> {
        self.read().open.range(first..).map(|(_, entry)| Arc::clone(entry)).collect()
    }

    /// Calls `count` with the counters of each route that `ids` name.
    pub(crate) fn count(&self, ids: &[RouteId], count: impl Fn(&RouteCounters)) {
        let routes = self.read();
        for id in ids {
            count(routes.open.get(id).map_or(&routes.unknown, |entry| &entry.counters));
        }
    }

    /// Whether a flush of these routes has something to do or to say.
    pub(crate) fn is_owing(&self, scope: Scope) -> bool {
        let routes = self.read();
        match scope {
            Scope::All => {
                routes.left.is_owing()
                    || routes.open.values().any(|entry| entry.counters.is_owing())
            }
            Scope::One(id) => routes.open.get(&id).is_some_and(|entry| entry.counters.is_owing()),
        }
    }

    /// Everything, for a snapshot.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Routes> {
        self.routes.read().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A registry with the same open routes under the same ids, with counters at zero and sinks
    /// opened anew; `None` where another thread was changing this one when the process forked.
    /// Waits for nobody.
    ///
    /// A sink that cannot be opened is tried again by the writer, which reports it.
    pub(crate) fn child(&self) -> Option<Registry> {
        let routes = match self.routes.try_read() {
            Ok(routes) => routes,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let mut sinks = HashMap::new();
        let mut reopened = |entry: &Arc<Entry>| {
            let sharing = sinks.entry(entry.spec.sink_key()).or_insert(0);
            *sharing += 1;
            let sink = if *sharing == 1 { entry.spec.sink.open().ok() } else { None };
            let entry = Entry {
                id: entry.id,
                spec: entry.spec.clone(),
                counters: RouteCounters::default(),
                closing: AtomicBool::new(false),
                sink: Mutex::new(sink),
            };
            (entry.id, Arc::new(entry))
        };
        let live = routes.open.values().filter(|entry| !entry.closing.load(Ordering::Relaxed));
        let open = live.map(&mut reopened).collect();
        let child = Routes { open, sinks, next: routes.next, ..Routes::default() };
        Some(Registry { epoch: AtomicU64::new(1), routes: RwLock::new(child) })
    }

    fn write(&self) -> RwLockWriteGuard<'_, Routes> {
        self.routes.write().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Opens a route's sink.
pub(crate) fn open_sink(spec: &RouteSpec) -> Result<Box<dyn Sink>, Error> {
    spec.sink.open().map_err(|error| {
        let (route, sink) = (spec.name.clone(), spec.sink.describe());
        RouteError::Open { route, sink, error }.into()
    })
}
