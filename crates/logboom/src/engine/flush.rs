//! Flush, sync and close: asking the writer, and waiting for what it answers.

use crate::barrier::{Action, Flush, Scope, Sealed, Ticket, Wait};
use crate::engine::Engine;
use crate::engine::host::{Phase, is_writer_thread};
use crate::generation::Generation;
use crate::metrics;
use crate::record::RouteId;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A waiting caller looks this often whether it has to run the writer itself.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How many controls may wait before a caller who opens a route waits for them.
const PILE: usize = 1024;
/// How long that caller waits at most: a sink may hang.
const PILE_WAIT: Duration = Duration::from_secs(1);

impl Engine {
    /// Waits until everything submitted before was given to the operating system by every sink.
    /// `None` waits for as long as it takes.
    ///
    /// It is never dropped, whatever the overflow policy and however full the ring. Where it would
    /// find nothing to do, it returns at once and wakes nobody: everything is with the sinks, every
    /// route that was asked to close is closed, no sink keeps a part of a line, nothing failed since
    /// the last flush, and all drops are told.
    pub fn flush(&self, timeout: Option<Duration>) -> Flush {
        self.flush_scope(Scope::All, timeout)
    }

    /// As [`Engine::flush`], for one route. Done at once if it is not open.
    pub fn flush_route(&self, id: RouteId, timeout: Option<Duration>) -> Flush {
        self.flush_scope(Scope::One(id), timeout)
    }

    /// As [`Engine::flush`], and has the operating system put it onto the devices.
    pub fn sync(&self, timeout: Option<Duration>) -> Flush {
        self.ask(Action::Sync(Scope::All), Scope::All, timeout)
    }

    /// As [`Engine::sync`], for one route.
    pub fn sync_route(&self, id: RouteId, timeout: Option<Duration>) -> Flush {
        self.ask(Action::Sync(Scope::One(id)), Scope::One(id), timeout)
    }

    /// Closes a route: everything submitted before is written, then its sink is flushed and dropped
    /// and its memory released, all on the writer's thread. What is submitted to it afterwards
    /// counts as rejected. Its counts stay in the totals.
    ///
    /// Only the writer can let the place go, so a close that waits pays for two switches of threads,
    /// also when nothing is pending. When it returns, the route is dropped, and so is its sink unless
    /// another open route shares it.
    ///
    /// With [`Wait::No`] the answer is [`Flush::Unawaited`]. After a timeout it is closed all the
    /// same, in the writer's time.
    pub fn close_route(&self, id: RouteId, wait: Wait) -> Flush {
        if !self.generation.shared.registry.begin_close(id) {
            return Flush::Done;
        }
        match wait {
            Wait::No => match self.push(Action::Close(id), None) {
                Ok(generation) => {
                    self.drive(&generation);
                    Flush::Unawaited
                }
                Err(Sealed) => self.forget_route(id),
            },
            Wait::Forever => self.ask(Action::Close(id), Scope::One(id), None),
            Wait::For(timeout) => self.ask(Action::Close(id), Scope::One(id), Some(timeout)),
        }
    }

    /// Waits for the writer if there is a pile of routes to close.
    pub(super) fn pace_closing(&self) {
        if self.newest().barrier.len() > PILE {
            // Any answer will do, so ask for the cheapest: of a route that nobody has.
            let scope = Scope::One(RouteId(u32::MAX));
            let _ = self.ask(Action::Flush(scope), scope, Some(PILE_WAIT));
        }
    }

    /// Closes a route whose sink the end has closed already.
    fn forget_route(&self, id: RouteId) -> Flush {
        let shared = &self.generation.shared;
        let gate = shared.gate.hold();
        let entry = shared.registry.remove(&gate, id);
        drop(gate);
        drop(entry);
        Flush::Done
    }

    fn flush_scope(&self, scope: Scope, timeout: Option<Duration>) -> Flush {
        if self.is_flushed(scope) {
            return Flush::Done;
        }
        self.ask(Action::Flush(scope), scope, timeout)
    }

    /// Whether a flush would find nothing to do and to say. Costs a few loads and uncontended locks,
    /// and for all routes a look at each.
    fn is_flushed(&self, scope: Scope) -> bool {
        let newest = self.newest();
        let shared = &newest.shared;
        newest.previous().is_none()
            && newest.barrier.is_passed(&newest.ring, || {
                newest.hand.get().is_none()
                    && metrics::read(&shared.meters.drops) == metrics::read(&shared.meters.told)
                    && !shared.registry.is_owing(scope)
            })
    }

    fn ask(&self, action: Action, scope: Scope, timeout: Option<Duration>) -> Flush {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let ticket = Arc::new(Ticket::default());
        let Ok(generation) = self.push(action.clone(), Some(Arc::clone(&ticket))) else {
            // Shut down: the end has flushed every sink, and its report said what failed.
            return match action {
                Action::Close(id) => self.forget_route(id),
                _ => Flush::Done,
            };
        };
        if is_writer_thread() {
            // Nobody can answer before this call returns.
            if !matches!(action, Action::Close(_)) {
                generation.barrier.withdraw(&ticket);
            }
            return Flush::TimedOut { pending: self.pending(scope) };
        }
        loop {
            self.drive(&generation);
            let look = Instant::now() + LOOK_EVERY;
            let until = deadline.map_or(look, |deadline| deadline.min(look));
            if let Some(outcome) = ticket.wait(Some(until)) {
                return outcome;
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                break;
            }
        }
        if !matches!(action, Action::Close(_)) {
            generation.barrier.withdraw(&ticket);
        }
        // It may have been settled in the last moment.
        ticket
            .wait(Some(Instant::now()))
            .unwrap_or_else(|| Flush::TimedOut { pending: self.pending(scope) })
    }

    /// Pushes a control behind everything submitted so far; returns where.
    pub(super) fn push(
        &self,
        action: Action,
        ticket: Option<Arc<Ticket>>,
    ) -> Result<Arc<Generation>, Sealed> {
        let mut generation = self.newest();
        loop {
            let ring = &generation.ring;
            if generation.barrier.push(action.clone(), ticket.clone(), || ring.position()).is_ok() {
                return Ok(generation);
            }
            let newest = self.settled_newest();
            if Arc::ptr_eq(&newest, &generation) {
                return Err(Sealed);
            }
            generation = newest;
        }
    }

    /// Sees to it that a control is carried out: wakes the writer, starts its thread, or runs it
    /// here if there is nothing to write or no thread to be had.
    pub(super) fn drive(&self, generation: &Generation) {
        let host = &self.alive.host;
        match host.phase() {
            Phase::Thread => generation.ring.wake(),
            Phase::Caller | Phase::Finished => {}
            Phase::Idle => {
                if generation.is_empty() || !host.start(generation) {
                    host.run_here();
                }
            }
        }
    }
}
