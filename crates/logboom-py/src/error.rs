//! The engine's errors as Python's.

use logboom::error::{Error, ErrorKind};
use logboom::format::pattern::PatternError;
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

create_exception!(
    logboom,
    LogboomError,
    PyException,
    "The base of every error that logboom itself raises."
);

/// An option out of its bounds is a `ConfigError` (also a `ValueError`); what the system refused is
/// an `OSError`; anything else a `LogboomError`.
pub(crate) fn to_python(error: Error) -> PyErr {
    if let Some(io) = error.io_error() {
        return match io.raw_os_error() {
            Some(number) => PyOSError::new_err((number, error.to_string())),
            None => PyOSError::new_err(error.to_string()),
        };
    }
    match error.kind() {
        ErrorKind::Invalid => config_error(error.to_string()),
        _ => LogboomError::new_err(error.to_string()),
    }
}

pub(crate) fn pattern_to_python(error: PatternError) -> PyErr {
    config_error(error.to_string())
}

static CONFIG_ERROR: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A `logboom.ConfigError`, made once with both its bases.
pub(crate) fn config_error(text: String) -> PyErr {
    Python::attach(|py| match config_error_class(py) {
        Ok(class) => match class.call1((text.clone(),)) {
            Ok(error) => PyErr::from_value(error),
            Err(error) => error,
        },
        Err(_) => PyValueError::new_err(text),
    })
}

/// The class `logboom.ConfigError(LogboomError, ValueError)`.
pub(crate) fn config_error_class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    CONFIG_ERROR
        .get_or_try_init(py, || {
            let bases = (py.get_type::<LogboomError>(), py.get_type::<PyValueError>());
            let body = pyo3::types::PyDict::new(py);
            body.set_item("__module__", "logboom")?;
            body.set_item("__doc__", "An option is out of its bounds, or unknown.")?;
            let meta = py.get_type::<pyo3::types::PyType>();
            meta.call1(("ConfigError", bases, body)).map(Bound::unbind)
        })
        .map(|class| class.bind(py))
}
