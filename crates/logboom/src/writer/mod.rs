//! The writer: takes records out of the ring and gives them to the routes' sinks.
//!
//! Invariants:
//! 1. One writer exists for an engine and its successors; whoever holds it may run it. Normally
//!    that is the one thread; where it cannot be started, callers that need room or an answer.
//! 2. Records reach each sink in ring order, whichever of its routes they go to. Those of an older
//!    ring come before those of its successor.
//! 3. What a batch did is published in the same critical section that frees it in the ring, so a
//!    snapshot finds each delivery in exactly one place.
//! 4. A control is carried out when everything before its position was given to the sinks, and
//!    before anything behind it is taken.
//! 5. No filter, formatter, sink or reporter can stop the writer or reach another route by
//!    panicking or failing.
//!
//! One pass: up to [`BATCH_BYTES`] of frames are parsed and given to each route they name, which
//! filters and formats them into the buffer of its sink; buffers go to their sinks when they are
//! large and at the end of the batch; then counters and ring move; then controls that are due,
//! notices and reports. After an empty pass it waits as [`ladder`] says.
//!
//! What the writer knows of routes and sinks is in `routes`. A record for a route that is not there
//! sends it to the registry once, if that has changed; a route that is not there either was closed
//! before the record was submitted, and the delivery counts as rejected.
//!
//! What it does not do: start threads (`engine`), read the clock for each record, hold any lock
//! while it calls a user's code.
//!
//! Pinned by the tests in `writer/*` and `tests/`: `accounting_is_exact_under_load_and_faults`,
//! `order_is_global`, `routes_of_one_sink_keep_the_rings_order`, `flush_is_a_barrier`,
//! `close_route_writes_what_came_before`, `a_panicking_route_leaves_the_others_alone`,
//! `drops_are_told_while_the_load_lasts`.

mod controls;
mod faults;
mod ladder;
mod live;
mod notes;
mod routes;
mod settle;
mod sink;
mod staging;
mod syncing;
mod tell;

use crate::barrier::{Action, Flush};
use crate::clock;
use crate::format::Redactor;
use crate::generation::{Batch, Generation};
use crate::metrics;
use crate::record::RecordView;
use faults::Faults;
use ladder::Ladder;
use logboom_ring::{Consumer, Table};
use routes::LiveRoutes;
use std::any::Any;
use std::sync::Arc;

pub(crate) use tell::report;

/// How much of the ring one pass takes at most; of a small ring a quarter, so that callers who wait
/// for room get it in turns.
const BATCH_BYTES: usize = 1 << 20;

/// The same where the oldest are dropped: the batch is copied, and while it is, nobody can drop.
const COPY_BYTES: usize = 256 << 10;

/// A process that fills a batch to here logs much: its callers should not wait for the pages of the ring
/// one by one. Others keep the few that they touch.
const BUSY_BYTES: u64 = 64 << 10;
/// How much of a ring is given its memory at once.
const MOST_POPULATED_BYTES: usize = 8 << 20;

/// How long a run lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Until the engine is closed and drained.
    UntilClosed,
    /// Until there is nothing to do at the moment.
    UntilEmpty,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// There is nothing to do at the moment.
    Empty,
    /// The last ring is closed and drained, all sinks are closed.
    Finished,
}

/// The writer and what it knows of the routes.
pub(crate) struct Writer {
    generation: Arc<Generation>,
    /// Everything before it was given to the sinks.
    taken: u64,
    /// Whether the ring was given its memory.
    populated: bool,
    routes: LiveRoutes,
    /// Deliveries to routes that are not open, not published yet.
    unknown: u64,
    /// Frames that were no records, not published yet.
    malformed: u64,
    faults: Faults,
    telling: tell::Telling,
    syncing: syncing::Syncing,
    /// Where notices are encoded.
    scratch: Vec<u8>,
    /// Where frames are copied to that callers might drop.
    batch: Arc<Batch>,
}

impl Writer {
    pub(crate) fn new(generation: Arc<Generation>) -> Self {
        Writer {
            taken: generation.ring.released(),
            populated: false,
            generation,
            routes: LiveRoutes::default(),
            unknown: 0,
            malformed: 0,
            faults: Faults::default(),
            telling: tell::Telling::default(),
            syncing: syncing::Syncing::default(),
            scratch: Vec::new(),
            batch: Arc::default(),
        }
    }

    /// The ring it is at.
    pub(crate) fn generation(&self) -> &Arc<Generation> {
        &self.generation
    }

    /// Runs on the calling thread, from ring to ring.
    pub(crate) fn run(&mut self, patience: Patience) -> Ended {
        loop {
            let generation = Arc::clone(&self.generation);
            // Only who holds the writer asks for it, so it is there but after a panic in a ring.
            let Some(mut consumer) = generation.ring.consumer() else { return Ended::Empty };
            self.taken = generation.ring.released();
            self.routes.keep_notes(generation.book.as_ref(), self.taken);
            self.routes.redactor = Redactor::new(Arc::clone(&generation.config.redaction));
            if !self.serve(&generation, &mut consumer, patience) {
                return Ended::Empty;
            }
            match generation.settled_next() {
                Some(next) => {
                    for control in generation.barrier.seal() {
                        self.carry_out(&generation, &mut consumer, control);
                    }
                    // A torn line's rest is in the old ring's file only.
                    self.routes.keep_notes(next.book.as_ref(), next.ring.released());
                    generation.remove_file();
                    next.forget_previous();
                    self.generation = next;
                    self.populated = false;
                }
                None => {
                    let outcome = self.finish(&generation, &mut consumer);
                    generation.remove_file();
                    for control in generation.barrier.seal() {
                        if let Action::Beside(_) = control.action {
                            // No route is open any more, so it counts as rejected.
                            self.carry_out(&generation, &mut consumer, control);
                            continue;
                        }
                        let Some(ticket) = control.ticket else { continue };
                        ticket.settle(match control.action {
                            // No route is open any more; its caller counts it as rejected.
                            Action::Deliver(_) => Flush::Unawaited,
                            _ => outcome,
                        });
                    }
                    return Ended::Finished;
                }
            }
        }
    }

