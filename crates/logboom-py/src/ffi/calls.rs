//! Calls of Python code in which the thread may end.
//!
//! A daemon thread that asks for the GIL while the interpreter goes away is ended there, in the middle of
//! whatever called (before 3.14 by `pthread_exit`, which unwinds through all its frames). Those of Rust
//! cannot be unwound so, and PyO3's own calls do not expect it: the process aborts. So what runs a
//! program's code on each record is called from here, where the thread stops instead, as PyO3 has it do
//! when it asks for the GIL itself.
//!
//! PyO3 declares the interpreter's functions as ones that never unwind, and a program has one declaration
//! of a function. So they are called by an address of which the compiler knows nothing.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::hint::black_box;
use std::mem::transmute;

type Object = *mut ffi::PyObject;
type One = unsafe extern "C-unwind" fn(Object) -> Object;
type Two = unsafe extern "C-unwind" fn(Object, Object) -> Object;
type Three = unsafe extern "C-unwind" fn(Object, Object, Object) -> Object;
type Vector = unsafe extern "C-unwind" fn(Object, *const Object, usize, Object) -> Object;

/// Stops the thread where it would be unwound.
struct Ending;

impl Drop for Ending {
    fn drop(&mut self) {
        loop {
            std::thread::park();
        }
    }
}

/// Runs a call that gives a new reference, or null with an exception set.
///
/// # Safety
/// That is what `run` does.
#[inline]
unsafe fn guarded<'py>(
    py: Python<'py>,
    run: impl FnOnce() -> Object,
) -> PyResult<Bound<'py, PyAny>> {
    let ending = Ending;
    let result = run();
    std::mem::forget(ending);
    // SAFETY: by the caller.
    unsafe { Bound::from_owned_ptr_or_err(py, result) }
}

/// Calls a function by an address that is one.
macro_rules! by_address {
    ($function:ident as $type:ty, $($argument:expr),*) => {{
        let address = black_box(ffi::$function as *const ());
        // SAFETY: the address of a function that takes and gives what the type says; that it may unwind is
        // said of it in addition.
        let function = unsafe { transmute::<*const (), $type>(address) };
        // SAFETY: by the caller of the macro.
        unsafe { function($($argument),*) }
    }};
}

/// `function()`.
///
/// # Errors
/// What that raises.
#[inline]
pub(crate) fn call<'py>(function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    vector(function, &[])
}

/// `function(argument)`.
///
/// # Errors
/// What that raises.
#[inline]
pub(crate) fn call_with<'py>(
    function: &Bound<'py, PyAny>,
    argument: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    vector(function, &[argument.as_ptr()])
}

#[inline]
fn vector<'py>(function: &Bound<'py, PyAny>, all: &[Object]) -> PyResult<Bound<'py, PyAny>> {
    let (from, count, none) = (all.as_ptr(), all.len(), std::ptr::null_mut());
    let run =
        || by_address!(PyObject_VectorcallDict as Vector, function.as_ptr(), from, count, none);
    // SAFETY: attached, and all that is passed is alive.
    unsafe { guarded(function.py(), run) }
}

/// `object.name()`.
///
/// # Errors
/// What that raises.
#[inline]
pub(crate) fn method<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    vector_method(object.py(), name, &[object.as_ptr()])
}

/// `object.name(argument)`.
///
/// # Errors
/// What that raises.
#[inline]
pub(crate) fn method_with<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    argument: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    vector_method(object.py(), name, &[object.as_ptr(), argument.as_ptr()])
}

#[inline]
fn vector_method<'py>(
    py: Python<'py>,
    name: &Bound<'py, PyString>,
    all: &[Object],
) -> PyResult<Bound<'py, PyAny>> {
    let (from, count, none) = (all.as_ptr(), all.len(), std::ptr::null_mut());
    let run = || by_address!(PyObject_VectorcallMethod as Vector, name.as_ptr(), from, count, none);
    // SAFETY: attached, and all that is passed is alive; the object is the first of it.
    unsafe { guarded(py, run) }
}

/// `function(*positional, **keywords)`.
///
/// # Errors
/// What that raises.
pub(crate) fn call_with_all<'py>(
    function: &Bound<'py, PyAny>,
    positional: &Bound<'py, pyo3::types::PyTuple>,
    keywords: &Bound<'py, pyo3::types::PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let (first, second, third) = (function.as_ptr(), positional.as_ptr(), keywords.as_ptr());
    let run = || by_address!(PyObject_Call as Three, first, second, third);
    // SAFETY: attached, and all are alive and of the types that are asked for.
    unsafe { guarded(function.py(), run) }
}

/// `left % right`.
///
/// # Errors
/// What that raises.
#[inline]
pub(crate) fn remainder<'py>(
    left: &Bound<'py, PyAny>,
    right: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let run = || by_address!(PyNumber_Remainder as Two, left.as_ptr(), right.as_ptr());
    // SAFETY: attached, and both are alive.
    unsafe { guarded(left.py(), run) }
}

/// `str(object)`.
///
/// # Errors
/// What that raises.
#[inline]
pub(crate) fn text<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    let run = || by_address!(PyObject_Str as One, object.as_ptr());
    // SAFETY: attached, and it is alive.
    let text = unsafe { guarded(object.py(), run) };
    Ok(text?.cast_into()?)
}
