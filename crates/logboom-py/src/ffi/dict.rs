//! Dictionaries: look-ups without running code, and whether one is still what it was.
//!
//! Up to 3.11 each dictionary carries a number that changes with every change of it and is given to
//! no other dictionary (PEP 509). From 3.12 on, a watched dictionary tells its changes (CPython
//! `Doc/c-api/dict.rst`, `PyDict_AddWatcher`), and they are counted here, for each by itself. A
//! dictionary is watched for as long as there is a stamp of it.

use super::object::{Ref, Still};
use super::paving::Paving;
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

    /// Whether this is the same text.
    pub(crate) fn is(&self, still: &Still<'_>, name: Ref<'_>) -> bool {
        let own = Ref::from_py(still, &self.object);
        name.is(&self.object) || own.exact_str().is_some_and(|own| name.exact_str() == Some(own))
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

#[cfg(not(Py_3_12))]
mod version {
    use super::*;

    /// What tells the changes of a dictionary, without holding it.
    #[derive(Clone)]
    pub(in super::super) struct Version;

    impl Version {
        pub(in super::super) fn of(_: &Bound<'_, PyDict>) -> PyResult<Version> {
            Ok(Version)
        }

        /// A number that changes with every change of the dictionary.
        ///
        /// # Safety
        /// `dict` is alive, and a dict.
        #[inline]
        pub(in super::super) unsafe fn now(&self, dict: *mut ffi::PyObject) -> u64 {
            // SAFETY: by the caller.
            unsafe { (*dict.cast::<ffi::PyDictObject>()).ma_version_tag }
        }

        /// Where the number of a dictionary lies.
        pub(in super::super) fn place(&self, dict: *mut ffi::PyObject) -> *const u64 {
            dict.cast::<ffi::PyDictObject>()
                .wrapping_byte_add(std::mem::offset_of!(ffi::PyDictObject, ma_version_tag))
                .cast()
        }
    }
}

#[cfg(Py_3_12)]
mod version {
    use super::*;
    use std::collections::HashMap;
    use std::ffi::c_int;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

    type Object = *mut ffi::PyObject;

    unsafe extern "C" {
        fn PyDict_AddWatcher(
            callback: unsafe extern "C" fn(c_int, Object, Object, Object) -> c_int,
        ) -> c_int;
    }

    /// `PyDict_EVENT_DEALLOCATED`: the last event of a dictionary.
    const DEALLOCATED: c_int = 5;

    /// How often each watched dictionary has changed, by its address. No code of Python's runs while
    /// the lock is held.
    type Counts = HashMap<usize, Arc<AtomicU64>>;

    static COUNTS: Mutex<Option<Counts>> = Mutex::new(None);

    fn counts() -> MutexGuard<'static, Option<Counts>> {
        COUNTS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    unsafe extern "C" fn changed(event: c_int, dict: Object, _: Object, _: Object) -> c_int {
        let mut counts = counts();
        if let Some(counts) = counts.as_mut() {
            if let Some(count) = counts.get(&(dict as usize)) {
                count.fetch_add(1, Ordering::Relaxed);
            }
            if event == DEALLOCATED {
                counts.remove(&(dict as usize));
            }
        }
        0
    }

    fn watcher() -> c_int {
        static WATCHER: OnceLock<c_int> = OnceLock::new();
        *WATCHER.get_or_init(|| {
            // SAFETY: attached, as whoever watches is; the callback has the asked signature and lives
            // for ever.
            unsafe { PyDict_AddWatcher(changed) }
        })
    }

    /// What tells the changes of a dictionary, without holding it. Its end is a change.
    #[derive(Clone)]
    pub(in super::super) struct Version {
        dict: usize,
        count: Arc<AtomicU64>,
    }

    impl Version {
        pub(in super::super) fn of(dict: &Bound<'_, PyDict>) -> PyResult<Version> {
            // SAFETY: attached, and it is a dict; an id below zero is refused with an error.
            if unsafe { ffi::PyDict_Watch(watcher(), dict.as_ptr()) } < 0 {
                return Err(PyErr::fetch(dict.py()));
            }
            let dict = dict.as_ptr() as usize;
            let count = Arc::clone(counts().get_or_insert_default().entry(dict).or_default());
            Ok(Version { dict, count })
        }

        /// A number that changes with every change of the dictionary.
        ///
        /// # Safety
        /// None needed on this version of the interpreter.
        #[inline]
        pub(in super::super) unsafe fn now(&self, _: Object) -> u64 {
            self.count.load(Ordering::Relaxed)
        }

        /// Where the number lies.
        pub(in super::super) fn place(&self, _: Object) -> *const u64 {
            Arc::as_ptr(&self.count).cast()
        }
    }

    impl Drop for Version {
        fn drop(&mut self) {
            let mut counts = counts();
            let Some(counts) = counts.as_mut() else { return };
            // The table has this one only while the dictionary lives; the other is ours.
            if counts.get(&self.dict).is_some_and(|count| Arc::ptr_eq(count, &self.count))
                && Arc::strong_count(&self.count) == 2
            {
                counts.remove(&self.dict);
                // SAFETY: what watches lies in Python objects and in slots that only attached threads
                // change, so this thread is attached; the dictionary is alive, and was watched.
                unsafe { ffi::PyDict_Unwatch(watcher(), self.dict as Object) };
            }
        }
    }
}

pub(super) use version::Version;

/// A dictionary with a number that changes with every change of it. Holds it.
pub(crate) struct Watched {
    version: Version,
    dict: Py<PyDict>,
}

impl Watched {
    pub(crate) fn new(dict: &Bound<'_, PyDict>) -> PyResult<Watched> {
        Ok(Watched { version: Version::of(dict)?, dict: dict.clone().unbind() })
    }

    /// The number now.
    #[inline]
    pub(crate) fn version(&self, _: &Still<'_>) -> u64 {
        // SAFETY: a dict, which is held.
        unsafe { self.version.now(self.dict.as_ptr()) }
    }

    /// Guards that the number is what it is now; the dictionary is one that is the same.
    pub(crate) fn guard(&self, paving: &mut Paving<'_>) -> Option<()> {
        paving.has_same(self.dict.as_ptr())?;
        // SAFETY: so it is alive, and dictionaries stay dictionaries.
        unsafe { paving.version(&self.version, self.dict.as_ptr()) }
    }

    /// The dictionary.
    #[inline]
    pub(crate) fn dict<'s>(&'s self, still: &'s Still<'_>) -> Ref<'s> {
        Ref::from_py(still, self.dict.as_any())
    }
}

