//! Why a pattern is not rendered natively.

use std::fmt;

/// Why a pattern or date format makes no [`PatternFormatter`](super::PatternFormatter).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    kind: PatternErrorKind,
    text: String,
}

/// Who else would take the pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternErrorKind {
    /// `logging.Formatter` refuses it too, with a `ValueError` when it is made.
    Invalid,
    /// `logging.Formatter` takes it when it is made, and knows what to do with a record: show it, or
    /// raise. Only we cannot do the same.
    NotNative,
}

impl PatternError {
    /// Who else would take it.
    pub fn kind(&self) -> PatternErrorKind {
        self.kind
    }

    #[cold]
    pub(super) fn invalid(pattern: &str, example: &str) -> PatternError {
        PatternError {
            kind: PatternErrorKind::Invalid,
            text: format!("invalid pattern: got {pattern:?}, expected a place such as `{example}`"),
        }
    }

    #[cold]
    pub(super) fn not_native(option: &str, reason: impl fmt::Display) -> PatternError {
        PatternError {
            kind: PatternErrorKind::NotNative,
            text: format!("`{option}` is not rendered natively: {reason}"),
        }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for PatternError {}
