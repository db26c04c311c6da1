//! What happens to a record that finds the ring full.

use crate::error::{ConfigError, Error};
use crate::level::Level;
use std::fmt;
use std::str::FromStr;

/// What happens to a record that finds the ring full.
///
/// Whatever is told to drop counts what it drops, and a notice in the affected routes tells how many,
/// of which levels and since when, at most once per
/// [`notice_interval`](crate::config::Config::notice_interval), also while the load lasts.
///
/// Memory is bounded by the ring in each of them; where the oldest are dropped, the writer has a copy of
/// what it is at beside it, at most 256 KiB or a quarter of the ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// The caller waits until the writer has made room, at most for
    /// [`block_timeout`](crate::config::Config::block_timeout); then the record is dropped and
    /// counted. Callers are served in the order in which they came. Nothing is lost while sinks keep
    /// up; a sink that hangs stops its callers. A call made on the writer's own thread never waits.
    #[default]
    Block,
    /// The record is dropped and counted; the caller never waits. What was logged first is kept: the
    /// beginning of a burst, not its end.
    DropNewest,
    /// The oldest records that the writer has not taken yet are dropped and counted, as many as make
    /// room; the caller never waits. What was logged last is kept: what came right before a crash or
    /// a hang, not what began it. Where the oldest is just being written by its own caller, the new
    /// one is dropped instead.
    DropOldest,
    /// What is less grave than a warning goes first: a record below
    /// [`WARNING`](crate::level::Level::WARNING) that would fill the ring by more than three quarters
    /// is dropped and counted, and its caller never waits. The last quarter is for warnings and what is
    /// graver; where that is full too, they wait as with [`Overflow::Block`], or are dropped once
    /// [`block_timeout`](crate::config::Config::block_timeout) is over: with 0 at once.
    Sample,
}

/// All of them.
const ALL: [Overflow; 4] =
    [Overflow::Block, Overflow::DropNewest, Overflow::DropOldest, Overflow::Sample];

impl Overflow {
    /// The words for them, as errors list them.
    pub const WORDS: &str = "`block`, `drop_newest`, `drop_oldest` or `sample`";

    /// The word for it: `block`, `drop_newest`, `drop_oldest` or `sample`.
    pub fn as_str(self) -> &'static str {
        match self {
            Overflow::Block => "block",
            Overflow::DropNewest => "drop_newest",
            Overflow::DropOldest => "drop_oldest",
            Overflow::Sample => "sample",
        }
    }

    /// Whether a call with a record of this level may wait.
    pub(crate) fn may_wait(self, level: Level) -> bool {
        match self {
            Overflow::Block => true,
            Overflow::DropNewest | Overflow::DropOldest => false,
            Overflow::Sample => level >= Level::WARNING,
        }
    }
}

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Overflow {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        ALL.into_iter()
            .find(|overflow| overflow.as_str() == word)
            .ok_or_else(|| ConfigError::new("overflow", word, Self::WORDS.into()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, Overflow};

    #[test]
    fn words_are_read_and_others_refused() {
        for overflow in ALL {
            assert_eq!(overflow.as_str().parse::<Overflow>().unwrap(), overflow);
        }
        assert_eq!(
            "drop_all".parse::<Overflow>().unwrap_err().to_string(),
            "invalid `overflow`: got \"drop_all\", expected `block`, `drop_newest`, `drop_oldest` or \
             `sample`"
        );
    }
}
