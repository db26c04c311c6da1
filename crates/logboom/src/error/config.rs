//! What can be wrong with a [`Config`](crate::config::Config).

use std::fmt;

/// An option out of its bounds.
#[derive(Debug)]
pub(crate) struct ConfigError {
    pub(crate) option: &'static str,
    pub(crate) got: String,
    pub(crate) expected: String,
}

impl ConfigError {
    #[cold]
    pub(crate) fn new(option: &'static str, got: impl fmt::Debug, expected: String) -> Self {
        ConfigError { option, got: format!("{got:?}"), expected }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid `{}`: got {}, expected {}", self.option, self.got, self.expected)
    }
}
