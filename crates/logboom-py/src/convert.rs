//! Python objects to typed values, and messages that Python has to format.

use crate::ffi::{Ref, calls};
use crate::state::state;
use logboom::field::Value;
use logboom::format::percent::Kind;
use pyo3::exceptions::{PyException, PyRecursionError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

/// The value of an object of exactly a builtin type, with its kind; `None` for others, for text with
/// lone surrogates and for integers beyond 64 bits.
#[inline(always)]
pub(crate) fn exact(object: Ref<'_>) -> Option<(Value<'_>, Kind)> {
    if let Some(text) = object.ascii_str() {
        return Some((Value::Str(text), Kind::Ascii));
    }
    if let Some(number) = object.exact_i64() {
        return Some((Value::I64(number), Kind::Int));
    }
    less_usual(object)
}

#[inline(never)]
fn less_usual(object: Ref<'_>) -> Option<(Value<'_>, Kind)> {
    let value = if let Some(text) = object.exact_str() {
        Value::Str(text.ok()?)
    } else if let Some(number) = object.exact_f64() {
        Value::F64(number)
    } else if let Some(truth) = object.exact_bool() {
        Value::Bool(truth)
    } else if object.is_none() {
        Value::None
    } else {
        return None;
    };
    Some((value, Kind::of(&value)))
}

/// A value that owns its text: what is bound as context.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Owned {
    None,
    Bool(bool),
    I64(i64),
    F64(f64),
    Str(String),
    /// The `str` of an object of another type.
    Object(String),
}

impl Owned {
    /// The value now; objects of other types by their `str`.
    ///
    /// # Errors
    /// What `str` raises.
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Owned> {
        Ok(match exact(Ref::from_bound(object)).and_then(|(value, _)| Owned::kept(value)) {
            Some(kept) => kept,
            // Lone surrogates become `?`: a field must not make every line of a request fail.
            None => Owned::Object(object.str()?.to_string_lossy().into_owned()),
        })
    }

    /// A copy of a value; `None` for one of a type that is not kept as it is.
    pub(crate) fn kept(value: Value<'_>) -> Option<Owned> {
        Some(match value {
            Value::None => Owned::None,
            Value::Bool(truth) => Owned::Bool(truth),
            Value::I64(number) => Owned::I64(number),
            Value::F64(number) => Owned::F64(number),
            Value::Str(text) => Owned::Str(text.to_owned()),
            _ => return None,
        })
    }

    /// What a conversion has to know of it. Of an object only the text is known, which is what `%s`
    /// shows of it and no other conversion.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Owned::Object(_) => Kind::Object,
            _ => Kind::of(&self.value()),
        }
    }

    pub(crate) fn value(&self) -> Value<'_> {
        match self {
            Owned::None => Value::None,
            Owned::Bool(truth) => Value::Bool(*truth),
            Owned::I64(number) => Value::I64(*number),
            Owned::F64(number) => Value::F64(*number),
            Owned::Str(text) | Owned::Object(text) => Value::Str(text),
        }
    }
}

/// Why Python could not format a message.
pub(crate) enum FormatNow {
    /// An `Exception`: the library reports it in its own way.
    Library,
    /// A `RecursionError`, which the library lets through, or no `Exception` at all.
    Raise(PyErr),
}

/// What `LogRecord.getMessage` gives for these.
pub(crate) fn format_now<'py>(
    py: Python<'py>,
    message: Ref<'_>,
    arguments: &[Ref<'_>],
) -> Result<Bound<'py, PyString>, FormatNow> {
    let format = || -> PyResult<Bound<'py, PyString>> {
        let message = calls::text(&message.bound(py))?;
        if arguments.is_empty() {
            return Ok(message);
        }
        Ok(calls::remainder(message.as_any(), &operand(py, arguments)?)?.cast_into()?)
    };
    format().map_err(|error| {
        if error.is_instance_of::<PyException>(py) && !error.is_instance_of::<PyRecursionError>(py)
        {
            FormatNow::Library
        } else {
            FormatNow::Raise(error)
        }
    })
}

/// What `LogRecord.__init__` makes of these arguments.
///
/// # Errors
/// What Python raises when an argument is asked for its truth.
pub(crate) fn operand<'py>(py: Python<'py>, arguments: &[Ref<'_>]) -> PyResult<Bound<'py, PyAny>> {
    if let [only] = arguments {
        let only = only.bound(py);
        if is_full_mapping(py, &only)? {
            return Ok(only);
        }
    }
    Ok(PyTuple::new(py, arguments.iter().map(|one| one.bound(py)))?.into_any())
}

/// Whether `LogRecord.__init__` takes a single argument to be what `%(key)s` refers to.
fn is_full_mapping(py: Python<'_>, object: &Bound<'_, PyAny>) -> PyResult<bool> {
    if object.is_exact_instance_of::<PyDict>() {
        return object.is_truthy();
    }
    let Some(state) = state(py) else { return Ok(false) };
    Ok(object.is_instance(state.mapping.bind(py))? && object.is_truthy()?)
}