    /// Serves one ring. True once it is closed and drained, false if there is nothing to do.
    fn serve(
        &mut self,
        generation: &Generation,
        consumer: &mut Consumer,
        patience: Patience,
    ) -> bool {
        let mut ladder = Ladder::default();
        loop {
            let moved = self.pass(generation, consumer);
            let obeyed = self.obey(generation, consumer);
            self.tell(generation, consumer);
            self.sync_in_time(generation);
            if moved {
                clock::keep();
            }
            if moved || obeyed {
                ladder.reset();
            } else if generation.ring.is_closed() && consumer.is_idle() {
                return true;
            } else if patience == Patience::UntilEmpty {
                return false;
            } else {
                if consumer.fold() {
                    self.taken = generation.ring.released();
                }
                let due = self.has_untold(generation) || self.has_unsynced(generation);
                consumer.park(ladder.next(due));
                metrics::add(&generation.shared.meters.wakeups, 1);
            }
        }
    }

    /// Takes one batch from the ring to the sinks. True if there was something.
    fn pass(&mut self, generation: &Generation, consumer: &mut Consumer) -> bool {
        let ring = &generation.ring;
        if ring.drops_oldest() {
            return self.pass_copied(generation, consumer);
        }
        let limit = BATCH_BYTES.min(ring.capacity_bytes() / 4);
        let frames = consumer.frames(self.taken, limit);
        let end = generation
            .barrier
            .take_frames(self.taken, frames, |bytes| self.take(generation, bytes, ring.table()));
        if end == self.taken {
            return false;
        }
        if !self.populated && end - self.taken >= BUSY_BYTES {
            self.populated = true;
            ring.populate(MOST_POPULATED_BYTES);
        }
        self.routes.write(&mut self.faults);
        self.sync_batch();
        self.release(generation, consumer, end);
        metrics::add(&generation.shared.meters.batches, 1);
        true
    }

    /// The same where callers may drop what is in the ring: takes the batch out of it first.
    fn pass_copied(&mut self, generation: &Generation, consumer: &mut Consumer) -> bool {
        // One that a defect of ours left behind is taken up again.
        let batch = match generation.hand.get() {
            Some(batch) => batch,
            None => self.copy(generation, consumer),
        };
        if batch.position == self.taken && generation.hand.get().is_none() {
            return false;
        }
        for frame in batch.frames() {
            self.take(generation, frame, generation.ring.table());
        }
        self.routes.write(&mut self.faults);
        self.sync_batch();
        self.release_and(generation, consumer, batch.position, || generation.hand.set(None));
        metrics::add(&generation.shared.meters.batches, 1);
        true
    }

    /// Copies a batch, which is the writer's from then on and counts as pending.
    fn copy(&mut self, generation: &Generation, consumer: &mut Consumer) -> Arc<Batch> {
        let limit = COPY_BYTES.min(generation.ring.capacity_bytes() / 4);
        // A snapshot may still look at the last one.
        let mut batch = std::mem::take(&mut self.batch);
        let mut own = Arc::get_mut(&mut batch).map(std::mem::take).unwrap_or_default();
        own.clear();
        let front = consumer.front();
        let from = front.position();
        let frames = front.frames(limit);
        own.position = generation.barrier.take_frames(from, frames, |bytes| own.push(bytes));
        let (position, batch) = (own.position, Arc::new(own));
        if position != from {
            front.keep(position, || generation.hand.set(Some(Arc::clone(&batch))));
        }
        self.batch = Arc::clone(&batch);
        batch
    }

    /// Gives one frame to each route it names.
    #[inline]
    fn take(&mut self, generation: &Generation, bytes: &[u8], texts: &Table) {
        let Ok(record) = RecordView::parse(bytes, texts) else {
            self.malformed += 1;
            self.faults.note(|| "a frame in the ring is no record".into());
            return;
        };
        self.weigh(generation, record.level);
        for id in record.routes() {
            match self.routes.find(&generation.shared.registry, id) {
                Some(index) => self.routes.take(index, &record, &mut self.faults),
                None => self.unknown += 1,
            }
        }
    }

    /// Frees the ring before `to` and publishes what was counted, as one.
    fn release(&mut self, generation: &Generation, consumer: &mut Consumer, to: u64) {
        self.release_and(generation, consumer, to, || ());
    }

    /// The same, and then does `more`, still as one.
    fn release_and(
        &mut self,
        generation: &Generation,
        consumer: &mut Consumer,
        to: u64,
        more: impl FnOnce(),
    ) {
        self.routes.note_until(to);
        let Writer { routes, unknown, malformed, telling, .. } = self;
        let shared = &generation.shared;
        consumer.release(to, || {
            routes.publish(shared);
            metrics::set(&shared.meters.told, telling.drops);
            if *unknown > 0 || *malformed > 0 {
                let registry = shared.registry.read();
                registry.unknown.count_rejected(std::mem::take(unknown));
                registry.unknown.count_failed(std::mem::take(malformed));
            }
            more();
        });
        self.taken = to;
    }
}

/// What a panic said.
pub(crate) fn words(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(words), _) => words,
        (_, Some(words)) => words,
        _ => "no message",
    }
}
