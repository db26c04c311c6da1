//! The engine: what a program holds, and the only part that knows both the ring and the writer.
//!
//! Invariants:
//! 1. Making an engine starts no thread; the first record does. There is never a second one,
//!    whatever the number of routes, handles and successors.
//! 2. No call waits for the writer but those that say so: [`Engine::submit`] under
//!    [`Overflow::Block`](crate::overflow::Overflow::Block), [`Engine::flush`] and its like,
//!    [`Engine::shutdown`]. On the writer's own thread none does.
//! 3. The usual way of [`Engine::submit`] takes no lock, allocates nothing, wakes nobody and counts
//!    nothing: it reserves, copies and commits.
//! 4. The last handle that is dropped shuts the engine down, unless it is dropped in a forked child.
//!
//! The way through: `submit` encodes a record into the ring of the current generation; what is
//! refused waits, drives out the oldest, is dropped, rejected or handed to a successor (`room.rs`). `flush`, `sync` and
//! `close_route` push a control and wait (`flush.rs`). `host.rs` says who runs the writer.
//! `lineage.rs` makes a child or a successor, `end.rs` shuts down, `stats.rs` takes a snapshot.
//!
//! What it does not do: format, know sinks, know Python.

mod end;
mod flush;
mod guard;
mod host;
mod large;
mod lineage;
mod room;
mod stats;
mod submit;

pub use crate::barrier::{Flush, Wait};
pub use crate::fork::ForkGuard;
pub use end::Report;
pub use guard::Route;
pub use host::is_writer_thread;
pub use large::Large;
pub use room::Waiting;
pub use submit::Outcome;

use crate::config::Config;
use crate::durable::recover_at_start;
use crate::error::Error;
use crate::generation::{Generation, Shared};
use crate::record::{RouteId, TextId};
use crate::redact::Redaction;
use crate::route::RouteSpec;
use crate::route::registry::open_sink;
use host::Host;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// A handle to an engine. Clones are handles to the same one.
#[derive(Clone)]
pub struct Engine {
    generation: Arc<Generation>,
    alive: Arc<Alive>,
}

/// What all handles of an engine and its successors share; shuts it down when the last one goes.
struct Alive {
    host: Arc<Host>,
    /// Changes under the gate only, so that a forked child can read it without waiting.
    newest: RwLock<Arc<Generation>>,
    /// A forked child must leave its parent's engine alone.
    process: u32,
}

impl Engine {
    /// An engine without routes. Starts no thread.
    ///
    /// # Errors
    /// If an option is out of its bounds, or there is no memory for the ring.
    pub fn new(config: Config) -> Result<Engine, Error> {
        config.validate()?;
        recover_at_start(&config)?;
        Ok(Engine::over(Generation::new(config, None, Shared::default())?))
    }

    fn over(generation: Arc<Generation>) -> Engine {
        let alive = Alive {
            host: Arc::new(Host::new(Arc::clone(&generation))),
            newest: RwLock::new(Arc::clone(&generation)),
            process: std::process::id(),
        };
        Engine { generation, alive: Arc::new(alive) }
    }

    /// Opens the sink, on this thread, unless an open route has it already (see [`RouteSpec::sink`]), and
    /// adds the route.
    ///
    /// Where routes are opened and closed faster than the writer can close them, it waits for the
    /// writer, at most a second, so that what is closed does not pile up in memory.
    ///
    /// # Errors
    /// If the sink cannot be opened. Nothing is added then.
    pub fn open_route(&self, spec: RouteSpec) -> Result<RouteId, Error> {
        self.pace_closing();
        let shared = &self.generation.shared;
        let sink = if shared.registry.has_sink(&spec) { None } else { Some(open_sink(&spec)?) };
        let gate = shared.gate.hold();
        let told = spec.clone();
        let id = shared.registry.add(&gate, spec, sink)?;
        self.newest().enter_route(&gate, id, &told);
        Ok(id)
    }

    /// As [`Engine::open_route`], with a guard that closes the route when it is dropped.
    ///
    /// # Errors
    /// As [`Engine::open_route`].
    pub fn route(&self, spec: RouteSpec) -> Result<Route, Error> {
        let needs = spec.formatter.needs();
        Ok(Route::new(self.clone(), self.open_route(spec)?, needs))
    }

    /// The id of `text` in the table that records are read with; the same for the same text.
    /// `None` when the table is full: then send the text inline.
    ///
    /// A text that is known costs a hash and a lock for reading; a new one is copied.
    pub fn intern(&self, text: &[u8]) -> Option<TextId> {
        let shared = &self.generation.shared;
        let newest = self.newest();
        let table = newest.ring.table();
        if let Some(id) = shared.interner.find(table, text) {
            return Some(id);
        }
        if text.len() > table.capacity_bytes().saturating_sub(table.used_bytes()) {
            return None;
        }
        let gate = shared.gate.hold();
        // The newest one as it is now: a successor may have come meanwhile.
        shared.interner.insert(&gate, self.newest().ring.table(), text)
    }

    /// Tells this engine and its successors from all others of the process, for caches of the ids
    /// that [`Engine::intern`] gives. Ascending, from 1; never used again.
    #[inline]
    pub(crate) fn number(&self) -> u32 {
        self.generation.shared.number.0
    }

    /// The options that hold now, those of the latest successor.
    pub fn config(&self) -> Config {
        self.newest().config.clone()
    }

    /// What is taken out of records now; of [`Engine::config`], without the rest.
    pub fn redaction(&self) -> Arc<Redaction> {
        Arc::clone(&self.newest().config.redaction)
    }

    /// The last one of the line, as far as it is known without passing the gate.
    fn newest(&self) -> Arc<Generation> {
        Arc::clone(&self.alive.newest.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same, once a change that is under way is over.
    fn settled_newest(&self) -> Arc<Generation> {
        let _gate = self.generation.shared.gate.hold();
        self.newest()
    }

    /// Whether it was made before the fork that made this process: it is the parent's then.
    pub fn is_of_another_process(&self) -> bool {
        self.alive.process != std::process::id()
    }

    /// Threads of the engine's own that exist now: 0 or 1.
    pub fn thread_count(&self) -> usize {
        self.alive.host.threads()
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            return;
        }
        let newest = self.newest.read().unwrap_or_else(PoisonError::into_inner);
        let timeout = newest.config.shutdown_timeout;
        if !end::shut_down(&self.host, &newest, Some(timeout)) {
            // The writer may still be at an older ring and has to find this one.
            std::mem::forget(Arc::clone(&newest));
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("config", &self.config())
            .field("ring", &self.newest().ring)
            .finish_non_exhaustive()
    }
}
