//! The open routes and their sinks in the writer's hands: from records to counted frames.
//!
//! Invariants:
//! 1. Frames reach a sink in ring order, whichever of its routes they belong to: routes that share
//!    a sink share its buffer.
//! 2. Each frame is counted for the route it belongs to, whoever's call wrote it. A frame that a
//!    sink keeps when its route is closed, and that other routes' sink goes on with, stays pending
//!    in the totals until it is written, or failed.
//! 3. Between two batches no sink has a buffer, and nothing is touched that is not published.
//!
//! The way through: [`LiveRoutes::take`] filters and formats a record into the buffer of its
//! route's sink; [`LiveRoutes::write`] gives the buffers to the sinks and settles what they answer;
//! [`LiveRoutes::publish`] moves the counts to where snapshots see them.
//!
//! Pinned by `routes_of_one_sink_keep_the_rings_order` and the tests that [`super`] names.

mod flush;

use crate::barrier::Scope;
use crate::filter::Due;
use crate::format::Redactor;
use crate::generation::Shared;
use crate::metrics::{self, Drops, Tally};
use crate::notice;
use crate::record::{RecordView, RouteId};
use crate::route::registry::Registry;
use crate::sink::{Frames, Written};
use crate::writer::faults::Faults;
use crate::writer::live::LiveRoute;
use crate::writer::notes::Notes;
use crate::writer::settle::{Fate, Frame, Origin, Run, settle};
use crate::writer::sink::LiveSinks;
use crate::writer::staging::Pool;
use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// All open routes that were ever needed.
#[derive(Default)]
pub(super) struct LiveRoutes {
    /// In ascending order of their ids, which `ids` repeats in one cache line or two. Deques,
    /// because what is closed is most often the oldest or the newest.
    pub(super) routes: VecDeque<LiveRoute>,
    ids: VecDeque<RouteId>,
    pub(super) sinks: LiveSinks,
    /// Where the last record went: most often the next one does, too.
    last: usize,
    /// The first id that was never seen in the registry.
    next_id: u32,
    epoch: u64,
    /// Routes with something to write or to publish.
    pub(super) touched: Vec<usize>,
    pool: Pool,
    round: u64,
    left: Left,
    pub(super) notes: Notes,
    /// Asked before any formatter.
    pub(super) redactor: Redactor,
    /// Whether a filter refused something that it has not told.
    pub(super) owing: bool,
    scratch: Vec<u8>,
}

/// What sinks kept of routes that are closed.
#[derive(Default)]
struct Left {
    /// How many records, and notices, they still keep.
    records_kept: u64,
    notices_kept: u64,
    tally: Tally,
    notices_written: u64,
    changed: bool,
}

impl Left {
    /// How many of these are kept, to be changed.
    fn kept(&mut self, frame: Frame) -> &mut u64 {
        self.changed = true;
        match frame {
            Frame::Record => &mut self.records_kept,
            Frame::Notice => &mut self.notices_kept,
        }
    }

    fn count(&mut self, frame: Frame, fate: Fate) {
        self.changed = true;
        match frame {
            Frame::Record => {
                self.tally.written += fate.written;
                self.tally.failed += fate.failed;
            }
            Frame::Notice => self.notices_written += fate.written,
        }
    }
}

impl LiveRoutes {
    pub(super) fn len(&self) -> usize {
        self.routes.len()
    }

    /// The routes of a scope, as indexes.
    pub(super) fn scope(&mut self, registry: &Registry, scope: Scope) -> Range<usize> {
        self.pick_up(registry);
        match scope {
            Scope::All => 0..self.routes.len(),
            Scope::One(id) => self.known(id).map_or(0..0, |index| index..index + 1),
        }
    }

    /// The index of a route, if it is open.
    #[inline]
    pub(super) fn find(&mut self, registry: &Registry, id: RouteId) -> Option<usize> {
        self.known(id).or_else(|| {
            self.pick_up(registry);
            self.known(id)
        })
    }

    /// The same, among those that are here.
    #[inline]
    fn known(&mut self, id: RouteId) -> Option<usize> {
        if self.ids.get(self.last) != Some(&id) {
            self.last = self.ids.binary_search(&id).ok()?;
        }
        Some(self.last)
    }

