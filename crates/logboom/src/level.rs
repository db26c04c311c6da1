//! How grave a record is: the numbers of Python's `logging`, which leave room for levels of one's own.

use std::fmt;

/// The level of a record. The numbers are those of Python's `logging` module
/// (`CRITICAL = 50` down to `NOTSET = 0`); any other number is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(pub i32);

impl Level {
    /// 0: on a logger "ask the parent", on a record the least grave.
    pub const NOTSET: Level = Level(0);
    /// 5: finer than debugging. Python has no name for it; `log` and `tracing` call it trace.
    pub const TRACE: Level = Level(5);
    /// 10
    pub const DEBUG: Level = Level(10);
    /// 20
    pub const INFO: Level = Level(20);
    /// 30
    pub const WARNING: Level = Level(30);
    /// 40
    pub const ERROR: Level = Level(40);
    /// 50
    pub const CRITICAL: Level = Level(50);

    /// The name that `logging.getLevelName` gives a level nobody renamed, or `None` where it would
    /// make up `Level 7`.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "NOTSET",
            10 => "DEBUG",
            20 => "INFO",
            30 => "WARNING",
            40 => "ERROR",
            50 => "CRITICAL",
            _ => return None,
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "Level {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn an_unnamed_level_is_shown_as_the_standard_library_shows_it() {
        assert_eq!(Level(7).to_string(), "Level 7");
        assert_eq!(Level::WARNING.to_string(), "WARNING");
        assert!(Level::DEBUG < Level::INFO);
    }
}
