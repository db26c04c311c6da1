//! What stands after the frames: class, text and notes.
//!
//! For most classes that is the name, `str`, and the notes, and is written here. Classes whose
//! formatting has more to it ([`Kind::Helped`]) have it written by the library, for the exception
//! alone.

use super::Leave;
use super::library::Parts;
use crate::ffi::guard::{self, ClassStamp, lookup};
use crate::ffi::slots::ClassTable;
use crate::ffi::{Ref, Still, traceback as raw};
#[cfg(Py_3_12)]
use pyo3::exceptions::{PyAttributeError, PyImportError, PyNameError};
use pyo3::exceptions::{PyBaseException, PySyntaxError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyAny, PyDict, PyList, PySet, PyString, PyType};

/// What the class of an exception means to its text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Name, text and notes.
    Plain,
    /// The library adds suggestions, or shows a line.
    Helped,
    /// A group, or a class that changes what the library looks at: all is the library's.
    Odd,
}

static KINDS: PyOnceLock<ClassTable<Kind, 64>> = PyOnceLock::new();
static NAMES: PyOnceLock<Names> = PyOnceLock::new();

struct Names {
    module: Py<PyString>,
    qualified: Py<PyString>,
    notes: Py<PyString>,
}

pub(super) fn make_ready(py: Python<'_>) -> PyResult<()> {
    KINDS.get_or_init(py, || ClassTable::new(Kind::Odd));
    let name = |text| PyString::intern(py, text).unbind();
    NAMES.get_or_init(py, || Names {
        module: name("__module__"),
        qualified: name("__qualname__"),
        notes: name("__notes__"),
    });
    Ok(())
}

/// What must be as `BaseException`, or `object`, has it.
const INHERITED: [&str; 6] = [
    "__cause__",
    "__context__",
    "__suppress_context__",
    "__traceback__",
    "__getattribute__",
    "__class__",
];
/// What must not be there.
const MISSING: [&str; 4] = ["__getattr__", "__bool__", "__len__", "__notes__"];

/// Whether this exception is not [`Kind::Odd`].
pub(super) fn is_plain_enough(still: &Still<'_>, exception: &Bound<'_, PyAny>) -> bool {
    kind(exception.py(), still, Ref::from_bound(exception)).is_some()
}

/// What the class of `exception` means; `None` for an odd one, and for what is no exception.
#[inline]
pub(super) fn kind(py: Python<'_>, still: &Still<'_>, exception: Ref<'_>) -> Option<Kind> {
    let known = KINDS.get(py)?.get(still, exception).map(|(kind, _)| kind);
    known.or_else(|| classify(py, still, exception)).filter(|kind| *kind != Kind::Odd)
}

#[cold]
fn classify(py: Python<'_>, still: &Still<'_>, exception: Ref<'_>) -> Option<Kind> {
    let class = exception.bound(py).get_type();
    let stamp = ClassStamp::of_class(&class)?;
    let kind = verdict(&class).unwrap_or(Kind::Odd);
    KINDS.get(py)?.put(still, stamp, kind, &class, None);
    Some(kind)
}

fn verdict(class: &Bound<'_, PyType>) -> PyResult<Kind> {
    let py = class.py();
    let base = py.get_type::<PyBaseException>();
    if !raw::is_plain_class(class) || !class.is_subclass(&base)? {
        return Ok(Kind::Odd);
    }
    let found = |class: &Bound<'_, PyType>, name: &str| {
        lookup(class, &PyString::intern(py, name)).map(|found| found.as_ptr())
    };
    let is_as_ever = INHERITED.iter().all(|name| found(class, name) == found(&base, name))
        && MISSING.iter().all(|name| found(class, name).is_none());
    if !is_as_ever {
        return Ok(Kind::Odd);
    }
    #[cfg(Py_3_11)]
    if class.is_subclass_of::<pyo3::exceptions::PyBaseExceptionGroup>()? {
        return Ok(Kind::Odd);
    }
    if cfg!(Py_3_14) || class.is_subclass_of::<PySyntaxError>()? {
        return Ok(Kind::Helped);
    }
    // From 3.12 on it is the library that has suggestions for what was misspelt.
    #[cfg(Py_3_12)]
    if class.is_subclass_of::<PyNameError>()?
        || class.is_subclass_of::<PyAttributeError>()?
        || class.is_subclass_of::<PyImportError>()?
    {
        return Ok(Kind::Helped);
    }
    Ok(Kind::Plain)
}

