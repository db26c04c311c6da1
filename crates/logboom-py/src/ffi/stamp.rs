//! Whether an object is still what it was: its class, and every attribute it has of its own.
//!
//! A stamp holds nothing. It is asked about an object that is alive; if that is at the address of the
//! one it was made of, and has a dictionary in the very state of then, it is that one: no dictionary is
//! ever in a state that another one was in (see [`super::dict`]). And what a dictionary had in that
//! state it still holds.

use super::dict::{self, Key, Version};
use super::guard::{ClassStamp, dict_place};
use super::object::{Ref, Still};
use super::paving::Paving;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// An object at one moment, and what it had under `N` names.
pub(crate) struct ObjectStamp<const N: usize = 0> {
    object: usize,
    class: ClassStamp,
    /// Where the object has its dictionary; good while its class is this one.
    place: *const *mut ffi::PyObject,
    dict: usize,
    version: Version,
    then: u64,
    values: [*mut ffi::PyObject; N],
}

// SAFETY: addresses are followed only with the proof that this thread is attached.
unsafe impl<const N: usize> Send for ObjectStamp<N> {}
// SAFETY: as above.
unsafe impl<const N: usize> Sync for ObjectStamp<N> {}

/// What an object that is as it was has under the names of its stamp.
#[derive(Clone, Copy)]
pub(crate) struct Values<'s, const N: usize>(&'s [*mut ffi::PyObject; N]);

impl<'s, const N: usize> Values<'s, N> {
    /// What it has under the name at this place; `None` for nothing.
    #[inline]
    pub(crate) fn get(self, at: usize) -> Option<Ref<'s>> {
        // SAFETY: made for an object whose dictionary is as it was when it held these, and nobody
        // changes it while no Python code runs.
        unsafe { Ref::from_ptr(self.0[at]) }
    }
}

impl<const N: usize> ObjectStamp<N> {
    /// A stamp, and the attributes that it vouches for; read them after this.
    ///
    /// # Errors
    /// `TypeError` for an object that has no dictionary, `RuntimeError` where the interpreter has no
    /// version tags left for classes.
    pub(crate) fn of<'py>(
        object: &Bound<'py, PyAny>,
        names: [&Key; N],
    ) -> PyResult<(Self, Bound<'py, PyDict>)> {
        let class = ClassStamp::of_class(&object.get_type())
            .ok_or_else(|| PyRuntimeError::new_err("the interpreter is out of version tags"))?;
        let attributes = dict::of_attributes(object)?;
        let version = Version::of(&attributes)?;
        let place = dict_place(Ref::from_bound(object));
        // SAFETY: not null, it is a place inside the object.
        if place.is_null() || unsafe { *place } != attributes.as_ptr() {
            return Err(PyTypeError::new_err("the object keeps its attributes in no dictionary"));
        }
        let still = Still::new(object.py());
        // SAFETY: a dict, and alive.
        let then = unsafe { version.now(attributes.as_ptr()) };
        let values = names.map(|name| {
            dict::get(&still, Ref::from_bound(&attributes), name)
                .map_or(std::ptr::null_mut(), Ref::as_ptr)
        });
        let (object, dict) = (object.as_ptr() as usize, attributes.as_ptr() as usize);
        Ok((ObjectStamp { object, class, place, dict, version, then, values }, attributes))
    }

    /// Whether it is of this object, and nothing of that has changed.
    #[inline(always)]
    pub(crate) fn holds(&self, _: &Still<'_>, object: Ref<'_>) -> bool {
        if object.address() != self.object || !self.class.is_of(object) {
            return false;
        }
        // SAFETY: an object of this class at this address has the place of its dictionary there.
        let dict = unsafe { *self.place };
        dict as usize == self.dict
            // SAFETY: what is there is null or a dict that the object holds, and `dict` was never null.
            && unsafe { self.version.now(dict) } == self.then
    }

    /// Guards what it vouches for, of an object that is there.
    pub(crate) fn guard(&self, paving: &mut Paving<'_>) -> Option<()> {
        paving.class(self.object, self.class)?;
        let dict = self.dict as *mut ffi::PyObject;
        // SAFETY: an object of this class has the place of its dictionary there; what is in it then is this
        // one, which the object holds. As it is the very one of then, and unchanged, so is the object,
        // and what the dictionary holds.
        unsafe {
            paving.place(self.object, self.place)?;
            paving.version(&self.version, dict)?;
            for value in self.values {
                paving.is_same(value);
            }
        }
        Some(())
    }

    /// What the object has under the names, if nothing of it has changed.
    #[inline(always)]
    pub(crate) fn values<'s>(
        &'s self,
        still: &'s Still<'_>,
        object: Ref<'s>,
    ) -> Option<Values<'s, N>> {
        self.holds(still, object).then_some(Values(&self.values))
    }
}
