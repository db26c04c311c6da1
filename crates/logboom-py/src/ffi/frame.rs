//! Where a call comes from: the code object and the instruction of the frame that is running.
//!
//! `PyEval_GetFrame` is the documented way and makes a frame object for each fresh frame from 3.11
//! on, which costs more than all the rest of a log call. From 3.11 to 3.13 the running frame can be
//! found through the thread state instead. The offsets below are those of the headers of these
//! versions (`Include/cpython/pystate.h`, `Include/internal/pycore_frame.h`); [`Frames::detect`]
//! checks them against the documented way when the module is imported and keeps to that one where
//! they differ, as on interpreters not yet known.

use super::object::{Ref, Still};
use pyo3::ffi;
use pyo3::prelude::*;

/// How the running frame is found on this interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frames {
    /// Through the thread state.
    #[cfg_attr(not(Py_3_11), expect(dead_code, reason = "there is a frame object for each frame"))]
    Direct,
    /// Through `PyEval_GetFrame`.
    Documented,
}

/// A code object and a place in it. Equal keys are the same place while the code object lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SiteKey {
    code: *mut ffi::PyObject,
    instruction: usize,
}

// SAFETY: the addresses are only compared; whoever caches a key holds the code object beside it.
unsafe impl Send for SiteKey {}
// SAFETY: as above.
unsafe impl Sync for SiteKey {}

impl SiteKey {
    /// A number that differs between neighbouring places.
    pub(crate) fn hash(self) -> usize {
        (self.code as usize >> 4) ^ (self.instruction >> 1).wrapping_mul(0x9E37_79B1)
    }

    /// Whether this is a place in `code`.
    pub(crate) fn is_in(self, code: &Py<PyAny>) -> bool {
        self.code == code.as_ptr()
    }
}

#[cfg(all(Py_3_11, not(Py_3_14)))]
mod direct {
    use pyo3::ffi;

    #[cfg(Py_3_13)]
    const CURRENT_FRAME: usize = 72;
    #[cfg(not(Py_3_13))]
    const CFRAME: usize = 56;
    #[cfg(Py_3_12)]
    #[cfg(not(Py_3_13))]
    const CFRAME_CURRENT: usize = 0;
    #[cfg(not(Py_3_12))]
    const CFRAME_CURRENT: usize = 8;
    #[cfg(Py_3_12)]
    const CODE: usize = 0;
    #[cfg(not(Py_3_12))]
    const CODE: usize = 32;
    const INSTRUCTION: usize = 56;
    /// `PyFrameObject.f_frame`.
    const F_FRAME: usize = 24;

    /// # Safety
    /// `base` has a pointer-sized field at `offset`.
    #[inline]
    unsafe fn field<T: Copy>(base: *mut u8, offset: usize) -> T {
        // SAFETY: by the caller.
        unsafe { *base.add(offset).cast::<T>() }
    }

    /// # Safety
    /// Attached, and the offsets are this interpreter's.
    #[inline]
    pub(super) unsafe fn current() -> *mut u8 {
        // SAFETY: attached, so there is a thread state, and by the caller it has these fields.
        unsafe {
            let state = ffi::PyThreadState_Get().cast::<u8>();
            #[cfg(Py_3_13)]
            return field(state, CURRENT_FRAME);
            #[cfg(not(Py_3_13))]
            return field(field(state, CFRAME), CFRAME_CURRENT);
        }
    }

    /// # Safety
    /// `frame` came from [`current`] and no Python code ran since.
    #[inline]
    pub(super) unsafe fn key(frame: *mut u8) -> super::SiteKey {
        // SAFETY: by the caller, a running frame has these fields.
        unsafe {
            super::SiteKey { code: field(frame, CODE), instruction: field(frame, INSTRUCTION) }
        }
    }

    /// Whether the offsets are right, told by comparing with a frame object of the running frame.
    ///
    /// # Safety
    /// Attached; `object` is the frame object of the running frame and `code` its code.
    pub(super) unsafe fn agrees(
        object: *mut ffi::PyFrameObject,
        code: *mut ffi::PyCodeObject,
    ) -> bool {
        // SAFETY: a thread state and a frame object are larger than the offsets read here, so the
        // reads stay inside; nothing that was read is followed before it proved equal.
        unsafe {
            let frame = current();
            let expected: *mut u8 = field(object.cast(), F_FRAME);
            frame == expected && !frame.is_null() && key(frame).code == code.cast()
        }
    }
}

