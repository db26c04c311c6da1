//! One ring and what belongs to it, and what it shares with its successors.
//!
//! A change of the ring's size or of the overflow policy makes a new generation: a new ring and
//! barrier, the same routes, counters and interned texts. The old ring is closed; what is in it is
//! written before the first record of the new one.
//!
//! Invariants:
//! 1. `next` is set at most once, under the gate, right after the ring was closed under the same
//!    hold. So whoever finds the ring closed passes the gate and then knows whether there is a
//!    successor.
//! 2. Texts are appended to the newest generation's table only, under the gate; every older table
//!    holds all ids that can be in its ring.
//! 3. `previous` is set until the writer has drained the previous ring; a snapshot that follows it
//!    sees every ring that holds records.
//! 4. What keeps a generation: the engine the newest one, that the undrained ones before it, the
//!    writer its own, a handle the one it was made for. So however often the options change, and
//!    however old a handle is, no drained ring between them stays in memory.

use crate::barrier::Barrier;
use crate::config::Config;
use crate::durable::Book;
use crate::error::{EngineError, Error};
use crate::fork::{Gate, GateGuard};
use crate::intern::Interner;
use crate::metrics::Meters;
use crate::overflow::Overflow;
use crate::record::{RouteId, TextId, Texts};
use crate::route::RouteSpec;
use crate::route::registry::Registry;
use logboom_ring::{Ring, Table};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};

/// What an engine and its successors have in common.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) gate: Arc<Gate>,
    pub(crate) registry: Registry,
    pub(crate) interner: Interner,
    pub(crate) meters: Meters,
    pub(crate) number: EngineNumber,
}

/// Tells the engines of a process apart, for caches of ids: those of one are nothing to another. A
/// successor has the same, a forked child another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EngineNumber(pub(crate) u32);

impl Default for EngineNumber {
    /// The next one, from 1 up.
    fn default() -> Self {
        static NUMBERS: AtomicU32 = AtomicU32::new(1);
        EngineNumber(NUMBERS.fetch_add(1, Ordering::Relaxed))
    }
}

/// A ring with its barrier and its options.
pub(crate) struct Generation {
    pub(crate) config: Config,
    pub(crate) ring: Arc<Ring>,
    pub(crate) barrier: Barrier,
    pub(crate) shared: Arc<Shared>,
    pub(crate) hand: Hand,
    /// What is kept beside the ring, where it is durable.
    pub(crate) book: Option<Arc<Book>>,
    next: OnceLock<Weak<Generation>>,
    previous: Mutex<Option<Arc<Generation>>>,
}

impl Generation {
    /// The first of its line, or a child's first with the texts of `table`.
    pub(crate) fn new(
        config: Config,
        table: Option<&Table>,
        shared: Shared,
    ) -> Result<Arc<Self>, Error> {
        let made = Generation::over(config, table, Arc::new(shared), None)?;
        // Nobody else knows it yet.
        made.enter_routes(&made.shared.gate.hold());
        Ok(made)
    }

    /// The same for a forked child, which goes on in memory where there is no room for a file.
    pub(crate) fn new_in_child(
        config: Config,
        table: Option<&Table>,
        shared: Shared,
    ) -> Result<Arc<Self>, Error> {
        let shared = Arc::new(shared);
        let made = Generation::over(config.clone(), table, Arc::clone(&shared), None);
        let made = made.or_else(|error| {
            let text =
                format!("the ring of process {} is not durable: {error}", std::process::id());
            config.reporter.report(&text);
            Generation::over(Config { durable: None, ..config }, table, shared, None)
        })?;
        made.enter_routes(&made.shared.gate.hold());
        Ok(made)
    }

    fn over(
        config: Config,
        table: Option<&Table>,
        shared: Arc<Shared>,
        previous: Option<Arc<Generation>>,
    ) -> Result<Arc<Self>, Error> {
        let (ring, book) = match (&config.durable, table) {
            (Some(directory), table) => {
                let (ring, book) = Book::make(directory, &config, table)?;
                (Ok(ring), Some(Arc::new(book)))
            }
            (None, None) => (Ring::anonymous(config.capacity_bytes, config.table_bytes), None),
            (None, Some(table)) => (Ring::anonymous_with_table(config.capacity_bytes, table), None),
        };
        let mut ring = ring.map_err(|error| EngineError::Memory(error.to_string()))?;
        set_policy(&mut ring, config.overflow);
        if book.is_some() {
            // What the writer has in hand is nowhere else.
            ring.keep_copied();
        }
        Ok(Arc::new(Generation {
            config,
            ring: Arc::new(ring),
            barrier: Barrier::default(),
            shared,
            hand: Hand::default(),
            book,
            next: OnceLock::new(),
            previous: Mutex::new(previous),
        }))
    }

