//! Tracebacks and exceptions, read without running code.
//!
//! Their layouts are those of the headers (`Include/cpython/traceback.h`,
//! `Include/cpython/pyerrors.h`), which are the same in all versions from 3.10 on but for the notes
//! that 3.11 put between.

use super::object::{Ref, Still};
use pyo3::ffi;
use pyo3::prelude::*;

/// One entry of a traceback.
pub(crate) struct Step<'s> {
    pub(crate) next: Option<Ref<'s>>,
    pub(crate) frame: Ref<'s>,
    pub(crate) code: Ref<'s>,
    /// `tb_lasti`.
    pub(crate) instruction: i32,
    /// `tb_lineno`, or -1 where it follows from the instruction and was not asked for.
    pub(crate) line: i32,
}

/// The first entry of a traceback; `None` for any other object.
#[inline]
pub(crate) fn step<'s>(_: &'s Still<'_>, traceback: Ref<'_>) -> Option<Step<'s>> {
    // SAFETY: the object is alive.
    if unsafe { ffi::PyTraceBack_Check(traceback.as_ptr()) } == 0 {
        return None;
    }
    let object = traceback.as_ptr().cast::<ffi::PyTracebackObject>();
    // SAFETY: it is a traceback, a class that nothing inherits from. It keeps its frame and what is
    // next, and the frame its code, while no Python code runs.
    unsafe {
        let frame = (*object).tb_frame;
        let owner = Ref::from_ptr(frame.cast())?;
        let code = ffi::PyFrame_GetCode(frame).cast::<ffi::PyObject>();
        ffi::Py_DECREF(code);
        Some(Step {
            next: Ref::from_ptr((*object).tb_next.cast()),
            frame: owner,
            code: Ref::from_ptr(code)?,
            instruction: (*object).tb_lasti,
            line: (*object).tb_lineno,
        })
    }
}

/// What an exception refers to.
#[derive(Clone, Copy)]
pub(crate) struct Links<'s> {
    pub(crate) cause: Option<Ref<'s>>,
    pub(crate) context: Option<Ref<'s>>,
    pub(crate) suppresses_context: bool,
    pub(crate) traceback: Option<Ref<'s>>,
}

/// What `__cause__`, `__context__`, `__suppress_context__` and `__traceback__` give unless a class
/// puts others in their place; `None` for what is no exception.
#[inline]
pub(crate) fn links<'s>(_: &'s Still<'_>, exception: Ref<'_>) -> Option<Links<'s>> {
    // SAFETY: the object is alive.
    if unsafe { ffi::PyExceptionInstance_Check(exception.as_ptr()) } == 0 {
        return None;
    }
    let object = exception.as_ptr().cast::<ffi::PyBaseExceptionObject>();
    // SAFETY: every exception begins with these fields, and keeps what they hold while no Python
    // code runs. The flag is a `char` of C, one byte.
    unsafe {
        Some(Links {
            cause: Ref::from_ptr((*object).cause),
            context: Ref::from_ptr((*object).context),
            suppresses_context: (&raw const (*object).suppress_context).cast::<u8>().read() != 0,
            traceback: Ref::from_ptr((*object).traceback),
        })
    }
}

/// Value and traceback of what `sys.exc_info` gives; `None` where it gives `None`.
pub(crate) fn handled(py: Python<'_>) -> (Option<Bound<'_, PyAny>>, Option<Bound<'_, PyAny>>) {
    let (mut class, mut value, mut traceback) =
        (std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: attached; gives three references of our own, or null.
    unsafe {
        ffi::PyErr_GetExcInfo(&mut class, &mut value, &mut traceback);
        drop(Bound::from_owned_ptr_or_opt(py, class));
        let something = |object: &Bound<'_, PyAny>| !object.is_none();
        (
            Bound::from_owned_ptr_or_opt(py, value).filter(something),
            Bound::from_owned_ptr_or_opt(py, traceback).filter(something),
        )
    }
}

/// Whether the class of a class is exactly `type`, so that asking it for its name runs no code.
pub(crate) fn is_plain_class(class: &Bound<'_, pyo3::types::PyType>) -> bool {
    // SAFETY: the class is alive; the other is a static.
    unsafe { ffi::Py_IS_TYPE(class.as_ptr(), &raw mut ffi::PyType_Type) != 0 }
}
