//! What a recovery did.

/// What became of the rings in a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Each ring that was found, the oldest first.
    pub rings: Vec<RecoveredRing>,
}

impl Recovery {
    /// How many records were written.
    pub fn records(&self) -> u64 {
        self.rings.iter().flat_map(|ring| &ring.places).map(|place| place.records).sum()
    }

    /// What stands in the way, one line each: rings that were refused or could not be written.
    pub fn problems(&self) -> impl Iterator<Item = String> + '_ {
        self.rings.iter().filter_map(|ring| match &ring.outcome {
            RingOutcome::Refused(why) => Some(format!("refused `{}`: {why}", ring.file)),
            RingOutcome::Failed(why) => Some(format!("cannot recover `{}`: {why}", ring.file)),
            _ => None,
        })
    }
}

/// What became of one ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveredRing {
    /// The name of its file in the directory.
    pub file: String,
    /// The number of its process; 0 where that cannot be read.
    pub process: u32,
    /// What became of it.
    pub outcome: RingOutcome,
    /// The places that its records went to.
    pub places: Vec<RecoveredPlace>,
    /// Records that a route's formatter refused, or that were for routes that were closed.
    pub failed: u64,
    /// Calls that were not over when the process ended.
    pub unfinished: u64,
    /// Where the ring could not be read any further, in bytes since it was made.
    pub damaged_at: Option<u64>,
}

/// What became of a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RingOutcome {
    /// Everything that could be read is written, and the file is gone, or renamed where it was damaged.
    Recovered,
    /// There was nothing to write; the file is gone.
    Empty,
    /// Its process lives; it was not touched.
    Alive,
    /// It is no ring of ours, or others may have written to it; it was not touched.
    Refused(String),
    /// Something could not be written. What was, is not written again the next time.
    Failed(String),
}

impl RingOutcome {
    /// The outcome in a word.
    pub fn as_str(&self) -> &'static str {
        match self {
            RingOutcome::Recovered => "recovered",
            RingOutcome::Empty => "empty",
            RingOutcome::Alive => "alive",
            RingOutcome::Refused(_) => "refused",
            RingOutcome::Failed(_) => "failed",
        }
    }

    /// Why, where that is to be told.
    pub fn reason(&self) -> Option<&str> {
        match self {
            RingOutcome::Refused(why) | RingOutcome::Failed(why) => Some(why),
            _ => None,
        }
    }
}

/// A place that records of a dead process were written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveredPlace {
    /// The path of the file.
    pub path: String,
    /// What they were meant for, where that could not be opened.
    pub instead_of: Option<String>,
    /// How many records were written or completed.
    pub records: u64,
    /// Whether each is there exactly once; otherwise at least once.
    pub exactly_once: bool,
}
