//! What a text was made from: the entry that `linecache` has for the file, or that it has none.
//!
//! `traceback` has `linecache.checkcache` look at every file each time. Here that is done once a
//! second a file; in between an entry that is still the same object vouches for the text, so that a
//! cache that was cleared, or an entry that a program put there, is seen at once.

use super::Leave;
use super::library::Parts;
use crate::ffi::object::GilSlot;
use crate::ffi::{Ref, Still};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// How long it is not asked again whether a file changed.
const PATIENCE_MS: u64 = 1000;
/// The most characters in sources that are held.
const MOST_HELD: usize = 16 << 20;
const PLACES: usize = 256;

/// Characters in the sources that are held now.
static HELD: AtomicUsize = AtomicUsize::new(0);
static SOURCES: [GilSlot<Arc<Source>>; PLACES] = [const { GilSlot::empty() }; PLACES];

/// What `linecache` says of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// No entry, and no file either: a name like `<string>`.
    Nameless,
    /// No entry, though there may be a file tomorrow.
    Absent,
    /// An entry that is not compared with the disk.
    Fixed,
    /// An entry that is compared with the disk.
    Stated,
}

/// What `linecache` said of a file.
pub(super) struct Source {
    /// The file, as the code objects name it.
    pub(super) file: Box<str>,
    name: Py<PyString>,
    kind: Kind,
    entry: Option<Py<PyAny>>,
    characters: usize,
    /// When the disk was asked, in milliseconds of [`now_ms`].
    asked_ms: AtomicU64,
}

impl Drop for Source {
    fn drop(&mut self) {
        HELD.fetch_sub(self.characters, Ordering::Relaxed);
    }
}

/// A monotonic clock.
pub(super) fn now_ms() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// What `linecache` has for a file now.
pub(super) fn entry<'py>(
    py: Python<'py>,
    parts: &Parts,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    parts.sources.bind(py).get_item(name)
}

impl Source {
    /// For a text that is not kept.
    pub(super) fn unknown(name: &Bound<'_, PyString>) -> Result<Arc<Source>, Leave> {
        Ok(Arc::new(Source {
            file: name.to_str().map_err(|_| Leave::Library)?.into(),
            name: name.clone().unbind(),
            kind: Kind::Absent,
            entry: None,
            characters: 0,
            asked_ms: AtomicU64::new(0),
        }))
    }

    /// Whether a text made from it is what the library would make now. `frame` is one of the file.
    #[inline]
    pub(super) fn is_good(
        &self,
        py: Python<'_>,
        parts: &Parts,
        frame: &Bound<'_, PyAny>,
        now_ms: u64,
    ) -> PyResult<bool> {
        let name = self.name.bind(py);
        if !self.is_same(py, parts)? {
            return Ok(false);
        }
        let is_due = now_ms.saturating_sub(self.asked_ms.load(Ordering::Relaxed)) >= PATIENCE_MS;
        match self.kind {
            Kind::Nameless | Kind::Fixed => Ok(true),
            Kind::Stated if is_due => {
                parts.checkcache.bind(py).call1((name,))?;
                self.asked_ms.store(now_ms, Ordering::Relaxed);
                self.is_same(py, parts)
            }
            Kind::Stated => Ok(true),
            Kind::Absent if is_due => Ok(false),
            Kind::Absent => {
                // The loader of these globals may know a source where that of others did not.
                let globals = frame.getattr("f_globals")?;
                parts.lazycache.bind(py).call1((name, globals))?;
                self.is_same(py, parts)
            }
        }
    }

    #[inline]
    fn is_same(&self, py: Python<'_>, parts: &Parts) -> PyResult<bool> {
        let found = entry(py, parts, self.name.bind(py))?;
        Ok(match (&found, &self.entry) {
            (None, None) => true,
            (Some(found), Some(known)) => found.is(known),
            _ => false,
        })
    }
}

/// The source with this entry, which the disk was asked for just now; `None` where it is not one
/// that a text can be kept by.
pub(super) fn source(
    still: &mut Still<'_>,
    name: &Bound<'_, PyString>,
    entry: Option<&Bound<'_, PyAny>>,
    now_ms: u64,
) -> Result<Option<Arc<Source>>, Leave> {
    let file = name.to_str().map_err(|_| Leave::Library)?;
    let place = BuildHasherDefault::<DefaultHasher>::default().hash_one(file) as usize % PLACES;
    if let Some(known) = SOURCES[place].get(still)
        && *known.file == *file
        && known.entry.as_ref().map(Py::as_ptr) == entry.map(Bound::as_ptr)
    {
        known.asked_ms.store(now_ms, Ordering::Relaxed);
        return Ok(Some(known.clone()));
    }
    let bracketed = file.is_empty() || (file.starts_with('<') && file.ends_with('>'));
    let (kind, characters) = match entry {
        None if bracketed => (Kind::Nameless, 0),
        None => (Kind::Absent, 0),
        Some(entry) => match kind_of(entry) {
            Some(found) => found,
            None => return Ok(None),
        },
    };
    if characters > MOST_HELD / 8 {
        return Ok(None);
    }
    HELD.fetch_add(characters, Ordering::Relaxed);
    let source = Arc::new(Source {
        file: file.into(),
        name: name.clone().unbind(),
        kind,
        entry: entry.map(|entry| entry.clone().unbind()),
        characters,
        asked_ms: AtomicU64::new(now_ms),
    });
    SOURCES[place].set(still, Some(source.clone()));
    Ok(Some(source))
}

/// Whether more is held than should be, so that everything is to be forgotten.
pub(super) fn are_too_many() -> bool {
    HELD.load(Ordering::Relaxed) > MOST_HELD
}

/// Lets go of all sources that no text needs.
pub(super) fn forget(still: &mut Still<'_>) {
    for place in &SOURCES {
        place.set(still, None);
    }
}

/// What an entry says, and the characters in its lines; `None` where it is not read yet, or is not
/// of the form that `linecache.updatecache` gives it.
fn kind_of(entry: &Bound<'_, PyAny>) -> Option<(Kind, usize)> {
    let entry = entry.cast_exact::<PyTuple>().ok()?;
    let [_, changed, lines, _] = entry.as_slice() else { return None };
    let kind = if changed.is_none() { Kind::Fixed } else { Kind::Stated };
    let mut characters = 0;
    for line in lines.cast_exact::<PyList>().ok()? {
        Ref::from_bound(&line).exact_str()?.ok()?;
        characters += line.len().ok()?;
    }
    Some((kind, characters))
}
