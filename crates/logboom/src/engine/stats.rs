//! Snapshots: the counters and what is in the rings, at one moment.

use crate::barrier::Scope;
use crate::engine::Engine;
use crate::generation::Generation;
use crate::metrics::{Counts, RingStats, RouteStats, Stats, read};
use crate::record::{RecordView, RouteId};
use crate::route::registry::Entry;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The accounting at one moment.
pub(super) struct Snapshot {
    pub(super) totals: Counts,
    pub(super) routes: Vec<(Arc<Entry>, Counts)>,
}

impl Engine {
    /// Takes a snapshot. Goes over what is in the ring, and holds the writer off for as long: about
    /// a millisecond for a full ring of the default size.
    pub fn stats(&self) -> Stats {
        let newest = self.newest();
        let Snapshot { totals, routes } = snapshot(&newest);
        let describe = |(entry, counts): (Arc<Entry>, Counts)| {
            let sink = &entry.spec.sink;
            let sink = catch_unwind(AssertUnwindSafe(|| sink.describe())).unwrap_or_default();
            RouteStats { id: entry.id, name: entry.spec.name.clone(), sink, counts }
        };
        let meters = &newest.shared.meters;
        Stats {
            totals,
            routes: routes.into_iter().map(describe).collect(),
            ring: ring_stats(&newest),
            native_threads: self.thread_count(),
            batches_total: read(&meters.batches),
            wakeups_total: read(&meters.wakeups),
            notices_total: read(&meters.notices),
            reports_total: read(&meters.reports),
        }
    }

    /// How many deliveries are pending.
    pub(super) fn pending(&self, scope: Scope) -> u64 {
        let snapshot = snapshot(&self.newest());
        match scope {
            Scope::All => snapshot.totals.pending,
            Scope::One(id) => snapshot
                .routes
                .iter()
                .find(|(entry, _)| entry.id == id)
                .map_or(0, |(_, counts)| counts.pending),
        }
    }
}

/// Counts everything at one moment, in the newest ring and those before it that still hold records.
pub(super) fn snapshot(newest: &Arc<Generation>) -> Snapshot {
    let mut generations = vec![Arc::clone(newest)];
    while let Some(previous) = generations.last().and_then(|generation| generation.previous()) {
        generations.push(previous);
    }
    // From the oldest on, as everybody who holds several; the writer publishes under one of them.
    let held: Vec<_> =
        generations.iter().rev().map(|generation| (generation, generation.ring.hold())).collect();
    let mut in_rings: HashMap<RouteId, u64> = HashMap::new();
    let mut malformed = 0;
    for (generation, held) in &held {
        let (hand, beside) = (generation.hand.get(), generation.barrier.beside());
        let hand = hand.iter().flat_map(|batch| batch.frames());
        for frame in hand.chain(held.frames()).chain(beside.iter().map(|record| &**record)) {
            match RecordView::parse(frame, generation.ring.table()) {
                Ok(record) => record.routes().for_each(|id| *in_rings.entry(id).or_default() += 1),
                Err(_) => malformed += 1,
            }
        }
    }
    let routes = newest.shared.registry.read();
    let mut totals = routes.closed + routes.unknown.counts() + routes.left.counts();
    let routes: Vec<_> = routes
        .open
        .values()
        .map(|entry| {
            let mut counts = entry.counters.counts();
            counts.pending += in_rings.remove(&entry.id).unwrap_or(0);
            let counts = counts.balanced();
            totals += counts;
            (Arc::clone(entry), counts)
        })
        .collect();
    // What is left goes to routes that are not open.
    totals.pending += in_rings.values().sum::<u64>() + malformed;
    Snapshot { totals: totals.balanced(), routes }
}

fn ring_stats(generation: &Generation) -> RingStats {
    let ring = &generation.ring;
    RingStats {
        capacity_bytes: ring.capacity_bytes(),
        max_frame_bytes: ring.max_frame_bytes(),
        used_bytes: ring.used_bytes(),
        waiting_callers: ring.waiting_producers(),
        table_capacity_bytes: ring.table().capacity_bytes(),
        table_used_bytes: ring.table().used_bytes(),
    }
}