impl Frames {
    /// Compares both ways in the frame that calls this.
    pub(crate) fn detect(py: Python<'_>) -> Frames {
        #[cfg(all(Py_3_11, not(Py_3_14)))]
        {
            let _attached = py;
            // SAFETY: attached; both results are checked for null and released below.
            unsafe {
                let object = ffi::PyEval_GetFrame();
                if !object.is_null() {
                    let code = ffi::PyFrame_GetCode(object);
                    let agrees = direct::agrees(object, code);
                    ffi::Py_DECREF(code.cast());
                    if agrees {
                        return Frames::Direct;
                    }
                }
            }
        }
        let _unused_elsewhere = py;
        Frames::Documented
    }

    /// The place in the running frame; `None` where no Python frame runs.
    #[inline]
    pub(crate) fn site(self, still: &Still<'_>) -> Option<SiteKey> {
        match self {
            #[cfg(all(Py_3_11, not(Py_3_14)))]
            Frames::Direct => {
                let _attached = still;
                // SAFETY: attached, and `detect` found the offsets right.
                let frame = unsafe { direct::current() };
                if frame.is_null() {
                    return None;
                }
                // SAFETY: just read.
                let key = unsafe { direct::key(frame) };
                (!key.code.is_null()).then_some(key)
            }
            _ => documented(still).map(|(_, key)| key),
        }
    }
}

/// The place in a frame, as a number.
///
/// # Safety
/// Attached, and the frame is alive.
unsafe fn instruction(frame: *mut ffi::PyFrameObject) -> usize {
    // SAFETY: by the caller.
    unsafe {
        #[cfg(Py_3_11)]
        return ffi::PyFrame_GetLasti(frame) as usize;
        #[cfg(not(Py_3_11))]
        {
            // `PyFrameObject.f_lasti` of 3.10 (`Include/cpython/frameobject.h`).
            const F_LASTI: usize = 96;
            *frame.cast::<u8>().add(F_LASTI).cast::<i32>() as usize
        }
    }
}

/// The running frame's code and place by the documented functions.
fn documented<'s>(_: &'s Still<'_>) -> Option<(Ref<'s>, SiteKey)> {
    // SAFETY: attached; the frame is borrowed from the interpreter, which keeps it and its code
    // while it runs.
    unsafe {
        let frame = ffi::PyEval_GetFrame();
        if frame.is_null() {
            return None;
        }
        let code = ffi::PyFrame_GetCode(frame).cast::<ffi::PyObject>();
        ffi::Py_DECREF(code);
        Some((Ref::from_ptr(code)?, SiteKey { code, instruction: instruction(frame) }))
    }
}

/// What the documented functions say about the running frame: its code object and line.
pub(crate) fn resolve<'py>(py: Python<'py>) -> Option<(Bound<'py, PyAny>, i32)> {
    // SAFETY: attached; the frame is borrowed, the code object is a reference of its own.
    unsafe {
        let frame = ffi::PyEval_GetFrame();
        if frame.is_null() {
            return None;
        }
        let code = ffi::PyFrame_GetCode(frame).cast::<ffi::PyObject>();
        let line = ffi::PyFrame_GetLineNumber(frame);
        Some((Bound::from_owned_ptr(py, code), line))
    }
}

/// A frame on the way out from the running one, as a frame object, by the documented functions. Its keys
/// count instructions where those of [`Frames::Direct`] are addresses, so the two are never equal.
pub(crate) struct Outer<'py>(Bound<'py, PyAny>);

impl<'py> Outer<'py> {
    /// The running frame.
    pub(crate) fn running(py: Python<'py>) -> Option<Self> {
        // SAFETY: attached; the frame is borrowed, and gets a reference of its own.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, ffi::PyEval_GetFrame().cast()).map(Outer) }
    }

    fn as_frame(&self) -> *mut ffi::PyFrameObject {
        self.0.as_ptr().cast()
    }

    /// The one that called it.
    pub(crate) fn back(&self) -> Option<Self> {
        // SAFETY: attached, and this is a frame object; what is returned is owned, or null without error.
        unsafe {
            let back = ffi::PyFrame_GetBack(self.as_frame());
            Bound::from_owned_ptr_or_opt(self.0.py(), back.cast()).map(Outer)
        }
    }

    pub(crate) fn code(&self) -> Bound<'py, PyAny> {
        // SAFETY: attached, and this is a frame object; a code object is returned, owned.
        unsafe {
            let code = ffi::PyFrame_GetCode(self.as_frame());
            Bound::from_owned_ptr(self.0.py(), code.cast())
        }
    }

    pub(crate) fn line(&self) -> i32 {
        // SAFETY: attached, and this is a frame object.
        unsafe { ffi::PyFrame_GetLineNumber(self.as_frame()) }
    }

    pub(crate) fn key(&self) -> SiteKey {
        // SAFETY: attached, and this is a frame object, alive.
        let instruction = unsafe { instruction(self.as_frame()) };
        SiteKey { code: self.code().as_ptr(), instruction }
    }
}