    /// Tells the open routes beside a new ring.
    fn enter_routes(&self, gate: &GateGuard) {
        if self.book.is_some() {
            for entry in self.shared.registry.from(RouteId(0)) {
                self.enter_route(gate, entry.id, &entry.spec);
            }
        }
    }

    /// Tells a route beside the ring, where that is durable. The ring is the newest of its line.
    pub(crate) fn enter_route(&self, gate: &GateGuard, id: RouteId, spec: &RouteSpec) {
        if let Some(book) = &self.book {
            let interner = &self.shared.interner;
            book.enter(id, spec, |text| interner.insert(gate, self.ring.table(), text));
        }
    }

    /// Forgets a route, all of whose records are released, beside this ring and those behind it.
    pub(crate) fn leave_route(&self, _: &GateGuard, id: RouteId) {
        if let Some(book) = &self.book {
            book.leave(id);
        }
        let mut next = self.next.get().and_then(Weak::upgrade);
        while let Some(generation) = next {
            if let Some(book) = &generation.book {
                book.leave(id);
            }
            next = generation.next.get().and_then(Weak::upgrade);
        }
    }

    /// The ring is drained for good: nothing of it is to be recovered.
    pub(crate) fn remove_file(&self) {
        if let Some(book) = &self.book {
            book.remove();
        }
    }

    /// Closes the ring and makes the next generation.
    pub(crate) fn succeed(
        self: &Arc<Self>,
        gate: &GateGuard,
        config: Config,
    ) -> Result<Arc<Self>, Error> {
        if self.ring.is_closed() {
            return Err(EngineError::Closed.into());
        }
        let (table, shared) = (Some(self.ring.table()), Arc::clone(&self.shared));
        let next = Generation::over(config, table, shared, Some(Arc::clone(self)))?;
        next.enter_routes(gate);
        self.ring.close();
        self.next.get_or_init(|| Arc::downgrade(&next));
        Ok(next)
    }

    /// The one after this, for the writer, who comes to it before anybody forgets it. Waits for a
    /// change that is under way.
    pub(crate) fn settled_next(&self) -> Option<Arc<Generation>> {
        let _gate = self.shared.gate.hold();
        self.next.get()?.upgrade()
    }

    /// The one before this, while its ring is not drained.
    pub(crate) fn previous(&self) -> Option<Arc<Generation>> {
        self.previous.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// The previous ring is drained.
    pub(crate) fn forget_previous(&self) {
        *self.previous.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = None;
    }

    /// Whether nothing is in this ring or one before it.
    pub(crate) fn is_empty(&self) -> bool {
        self.ring.released() == self.ring.position()
            && self.previous().is_none_or(|previous| previous.is_empty())
    }
}

/// Tells the ring what the overflow policy needs of it.
fn set_policy(ring: &mut Ring, overflow: Overflow) {
    match overflow {
        Overflow::DropOldest => ring.let_drop_oldest(),
        Overflow::Sample => ring.keep_back(ring.capacity_bytes() / 4),
        Overflow::Block | Overflow::DropNewest => {}
    }
}

/// What the writer copied out of a ring whose oldest frames may be dropped, until it is counted.
///
/// Changes under the ring's hold only, with what the ring says is copied: a snapshot finds each frame
/// here or in the ring.
#[derive(Debug, Default)]
pub(crate) struct Hand(Mutex<Option<Arc<Batch>>>);

/// Frames that were copied out, in ring order.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The position in the ring behind them.
    pub(crate) position: u64,
}

impl Hand {
    pub(crate) fn get(&self) -> Option<Arc<Batch>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    pub(crate) fn set(&self, batch: Option<Arc<Batch>>) {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = batch;
    }
}

impl Batch {
    pub(crate) fn push(&mut self, frame: &[u8]) {
        self.bytes.extend_from_slice(frame);
        self.ends.push(self.bytes.len());
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    pub(crate) fn frames(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(&start, &end)| &self.bytes[start..end])
    }
}

impl Texts for Table {
    #[inline]
    fn text(&self, id: TextId) -> Option<&[u8]> {
        self.get(id)
    }
}
