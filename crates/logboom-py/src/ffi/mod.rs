//! The wall between the interpreter's C structures and safe Rust: the binding's only `unsafe`.
//!
//! Invariants:
//! 1. Everything here runs attached to the interpreter (with the GIL). [`Still`] is the proof, made
//!    once per call by the trampolines in [`method`].
//! 2. A [`Ref`] is borrowed from memory that Python code may free. It lives no longer than the
//!    shared borrow of the [`Still`] it was read under, and running Python code takes the `Still`
//!    exclusively: the borrow checker refuses a reference held across Python code.
//! 3. Fields of C structures are read at offsets that the interpreter itself tells (member
//!    descriptors), that its headers fix for the version compiled for, or that a self-check at
//!    import confirmed ([`frame`]). Where the check fails, the documented API is used.
//!
//! Nothing outside this folder is `unsafe`; what is exported is safe to call with what the types ask for.

#![allow(unsafe_code, reason = "this folder is the wall; every block says why it holds")]
#![allow(
    clippy::multiple_unsafe_ops_per_block,
    reason = "a call and the check of what it gave rest on one argument"
)]

pub(crate) mod calls;
pub(crate) mod dict;
pub(crate) mod frame;
pub(crate) mod guard;
pub(crate) mod made;
pub(crate) mod method;
pub(crate) mod object;
pub(crate) mod paving;
pub(crate) mod signals;
pub(crate) mod slots;
pub(crate) mod stamp;
pub(crate) mod stream;
pub(crate) mod traceback;

pub(crate) use object::{Forever, Ref, Still};

use pyo3::ffi as c;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

/// The interpreter's number of the calling thread, as `threading.get_ident` gives it.
#[inline]
pub(crate) fn thread_ident() -> u64 {
    // SAFETY: needs nothing.
    let ident = unsafe { c::PyThread_get_thread_ident() };
    #[allow(clippy::useless_conversion, reason = "an unsigned long is 32 bits on some systems")]
    u64::from(ident)
}

static PROCESS: AtomicU32 = AtomicU32::new(0);

/// The number of this process, as `os.getpid` gives it, without a system call.
#[inline]
pub(crate) fn process_id() -> u32 {
    match PROCESS.load(Ordering::Relaxed) {
        0 => {
            let number = std::process::id();
            PROCESS.store(number, Ordering::Relaxed);
            number
        }
        known => known,
    }
}

/// To be called in a forked child, which has a number of its own.
pub(crate) fn forget_process_id() {
    PROCESS.store(0, Ordering::Relaxed);
}

/// What a context variable holds here; `None` where it holds nothing, `None`, or is no such variable.
///
/// Runs no Python code: context variables are told apart by what they are.
#[inline]
pub(crate) fn context_value<'py>(
    still: &Still<'py>,
    variable: &Py<PyAny>,
) -> Option<Bound<'py, PyAny>> {
    let py = still.attached();
    let mut value = std::ptr::null_mut();
    // SAFETY: attached; anything but a context variable is refused with an error.
    let outcome =
        unsafe { c::PyContextVar_Get(variable.as_ptr(), std::ptr::null_mut(), &mut value) };
    if outcome < 0 {
        // SAFETY: attached.
        unsafe { c::PyErr_Clear() };
        return None;
    }
    // SAFETY: a new reference, or null.
    let value = unsafe { Bound::from_owned_ptr_or_opt(py, value) }?;
    (!value.is_none()).then_some(value)
}

/// Takes a descriptor over that Python duplicated for us.
///
/// # Errors
/// `ValueError` for a negative number.
pub(crate) fn adopt_descriptor(descriptor: i32) -> PyResult<std::fs::File> {
    use std::os::fd::{FromRawFd, OwnedFd};
    if descriptor < 0 {
        let text = format!("invalid descriptor: got {descriptor}, expected 0 or more");
        return Err(pyo3::exceptions::PyValueError::new_err(text));
    }
    // SAFETY: the caller got it from `os.dup` and gives it up here.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }.into())
}

/// Whether everything written to a file is appended to it.
#[cfg(unix)]
pub(crate) fn appends(file: &std::fs::File) -> bool {
    use std::os::fd::AsRawFd;
    // SAFETY: asks for the flags of a descriptor that is open.
    let flags = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) };
    flags >= 0 && flags & libc::O_APPEND != 0
}

/// Has `function` run when the interpreter is gone and the process is about to end.
pub(crate) fn at_interpreter_end(function: extern "C" fn()) -> bool {
    // SAFETY: attached; the function is one that lives for ever.
    unsafe { c::Py_AtExit(Some(function)) == 0 }
}

/// Has functions run within each fork of this process: before it, and after it in both.
#[cfg(unix)]
pub(crate) fn at_fork(
    before: extern "C" fn(),
    in_parent: extern "C" fn(),
    in_child: extern "C" fn(),
) -> bool {
    // SAFETY: the functions live for ever, as an extension module is never unloaded.
    unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) == 0 }
}

/// There are no forks.
#[cfg(not(unix))]
pub(crate) fn at_fork(_: extern "C" fn(), _: extern "C" fn(), _: extern "C" fn()) -> bool {
    true
}
