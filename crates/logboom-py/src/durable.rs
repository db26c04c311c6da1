//! What Python sees of the durable ring: where it lies, and what a recovery did.

use crate::error::{config_error, to_python};
use crate::lifecycle::invalid;
use logboom::durable::{RecoveredRing, default_directory};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};
use std::path::PathBuf;

/// The option `durable`: a directory, or whether to have one at all.
pub(crate) fn directory(value: &Bound<'_, PyAny>) -> PyResult<Option<PathBuf>> {
    if value.is_none() {
        return Ok(None);
    }
    if let Ok(wanted) = value.cast::<PyBool>() {
        return if wanted.is_true() { default().map(Some) } else { Ok(None) };
    }
    let path = value.extract::<PathBuf>().ok().filter(|path| !path.as_os_str().is_empty());
    path.map(Some).ok_or_else(|| invalid("durable", value, "a directory or a bool"))
}

fn default() -> PyResult<PathBuf> {
    default_directory().ok_or_else(|| {
        let text =
            "invalid `durable`: got True, expected a directory: there is no memory file system";
        config_error(text.into())
    })
}

/// The directory that `durable=True` stands for.
#[pyfunction]
pub(crate) fn default_durable_directory() -> PyResult<PathBuf> {
    default()
}

/// Recovers a directory; a dictionary for each ring that was found. See `python -m logboom recover`.
#[pyfunction]
pub(crate) fn recover(py: Python<'_>, directory: PathBuf) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let redaction = crate::global::engine().redaction();
    let recovery = py
        .detach(|| logboom::durable::recover_redacted(&directory, &redaction))
        .map_err(to_python)?;
    recovery.rings.iter().map(|ring| told(py, ring)).collect()
}

fn told<'py>(py: Python<'py>, ring: &RecoveredRing) -> PyResult<Bound<'py, PyDict>> {
    let all = PyDict::new(py);
    all.set_item("file", &ring.file)?;
    all.set_item("process", ring.process)?;
    all.set_item("outcome", ring.outcome.as_str())?;
    all.set_item("reason", ring.outcome.reason())?;
    all.set_item("failed", ring.failed)?;
    all.set_item("unfinished", ring.unfinished)?;
    all.set_item("damaged_at", ring.damaged_at)?;
    let mut places = Vec::new();
    for place in &ring.places {
        let one = PyDict::new(py);
        one.set_item("path", &place.path)?;
        one.set_item("instead_of", &place.instead_of)?;
        one.set_item("records", place.records)?;
        one.set_item("exactly_once", place.exactly_once)?;
        places.push(one);
    }
    all.set_item("places", places)?;
    Ok(all)
}