    /// Takes over the routes that were opened since the last time.
    fn pick_up(&mut self, registry: &Registry) {
        let epoch = registry.epoch();
        if epoch == self.epoch {
            return;
        }
        self.epoch = epoch;
        for entry in registry.from(RouteId(self.next_id)) {
            self.next_id = entry.id.0.saturating_add(1);
            self.ids.push_back(entry.id);
            let sink = self.sinks.join(&entry);
            self.routes.push_back(LiveRoute::new(entry, sink));
        }
    }

    #[inline]
    pub(super) fn touch(&mut self, index: usize) {
        if !std::mem::replace(&mut self.routes[index].touched, true) {
            self.touched.push(index);
        }
    }

    /// Filters a record and formats it into the buffer of its route's sink, which gets it when there
    /// is much.
    #[inline]
    pub(super) fn take(&mut self, index: usize, record: &RecordView<'_>, faults: &mut Faults) {
        self.touch(index);
        let route = &mut self.routes[index];
        let accepted = route.accepts(record, faults);
        if route.is_owing() {
            self.tell_filtered(index, Due::Passing, record.time_ns, faults);
        }
        if !accepted {
            return;
        }
        let route = &mut self.routes[index];
        let at = route.sink;
        let staging = self.sinks[at].staging(&mut self.pool);
        route.stage(record, staging, &mut self.redactor, faults);
        if staging.is_large() {
            self.offer(at, faults);
        }
    }

    /// Gives what is in the buffers to the sinks, and the buffers back.
    pub(super) fn write(&mut self, faults: &mut Faults) {
        let mut next = 0;
        // Settling may touch a route whose frame was kept; its sink is one of those at hand.
        while let Some(&index) = self.touched.get(next) {
            let at = self.routes[index].sink;
            self.offer(at, faults);
            self.give_back(at);
            next += 1;
        }
    }

    fn give_back(&mut self, at: usize) {
        if let Some(staging) = self.sinks[at].staging.take() {
            self.pool.put(staging);
        }
    }

    /// Gives what is in the buffer to the sink and empties the buffer. True if nothing failed.
    fn offer(&mut self, at: usize, faults: &mut Faults) -> bool {
        let sink = &mut self.sinks[at];
        let Some(mut staging) = sink.staging.take() else { return true };
        let mut accepted = true;
        if !staging.ends.is_empty() {
            self.begin_note(at);
            let sink = &mut self.sinks[at];
            let frames = Frames { bytes: &staging.bytes, ends: &staging.ends };
            let written = sink.call(|sink| sink.write(&frames));
            accepted = self.settle(at, &staging.runs, &written, faults);
            staging.clear();
        }
        self.sinks[at].staging = Some(staging);
        accepted
    }

    /// Settles what a sink answered to `runs`. True if nothing failed.
    fn settle(&mut self, at: usize, runs: &[Run], written: &Written, faults: &mut Faults) -> bool {
        let kept = self.sinks[at].kept.take();
        if let Some(origin) = kept {
            self.set_kept(origin, false);
        }
        let mut failed = 0;
        let settled = settle(kept, runs, written, |origin, fate| {
            failed += if origin.frame == Frame::Record { fate.failed } else { 0 };
            self.count(origin, fate);
        });
        if let Some(origin) = settled.kept {
            self.set_kept(origin, true);
        }
        self.sinks[at].kept = settled.kept;
        if written.error.is_some() || !settled.complete {
            let origins = kept.into_iter().chain(runs.iter().map(|run| run.origin));
            self.note_refusal(at, origins, failed, written, faults);
        }
        settled.complete
    }

    fn count(&mut self, origin: Origin, fate: Fate) {
        if let Some(index) = self.known(origin.route) {
            self.touch(index);
            self.routes[index].count(origin.frame, fate);
        } else {
            self.left.count(origin.frame, fate);
        }
    }

    fn set_kept(&mut self, Origin { route, frame }: Origin, kept: bool) {
        if let Some(index) = self.known(route) {
            self.touch(index);
            self.routes[index].kept = kept.then_some(frame);
        } else {
            let left = self.left.kept(frame);
            *left = if kept { *left + 1 } else { left.saturating_sub(1) };
        }
    }

