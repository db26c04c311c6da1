//! How the writer carries out controls: flush, sync, the closing of a route, and the end.

use crate::barrier::{Action, Control, Flush, Scope};
use crate::generation::Generation;
use crate::metrics;
use crate::record::RouteId;
use crate::writer::Writer;
use logboom_ring::Consumer;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Writer {
    /// Carries out the controls that are due. True if there were any.
    pub(super) fn obey(&mut self, generation: &Generation, consumer: &mut Consumer) -> bool {
        let mut obeyed = false;
        while generation.barrier.front() <= self.taken
            && let Some(control) = generation.barrier.take_due(self.taken)
        {
            self.carry_out(generation, consumer, control);
            obeyed = true;
        }
        obeyed
    }

    pub(super) fn carry_out(
        &mut self,
        generation: &Generation,
        consumer: &mut Consumer,
        control: Control,
    ) {
        let outcome = match control.action {
            Action::Flush(scope) => self.flush(generation, consumer, scope, false),
            Action::Sync(scope) => self.flush(generation, consumer, scope, true),
            Action::Close(id) => self.close(generation, consumer, id),
        };
        if let Some(ticket) = control.ticket {
            ticket.settle(outcome);
        }
    }

    /// The routes of a scope, as indexes.
    pub(super) fn scope(&mut self, generation: &Generation, scope: Scope) -> Range<usize> {
        self.pick_up(generation);
        match scope {
            Scope::All => 0..self.routes.len(),
            Scope::One(id) => self.ids.binary_search(&id).map_or(0..0, |index| index..index + 1),
        }
    }

    fn flush(
        &mut self,
        generation: &Generation,
        consumer: &mut Consumer,
        scope: Scope,
        sync: bool,
    ) -> Flush {
        let range = self.scope(generation, scope);
        self.tell_drops(generation, range.clone());
        let mut outcomes = Vec::with_capacity(range.len());
        for index in range {
            self.touch(index);
            let route = &mut self.routes[index];
            route.flush(&mut self.faults);
            let synced = !sync || route.sync(&mut self.faults);
            outcomes.push(route.flushed(synced));
        }
        self.release(generation, consumer, self.taken);
        worst(outcomes)
    }

    fn close(&mut self, generation: &Generation, consumer: &mut Consumer, id: RouteId) -> Flush {
        let Range { start: index, end } = self.scope(generation, Scope::One(id));
        if index == end {
            return Flush::Done;
        }
        self.tell_drops(generation, index..end);
        let Some(mut route) = self.routes.remove(index) else { return Flush::Done };
        self.ids.remove(index);
        // Nothing is touched between two batches, so no index is off by one now.
        self.touched.clear();
        route.close(&mut self.faults);
        let outcome = route.flushed(true);
        let shared = &generation.shared;
        let gate = shared.gate.hold();
        consumer.release(self.taken, || {
            metrics::add(&shared.meters.notices, route.publish());
            // The route in hand is the last to know the entry.
            shared.registry.remove(&gate, id);
        });
        drop(gate);
        // It may be the last to know the user's formatter, whose drop may panic.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(route)));
        outcome
    }

    /// Closes all sinks: the ring is closed and drained. What the last flush of them says.
    pub(super) fn finish(&mut self, generation: &Generation, consumer: &mut Consumer) -> Flush {
        let range = self.scope(generation, Scope::All);
        self.tell_drops(generation, range.clone());
        let mut outcomes = Vec::with_capacity(range.len());
        for index in range {
            self.touch(index);
            self.routes[index].close(&mut self.faults);
            outcomes.push(self.routes[index].flushed(true));
        }
        self.release(generation, consumer, self.taken);
        self.tell_faults(generation, true);
        self.ids.clear();
        for route in self.routes.drain(..) {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(route)));
        }
        worst(outcomes)
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
