//! Interned texts: which id a text has in the ring's table already.
//!
//! The map holds hashes and ids, no copies of the texts: an id is believed only if the table's
//! text is the same. Two texts of one hash cannot both be found; the second is appended anew each
//! time it is asked for, until the table is full, and that is harmless.

use crate::fork::GateGuard;
use crate::record::TextId;
use logboom_ring::Table;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::RwLock;

/// The ids of texts by their hash.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    hasher: RandomState,
    ids: RwLock<HashMap<u64, TextId>>,
}

impl Interner {
    /// The id of `text`, if `table` has it.
    pub(crate) fn find(&self, table: &Table, text: &[u8]) -> Option<TextId> {
        let hash = self.hasher.hash_one(text);
        let ids = self.ids.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let id = *ids.get(&hash)?;
        (table.get(id)? == text).then_some(id)
    }

    /// The id of `text`, appended to `table` if need be; `None` if it does not fit.
    pub(crate) fn insert(&self, _: &GateGuard, table: &Table, text: &[u8]) -> Option<TextId> {
        if let Some(id) = self.find(table, text) {
            return Some(id);
        }
        let id = table.append(text)?;
        let hash = self.hasher.hash_one(text);
        self.ids.write().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(hash, id);
        Some(id)
    }

    /// A copy for a forked child; an empty one where another thread was changing this one when the
    /// process forked. Waits for nobody.
    pub(crate) fn child(&self) -> Interner {
        let ids = self.ids.try_read().map(|ids| ids.clone()).unwrap_or_default();
        Interner { hasher: self.hasher.clone(), ids: RwLock::new(ids) }
    }
}
