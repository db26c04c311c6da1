//! Each place, or each message, once.

use super::judge::{Asks, Judge, Subject, fingerprint, lock};
use std::collections::HashSet;
use std::sync::Mutex;

/// How many are remembered; what comes beyond passes.
pub const MOST_REMEMBERED: usize = 65_536;

/// Lets the first record of each call site pass, or of each message of one, for the life of the filter.
pub struct Once {
    by_message: bool,
    seen: Mutex<HashSet<u64>>,
}

impl Once {
    /// By call site, or by message too.
    pub fn new(by_message: bool) -> Once {
        Once { by_message, seen: Mutex::default() }
    }
}

impl Judge for Once {
    fn passes(&self, subject: &Subject<'_>) -> bool {
        let line = subject.line.to_le_bytes();
        let key = match self.by_message {
            true => fingerprint(&[subject.logger, subject.text]),
            false => fingerprint(&[subject.path, &line]),
        };
        let Some(mut seen) = lock(&self.seen) else { return true };
        if seen.len() >= MOST_REMEMBERED {
            return !seen.contains(&key);
        }
        seen.insert(key)
    }

    fn asks(&self) -> Asks<'_> {
        Asks { site: !self.by_message, text: self.by_message, field: None }
    }
}
