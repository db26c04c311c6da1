//! Call sites, resolved once and kept.
//!
//! A place in a program is a code object and an instruction. What is known of it — path, function,
//! line — is a text in the ring's table, or beside it once the table is full. The cache has a fixed
//! number of places, each holding its code object, so that no other comes to lie at its address; a
//! newcomer takes the place of what was there. A program that makes code without end therefore
//! costs time, not memory.

use crate::ffi::Still;
use crate::ffi::frame::{self, SiteKey};
use crate::ffi::made;
use crate::ffi::object::GilSlot;
use crate::global;
use crate::state::State;
use logboom::record::{CallSite, Site, TextId};
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::Arc;

const PLACES: usize = 2048;

struct Known {
    key: SiteKey,
    /// Held, so that the key stays its own.
    code: Py<PyAny>,
    site: CachedSite,
}

/// What is known of a call site.
#[derive(Clone)]
pub(crate) enum CachedSite {
    /// Not asked for.
    None,
    /// In the ring's table.
    Id(TextId),
    /// Too late for the table.
    Text(Arc<[u8]>),
    /// In the library's own source, or in no frame of Python: only the library can tell.
    Library,
}

impl CachedSite {
    pub(crate) fn as_site(&self) -> Site<'_> {
        match self {
            CachedSite::None | CachedSite::Library => Site::None,
            CachedSite::Id(id) => Site::Id(*id),
            CachedSite::Text(text) => Site::Inline(text),
        }
    }
}

static SITES: [GilSlot<Known>; PLACES] = [const { GilSlot::empty() }; PLACES];

/// What is known of a site.
#[inline(always)]
fn known<'s>(still: &'s Still<'_>, key: SiteKey) -> Option<&'s CachedSite> {
    let known = SITES[key.hash() % PLACES].get(still)?;
    (known.key == key && key.is_in(&known.code)).then_some(&known.site)
}

/// The site of the running frame; `None` where the library has to find it.
#[inline]
pub(crate) fn current(state: &State, still: &mut Still<'_>) -> Option<CachedSite> {
    let key = state.frames.site(still)?;
    let site = match known(still, key) {
        Some(site) => site.clone(),
        None => resolve(state, still, key)?,
    };
    (!matches!(site, CachedSite::Library)).then_some(site)
}

/// The id of the site of the running frame, once it has one.
#[inline(always)]
pub(crate) fn current_id(state: &State, still: &Still<'_>) -> Option<TextId> {
    match known(still, state.frames.site(still)?)? {
        CachedSite::Id(id) => Some(*id),
        _ => None,
    }
}

/// The most frames that are passed over natively.
pub(crate) const MOST_ABOVE: usize = 15;

/// The site so many frames above the running one; `None` where the library has to find it, as it has to
/// where frames of its own lie between: which of them count differs between its versions.
pub(crate) fn above(state: &State, still: &mut Still<'_>, frames: usize) -> Option<CachedSite> {
    let mut site = current(state, still)?;
    if frames == 0 {
        return Some(site);
    }
    let mut outer = frame::Outer::running(still.python())?;
    for _ in 0..frames {
        outer = outer.back()?;
        let key = outer.key();
        site = match known(still, key) {
            Some(site) => site.clone(),
            None => {
                keep(still, key, outer.code(), describe(state, &outer.code(), outer.line()).ok()?)
            }
        };
        if matches!(site, CachedSite::Library) {
            return None;
        }
    }
    Some(site)
}

/// Keeps what was found out about a site.
fn keep(
    still: &mut Still<'_>,
    key: SiteKey,
    code: Bound<'_, PyAny>,
    site: CachedSite,
) -> CachedSite {
    let known = Known { key, code: code.unbind(), site: site.clone() };
    SITES[key.hash() % PLACES].set(still, Some(known));
    // The code object that it pushed out.
    made::give_up_dropped();
    site
}

#[cold]
fn resolve(state: &State, still: &mut Still<'_>, key: SiteKey) -> Option<CachedSite> {
    let py = still.python();
    let (code, line) = frame::resolve(py)?;
    if !key.is_in(&code.clone().unbind()) {
        // A frame of the interpreter's own stands in between.
        return None;
    }
    let site = describe(state, &code, line).ok()?;
    Some(keep(still, key, code, site))
}

/// Whether a file is one whose frames `findCaller` passes over, by the rule of
/// `logging._is_internal_frame`.
pub(crate) fn is_internal(state: &State, path: &Bound<'_, PyString>) -> PyResult<bool> {
    let py = path.py();
    let normal = py.import("os.path")?.call_method1("normcase", (path,))?;
    let text = path.to_string_lossy();
    Ok(normal.eq(state.source_file(py))?
        || (text.contains("importlib") && text.contains("_bootstrap")))
}

fn describe(state: &State, code: &Bound<'_, PyAny>, line: i32) -> PyResult<CachedSite> {
    let path = code.getattr("co_filename")?.cast_into::<PyString>()?;
    let function = code.getattr("co_name")?.cast_into::<PyString>()?;
    if is_internal(state, &path)? {
        return Ok(CachedSite::Library);
    }
    let path = path.to_str()?;
    let text = CallSite {
        path: path.as_bytes(),
        function: function.to_str()?.as_bytes(),
        line: u32::try_from(line).unwrap_or(0),
    }
    .to_text();
    Ok(match global::engine().intern(&text) {
        Some(id) => CachedSite::Id(id),
        None => CachedSite::Text(text.into()),
    })
}
