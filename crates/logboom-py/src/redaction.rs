//! What `logboom.configure(redact=...)` takes, and the same for texts that Python code makes.
//!
//! The engine redacts on the writer's thread; here is only what describes it, and a way to ask it.

use crate::error::to_python;
use crate::global;
use logboom::redact::{PatternSpec, Redaction, RedactionOptions, Verdicts};
use pyo3::prelude::*;
use std::sync::Arc;

/// What is redacted, checked and compiled. Immutable.
#[pyclass(frozen, module = "logboom._logboom")]
pub(crate) struct RedactionCore(pub(crate) Arc<Redaction>);

#[pymethods]
impl RedactionCore {
    /// `patterns`: each with whether it is a regular expression, and else a name.
    #[new]
    fn new(
        keys: Vec<String>,
        exceptions: Vec<String>,
        patterns: Vec<(bool, String)>,
        replacement: &str,
    ) -> PyResult<Self> {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let exceptions: Vec<&str> = exceptions.iter().map(String::as_str).collect();
        let patterns: Vec<_> = (patterns.iter())
            .map(|(regex, text)| match regex {
                true => PatternSpec::Regex(text),
                false => PatternSpec::Named(text),
            })
            .collect();
        let options = RedactionOptions {
            keys: &keys,
            exceptions: &exceptions,
            patterns: &patterns,
            replacement: Some(replacement),
        };
        Ok(RedactionCore(Arc::new(Redaction::new(&options).map_err(to_python)?)))
    }
}

/// The option as `logboom._logboom.options` shows it.
pub(crate) fn shown(py: Python<'_>, redaction: &Arc<Redaction>) -> PyResult<Py<PyAny>> {
    if redaction.is_off() || redaction.is_standard() {
        return Ok(redaction.is_standard().into_pyobject(py)?.to_owned().into_any().unbind());
    }
    Ok(Py::new(py, RedactionCore(Arc::clone(redaction)))?.into_any())
}

/// Whether what stands under this name is secret, by the engine's options of now.
#[pyfunction]
pub(crate) fn is_secret(name: &str) -> bool {
    global::engine().redaction().is_secret(name)
}

/// The text of a value under this name without its secrets, by the engine's options of now: the
/// replacement where the name is secret, else what the patterns leave.
#[pyfunction]
pub(crate) fn redact_value(name: &str, text: &str) -> String {
    let redaction = global::engine().redaction();
    if !text.is_empty() && Verdicts::default().is_secret(&redaction, name) {
        return redaction.replacement().to_owned();
    }
    redact_by(&redaction, text)
}

/// The text without what the patterns find, by the engine's options of now.
#[pyfunction]
pub(crate) fn redact_text(text: &str) -> String {
    redact_by(&global::engine().redaction(), text)
}

fn redact_by(redaction: &Redaction, text: &str) -> String {
    redaction
        .text(text.as_bytes())
        .map_or_else(|| text.to_owned(), |clean| String::from_utf8_lossy(&clean).into_owned())
}
