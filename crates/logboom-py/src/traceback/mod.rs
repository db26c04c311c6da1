//! The text of an exception, as `logging.Formatter.formatException` gives it on this interpreter.
//!
//! Most of what the library does for a traceback it does again each time the same frame is logged:
//! it looks for the source line, parses it and draws carets. Here the finished text of a frame is
//! kept, under its code object and place ([`frames`]); the library's own code made it, so that the
//! rules of each version hold without being written down here. What comes after the frames is a
//! class name and a `str`, unless the class or the exception asks for more ([`tail`]).
//!
//! Invariants:
//! 1. The text is the library's to the byte. Where that cannot be known, the answer is
//!    [`Found::Library`], and the record is the library's to format: `traceback` or `linecache`
//!    patched ([`library`]), classes of exceptions that bring their own `__cause__`, `__bool__` or
//!    the like, groups, lone surrogates, more than [`chain::MOST`] exceptions in a chain.
//! 2. A kept text is good while `linecache` has for its file the very entry that it was made from;
//!    that the file did not change is asked of `linecache.checkcache` once a second a file
//!    ([`sources`]).
//! 3. What is kept are code objects, texts and entries of `linecache`: no frame, no exception, and
//!    no more than 1,024 of them; of sources 16 Mi characters, of texts 4 MiB.
//! 4. Nothing kept is borrowed while Python code runs, so a `__str__` may log an exception.
//!
//! The way: [`text`] reads the argument as `Logger._log` does, [`chain`] goes from the exception to
//! its causes and contexts, and for each writes the frames and the tail.
//!
//! Not done here: what goes before and after the text (`Formatter.format`), and formatters that are
//! not exactly the library's, which never ask.
//!
//! Pinned by `tests/python/test_tracebacks.py`.

mod chain;
mod frames;
mod library;
mod sources;
mod tail;

use crate::ffi::{Ref, Still, traceback as raw};
use library::Parts;
use pyo3::exceptions::{PyBaseException, PyException};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::sync::Arc;

/// What a value given as `exc_info` comes to.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nothing: the record has no exception.
    None,
    /// The text, without a newline at its end.
    Text(String),
    /// Only the library can tell.
    Library,
}

/// Why there is no text.
enum Leave {
    Library,
    /// Belongs to the caller: what the library would not swallow either.
    Raise(PyErr),
}

impl Leave {
    /// An `Exception` the library meets again, and reports; anything else goes on its way.
    fn of(py: Python<'_>, error: PyErr) -> Leave {
        match error.is_instance_of::<PyException>(py) {
            true => Leave::Library,
            false => Leave::Raise(error),
        }
    }
}

/// An exception, or none, and its traceback.
type Given<'py> = (Option<Bound<'py, PyAny>>, Option<Bound<'py, PyAny>>);

/// What is written of no exception at all.
const NOTHING: &str = "NoneType: None";

/// The text of the exception that `exc_info` stands for, in any form that `Logger._log` takes:
/// an exception, a triple, or another value whose truth asks for the exception being handled.
/// Runs on the caller's thread; Python code runs.
///
/// # Errors
/// What no `except Exception` catches, raised by Python code on the way.
pub(crate) fn text(py: Python<'_>, exc_info: &Bound<'_, PyAny>) -> PyResult<Found> {
    let mut still = Still::new(py);
    let given = match asked(&still, exc_info) {
        Asked::Nothing => return Ok(Found::None),
        Asked::Library => return Ok(Found::Library),
        Asked::Handled => raw::handled(py),
        Asked::Exception(given) => given,
    };
    let Some(parts) = library::parts(&mut still) else { return Ok(Found::Library) };
    match written(&mut still, &parts, given) {
        Ok(text) => Ok(Found::Text(text)),
        Err(Leave::Library) => Ok(Found::Library),
        Err(Leave::Raise(error)) => Err(error),
    }
}

fn written<'py>(
    still: &mut Still<'py>,
    parts: &Arc<Parts>,
    given: Given<'py>,
) -> Result<String, Leave> {
    match given {
        (Some(value), traceback) => chain::text(still, parts, value, traceback),
        (None, None) => Ok(NOTHING.to_owned()),
        (None, Some(_)) => Err(Leave::Library),
    }
}

enum Asked<'py> {
    Nothing,
    Handled,
    Exception(Given<'py>),
    Library,
}

/// Reads the argument without running code.
fn asked<'py>(still: &Still<'_>, exc_info: &Bound<'py, PyAny>) -> Asked<'py> {
    let some = |object: Bound<'py, PyAny>| Some(object).filter(|object| !object.is_none());
    let object = Ref::from_bound(exc_info);
    match object.plain_truth() {
        Some(true) => return Asked::Handled,
        Some(false) => return Asked::Nothing,
        None if object.is_none() => return Asked::Nothing,
        None => {}
    }
    if exc_info.is_instance_of::<PyBaseException>() {
        // Its truth may be its own to tell, its `__traceback__` a property: then it is not plain.
        if !tail::is_plain_enough(still, exc_info) {
            return Asked::Library;
        }
        let traceback = raw::links(still, object).and_then(|links| links.traceback);
        let traceback = traceback.map(|traceback| traceback.bound(exc_info.py()));
        return Asked::Exception((some(exc_info.clone()), traceback.and_then(some)));
    }
    let Ok(triple) = exc_info.cast_exact::<PyTuple>() else { return Asked::Library };
    match triple.as_slice() {
        [] => Asked::Nothing,
        [_, value, traceback] => Asked::Exception((some(value.clone()), some(traceback.clone()))),
        _ => Asked::Library,
    }
}

/// Has everything made that would be made at its first use, see `state::make_ready`.
///
/// # Errors
/// What importing `traceback` and `linecache` raises.
pub(crate) fn make_ready(py: Python<'_>) -> PyResult<()> {
    sources::now_ms();
    tail::make_ready(py)?;
    library::make_ready(py)
}

/// What [`text`] finds, for tests: the text, "" for nothing, `None` where only the library can tell.
///
/// # Errors
/// As [`text`].
#[pyfunction]
#[pyo3(signature = (exc_info, /))]
pub(crate) fn format_exception(exc_info: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    Ok(match text(exc_info.py(), exc_info)? {
        Found::None => Some(String::new()),
        Found::Text(text) => Some(text),
        Found::Library => None,
    })
}
