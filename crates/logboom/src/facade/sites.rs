//! The ids that the call sites of other facades have in the ring's table, each put there once.
//!
//! `log` and `tracing` name a call site by texts that live as long as the program, so their addresses
//! tell sites apart. A thread looks into a small cache of its own first, then into the map that all
//! threads share.
//!
//! Invariants:
//! 1. A site is put into the table at most once per [`Sites`], and at most [`MAX_SITES`] are.
//! 2. Nobody waits: who finds the map in use (by a thread that a fork left behind, at worst) sends
//!    the site along with the record this once.

use crate::engine::Engine;
use crate::record::{CallSite, Site, TextId};
use std::cell::Cell;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, TryLockError};

/// How many call sites are remembered; those beyond travel with each record.
const MAX_SITES: usize = 1 << 16;
/// How many call sites a thread remembers; a power of two.
const CACHED: usize = 64;

/// What tells one call site from all others of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct SiteKey {
    path: usize,
    module: usize,
    line: u32,
}

impl SiteKey {
    fn new(site: &CallSite<'static>) -> Self {
        let (path, module) = (site.path.as_ptr() as usize, site.function.as_ptr() as usize);
        SiteKey { path, module, line: site.line }
    }

    fn slot(self) -> usize {
        (self.path ^ self.line as usize).wrapping_mul(0x9E37_79B9) >> 8 & (CACHED - 1)
    }
}

thread_local! {
    /// Whose, which, and its id.
    static CACHE: [Cell<Option<(u32, SiteKey, TextId)>>; CACHED] =
        const { [const { Cell::new(None) }; CACHED] };
}

/// The call sites known to one facade of one engine.
#[derive(Debug)]
pub(crate) struct Sites {
    number: u32,
    ids: Mutex<HashMap<SiteKey, Option<TextId>>>,
}

impl Sites {
    pub(crate) fn new() -> Self {
        static NUMBERS: AtomicU32 = AtomicU32::new(0);
        Sites { number: NUMBERS.fetch_add(1, Ordering::Relaxed), ids: Mutex::default() }
    }

    /// Shows `site` as a record has it.
    pub(crate) fn with_site(
        &self,
        site: &CallSite<'static>,
        engine: &Engine,
        show: impl FnOnce(Site<'_>),
    ) {
        match self.id(site, |text| engine.intern(text)) {
            Some(id) => show(Site::Id(id)),
            None => show(Site::Inline(&site.to_text())),
        }
    }

    /// The site's id; `None` where it has to go along with the record. `intern` puts a text into the
    /// table, unless that is full.
    fn id(
        &self,
        site: &CallSite<'static>,
        intern: impl FnOnce(&[u8]) -> Option<NonZeroU32>,
    ) -> Option<TextId> {
        let key = SiteKey::new(site);
        let slot = key.slot();
        let cached = CACHE.try_with(|cache| cache[slot].get()).ok().flatten();
        if let Some((number, of, id)) = cached
            && (number, of) == (self.number, key)
        {
            return Some(id);
        }
        let id = self.shared_id(key, || intern(&site.to_text()))?;
        let _ = CACHE.try_with(|cache| cache[slot].set(Some((self.number, key, id))));
        Some(id)
    }

    #[cold]
    fn shared_id(
        &self,
        key: SiteKey,
        intern: impl FnOnce() -> Option<NonZeroU32>,
    ) -> Option<TextId> {
        let mut ids = match self.ids.try_lock() {
            Ok(ids) => ids,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        if ids.len() >= MAX_SITES && !ids.contains_key(&key) {
            return None;
        }
        *ids.entry(key).or_insert_with(intern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_put_into_the_table_once_by_all_threads() {
        let sites = Sites::new();
        let puts = AtomicU32::new(0);
        let put = |_: &[u8]| NonZeroU32::new(puts.fetch_add(1, Ordering::Relaxed) + 1);
        let at = |line| CallSite { path: b"a.rs", function: b"m", line };
        let ids: Vec<_> = (1..=300).map(|line| sites.id(&at(line), put)).collect();
        assert_eq!(puts.load(Ordering::Relaxed), 300);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for (line, id) in (1..=300).zip(&ids) {
                        // `None` where the map was in use.
                        let again = sites.id(&at(line), put);
                        assert!(again.is_none() || again == *id);
                    }
                });
            }
        });
        assert_eq!(puts.load(Ordering::Relaxed), 300);
    }

    #[test]
    fn two_engines_do_not_take_each_others_ids() {
        let (one, two) = (Sites::new(), Sites::new());
        let site = CallSite { path: b"b.rs", function: b"m", line: 1 };
        assert_eq!(one.id(&site, |_| NonZeroU32::new(5)), NonZeroU32::new(5));
        assert_eq!(two.id(&site, |_| NonZeroU32::new(9)), NonZeroU32::new(9));
        assert_eq!(one.id(&site, |_| None), NonZeroU32::new(5));
    }

    #[test]
    fn a_full_table_is_asked_once() {
        let sites = Sites::new();
        let site = CallSite { path: b"c.rs", function: b"m", line: 1 };
        assert_eq!(sites.id(&site, |_| None), None);
        assert_eq!(sites.id(&site, |_| unreachable!("asked again")), None);
    }
}
