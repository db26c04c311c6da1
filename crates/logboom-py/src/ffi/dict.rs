//! Dictionaries: look-ups without running code, and whether one is still what it was.
//!
//! Up to 3.11 each dictionary carries a number that changes with every change of it and is given to
//! no other dictionary (PEP 509). From 3.12 on, a watched dictionary tells its changes (CPython
//! `Doc/c-api/dict.rst`, `PyDict_AddWatcher`); ours count them in one number for all.

use super::object::{Ref, Still};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

unsafe extern "C" {
    fn _PyDict_GetItem_KnownHash(
        dict: *mut ffi::PyObject,
        key: *mut ffi::PyObject,
        hash: ffi::Py_hash_t,
    ) -> *mut ffi::PyObject;
}

/// A key with its hash, which exact strings and small integers never change.
pub(crate) struct Key {
    object: Py<PyAny>,
    hash: ffi::Py_hash_t,
}

impl Key {
    pub(crate) fn text(py: Python<'_>, text: &str) -> PyResult<Key> {
        Self::of(PyString::intern(py, text).into_any())
    }

    pub(crate) fn int(py: Python<'_>, value: i32) -> PyResult<Key> {
        Self::of(value.into_pyobject(py)?.into_any())
    }

    fn of(object: Bound<'_, PyAny>) -> PyResult<Key> {
        let hash = object.hash()?;
        Ok(Key { object: object.unbind(), hash })
    }
}

/// What an object whose type is exactly `dict` has under `key`; `None` also for other objects.
///
/// No Python code runs: `key` is an exact `str` or `int`, and a dictionary whose keys are of other
/// types is not one this module is asked about (attribute dictionaries and `Logger._cache`).
#[inline]
pub(crate) fn get<'s>(_: &'s Still<'_>, dict: Ref<'_>, key: &Key) -> Option<Ref<'s>> {
    // SAFETY: the object is alive.
    if unsafe { ffi::PyDict_CheckExact(dict.as_ptr()) } == 0 {
        return None;
    }
    // SAFETY: it is a dict, the key is alive and this is its hash; the result is borrowed from the
    // dict, which keeps it while no Python code runs.
    unsafe {
        let found = _PyDict_GetItem_KnownHash(dict.as_ptr(), key.object.as_ptr(), key.hash);
        if found.is_null() {
            ffi::PyErr_Clear();
        }
        Ref::from_ptr(found)
    }
}

