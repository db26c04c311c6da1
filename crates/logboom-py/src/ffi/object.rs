//! Borrowed references, and the witness that they are still good.

use pyo3::PyClass;
use pyo3::ffi;
use pyo3::prelude::*;
use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The witness that no Python code has run since it was last lent out exclusively.
pub(crate) struct Still<'py>(Python<'py>);

impl<'py> Still<'py> {
    pub(crate) fn new(py: Python<'py>) -> Self {
        Still(py)
    }

    /// The token with which Python code can be run. Whatever was borrowed is gone by then.
    pub(crate) fn python(&mut self) -> Python<'py> {
        self.0
    }

    /// The token, for what runs no Python code.
    pub(super) fn attached(&self) -> Python<'py> {
        self.0
    }
}

/// An object borrowed for as long as no Python code runs, or for the length of a call of which it
/// is an argument.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ref<'s> {
    ptr: NonNull<ffi::PyObject>,
    life: PhantomData<&'s ()>,
}

impl<'s> Ref<'s> {
    /// # Safety
    /// `ptr` is null, or an object that lives for `'s`; the thread is attached for `'s`.
    pub(super) unsafe fn from_ptr(ptr: *mut ffi::PyObject) -> Option<Self> {
        NonNull::new(ptr).map(|ptr| Ref { ptr, life: PhantomData })
    }

    /// An object that somebody else keeps alive.
    pub(crate) fn from_bound(object: &'s Bound<'_, PyAny>) -> Self {
        // SAFETY: a `Bound` is never null.
        Ref { ptr: unsafe { NonNull::new_unchecked(object.as_ptr()) }, life: PhantomData }
    }

    /// An object that somebody else keeps alive.
    pub(crate) fn from_py(_: &'s Still<'_>, object: &'s Py<PyAny>) -> Self {
        // SAFETY: a `Py` is never null.
        Ref { ptr: unsafe { NonNull::new_unchecked(object.as_ptr()) }, life: PhantomData }
    }

    pub(crate) fn as_ptr(self) -> *mut ffi::PyObject {
        self.ptr.as_ptr()
    }

    /// What tells this object from every other one that lives at the same time.
    pub(crate) fn address(self) -> usize {
        self.as_ptr() as usize
    }

    pub(crate) fn is(self, other: &Py<PyAny>) -> bool {
        self.as_ptr() == other.as_ptr()
    }

    pub(crate) fn is_none(self) -> bool {
        // SAFETY: `Py_None` only takes an address.
        self.as_ptr() == unsafe { ffi::Py_None() }
    }

