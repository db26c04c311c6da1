//! What happens to a record that finds the ring full.

use crate::error::{ConfigError, Error};
use std::fmt;
use std::str::FromStr;

/// What happens to a record that finds the ring full.
///
/// `drop_oldest` is a word of the design that this version does not know yet; asking for it is an
/// error, not another policy in silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// The caller waits until the writer has made room, at most for
    /// [`block_timeout`](crate::config::Config::block_timeout); then the record is dropped and
    /// counted. Callers are served in order. Nothing is lost while sinks keep up; a sink that hangs
    /// stops its callers. A call made on the writer's own thread never waits.
    #[default]
    Block,
    /// The record is dropped and counted; the caller never waits. A notice in the affected routes
    /// tells how many, at most once per
    /// [`notice_interval`](crate::config::Config::notice_interval), also while the load lasts.
    DropNewest,
}

impl Overflow {
    /// The word for it: `block` or `drop_newest`.
    pub fn as_str(self) -> &'static str {
        match self {
            Overflow::Block => "block",
            Overflow::DropNewest => "drop_newest",
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
        match word {
            "block" => Ok(Overflow::Block),
            "drop_newest" => Ok(Overflow::DropNewest),
            _ => Err(ConfigError::new("overflow", word, "`block` or `drop_newest`".into()).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Overflow;

    #[test]
    fn words_are_read_and_others_refused() {
        for overflow in [Overflow::Block, Overflow::DropNewest] {
            assert_eq!(overflow.as_str().parse::<Overflow>().unwrap(), overflow);
        }
        assert_eq!(
            "drop_oldest".parse::<Overflow>().unwrap_err().to_string(),
            "invalid `overflow`: got \"drop_oldest\", expected `block` or `drop_newest`"
        );
    }
}
