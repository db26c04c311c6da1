//! Filters: whether a route takes a record.

mod fold;
mod judge;
mod once;
mod rate;
mod sample;
#[cfg(test)]
mod tests;

pub use fold::Fold;
pub use judge::{Asks, Due, Judge, Judges, Subject, Told};
pub use once::{MOST_REMEMBERED, Once};
pub use rate::{MOST_PLACES, Per, RateLimit};
pub use sample::Sample;

use crate::level::Level;
use crate::record::RecordView;

/// Decides whether a route takes a record. Runs on the writer's thread only, after the ring: what
/// it refuses counts as filtered.
///
/// A panic counts the record as failed; the route goes on.
pub trait Filter: Send + Sync + 'static {
    /// Whether the route takes `record`.
    fn accept(&self, record: &RecordView<'_>) -> bool;

    /// Whether it refused something that it has not told. Default `false`.
    fn is_owing(&self) -> bool {
        false
    }

    /// What is to be written into the route about what it refused; asked while [`Filter::is_owing`].
    /// Default nothing.
    fn tell(&self, _now_ns: i64, _due: Due) -> Vec<Told> {
        Vec::new()
    }

    /// The level from which on it takes records, for one that does nothing else. Default `None`: it
    /// cannot be made again in another process, and what a dead process left behind for its route is
    /// written without being asked about.
    fn level(&self) -> Option<Level> {
        None
    }
}

/// Takes records of at least this level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelFilter(pub Level);

impl Filter for LevelFilter {
    fn accept(&self, record: &RecordView<'_>) -> bool {
        record.level >= self.0
    }

    fn level(&self) -> Option<Level> {
        Some(self.0)
    }
}

impl<F> Filter for F
where
    F: Fn(&RecordView<'_>) -> bool + Send + Sync + 'static,
{
    fn accept(&self, record: &RecordView<'_>) -> bool {
        self(record)
    }
}
