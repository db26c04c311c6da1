//! Call sites as a `LogRecord` shows them, found once and kept.
//!
//! Like `crate::sites`, but in Python's own texts. The cache has a fixed number of places.

use crate::ffi::Still;
use crate::ffi::frame::{self, SiteKey};
use crate::ffi::made;
use crate::ffi::object::GilSlot;
use crate::sites;
use crate::state::State;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use std::sync::Arc;

const PLACES: usize = 1024;

static KNOWN: [GilSlot<Arc<Place>>; PLACES] = [const { GilSlot::empty() }; PLACES];

/// A call site.
pub(super) struct Place {
    key: SiteKey,
    /// Held, so that the key stays its own.
    code: Py<PyAny>,
    pub(super) pathname: Py<PyString>,
    pub(super) filename: Py<PyAny>,
    pub(super) module: Py<PyAny>,
    pub(super) line: i32,
    pub(super) function: Py<PyAny>,
    /// The attributes that all records of one logger and level have from here.
    pub(super) same: GilSlot<Same>,
}

/// What records of one call site have in common, while the logger's name and the level are these.
pub(super) struct Same {
    pub(super) name: Py<PyAny>,
    pub(super) level: i64,
    pub(super) process: u32,
    /// Which look at the library's settings it goes with.
    pub(super) library: u64,
    pub(super) attributes: Py<PyDict>,
}

/// The site of the running frame; `None` where the library has to find it.
#[inline]
pub(super) fn current(state: &State, still: &mut Still<'_>) -> Option<Arc<Place>> {
    let key = state.frames.site(still)?;
    match KNOWN[key.hash() % PLACES].get(still) {
        Some(place) if place.key == key && key.is_in(&place.code) => Some(Arc::clone(place)),
        _ => resolve(state, still, key),
    }
}

#[cold]
fn resolve(state: &State, still: &mut Still<'_>, key: SiteKey) -> Option<Arc<Place>> {
    let py = still.python();
    let (code, line) = frame::resolve(py)?;
    let code_ref = code.clone().unbind();
    if !key.is_in(&code_ref) {
        // A frame of the interpreter's own stands in between.
        return None;
    }
    let place = Arc::new(describe(state, key, &code, line).ok()??);
    // Another one makes room for it, or was dropped before.
    made::give_up_dropped();
    KNOWN[key.hash() % PLACES].set(still, Some(Arc::clone(&place)));
    Some(place)
}

fn describe(
    state: &State,
    key: SiteKey,
    code: &Bound<'_, PyAny>,
    line: i32,
) -> PyResult<Option<Place>> {
    let py = code.py();
    let pathname = code.getattr("co_filename")?.cast_into_exact::<PyString>()?;
    if sites::is_internal(state, &pathname)? {
        return Ok(None);
    }
    // As `LogRecord.__init__` does.
    let path = py.import("os.path")?;
    let filename = path.call_method1("basename", (&pathname,))?;
    let module = path.call_method1("splitext", (&filename,))?.get_item(0)?;
    Ok(Some(Place {
        key,
        code: code.clone().unbind(),
        pathname: pathname.unbind(),
        filename: filename.unbind(),
        module: module.unbind(),
        line,
        function: code.getattr("co_name")?.unbind(),
        same: GilSlot::empty(),
    }))
}