    /// A reference of its own.
    pub(crate) fn bound<'py>(self, py: Python<'py>) -> Bound<'py, PyAny> {
        // SAFETY: the object lives for `'s`, which has not ended.
        unsafe { Bound::from_borrowed_ptr(py, self.as_ptr()) }
    }

    pub(crate) fn type_ptr(self) -> *mut ffi::PyTypeObject {
        // SAFETY: every live object has a type.
        unsafe { ffi::Py_TYPE(self.as_ptr()) }
    }

    /// The truth of `True`, `False` and exact integers; `None` for whatever would have to be asked.
    #[inline]
    pub(crate) fn plain_truth(self) -> Option<bool> {
        self.exact_bool().or_else(|| self.exact_i64().map(|value| value != 0))
    }

    /// The value of an object whose type is exactly `int` and that fits.
    pub(crate) fn exact_i64(self) -> Option<i64> {
        // SAFETY: the object is alive.
        if unsafe { ffi::PyLong_CheckExact(self.as_ptr()) } == 0 {
            return None;
        }
        let mut overflow = 0;
        // SAFETY: it is an exact int, so no `__index__` runs and no error is set.
        let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(self.as_ptr(), &mut overflow) };
        (overflow == 0).then_some(value)
    }

    /// The items of an object whose type is exactly `list`, at this moment.
    pub(crate) fn exact_list(self) -> Option<&'s [Ref<'s>]> {
        // SAFETY: the object is alive.
        if unsafe { ffi::PyList_CheckExact(self.as_ptr()) } == 0 {
            return None;
        }
        // SAFETY: it is a list; its length is never negative.
        let len = unsafe { ffi::PyList_GET_SIZE(self.as_ptr()) } as usize;
        if len == 0 {
            return Some(&[]);
        }
        let list = self.as_ptr().cast::<ffi::PyListObject>();
        // SAFETY: it is a list.
        let items = unsafe { (*list).ob_item }.cast::<Ref<'s>>();
        // SAFETY: a list of `len` items holds `len` pointers that are not null, which `Ref` has the
        // layout of; nobody changes the list while no Python code runs.
        Some(unsafe { std::slice::from_raw_parts(items, len) })
    }

    /// The text of an object whose type is exactly `str`, `Err` for lone surrogates. Text beyond
    /// ASCII is encoded once and kept by the interpreter with the object.
    #[inline]
    pub(crate) fn exact_str(self) -> Option<Result<&'s str, ()>> {
        // SAFETY: the object is alive.
        if unsafe { ffi::PyUnicode_CheckExact(self.as_ptr()) } == 0 {
            return None;
        }
        match self.ascii_str() {
            Some(text) => Some(Ok(text)),
            None => self.encoded_str(),
        }
    }

    /// The text of an object whose type is exactly `str`, if it has ASCII characters only.
    #[inline(always)]
    pub(crate) fn ascii_str(self) -> Option<&'s str> {
        // SAFETY: the object is alive, and a str where that is asked of it.
        let is_ascii = unsafe {
            ffi::PyUnicode_CheckExact(self.as_ptr()) != 0
                && ffi::PyUnicode_IS_COMPACT_ASCII(self.as_ptr()) != 0
        };
        // SAFETY: a compact str of ASCII characters has this many bytes behind its header.
        is_ascii.then(|| unsafe {
            let len = ffi::PyUnicode_GET_LENGTH(self.as_ptr()) as usize;
            let bytes = ffi::PyUnicode_1BYTE_DATA(self.as_ptr());
            std::str::from_utf8_unchecked(std::slice::from_raw_parts(bytes, len))
        })
    }

    /// The text of a str, encoded by the interpreter.
    #[cold]
    fn encoded_str(self) -> Option<Result<&'s str, ()>> {
        let mut len: ffi::Py_ssize_t = 0;
        // SAFETY: it is a str.
        let bytes = unsafe { ffi::PyUnicode_AsUTF8AndSize(self.as_ptr(), &mut len) };
        if bytes.is_null() {
            // SAFETY: attached; the error was just set by the call above.
            unsafe { ffi::PyErr_Clear() };
            return Some(Err(()));
        }
        // SAFETY: the call gave the address and length of bytes that live as long as the object.
        let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), len as usize) };
        // SAFETY: the interpreter vouches for UTF-8.
        Some(Ok(unsafe { std::str::from_utf8_unchecked(bytes) }))
    }

    /// The value of an object whose type is exactly `float`.
    pub(crate) fn exact_f64(self) -> Option<f64> {
        // SAFETY: the object is alive.
        if unsafe { ffi::PyFloat_CheckExact(self.as_ptr()) } == 0 {
            return None;
        }
        // SAFETY: it is a float.
        Some(unsafe { ffi::PyFloat_AS_DOUBLE(self.as_ptr()) })
    }

    /// The native object behind an object whose class is exactly `T`.
    #[inline]
    pub(crate) fn native<T>(self, class: &'static NativeClass<T>) -> Option<&'s T>
    where
        T: PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Sync,
    {
        if self.type_ptr().cast::<()>() != class.ptr.load(Ordering::Relaxed) {
            return None;
        }
        // SAFETY: only reached with objects of a live interpreter, on an attached thread.
        let py = unsafe { Python::assume_attached() };
        // SAFETY: the object is alive for `'s` and its class is `T`.
        let object = unsafe { Borrowed::from_ptr(py, self.as_ptr()).cast_unchecked::<T>() };
        let native: *const T = object.get();
        // SAFETY: a frozen class hands out shared references for as long as the object lives.
        Some(unsafe { &*native })
    }

    /// The value of `True` and `False`.
    #[inline]
    pub(crate) fn exact_bool(self) -> Option<bool> {
        // SAFETY: both only take an address.
        let (yes, no) = unsafe { (ffi::Py_True(), ffi::Py_False()) };
        (self.as_ptr() == yes || self.as_ptr() == no).then_some(self.as_ptr() == yes)
    }
}