/// A dictionary that is kept alive, so that a [`DictStamp`] of it cannot speak of another one.
pub(crate) struct Kept(#[allow(dead_code, reason = "held, not read")] Py<PyDict>);

#[cfg(not(Py_3_12))]
mod stamp {
    use super::*;

    /// A dictionary at one moment. Good only while the [`Kept`] it came with is held.
    #[derive(Clone, Copy)]
    pub(crate) struct DictStamp {
        dict: *mut ffi::PyDictObject,
        version: u64,
    }

    // SAFETY: the address is followed only with the GIL, which `holds` asks a proof of.
    unsafe impl Send for DictStamp {}
    // SAFETY: as above.
    unsafe impl Sync for DictStamp {}

    impl DictStamp {
        pub(crate) fn of(dict: &Bound<'_, PyDict>) -> PyResult<(DictStamp, Kept)> {
            let kept = Kept(dict.clone().unbind());
            let dict = dict.as_ptr().cast::<ffi::PyDictObject>();
            // SAFETY: it is a dict.
            let version = unsafe { (*dict).ma_version_tag };
            Ok((DictStamp { dict, version }, kept))
        }

        /// Whether it is as it was.
        ///
        /// # Safety
        /// The [`Kept`] that came with the stamp is held.
        #[inline]
        pub(super) unsafe fn unchanged(self) -> bool {
            // SAFETY: by the caller, the dict is alive.
            unsafe { (*self.dict).ma_version_tag == self.version }
        }
    }
}

#[cfg(Py_3_12)]
mod stamp {
    use super::*;
    use std::ffi::c_int;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    unsafe extern "C" {
        fn PyDict_AddWatcher(
            callback: unsafe extern "C" fn(
                c_int,
                *mut ffi::PyObject,
                *mut ffi::PyObject,
                *mut ffi::PyObject,
            ) -> c_int,
        ) -> c_int;
    }

    static CHANGES: AtomicU64 = AtomicU64::new(0);
    static WATCHER: OnceLock<c_int> = OnceLock::new();

    /// `PyDict_EVENT_DEALLOCATED`. It tells nothing of a dictionary that a [`Kept`] holds, and others
    /// go while what came after them is good: counted, each look would make the next one void.
    const DEALLOCATED: c_int = 5;

    unsafe extern "C" fn changed(
        event: c_int,
        _dict: *mut ffi::PyObject,
        _key: *mut ffi::PyObject,
        _value: *mut ffi::PyObject,
    ) -> c_int {
        if event != DEALLOCATED {
            CHANGES.fetch_add(1, Ordering::Relaxed);
        }
        0
    }

    /// All watched dictionaries at one moment.
    #[derive(Clone, Copy)]
    pub(crate) struct DictStamp(u64);

    impl DictStamp {
        pub(crate) fn of(dict: &Bound<'_, PyDict>) -> PyResult<(DictStamp, Kept)> {
            let watcher = *WATCHER.get_or_init(|| {
                // SAFETY: attached; the callback has the asked signature and lives for ever.
                unsafe { PyDict_AddWatcher(changed) }
            });
            // SAFETY: attached, and it is a dict; an id below zero is refused with an error.
            if unsafe { ffi::PyDict_Watch(watcher, dict.as_ptr()) } < 0 {
                return Err(PyErr::fetch(dict.py()));
            }
            let stamp = DictStamp(CHANGES.load(Ordering::Relaxed));
            Ok((stamp, Kept(dict.clone().unbind())))
        }

        /// Whether no watched dictionary has changed since.
        ///
        /// # Safety
        /// None needed on this version of the interpreter.
        #[inline]
        pub(super) unsafe fn unchanged(self) -> bool {
            CHANGES.load(Ordering::Relaxed) == self.0
        }
    }
}

pub(crate) use stamp::DictStamp;

/// The attributes of an object as a dictionary whose changes are told.
///
/// From 3.13 on, attributes may lie in the object itself, its dictionary only showing them, and a
/// change of one is told to no watcher (CPython `Objects/dictobject.c`,
/// `store_instance_attr_lock_held`). Then the object gets a dictionary of its own with the same
/// content.
pub(crate) fn of_attributes<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let name = pyo3::intern!(object.py(), "__dict__");
    let dict = object.getattr(name)?.cast_into::<PyDict>()?;
    if cfg!(not(Py_3_13)) {
        return Ok(dict);
    }
    object.setattr(name, dict.copy()?)?;
    Ok(object.getattr(name)?.cast_into::<PyDict>()?)
}

/// Stamps of several dictionaries, and the dictionaries.
pub(crate) struct Stamps<const N: usize> {
    stamps: [DictStamp; N],
    _kept: [Kept; N],
}

impl<const N: usize> Stamps<N> {
    pub(crate) fn of(dicts: [&Bound<'_, PyDict>; N]) -> PyResult<Self> {
        let mut kept = Vec::with_capacity(N);
        // All are watched before the first stamp is taken to be good.
        for dict in dicts {
            kept.push(DictStamp::of(dict)?.1);
        }
        let mut stamps = Vec::with_capacity(N);
        for dict in dicts {
            stamps.push(DictStamp::of(dict)?.0);
        }
        let (Ok(stamps), Ok(_kept)) = (stamps.try_into(), kept.try_into()) else {
            unreachable!("both were filled from an array of this length")
        };
        Ok(Stamps { stamps, _kept })
    }

    /// Whether all are as they were.
    #[inline]
    pub(crate) fn hold(&self, _: &Still<'_>) -> bool {
        // SAFETY: `_kept` holds each dictionary.
        self.stamps.iter().all(|stamp| unsafe { stamp.unchanged() })
    }
}
