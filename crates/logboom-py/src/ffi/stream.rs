//! A stream over a descriptor, and whether it was closed.
//!
//! Whoever closes a stream closes the `io.FileIO` at its bottom, and that says so in a field of its
//! own: -1 in the place of the descriptor (CPython `Modules/_io/fileio.c`, `internal_close`). The field
//! is the first behind the object's head in 3.10 to 3.14, which [`File::of`] checks at each stream: it
//! has to hold the number that `fileno()` gives. Where it does not, the stream counts as open.

use super::object::{Ref, Still, own};
use super::paving::Paving;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::c_int;

/// A stream, held, and the file at its bottom.
pub(crate) struct Stream {
    stream: Py<PyAny>,
    file: Option<File>,
}

impl Stream {
    pub(crate) fn new(stream: &Bound<'_, PyAny>) -> Stream {
        // A stream of another kind has none, or hides it: then nobody closes it behind our back.
        Stream { stream: stream.clone().unbind(), file: File::of(stream).ok().flatten() }
    }

    /// Whether it is this very object, and open.
    #[inline]
    pub(crate) fn is_open_and(&self, still: &Still<'_>, stream: Ref<'_>) -> bool {
        stream.is(&self.stream) && self.file.as_ref().is_none_or(|file| file.is_open(still))
    }

    /// Shows the objects that it holds.
    pub(crate) fn held<'a>(&'a self, show: &mut dyn FnMut(&'a Py<PyAny>)) {
        show(&self.stream);
        if let Some(file) = &self.file {
            show(&file.0);
        }
    }

    /// Guards that it is open, of one that is held.
    pub(crate) fn guard(&self, paving: &mut Paving<'_>) -> Option<()> {
        match &self.file {
            // SAFETY: an `io.FileIO` has its descriptor there and flags behind it, as `File::of` found out.
            Some(file) => unsafe { paving.part(&file.0, file.place()) },
            None => Some(()),
        }
    }
}

/// An `io.FileIO`, held.
struct File(Py<PyAny>);

impl File {
    fn of(stream: &Bound<'_, PyAny>) -> PyResult<Option<File>> {
        let py = stream.py();
        let mut file = stream.getattr("buffer")?;
        if let Some(raw) = file.getattr_opt("raw")? {
            file = raw;
        }
        let class = py.import("io")?.getattr("FileIO")?.cast_into::<PyType>()?;
        // SAFETY: a class is alive as long as its object is.
        let size = unsafe { (*class.as_type_ptr()).tp_basicsize } as usize;
        let holds_field = size >= size_of::<ffi::PyObject>() + 2 * size_of::<c_int>();
        if !file.get_type().is(&class) || !holds_field {
            return Ok(None);
        }
        let found = File(own(Ref::from_bound(&file)));
        let expected = file.call_method0("fileno")?.extract::<c_int>()?;
        Ok((found.descriptor() == expected).then_some(found))
    }

    #[inline]
    fn is_open(&self, _: &Still<'_>) -> bool {
        self.descriptor() >= 0
    }

    #[inline]
    fn descriptor(&self) -> c_int {
        // SAFETY: the object is held and its class is `FileIO`, whose objects are larger than the head
        // and an int behind it, as `of` found out. Whatever that int is, it can be read.
        unsafe { self.place().read() }
    }

    fn place(&self) -> *const c_int {
        self.0.as_ptr().wrapping_add(1).cast()
    }
}
