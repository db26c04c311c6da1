//! Request data as context: what `logboom.bind` puts on every record below.
//!
//! One context variable of Python's (`contextvars`) holds an immutable [`Context`], or, in a request, the
//! [`RequestScope`] that holds one. So a value bound in a request is seen by all of it, its thread pool
//! and its background work included, and by no other request. Values are captured when they are bound: builtin types as they are, others by `str`.
//! A program that never binds pays one load a call.

use crate::convert::Owned;
use crate::ffi::{self, Still};
use crate::request_scope::{self, RequestScope};
use crate::state::State;
use logboom::field::Field;
use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use std::sync::atomic::{AtomicBool, Ordering};

static EVER_BOUND: AtomicBool = AtomicBool::new(false);

/// An immutable set of fields.
#[pyclass(frozen, module = "logboom._logboom")]
pub(crate) struct Context {
    fields: Vec<(String, Owned)>,
    values: Py<PyDict>,
}

impl Context {
    /// The fields, in the order in which they were first bound.
    pub(crate) fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        self.fields.iter().map(|(key, value)| Field { key, value: value.value() })
    }

    /// Whether each value is of a builtin type, or a text.
    pub(crate) fn is_typed(&self) -> bool {
        !self.fields.iter().any(|(_, value)| matches!(value, Owned::Object(_)))
    }

    /// The value under `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&Owned> {
        self.fields.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }
}

#[pymethods]
impl Context {
    /// The fields as a new dict, with the objects that were bound.
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.values.bind(py).copy()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // A cycle is broken by the dict, which can be cleared.
        visit.call(&self.values)
    }

    fn __len__(&self) -> usize {
        self.fields.len()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Context({})", self.values.bind(py).repr()?))
    }
}

/// The context of this call, if there can be one.
#[inline]
pub(crate) fn current<'py>(state: &State, still: &Still<'py>) -> Option<Bound<'py, Context>> {
    if !EVER_BOUND.load(Ordering::Relaxed) {
        return None;
    }
    let value = ffi::context_value(still, &state.context_var)?;
    match value.cast_into_exact::<Context>() {
        Ok(context) => Some(context),
        Err(other) => {
            let other = other.into_inner();
            request_scope::held(other.cast_exact::<RequestScope>().ok()?)
        }
    }
}

/// `base` with `fields` added; a key bound anew keeps its place.
#[pyfunction]
#[pyo3(signature = (base, fields))]
pub(crate) fn extend_context<'py>(
    py: Python<'py>,
    base: Option<&Bound<'py, Context>>,
    fields: &Bound<'py, PyDict>,
) -> PyResult<Context> {
    let mut captured = base.map(|base| base.get().fields.clone()).unwrap_or_default();
    let values = match base {
        Some(base) => base.get().values.bind(py).copy()?,
        None => PyDict::new(py),
    };
    for (key, value) in fields {
        let key = key.cast_into::<PyString>().map_err(|error| {
            PyTypeError::new_err(format!("invalid field name: got {}, expected str", error))
        })?;
        let owned = Owned::of(&value)?;
        let text = key.to_str()?;
        match captured.iter_mut().find(|(known, _)| known == text) {
            Some((_, place)) => *place = owned,
            None => captured.push((text.to_owned(), owned)),
        }
        values.set_item(key, value)?;
    }
    EVER_BOUND.store(true, Ordering::Relaxed);
    Ok(Context { fields: captured, values: values.unbind() })
}

/// `base` without `keys`; keys it does not have are ignored.
#[pyfunction]
pub(crate) fn shrink_context(
    py: Python<'_>,
    base: &Bound<'_, Context>,
    keys: Vec<String>,
) -> PyResult<Context> {
    let fields = base.get().fields.iter().filter(|(key, _)| !keys.contains(key)).cloned().collect();
    let values = base.get().values.bind(py).copy()?;
    for key in keys {
        if values.contains(&key)? {
            values.del_item(&key)?;
        }
    }
    Ok(Context { fields, values: values.unbind() })
}
