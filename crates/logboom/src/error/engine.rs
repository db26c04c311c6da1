//! What can go wrong with an engine as a whole.

use std::fmt;

/// Why there is no engine, or not another one.
#[derive(Debug)]
pub(crate) enum EngineError {
    /// The ring cannot be had.
    Memory(String),
    /// A successor exists already, or shutdown has begun.
    Closed,
    /// So many rings of before are not drained yet.
    Undrained(usize),
    /// Another thread was changing the engine when the process forked, and nobody had kept it off.
    Torn,
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineError::Memory(reason) => write!(f, "cannot make the ring: {reason}"),
            EngineError::Closed => f.write_str("the engine is closed already"),
            EngineError::Undrained(rings) => {
                write!(f, "cannot change the ring: {rings} earlier ones are not written yet")
            }
            EngineError::Torn => {
                f.write_str("cannot make the child's engine: the fork was not guarded")
            }
        }
    }
}
