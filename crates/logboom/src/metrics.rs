//! The counters of the accounting, declared once, and the snapshots made of them.
//!
//! Invariants:
//! 1. The unit is a delivery: one record going to one route. A record with two routes counts
//!    twice.
//! 2. `submitted = written + dropped + rejected + failed + filtered + pending` in every snapshot,
//!    per route and in total: `submitted` is that sum. A test under load compares it with what was
//!    really submitted (`accounting_is_exact_under_load_and_faults`).
//! 3. The total is the sum over the open routes, the closed ones and the ones that never were:
//!    closing a route moves its counts, it forgets none.
//!
//! How it stays exact without a counter on the caller's usual path: the writer counts what it takes
//! out of the ring, in the same critical section in which it frees it there; a snapshot holds that
//! section off and adds what it finds in the ring as `pending`. Only what never gets into the ring
//! (dropped, rejected, failed before it was a record) is counted by callers.
//!
//! A record counts from the moment that all those reserved before it in the ring are committed,
//! which is at most as long as other callers take to copy theirs.

use crate::level::Level;
use crate::record::RouteId;
use crate::report::Pace;
use std::ops::{Add, AddAssign};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};

/// Declares the counters: the ones that the writer keeps, those that callers keep, and the
/// snapshot with all of them.
macro_rules! counters {
    (
        writer { $($(#[doc = $writer_doc:literal])* $writer:ident,)* }
        caller { $($(#[doc = $caller_doc:literal])* $caller:ident,)* }
    ) => {
        /// What became of the deliveries of a route, or of all.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Counts {
            /// All deliveries asked for: the sum of the others.
            pub submitted: u64,
            /// In the ring, or kept back by a sink that took only a part of it.
            pub pending: u64,
            $($(#[doc = $writer_doc])* pub $writer: u64,)*
            $($(#[doc = $caller_doc])* pub $caller: u64,)*
        }

        impl Counts {
            /// The names and values, in the order in which they are declared.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [
                    ("submitted", self.submitted),
                    ("pending", self.pending),
                    $((stringify!($writer), self.$writer),)*
                    $((stringify!($caller), self.$caller),)*
                ]
                .into_iter()
            }

            /// Sets `submitted` to what it is by definition.
            pub(crate) fn balanced(mut self) -> Self {
                self.submitted = self.pending $(+ self.$writer)* $(+ self.$caller)*;
                self
            }
        }

        impl Add for Counts {
            type Output = Counts;

            fn add(self, other: Counts) -> Counts {
                Counts {
                    submitted: self.submitted + other.submitted,
                    pending: self.pending + other.pending,
                    $($writer: self.$writer + other.$writer,)*
                    $($caller: self.$caller + other.$caller,)*
                }
            }
        }

        /// What one batch, or one flush, did to a route. Counted aside and published at once.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(crate) struct Tally {
            $($(#[doc = $writer_doc])* pub(crate) $writer: u64,)*
        }

        impl RouteCounters {
            /// Adds a tally. Called within the ring's release only, see the module's invariants.
            pub(crate) fn publish(&self, tally: &Tally) {
                $(if tally.$writer != 0 { self.$writer.fetch_add(tally.$writer, Relaxed); })*
            }

            /// What is counted; what lies in the ring is not in `pending` yet.
            pub(crate) fn counts(&self) -> Counts {
                let counts = Counts {
                    submitted: 0,
                    pending: self.kept.load(Relaxed),
                    $($writer: self.$writer.load(Relaxed),)*
                    $($caller: self.$caller(),)*
                };
                counts.balanced()
            }
        }

        /// The counters of one route.
        #[derive(Debug, Default)]
        pub(crate) struct RouteCounters {
            $($(#[doc = $writer_doc])* $writer: AtomicU64,)*
            /// Records of whose frames sinks keep the rest.
            kept: AtomicU64,
            /// Whether a flush has something to do or to say: a frame is kept, or a delivery failed since
            /// the last one.
            owing: AtomicBool,
            /// Dropped, by level.
            drops: [AtomicU64; DROP_LEVELS.len() + 1],
            /// When the first of those was logged that nobody asked for yet; 0 for none.
            dropped_since_ns: AtomicI64,
            rejections: AtomicU64,
        }
    };
}

counters! {
    writer {
        /// The operating system (or whatever the sink leads to) took its last byte.
        written,
        /// A formatter refused or panicked, a sink refused, the bytes were no record, or the caller
        /// could make none ([`Engine::count_failed`](crate::engine::Engine::count_failed)).
        failed,
        /// The route's filter refused it.
        filtered,
    }
    caller {
        /// The ring was full, and the overflow policy or its timeout said so.
        dropped,
        /// Too large for the ring, submitted after shutdown, or for a route that is not open.
        rejected,
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        *self = *self + other;
    }
}

/// The levels that drops are told apart by; others go together.
pub(crate) const DROP_LEVELS: [Level; 6] =
    [Level::NOTSET, Level::DEBUG, Level::INFO, Level::WARNING, Level::ERROR, Level::CRITICAL];

/// How many were dropped of each of [`DROP_LEVELS`], and of all others.
pub(crate) type Drops = [u64; DROP_LEVELS.len() + 1];

impl RouteCounters {
    /// Counts one dropped delivery, logged at `time_ns`, on a caller's thread.
    pub(crate) fn count_dropped(&self, level: Level, time_ns: i64) {
        // Before the count, so that whoever finds the count finds a time.
        if self.dropped_since_ns.load(Relaxed) == 0 {
            let _ = self.dropped_since_ns.compare_exchange(0, time_ns, AcqRel, Relaxed);
        }
        let other = DROP_LEVELS.len();
        let at = DROP_LEVELS.iter().position(|&known| known == level).unwrap_or(other);
        self.drops[at].fetch_add(1, Relaxed);
    }

    /// Counts rejected deliveries.
    pub(crate) fn count_rejected(&self, n: u64) {
        self.rejections.fetch_add(n, Relaxed);
    }

    /// Counts failures that no tally has, on any thread.
    pub(crate) fn count_failed(&self, n: u64) {
        self.publish(&Tally { failed: n, ..Tally::default() });
    }

    /// Says of how many records sinks keep the rest: of a route's at most one. Within the ring's release
    /// only.
    pub(crate) fn set_kept(&self, kept: u64) {
        self.kept.store(kept, Relaxed);
    }

    /// Says whether a flush has something to do or to say. Within the ring's release only.
    pub(crate) fn set_owing(&self, owing: bool) {
        self.owing.store(owing, Relaxed);
    }

    /// Whether a flush has something to do or to say; to be asked while the ring's release is held off.
    pub(crate) fn is_owing(&self) -> bool {
        self.owing.load(Relaxed)
    }

    /// When the first was logged of those that were dropped since this was asked for the last time.
    /// Before [`RouteCounters::drops`], so that the time is no later than what that finds.
    pub(crate) fn take_dropped_since_ns(&self) -> Option<i64> {
        match self.dropped_since_ns.swap(0, AcqRel) {
            0 => None,
            time_ns => Some(time_ns),
        }
    }

    /// What was dropped so far, by level.
    pub(crate) fn drops(&self) -> Drops {
        self.drops.each_ref().map(|count| count.load(Relaxed))
    }

    fn dropped(&self) -> u64 {
        self.drops().iter().sum()
    }

    fn rejected(&self) -> u64 {
        self.rejections.load(Relaxed)
    }
}

/// What tells how the engine is doing, beside the accounting. Each is explained in [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Meters {
    pub(crate) batches: AtomicU64,
    pub(crate) wakeups: AtomicU64,
    pub(crate) notices: AtomicU64,
    pub(crate) reports: AtomicU64,
    /// When the last report was.
    pub(crate) reported: Pace,
    /// Dropped deliveries: moves when a notice may be due.
    pub(crate) drops: AtomicU64,
    /// The value of `drops` up to which all are told. Set within the ring's release.
    pub(crate) told: AtomicU64,
    /// Rejected deliveries: moves when a report may be due.
    pub(crate) rejections: AtomicU64,
}

/// Adds to a meter.
///
/// Releases: whoever reads the new value sees the counts of routes that were moved before.
pub(crate) fn add(meter: &AtomicU64, n: u64) {
    meter.fetch_add(n, Release);
}

/// Sets a meter, as [`add`] does.
pub(crate) fn set(meter: &AtomicU64, n: u64) {
    meter.store(n, Release);
}

/// Reads a meter.
pub(crate) fn read(meter: &AtomicU64) -> u64 {
    meter.load(Acquire)
}

/// A snapshot of an engine: the accounting, and what tells how it is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stats {
    /// All deliveries, those to closed and unknown routes among them.
    pub totals: Counts,
    /// The open routes, in the order in which they were opened.
    pub routes: Vec<RouteStats>,
    /// The ring.
    pub ring: RingStats,
    /// Threads of the engine's own that exist now: 0 or 1.
    pub native_threads: usize,
    /// Batches that the writer took out of the ring and that held something.
    pub batches_total: u64,
    /// Times that the writer looked for work after a wait.
    pub wakeups_total: u64,
    /// Drop notices written. They are no deliveries and in no other count.
    pub notices_total: u64,
    /// Reports given to the [`Reporter`](crate::report::Reporter).
    pub reports_total: u64,
}

/// A snapshot of one route.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RouteStats {
    /// Its id.
    pub id: RouteId,
    /// The name it was opened with.
    pub name: String,
    /// What its sink calls itself.
    pub sink: String,
    /// Its deliveries.
    pub counts: Counts,
}

/// A snapshot of the ring.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct RingStats {
    /// Its size in bytes.
    pub capacity_bytes: usize,
    /// The longest record it takes, in bytes as [`Record::encoded_len`](crate::record::Record::encoded_len) counts them.
    pub max_frame_bytes: usize,
    /// How much of it is taken.
    pub used_bytes: usize,
    /// Callers that wait for room.
    pub waiting_callers: usize,
    /// The size in bytes of the table of texts.
    pub table_capacity_bytes: usize,
    /// How much of the table is taken.
    pub table_used_bytes: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn submitted_is_the_sum_of_the_others() {
        let counters = RouteCounters::default();
        counters.publish(&Tally { written: 10, failed: 2, filtered: 30 });
        counters.count_dropped(Level::INFO, 7);
        counters.count_dropped(Level(13), 8);
        counters.count_rejected(1);
        counters.set_kept(1);
        let counts = counters.counts();
        let named: Vec<_> = counts.iter().collect();
        assert_eq!(
            named,
            [
                ("submitted", 46),
                ("pending", 1),
                ("written", 10),
                ("failed", 2),
                ("filtered", 30),
                ("dropped", 2),
                ("rejected", 1)
            ]
        );
        assert_eq!(counters.take_dropped_since_ns(), Some(7));
        assert_eq!(counters.take_dropped_since_ns(), None);
        assert_eq!(counters.drops(), [0, 0, 1, 0, 0, 0, 1]);
        assert_eq!((counts + counts).submitted, 92);
    }
}
