//! Whether a class is still what it was when it was looked at.
//!
//! The interpreter gives each class a version tag and takes it away whenever the class or one of its
//! bases changes (CPython `Objects/typeobject.c`, `PyType_Modified`). A tag is never given twice in
//! a process, so an equal tag on an equal class says that nothing changed. A tag of 0 says nothing.

use super::object::{Ref, Still};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

unsafe extern "C" {
    fn _PyObject_GetDictPtr(object: *mut ffi::PyObject) -> *mut *mut ffi::PyObject;
    fn _PyType_Lookup(ty: *mut ffi::PyTypeObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject;
}

/// A class at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ClassStamp {
    class: *mut ffi::PyTypeObject,
    tag: u32,
}

// SAFETY: the address is only compared, never followed.
unsafe impl Send for ClassStamp {}
// SAFETY: as above.
unsafe impl Sync for ClassStamp {}

impl ClassStamp {
    /// Equal to no stamp that [`ClassStamp::of`] gives.
    pub(crate) const NEVER: ClassStamp = ClassStamp { class: std::ptr::null_mut(), tag: 0 };

    /// The class of `object` now; `None` where the interpreter has no tag for it.
    #[inline]
    pub(crate) fn of(object: Ref<'_>) -> Option<ClassStamp> {
        Self::of_class_ptr(object.type_ptr())
    }

    /// This class now, with a tag given to it where it had none.
    pub(crate) fn of_class(class: &Bound<'_, PyType>) -> Option<ClassStamp> {
        // A look-up is what makes the interpreter give a tag.
        lookup(class, pyo3::intern!(class.py(), "__class__"));
        Self::of_class_ptr(class.as_type_ptr())
    }

    /// Whether the other one is of the same class, or of one that was at its address.
    pub(crate) fn is_of_same_class(self, other: ClassStamp) -> bool {
        self.class == other.class
    }

    /// The interpreter's number for the class as it is.
    pub(crate) fn tag(self) -> u32 {
        self.tag
    }

    /// A number to look it up by.
    #[inline]
    pub(crate) fn index(self) -> usize {
        self.class as usize >> 5
    }

    /// Whether the class of `object` is this one, as it was.
    #[inline(always)]
    pub(crate) fn is_of(self, object: Ref<'_>) -> bool {
        self.holds_for(object.type_ptr())
    }

    /// The words that say so: eight bytes each, in the class.
    pub(super) fn words(self) -> impl Iterator<Item = *const u64> {
        let class = self.class;
        // SAFETY: only addresses are taken, inside a class that was alive when this was made.
        let (tag, flags) = unsafe {
            ((&raw const (*class).tp_version_tag).cast(), (&raw const (*class).tp_flags).cast())
        };
        // Up to 3.10 a flag says whether the tag is good.
        [Some(tag), cfg!(not(Py_3_11)).then_some(flags)].into_iter().flatten()
    }

    /// Whether `class` is this one, as it was.
    #[inline(always)]
    pub(crate) fn is(self, _: &Still<'_>, class: &Py<PyType>) -> bool {
        self.holds_for(class.as_ptr().cast())
    }

    #[inline(always)]
    fn holds_for(self, class: *mut ffi::PyTypeObject) -> bool {
        // From 3.11 on the tag of a class that changed is 0, which no stamp has: the interpreter's own
        // specialised instructions look at nothing else either (CPython `Python/bytecodes.c`).
        #[cfg(Py_3_11)]
        // SAFETY: the class of a live object is alive.
        return class == self.class && unsafe { (*class).tp_version_tag } == self.tag;
        #[cfg(not(Py_3_11))]
        return Self::of_class_ptr(class) == Some(self);
    }

    #[inline]
    fn of_class_ptr(class: *mut ffi::PyTypeObject) -> Option<ClassStamp> {
        // SAFETY: the class of a live object is alive.
        let tag = unsafe { (*class).tp_version_tag };
        #[cfg(not(Py_3_13))]
        {
            // Up to 3.12 a flag says whether the tag is good.
            // SAFETY: as above.
            let flags = unsafe { (*class).tp_flags };
            if flags & (1 << 19) == 0 {
                return None;
            }
        }
        (tag != 0).then_some(ClassStamp { class, tag })
    }
}

/// What an attribute of `class` is, found through its bases, without running any code.
pub(crate) fn lookup<'py>(
    class: &Bound<'py, PyType>,
    name: &Bound<'py, pyo3::types::PyString>,
) -> Option<Bound<'py, PyAny>> {
    // SAFETY: both are alive; the result is borrowed from the class or null, without an error set.
    unsafe {
        let found = _PyType_Lookup(class.as_type_ptr(), name.as_ptr());
        Bound::from_borrowed_ptr_or_opt(class.py(), found)
    }
}

/// Where an object keeps its dictionary, which may be null; null for objects without one. Good while
/// its class is the one that it has.
pub(super) fn dict_place(object: Ref<'_>) -> *const *mut ffi::PyObject {
    // SAFETY: the object is alive.
    unsafe { _PyObject_GetDictPtr(object.as_ptr()) }
}

/// How many attributes an object has in its own dictionary, beyond those in slots.
pub(crate) fn own_attributes(_: &Still<'_>, object: Ref<'_>) -> usize {
    let place = dict_place(object);
    if place.is_null() {
        return 0;
    }
    // SAFETY: the place is inside the object and holds null or a dict.
    let dict = unsafe { *place };
    if dict.is_null() {
        return 0;
    }
    // SAFETY: it is a dict.
    unsafe { (*dict.cast::<ffi::PyDictObject>()).ma_used as usize }
}
