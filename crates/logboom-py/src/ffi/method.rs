//! Native methods on classes written in Python, called by the interpreter without a detour.
//!
//! PyO3 cannot add methods to a class defined in Python. A method descriptor can
//! (`PyDescr_NewMethod`), and with the vectorcall-with-keywords convention the interpreter's
//! specialised call instruction calls it directly. Each trampoline borrows the arguments, makes the
//! [`Still`] of the call and fences panics: a log call never unwinds into the interpreter.

use super::calls;
use super::object::{Ref, Still};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{null, null_mut};

/// The arguments of one call, alive on the caller's stack until it returns.
#[derive(Clone, Copy)]
pub(crate) struct Call<'c> {
    /// The object the method was called on.
    pub(crate) this: Ref<'c>,
    /// The positional arguments.
    pub(crate) positional: &'c [Ref<'c>],
    /// Whether there are arguments by keyword.
    pub(crate) keywords: bool,
    raw: RawCall,
}

#[derive(Clone, Copy)]
struct RawCall {
    arguments: *const *mut ffi::PyObject,
    count: isize,
    names: *mut ffi::PyObject,
}

impl<'c> Call<'c> {
    /// The arguments by keyword: names and values.
    pub(crate) fn by_keyword(&self) -> impl Iterator<Item = (Ref<'c>, Ref<'c>)> {
        let RawCall { arguments, count, names } = self.raw;
        // SAFETY: the interpreter passes a tuple of names or null.
        let len = if names.is_null() { 0 } else { unsafe { ffi::PyTuple_GET_SIZE(names) } };
        (0..len).filter_map(move |at| {
            // SAFETY: the names are in the tuple, and the values behind the positional arguments; all
            // are alive until the call returns.
            unsafe {
                let name = Ref::from_ptr(ffi::PyTuple_GET_ITEM(names, at))?;
                Some((name, Ref::from_ptr(*arguments.offset(count + at))?))
            }
        })
    }

    /// Calls `function(this, *positional, **keywords)`.
    pub(crate) fn forward<'py>(
        &self,
        py: Python<'py>,
        function: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let argument = |at: usize| {
            // SAFETY: the vectorcall convention gives the positional arguments and behind them the
            // values of those by keyword, all alive.
            unsafe { Bound::from_borrowed_ptr(py, *self.raw.arguments.add(at)) }
        };
        let count = self.raw.count as usize;
        let this = std::iter::once(self.this.bound(py));
        let positional =
            PyTuple::new(py, this.chain((0..count).map(argument)).collect::<Vec<_>>())?;
        let keywords = PyDict::new(py);
        // SAFETY: the interpreter passes a tuple of names or null.
        if let Some(names) = unsafe { Bound::from_borrowed_ptr_or_opt(py, self.raw.names) } {
            for (at, name) in names.cast_into::<PyTuple>()?.iter().enumerate() {
                keywords.set_item(name, argument(count + at))?;
            }
        }
        calls::call_with_all(function, &positional, &keywords)
    }
}

/// What a native method does.
pub(crate) trait Native {
    /// The method's name.
    const NAME: &'static CStr;
    /// Its signature and help text, in the interpreter's form (`name($self, …)\n--\n\ntext`).
    const DOC: &'static CStr;

    /// Runs the call, as far as it can without the standard library.
    ///
    /// # Errors
    /// An exception that belongs to the caller.
    fn call(still: &mut Still<'_>, call: &Call<'_>) -> Result<Answer, Box<PyErr>>;

    /// Runs the standard library's own method; also in place of a call that panicked.
    ///
    /// # Errors
    /// What that raises.
    fn library<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Bound<'py, PyAny>>;
}

/// What a native method answers.
pub(crate) enum Answer {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// Whatever the standard library's own method does.
    Library,
}

/// # Safety
/// The interpreter calls it by the vectorcall-with-keywords convention of method descriptors.
unsafe extern "C" fn trampoline<N: Native>(
    this: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls attached threads only.
    let py = unsafe { Python::assume_attached() };
    let mut still = Still::new(py);
    // SAFETY: the interpreter keeps the object and the arguments alive for the length of the call;
    // `Ref` has the layout of a pointer that is not null.
    let call = unsafe {
        Call {
            this: Ref::from_ptr(this).unwrap_unchecked(),
            positional: if count == 0 {
                &[]
            } else {
                std::slice::from_raw_parts(arguments.cast(), count as usize)
            },
            keywords: !names.is_null() && ffi::PyTuple_GET_SIZE(names) > 0,
            raw: RawCall { arguments, count, names },
        }
    };
    let run = catch_unwind(AssertUnwindSafe(|| N::call(&mut still, &call)));
    match run {
        // SAFETY: only takes a new reference to an object that is always there.
        Ok(Ok(Answer::None)) => unsafe { ffi::Py_NewRef(ffi::Py_None()) },
        // SAFETY: as above.
        Ok(Ok(Answer::Bool(true))) => unsafe { ffi::Py_NewRef(ffi::Py_True()) },
        // SAFETY: as above.
        Ok(Ok(Answer::Bool(false))) => unsafe { ffi::Py_NewRef(ffi::Py_False()) },
        Ok(Err(error)) => {
            error.restore(py);
            null_mut()
        }
        Ok(Ok(Answer::Library)) | Err(_) => library::<N>(&mut still, &call),
    }
}

#[cold]
fn library<N: Native>(still: &mut Still<'_>, call: &Call<'_>) -> *mut ffi::PyObject {
    let py = still.python();
    match catch_unwind(AssertUnwindSafe(|| N::library(still, call))) {
        Ok(Ok(object)) => object.into_ptr(),
        Ok(Err(error)) => {
            error.restore(py);
            null_mut()
        }
        // The library's way may panic on the same thing; then there is nothing left to try.
        // SAFETY: only takes a new reference to an object that is always there.
        Err(_) => unsafe { ffi::Py_NewRef(ffi::Py_None()) },
    }
}

/// Makes the descriptor of `N` for `class`. It does not set it.
pub(crate) fn descriptor<'py, N: Native>(
    class: &Bound<'py, PyType>,
) -> PyResult<(Bound<'py, PyString>, Bound<'py, PyAny>)> {
    let definition = Box::new(ffi::PyMethodDef {
        ml_name: N::NAME.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: trampoline::<N> },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: if N::DOC.is_empty() { null() } else { N::DOC.as_ptr() },
    });
    // The interpreter keeps the address for as long as the descriptor lives: for ever.
    let definition = Box::leak(definition);
    let py = class.py();
    // SAFETY: attached; the class is alive and the definition never goes away.
    let made = unsafe {
        let made = ffi::PyDescr_NewMethod(class.as_type_ptr(), definition);
        Bound::from_owned_ptr_or_err(py, made)?
    };
    Ok((PyString::intern(py, &N::NAME.to_string_lossy()), made))
}
