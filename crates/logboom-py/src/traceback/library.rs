//! Whether `traceback` and `linecache` are as the standard library's source defines them.

use crate::ffi::Still;
use crate::ffi::dict::Stamps;
use crate::ffi::guard::ClassStamp;
use crate::ffi::object::GilSlot;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyFunction, PyModule, PyString, PyType};
use std::sync::Arc;

/// What is taken of the two modules, and of `sys`.
pub(super) struct Parts {
    /// `linecache.cache`.
    pub(super) sources: Py<PyDict>,
    /// Where 3.14 keeps what was typed in, by code; nothing is native while there is any.
    pub(super) typed_in: Option<Py<PyDict>>,
    pub(super) system: Py<PyDict>,
    /// The name in it that says how many frames are shown.
    pub(super) limit_name: Py<PyString>,
    pub(super) extract: Py<PyAny>,
    pub(super) checkcache: Py<PyAny>,
    pub(super) lazycache: Py<PyAny>,
    /// `traceback.TracebackException`.
    pub(super) exception: Py<PyAny>,
    /// `types.TracebackType`.
    pub(super) traceback: Py<PyAny>,
    pub(super) cause_message: String,
    pub(super) context_message: String,
}

/// The modules at one moment.
struct Library {
    stamps: Stamps<2>,
    classes: Vec<(Py<PyType>, ClassStamp)>,
    /// `None` where something is not as found in the library's source.
    parts: Option<Arc<Parts>>,
}

impl Library {
    #[inline]
    fn holds(&self, still: &Still<'_>) -> bool {
        let same = |(class, stamp): &(Py<PyType>, ClassStamp)| stamp.is(still, class);
        self.stamps.hold(still) && self.classes.iter().all(same)
    }
}

static LIBRARY: GilSlot<Library> = GilSlot::empty();
static MODULES: PyOnceLock<[Py<PyModule>; 3]> = PyOnceLock::new();

/// What of a class is the library's must be a function of its file.
const CLASSES: [(&str, &[&str]); 3] = [
    ("TracebackException", &["__init__", "format", "format_exception_only"]),
    ("StackSummary", &["extract", "format"]),
    ("FrameSummary", &["__init__", "line"]),
];
const FUNCTIONS: [&str; 4] = ["print_exception", "extract_tb", "walk_tb", "_format_final_exc_line"];
const SOURCE_FUNCTIONS: [&str; 5] =
    ["getline", "getlines", "checkcache", "updatecache", "lazycache"];

pub(super) fn make_ready(py: Python<'_>) -> PyResult<()> {
    MODULES.get_or_try_init(py, || {
        let import = |name| -> PyResult<Py<PyModule>> { Ok(py.import(name)?.unbind()) };
        Ok::<_, PyErr>([import("traceback")?, import("linecache")?, import("sys")?])
    })?;
    Ok(())
}

/// The parts; `None` where something was patched.
#[inline]
pub(super) fn parts(still: &mut Still<'_>) -> Option<Arc<Parts>> {
    let parts = match LIBRARY.get(still) {
        Some(library) if library.holds(still) => library.parts.clone(),
        _ => look(still),
    }?;
    let py = still.python();
    let typed_in = parts.typed_in.as_ref().map_or(0, |sources| sources.bind(py).len());
    (typed_in == 0).then_some(parts)
}

#[cold]
fn look(still: &mut Still<'_>) -> Option<Arc<Parts>> {
    let library = take(still.python()).ok();
    let parts = library.as_ref().and_then(|library| library.parts.clone());
    LIBRARY.set(still, library);
    parts
}

fn take(py: Python<'_>) -> PyResult<Library> {
    let gone = || PyRuntimeError::new_err("not made ready");
    let [traceback, linecache, system] =
        MODULES.get(py).ok_or_else(gone)?.each_ref().map(|module| module.bind(py));
    // The stamps come first: a change while we look must make the look void.
    let stamps = Stamps::of([&traceback.dict(), &linecache.dict()])?;
    let mut classes = Vec::new();
    for (name, _) in CLASSES {
        let class = traceback.getattr(name)?.cast_into::<PyType>()?;
        let no_tag = || PyRuntimeError::new_err("the interpreter is out of version tags");
        let stamp = ClassStamp::of_class(&class).ok_or_else(no_tag)?;
        classes.push((class.unbind(), stamp));
    }
    let is_plain = is_plain(traceback, linecache).unwrap_or(false);
    let parts = is_plain.then(|| gather(traceback, linecache, system)).transpose()?;
    Ok(Library { stamps, classes, parts: parts.map(Arc::new) })
}

fn gather(
    traceback: &Bound<'_, PyModule>,
    linecache: &Bound<'_, PyModule>,
    system: &Bound<'_, PyModule>,
) -> PyResult<Parts> {
    let typed_in = linecache.getattr_opt("_interactive_cache")?;
    Ok(Parts {
        sources: linecache.getattr("cache")?.cast_into_exact::<PyDict>()?.unbind(),
        typed_in: typed_in.map(|it| it.cast_into::<PyDict>()).transpose()?.map(Bound::unbind),
        system: system.dict().unbind(),
        limit_name: PyString::intern(traceback.py(), "tracebacklimit").unbind(),
        extract: traceback.getattr("extract_tb")?.unbind(),
        checkcache: linecache.getattr("checkcache")?.unbind(),
        lazycache: linecache.getattr("lazycache")?.unbind(),
        exception: traceback.getattr("TracebackException")?.unbind(),
        traceback: traceback.py().import("types")?.getattr("TracebackType")?.unbind(),
        cause_message: traceback.getattr("_cause_message")?.extract()?,
        context_message: traceback.getattr("_context_message")?.extract()?,
    })
}

/// Whether every function is the one of the module's own file, and the modules know each other.
fn is_plain(traceback: &Bound<'_, PyModule>, linecache: &Bound<'_, PyModule>) -> PyResult<bool> {
    for (name, methods) in CLASSES {
        let class = traceback.getattr(name)?.cast_into::<PyType>()?;
        if !has_own(&class.getattr("__dict__")?, traceback, methods)? {
            return Ok(false);
        }
    }
    Ok(has_own(traceback.dict().as_any(), traceback, &FUNCTIONS)?
        && has_own(linecache.dict().as_any(), linecache, &SOURCE_FUNCTIONS)?
        && traceback.getattr("linecache")?.is(linecache)
        && traceback.getattr("_RECURSIVE_CUTOFF")?.eq(super::frames::REPEATS)?)
}

/// Whether all functions in `names`, a mapping, are of the file of `module`, and `needed` are there.
fn has_own(
    names: &Bound<'_, PyAny>,
    module: &Bound<'_, PyModule>,
    needed: &[&str],
) -> PyResult<bool> {
    let file = module.getattr("__file__")?;
    let mut seen = 0;
    for item in names.call_method0("items")?.try_iter()? {
        let (name, value) = item?.extract::<(String, Bound<'_, PyAny>)>()?;
        // A class method and a property have theirs inside.
        let mut function = value;
        for inner in ["__func__", "fget"] {
            if let Some(found) = function.getattr_opt(inner)? {
                function = found;
            }
        }
        if !function.is_instance_of::<PyFunction>() {
            continue;
        }
        let code = function.getattr("__code__")?;
        if !code.getattr("co_filename")?.eq(&file)? || !code.getattr("co_name")?.eq(&name)? {
            return Ok(false);
        }
        seen += usize::from(needed.contains(&name.as_str()));
    }
    Ok(seen == needed.len())
}
