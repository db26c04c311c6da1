//! Flush, sync and close of live routes: once for each sink, answered for each route.

use crate::barrier::Flush;
use crate::writer::faults::Faults;
use crate::writer::routes::LiveRoutes;
use crate::writer::settle::Fate;
use std::ops::Range;

impl LiveRoutes {
    /// Has the sinks of some routes give on what they keep, and with `sync` put everything onto their
    /// devices; starts the next count of what failed.
    pub(in crate::writer) fn flush(
        &mut self,
        range: Range<usize>,
        sync: bool,
        faults: &mut Faults,
    ) -> Flush {
        self.round += 1;
        let mut outcomes = Vec::with_capacity(range.len());
        for index in range {
            self.touch(index);
            let at = self.routes[index].sink;
            if std::mem::replace(&mut self.sinks[at].round, self.round) != self.round {
                self.flush_sink(at, faults);
                self.sinks[at].synced = if sync { self.sync_sink(index, faults) } else { None };
            }
            let route = &mut self.routes[index];
            let synced = self.sinks[at].synced.unwrap_or(!sync || route.written_since_sync == 0);
            outcomes.push(route.flushed(synced));
        }
        worst(outcomes)
    }

    fn flush_sink(&mut self, at: usize, faults: &mut Faults) {
        let sink = &mut self.sinks[at];
        if sink.is_open() || sink.kept.is_some() {
            self.begin_note(at);
            let written = self.sinks[at].call(|sink| sink.flush());
            self.settle(at, &[], &written, faults);
        }
    }

    pub(in crate::writer) fn sync_sink(
        &mut self,
        index: usize,
        faults: &mut Faults,
    ) -> Option<bool> {
        let at = self.routes[index].sink;
        let outcome = self.sinks[at].sync()?;
        if let Err(error) = &outcome {
            let name = &self.routes[index].entry.spec.name;
            faults.note(|| format!("route `{name}`: sync failed: {error}"));
            if !self.sinks[at].is_open() {
                self.give_up_kept(at);
            }
        } else if self.sinks[at].routes == 1 {
            self.routes[index].written_since_sync = 0;
        } else {
            let routes = self.routes.iter_mut().filter(|route| route.sink == at);
            routes.for_each(|route| route.written_since_sync = 0);
        }
        Some(outcome.is_ok())
    }

    /// What the sink keeps will never be given on, and counts as failed.
    fn give_up_kept(&mut self, at: usize) {
        if let Some(origin) = self.sinks[at].kept.take() {
            self.set_kept(origin, false);
            self.count(origin, Fate { failed: 1, written: 0 });
        }
    }

    fn end_sink(&mut self, at: usize, faults: &mut Faults) {
        self.flush_sink(at, faults);
        self.sinks[at].discard();
        self.give_up_kept(at);
    }

    /// Closes a route, and its sink if no other open route leads there. Then publish, and
    /// [`remove`](LiveRoutes::remove) it before anything else is done.
    pub(in crate::writer) fn close(&mut self, index: usize, faults: &mut Faults) -> Flush {
        self.touch(index);
        let at = self.routes[index].sink;
        if self.sinks[at].routes == 1 {
            self.end_sink(at, faults);
        } else {
            self.flush_sink(at, faults);
        }
        let route = &mut self.routes[index];
        let outcome = route.flushed(true);
        if let Some(frame) = route.kept.take() {
            *self.left.kept(frame) += 1;
        }
        outcome
    }

    /// Closes all sinks, for good.
    pub(in crate::writer) fn finish(&mut self, faults: &mut Faults) -> Flush {
        for index in 0..self.routes.len() {
            let at = self.routes[index].sink;
            if self.sinks[at].is_open() || self.sinks[at].kept.is_some() {
                self.end_sink(at, faults);
            }
        }
        worst(self.routes.iter_mut().map(|route| route.flushed(true)).collect())
    }
}

/// Done if all are, else how many failed in all.
fn worst(outcomes: Vec<Flush>) -> Flush {
    let failed = outcomes.iter().filter_map(|outcome| match outcome {
        Flush::Failed { records } => Some(*records),
        _ => None,
    });
    failed.reduce(|a, b| a + b).map_or(Flush::Done, |records| Flush::Failed { records })
}
