//! How long a caller waits for the writer, and what they learn.

use std::time::Duration;

/// What became of the records that a flush covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Flush {
    /// Every record submitted before was given to the operating system, or dropped, rejected or
    /// filtered by a rule the user had set.
    Done,
    /// As `Done`, but this many deliveries failed since the last flush, or a sink keeps them back.
    /// After a failed `sync`: this many are written and may not be on the device.
    Failed {
        /// How many deliveries.
        records: u64,
    },
    /// The time was up first. A call made on the writer's own thread is answered so at once.
    TimedOut {
        /// How many deliveries were pending then.
        pending: u64,
    },
    /// Nobody waited for the outcome; the writer carries it out.
    Unawaited,
}

impl Flush {
    /// Whether everything is where it should be.
    pub fn is_done(self) -> bool {
        self == Flush::Done
    }
}

/// How long to wait for the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Not at all: the writer does it in its time.
    No,
    /// As long as it takes.
    Forever,
    /// At most so long.
    For(Duration),
}