/// The class object of a native class, to compare with.
pub(crate) struct NativeClass<T> {
    ptr: AtomicPtr<()>,
    class: PhantomData<fn() -> T>,
}

impl<T: pyo3::PyTypeInfo> NativeClass<T> {
    pub(crate) const fn unknown() -> Self {
        NativeClass { ptr: AtomicPtr::new(std::ptr::null_mut()), class: PhantomData }
    }

    /// To be called when the module is made.
    pub(crate) fn learn(&self, py: Python<'_>) {
        self.ptr.store(T::type_object_raw(py).cast(), Ordering::Relaxed);
    }
}

/// A place for what only the thread with the GIL touches.
#[repr(transparent)]
pub(crate) struct GilCell<T>(Cell<T>);

// SAFETY: `get` and `set` take a `Still`, which only a thread that holds the GIL has; the module is
// not declared to run without a GIL, so a free-threaded interpreter turns its GIL on.
unsafe impl<T: Send> Sync for GilCell<T> {}

impl<T: Copy> GilCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        GilCell(Cell::new(value))
    }

    #[inline]
    pub(crate) fn get(&self, _: &Still<'_>) -> T {
        self.0.get()
    }

    #[inline]
    pub(crate) fn set(&self, _: &Still<'_>, value: T) {
        self.0.set(value);
    }
}

/// A place for one owned value that only the thread with the GIL touches.
pub(crate) struct GilSlot<T>(UnsafeCell<Option<T>>);

// SAFETY: as for `GilCell`.
unsafe impl<T: Send> Sync for GilSlot<T> {}

impl<T> GilSlot<T> {
    pub(crate) const fn empty() -> Self {
        GilSlot(UnsafeCell::new(None))
    }

    #[inline]
    pub(crate) fn get<'s>(&'s self, _: &'s Still<'_>) -> Option<&'s T> {
        // SAFETY: the value is replaced only by `set`, which takes the `Still` exclusively; a `Still`
        // of another call exists only while Python code runs, and then this borrow is over.
        unsafe { (*self.0.get()).as_ref() }
    }

    /// What was there, and nothing is any more.
    pub(crate) fn take(&self, _: &mut Still<'_>) -> Option<T> {
        // SAFETY: as for `get`; the exclusive `Still` rules out borrows of the value.
        unsafe { (*self.0.get()).take() }
    }

    pub(crate) fn set(&self, still: &mut Still<'_>, value: Option<T>) {
        // SAFETY: as for `get`; the exclusive `Still` rules out borrows of the old value.
        let old = unsafe { std::mem::replace(&mut *self.0.get(), value) };
        // Only now, with the new value in place: dropping may run Python code.
        let _ = still.python();
        drop(old);
    }
}

/// A reference of its own to a borrowed object, which ends the borrow.
pub(crate) fn own(object: Ref<'_>) -> Py<PyAny> {
    // SAFETY: only reached with objects of a live interpreter, on an attached thread.
    let py = unsafe { Python::assume_attached() };
    object.bound(py).unbind()
}

/// A value that any thread may read at any time, so that what was put in once is never freed.
pub(crate) struct Forever<T>(AtomicPtr<T>);

impl<T: Send + Sync + 'static> Forever<T> {
    pub(crate) const fn empty() -> Self {
        Forever(AtomicPtr::new(std::ptr::null_mut()))
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&'static T> {
        // SAFETY: null, or from a box that `put` leaked.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }

    pub(crate) fn put(&self, value: T) {
        self.0.store(Box::into_raw(Box::new(value)), Ordering::Release);
    }
}