/// A dictionary at one moment.
pub(crate) struct DictStamp {
    watched: Watched,
    version: u64,
}

impl DictStamp {
    pub(crate) fn of(dict: &Bound<'_, PyDict>) -> PyResult<DictStamp> {
        let watched = Watched::new(dict)?;
        let version = watched.version(&Still::new(dict.py()));
        Ok(DictStamp { watched, version })
    }

    /// Whether it is as it was.
    #[inline]
    pub(crate) fn holds(&self, still: &Still<'_>) -> bool {
        self.watched.version(still) == self.version
    }
}

/// The attributes of an object as a dictionary whose changes are told.
///
/// From 3.13 on, attributes may lie in the object itself, its dictionary only showing them, and a
/// change of one is told to no watcher (CPython `Objects/dictobject.c`,
/// `store_instance_attr_lock_held`). An object that is given its own dictionary anew keeps them in that
/// one from then on (`_PyObject_SetManagedDict`, `_PyDict_DetachFromObject`).
pub(crate) fn of_attributes<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let name = pyo3::intern!(object.py(), "__dict__");
    let dict = object.getattr(name)?.cast_into::<PyDict>()?;
    if cfg!(Py_3_13) {
        object.setattr(name, &dict)?;
    }
    Ok(dict)
}

/// Stamps of several dictionaries.
pub(crate) struct Stamps<const N: usize>([DictStamp; N]);

impl<const N: usize> Stamps<N> {
    pub(crate) fn of(dicts: [&Bound<'_, PyDict>; N]) -> PyResult<Self> {
        let stamps = dicts.into_iter().map(DictStamp::of).collect::<PyResult<Vec<_>>>()?;
        match stamps.try_into() {
            Ok(stamps) => Ok(Stamps(stamps)),
            Err(_) => unreachable!("one was made for each of them"),
        }
    }

    /// Whether all are as they were.
    #[inline]
    pub(crate) fn hold(&self, still: &Still<'_>) -> bool {
        self.0.iter().all(|stamp| stamp.holds(still))
    }
}
