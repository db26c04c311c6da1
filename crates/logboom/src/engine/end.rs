//! The end: refuse new records, drain, flush, close the sinks, join the thread, and say what is
//! left.

use crate::engine::Engine;
use crate::engine::host::{Host, Phase, is_writer_thread};
use crate::engine::stats::snapshot;
use crate::generation::Generation;
use crate::metrics::Counts;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How a shutdown ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Report {
    /// Whether everything was given to the sinks and the thread has ended. If not, `counts.pending`
    /// deliveries remain, and the writer goes on with them while the process lives.
    pub completed: bool,
    /// What became of all deliveries of the engine's life.
    pub counts: Counts,
}

impl fmt::Display for Report {
    /// One sentence: what remains first, then the counters that are not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { submitted, pending, .. } = self.counts;
        if self.completed {
            write!(f, "shutdown complete: {submitted} submitted")?;
        } else {
            write!(f, "shutdown incomplete: {pending} of {submitted} submitted remain pending")?;
        }
        let others =
            self.counts.iter().filter(|(name, _)| !["submitted", "pending"].contains(name));
        for (name, n) in others.filter(|&(name, n)| n > 0 || name == "written") {
            write!(f, ", {n} {name}")?;
        }
        Ok(())
    }
}

impl Engine {
    /// Ends the engine: nothing more is accepted (it counts as rejected), what was submitted is
    /// written, the last notices too, the sinks are flushed and closed, the thread is joined.
    ///
    /// `None` waits for as long as that takes. When the time is up, the report says what remains;
    /// the caller goes on, and may ask again. A second call reports the same. Called on the
    /// writer's own thread it does not wait, and the report is incomplete.
    pub fn shutdown(&self, timeout: Option<Duration>) -> Report {
        if self.alive.process != std::process::id() {
            // A child that nobody made an engine for: a durable ring is its parent's own memory.
            return Report { completed: false, counts: Counts::default() };
        }
        let newest = {
            // Held so that no successor comes between the look and the close.
            let _gate = self.generation.shared.gate.hold();
            let newest = self.newest();
            newest.ring.close();
            newest
        };
        let completed = shut_down(&self.alive.host, &newest, timeout);
        let counts = snapshot(&newest).totals;
        Report { completed, counts }
    }
}

/// Shuts down the line whose last generation is `newest`. True if everything ended in time.
pub(super) fn shut_down(
    host: &Arc<Host>,
    newest: &Arc<Generation>,
    timeout: Option<Duration>,
) -> bool {
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    newest.ring.close();
    if is_writer_thread() {
        return false;
    }
    if host.phase() == Phase::Idle && (newest.is_empty() || !host.start(newest)) {
        host.run_here();
    }
    host.join(deadline)
}
