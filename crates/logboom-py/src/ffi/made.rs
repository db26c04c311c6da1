//! Objects made without their class being asked, and what their dictionaries are.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;

/// A reference that is given up at once when it is dropped.
///
/// PyO3 does not know that the threads which call native methods are attached, so what is dropped there it
/// keeps for the next time that one attaches by its own means; where none does, that grows without end.
pub(crate) struct Held<T = PyAny> {
    object: ManuallyDrop<Py<T>>,
    /// Stays on its thread, which is attached: what runs without the GIL cannot be given one.
    stays: PhantomData<*mut ()>,
}

impl<T> Held<T> {
    pub(crate) fn new(object: Py<T>) -> Held<T> {
        Held { object: ManuallyDrop::new(object), stays: PhantomData }
    }
}

impl<T> std::ops::Deref for Held<T> {
    type Target = Py<T>;

    fn deref(&self) -> &Py<T> {
        &self.object
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        // SAFETY: made on an attached thread, and dropped on the same while that is in a native call; the
        // object is taken out once.
        unsafe { ManuallyDrop::take(&mut self.object).drop_ref(Python::assume_attached()) };
    }
}

/// Gives up the references that were dropped where PyO3 did not know that the thread is attached.
#[cold]
pub(crate) fn give_up_dropped() {
    // Not while the interpreter goes away.
    let _ = Python::try_attach(|_| ());
}

/// The attributes of an object as its dictionary, which is what `__dict__` gives of an object that does
/// not say otherwise; `None` where there is none.
#[inline]
pub(crate) fn attributes<'py>(object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyDict>> {
    // SAFETY: attached, and the object is alive; gives a new reference, or null with an error set.
    let dict = unsafe { ffi::PyObject_GenericGetDict(object.as_ptr(), std::ptr::null_mut()) };
    if dict.is_null() {
        // SAFETY: attached.
        unsafe { ffi::PyErr_Clear() };
        return None;
    }
    // SAFETY: a new reference.
    unsafe { Bound::from_owned_ptr(object.py(), dict) }.cast_into_exact().ok()
}

/// Whether `object.__new__` is how objects of a class are made, as they have a dictionary and nothing else.
pub(crate) fn is_made_plainly(class: &Bound<'_, PyType>) -> bool {
    let base = class.py().get_type::<PyAny>();
    // SAFETY: both classes are alive.
    unsafe {
        let (class, base) = (class.as_type_ptr(), base.as_type_ptr());
        let new = |class: *mut ffi::PyTypeObject| (*class).tp_new.map(|new| new as usize);
        let set = |class: *mut ffi::PyTypeObject| (*class).tp_setattro.map(|set| set as usize);
        new(class) == new(base)
            && set(class) == set(base)
            && (*class).tp_itemsize == 0
            && (*class).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE != 0
    }
}

#[cfg(Py_3_13)]
fn dict_name(py: Python<'_>) -> &Bound<'_, pyo3::types::PyString> {
    pyo3::intern!(py, "__dict__")
}

/// Has everything made now that would be made at its first use, without the GIL.
pub(crate) fn make_ready(py: Python<'_>) {
    #[cfg(Py_3_13)]
    dict_name(py);
    let _unused_elsewhere = py;
}

/// An object of a class of which [`is_made_plainly`] is true, with these attributes.
///
/// # Errors
/// If there is no memory, or the class has no room for a dictionary.
#[inline]
pub(crate) fn with_attributes<'py>(
    class: &Bound<'py, PyType>,
    attributes: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = class.py();
    // SAFETY: attached; what `object.__new__` does for a class that is not abstract. The dictionary is
    // one, and the object takes a reference of its own to it.
    unsafe {
        let object = ffi::PyType_GenericAlloc(class.as_type_ptr(), 0);
        let object = Bound::from_owned_ptr_or_err(py, object)?;
        match set_attributes(&object, attributes) {
            true => Ok(object),
            false => Err(PyErr::take(py)
                .unwrap_or_else(|| PyTypeError::new_err("the object has no dictionary"))),
        }
    }
}

/// # Safety
/// The object was just made, and nobody else knows of it.
#[inline]
unsafe fn set_attributes(object: &Bound<'_, PyAny>, attributes: &Bound<'_, PyDict>) -> bool {
    // From 3.13 on the object may keep attributes in itself, which only its class's own setter undoes
    // (CPython `Objects/typeobject.c`, `subtype_setdict`).
    #[cfg(Py_3_13)]
    return {
        let name = dict_name(object.py());
        // SAFETY: attached, and all are alive.
        unsafe { ffi::PyObject_SetAttr(object.as_ptr(), name.as_ptr(), attributes.as_ptr()) == 0 }
    };
    #[cfg(not(Py_3_13))]
    // SAFETY: attached; both are alive, and the one is a dictionary.
    return unsafe {
        ffi::PyObject_GenericSetDict(object.as_ptr(), attributes.as_ptr(), std::ptr::null_mut())
            == 0
    };
}
