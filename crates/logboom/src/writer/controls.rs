//! How the writer carries out controls: flush, sync, the closing of a route, and the end.

use crate::barrier::{Action, Control, Flush, Scope};
use crate::generation::Generation;
use crate::record::RouteId;
use crate::writer::Writer;
use crate::writer::tell::Due;
use logboom_ring::Consumer;
use std::ops::Range;

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
            Action::Deliver(record) => self.deliver(generation, consumer, &record, || ()),
            Action::Beside(record) => {
                self.deliver(generation, consumer, &record, || generation.barrier.beside_done())
            }
        };
        generation.barrier.done();
        if let Some(ticket) = control.ticket {
            ticket.settle(outcome);
        }
    }

    /// The routes of a scope, as indexes.
    pub(super) fn scope(&mut self, generation: &Generation, scope: Scope) -> Range<usize> {
        self.routes.scope(&generation.shared.registry, scope)
    }

    fn flush(
        &mut self,
        generation: &Generation,
        consumer: &mut Consumer,
        scope: Scope,
        sync: bool,
    ) -> Flush {
        let range = self.scope(generation, scope);
        self.tell_drops(generation, range.clone(), Due::AtOnce);
        let outcome = self.routes.flush(range, sync, &mut self.faults);
        self.release(generation, consumer, self.taken);
        outcome
    }

    /// Delivers a record that lies beside the ring, at its place among those in it.
    fn deliver(
        &mut self,
        generation: &Generation,
        consumer: &mut Consumer,
        record: &[u8],
        account: impl FnOnce(),
    ) -> Flush {
        self.routes.note_beside();
        self.take(generation, record, generation.ring.table());
        self.routes.write(&mut self.faults);
        self.sync_batch();
        self.release_and(generation, consumer, self.taken, account);
        Flush::Done
    }

    fn close(&mut self, generation: &Generation, consumer: &mut Consumer, id: RouteId) -> Flush {
        let Range { start: index, end } = self.scope(generation, Scope::One(id));
        if index == end {
            return Flush::Done;
        }
        self.tell_drops(generation, index..end, Due::AtOnce);
        let outcome = self.routes.close(index, &mut self.faults);
        let shared = &generation.shared;
        let gate = shared.gate.hold();
        self.release_and(generation, consumer, self.taken, || {
            // The live route is the last to know the entry, so nothing of the user's is dropped here.
            shared.registry.remove(&gate, id);
        });
        generation.leave_route(&gate, id);
        drop(gate);
        self.routes.remove(index);
        outcome
    }

    /// Closes all sinks: the ring is closed and drained. What the last flush of them says.
    pub(super) fn finish(&mut self, generation: &Generation, consumer: &mut Consumer) -> Flush {
        let range = self.scope(generation, Scope::All);
        self.tell_drops(generation, range, Due::AtOnce);
        let outcome = self.routes.finish(&mut self.faults);
        self.release(generation, consumer, self.taken);
        self.tell_faults(generation, true);
        self.routes.clear();
        outcome
    }
}