/// Adds the lines of the exception itself.
pub(super) fn append(
    py: Python<'_>,
    parts: &Parts,
    exception: &Bound<'_, PyAny>,
    kind: Kind,
    traceback: Option<&Bound<'_, PyAny>>,
    out: &mut String,
) -> Result<(), Leave> {
    if kind == Kind::Plain {
        return plain(py, exception, out);
    }
    let text = helped(py, parts, exception, traceback);
    let text = text.map_err(|error| Leave::of(py, error))?;
    out.push_str(text.to_str().map_err(|_| Leave::Library)?);
    Ok(())
}

/// The library's lines, of the exception without its frames and without what hangs on it.
fn helped<'py>(
    py: Python<'py>,
    parts: &Parts,
    exception: &Bound<'py, PyAny>,
    traceback: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyString>> {
    let options = PyDict::new(py);
    options.set_item("limit", 0)?;
    options.set_item("compact", true)?;
    // With a set of what was seen it takes itself to be one of a chain, and leaves the rest alone.
    options.set_item("_seen", PySet::empty(py)?)?;
    let arguments = (exception.get_type(), exception, traceback);
    let summary = parts.exception.bind(py).call(arguments, Some(&options))?;
    summary.setattr("exceptions", py.None())?;
    let lines = summary.call_method0("format_exception_only")?;
    Ok(PyString::new(py, "").call_method1("join", (lines,))?.cast_into::<PyString>()?)
}

/// Name, text and notes.
fn plain(py: Python<'_>, exception: &Bound<'_, PyAny>, out: &mut String) -> Result<(), Leave> {
    let names = NAMES.get(py).ok_or(Leave::Library)?;
    let class = exception.get_type();
    let text = exception.str();
    let notes = match guard::own_attributes(&Still::new(py), Ref::from_bound(exception)) {
        _ if cfg!(not(Py_3_11)) => None,
        0 => None,
        _ => exception.getattr_opt(&names.notes).map_err(|error| Leave::of(py, error))?,
    };
    let attribute = |name| class.getattr(name).map_err(|error| Leave::of(py, error));
    let module = attribute(&names.module)?;
    let qualified = attribute(&names.qualified)?;
    match exact(&module)? {
        "__main__" | "builtins" => {}
        module => {
            out.push_str(module);
            out.push('.');
        }
    }
    out.push_str(exact(&qualified)?);
    match text {
        Ok(text) => match exact(text.as_any())? {
            "" => {}
            text => {
                out.push_str(": ");
                out.push_str(text);
            }
        },
        // Whatever it raised: the library catches everything here.
        Err(_) => out.push_str(&unprintable(&class)?),
    }
    out.push('\n');
    match notes.filter(|notes| !notes.is_none()) {
        Some(notes) => append_notes(&notes, out),
        None => Ok(()),
    }
}

fn append_notes(notes: &Bound<'_, PyAny>, out: &mut String) -> Result<(), Leave> {
    for note in notes.cast_exact::<PyList>().map_err(|_| Leave::Library)? {
        out.push_str(exact(&note)?);
        out.push('\n');
    }
    Ok(())
}

/// What `traceback` writes in the place of a text that cannot be had.
fn unprintable(class: &Bound<'_, PyType>) -> Result<String, Leave> {
    if cfg!(Py_3_11) {
        return Ok(": <exception str() failed>".to_owned());
    }
    let name = class.getattr("__name__").map_err(|_| Leave::Library)?;
    Ok(format!(": <unprintable {} object>", exact(&name)?))
}

/// The text of an exact `str` without lone surrogates.
fn exact<'a>(object: &'a Bound<'_, PyAny>) -> Result<&'a str, Leave> {
    Ref::from_bound(object).exact_str().and_then(Result::ok).ok_or(Leave::Library)
}