    #[cold]
    fn note_refusal(
        &self,
        at: usize,
        origins: impl Iterator<Item = Origin>,
        failed: u64,
        written: &Written,
        faults: &mut Faults,
    ) {
        faults.note(|| {
            let mut ids: Vec<_> = origins.map(|origin| origin.route).collect();
            ids.sort_unstable();
            ids.dedup();
            let open = ids.iter().filter_map(|id| self.ids.binary_search(id).ok());
            let names: Vec<_> =
                open.map(|index| format!("`{}`", self.routes[index].entry.spec.name)).collect();
            let routes = match names.len() {
                0 => String::new(),
                1 => format!("route {}: ", names[0]),
                _ => format!("routes {}: ", names.join(", ")),
            };
            let error =
                written.error.as_ref().map_or("no reason given".into(), ToString::to_string);
            let sink = self.sinks[at].describe();
            format!("{routes}sink `{sink}`: {failed} records failed: {error}")
        });
    }

    /// Forgets a closed route, and its sink with the last one that led there.
    pub(super) fn remove(&mut self, index: usize) {
        self.ids.remove(index);
        let Some(route) = self.routes.remove(index) else { return };
        let sink = self.sinks.leave(route.sink, &route.entry);
        // They may be the last to know the user's parts, whose drops may panic.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(route)));
        let _ = catch_unwind(AssertUnwindSafe(|| drop(sink)));
    }

    /// Forgets all routes.
    pub(super) fn clear(&mut self) {
        for index in (0..self.routes.len()).rev() {
            self.remove(index);
        }
    }

    /// What callers dropped of a route and no notice has told, and when the first of it was logged.
    pub(super) fn untold(&mut self, index: usize) -> Option<(Drops, Option<i64>)> {
        self.routes[index].untold()
    }

    /// How long ago, at `now`, a route's last notice was.
    pub(super) fn told_ago(&self, index: usize, now: Duration) -> Option<Duration> {
        self.routes[index].told_ago(now)
    }

    /// Writes a drop notice that stands for `drops` into a route. True if the sink has it.
    pub(super) fn tell(
        &mut self,
        index: usize,
        notice: &RecordView<'_>,
        drops: &Drops,
        now: Duration,
        faults: &mut Faults,
    ) -> bool {
        self.note_beside();
        // So that it is among those whose place is noted next.
        self.touch(index);
        let route = &mut self.routes[index];
        let at = route.sink;
        let staging = self.sinks[at].staging(&mut self.pool);
        let told = route.format(notice, Frame::Notice, staging, &mut self.redactor, faults)
            && self.offer(at, faults);
        self.give_back(at);
        if told {
            self.routes[index].mark_told(drops, now);
        }
        told
    }

    /// Puts what the filter of a route has to tell into the buffer of its sink.
    pub(super) fn tell_filtered(
        &mut self,
        index: usize,
        due: Due,
        now_ns: i64,
        faults: &mut Faults,
    ) {
        let Some(filter) = self.routes[index].entry.spec.filter.clone() else { return };
        let told = catch_unwind(AssertUnwindSafe(|| filter.tell(now_ns, due))).unwrap_or_default();
        let mut scratch = std::mem::take(&mut self.scratch);
        for one in told {
            notice::encode_as(one.level, &one.logger, &one.text, now_ns, &mut scratch);
            let Ok(record) = RecordView::parse(&scratch, &()) else { continue };
            self.touch(index);
            let route = &mut self.routes[index];
            let staging = self.sinks[route.sink].staging(&mut self.pool);
            route.format(&record, Frame::Notice, staging, &mut self.redactor, faults);
        }
        self.scratch = scratch;
        self.owing = true;
    }

    /// Publishes what was counted. Within the ring's release only.
    pub(super) fn publish(&mut self, shared: &Shared) {
        for index in self.touched.drain(..) {
            metrics::add(&shared.meters.notices, self.routes[index].publish());
        }
        if std::mem::take(&mut self.left.changed) {
            let left = &shared.registry.read().left;
            left.publish(&std::mem::take(&mut self.left.tally));
            left.set_kept(self.left.records_kept);
            left.set_owing(self.left.records_kept + self.left.notices_kept > 0);
            metrics::add(&shared.meters.notices, std::mem::take(&mut self.left.notices_written));
        }
    }
}
