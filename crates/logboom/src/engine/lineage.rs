//! Engines made out of an engine: a successor with other options, a forked child's own.

use crate::config::Config;
use crate::durable::{recover_at_start, recover_in_child};
use crate::engine::Engine;
use crate::engine::host::Phase;
use crate::error::{EngineError, Error};
use crate::fork::ForkGuard;
use crate::generation::{Generation, Shared};
use crate::record::RouteId;
use std::sync::{Arc, PoisonError, TryLockError};
use std::time::Duration;

/// How many undrained rings there may be beside the newest one.
const PILE: usize = 8;
/// How long a change of the ring waits for them at most: a sink may hang.
const PILE_WAIT: Duration = Duration::from_secs(1);

impl Engine {
    /// An engine with other options and the same routes, ids, counters, interned texts and thread.
    ///
    /// The ring of this one is closed; everything in it is written before the first record of the
    /// successor, so order is kept. Records that are submitted through this handle from now on go
    /// to the successor. [`Config::table_bytes`] has no effect: the table keeps its size.
    ///
    /// Rings that are not written yet keep their memory. Where a sink is stalled and eight of them wait
    /// already, it waits for the writer, at most a second.
    ///
    /// # Errors
    /// If an option is out of its bounds, there is no memory for the ring, eight rings are still not
    /// written, or this engine was shut down; all of that leaves it as it is.
    pub fn successor(&self, config: Config) -> Result<Engine, Error> {
        config.validate()?;
        if config.durable != self.newest().config.durable {
            recover_at_start(&config)?;
        }
        self.pace_changes()?;
        let gate = self.generation.shared.gate.hold();
        let next = self.newest().succeed(&gate, config)?;
        *self.alive.newest.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        drop(gate);
        if self.alive.host.phase() == Phase::Idle && next.is_empty() {
            // Nobody would drain the old ring, which is empty, before the first record comes.
            self.alive.host.run_here();
        }
        Ok(Engine { generation: next, alive: Arc::clone(&self.alive) })
    }

    /// Waits for the writer if there is a pile of rings to be drained.
    fn pace_changes(&self) -> Result<(), Error> {
        if self.undrained() >= PILE {
            // Any answer of the writer at the newest ring will do: of a route that nobody has.
            let _ = self.flush_route(RouteId(u32::MAX), Some(PILE_WAIT));
        }
        match self.undrained() {
            rings if rings >= PILE => Err(EngineError::Undrained(rings).into()),
            _ => Ok(()),
        }
    }

    /// How many rings before the newest one are not drained.
    fn undrained(&self) -> usize {
        let mut rings = 0;
        let mut previous = self.newest().previous();
        while let Some(ring) = previous {
            rings += 1;
            previous = ring.previous();
        }
        rings
    }

    /// Keeps off every change that a child could find half done. Hold it while the process forks;
    /// it takes no time to speak of, since nothing else holds it during I/O or a wait.
    ///
    /// The thread that holds it must not open or close routes, intern texts, shut down or ask for a
    /// successor: it would wait for itself.
    pub fn lock_for_fork(&self) -> ForkGuard {
        ForkGuard::new(self.generation.shared.gate.hold())
    }

    /// In a forked child: an engine of its own, empty, with the same options, the same routes under
    /// the same ids (their specs are asked to open their sinks anew), the same interned texts,
    /// counters at zero and no thread. What was pending is the parent's.
    ///
    /// Waits for no lock, whatever the parent's threads were doing; the fork has to be guarded by
    /// [`Engine::lock_for_fork`], whose guard may still be held. In a child this handle must not be
    /// used for anything else afterwards.
    ///
    /// A durable child has a file of its own in the same directory. Where there is no room for it, its
    /// ring is in memory, and the reporter is told.
    ///
    /// # Errors
    /// If there is no memory for the ring, or the fork was not guarded and fell into a change.
    pub fn child(&self) -> Result<Engine, Error> {
        if self.alive.process != std::process::id() {
            // Never dropped here: its parts may be locked for ever, and its sinks are the parent's.
            std::mem::forget(self.clone());
        }
        let parent = match self.alive.newest.try_read() {
            Ok(newest) => Arc::clone(&newest),
            Err(TryLockError::Poisoned(poisoned)) => Arc::clone(&poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => return Err(EngineError::Torn.into()),
        };
        let shared = Shared {
            registry: parent.shared.registry.child().ok_or(EngineError::Torn)?,
            interner: parent.shared.interner.child(),
            ..Shared::default()
        };
        let (config, table) = (parent.config.clone(), Some(parent.ring.table()));
        if let Some(book) = &parent.book {
            book.forget_in_child();
        }
        recover_in_child(&config);
        Ok(Engine::over(Generation::new_in_child(config, table, shared)?))
    }
}
