//! The fields of one request: one set for all its tasks and threads, exchanged as a whole.
//!
//! A context variable alone hands values down and never back: what a handler's thread binds, the line at
//! the end of the request would not have. So within a request the variable holds a [`RequestScope`],
//! which all copies of the context share, and which holds the [`Context`] of the moment.
//!
//! 1. A reader sees one whole set; a set is never changed, only exchanged for another.
//! 2. Of two that exchange at once, one is told that it came late, and begins anew: nothing that was bound
//!    is lost.
//! 3. No Python code runs while the scope is borrowed.
//!
//! Pinned by `tests/python/test_request_scope.py`.

use crate::context::Context;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

/// What a request has bound.
#[pyclass(module = "logboom._logboom")]
pub(crate) struct RequestScope {
    held: Option<Py<Context>>,
}

#[pymethods]
impl RequestScope {
    #[new]
    #[pyo3(signature = (held = None))]
    fn new(held: Option<Py<Context>>) -> Self {
        Self { held }
    }

    /// What is bound now.
    fn get(&self, py: Python<'_>) -> Option<Py<Context>> {
        self.held.as_ref().map(|held| held.clone_ref(py))
    }

    /// Puts `new` in the place of `old`; `False` where that is no longer there.
    fn exchange(
        this: &Bound<'_, Self>,
        old: Option<&Bound<'_, Context>>,
        new: Option<Py<Context>>,
    ) -> bool {
        let mut scope = this.borrow_mut();
        let same = match (&scope.held, old) {
            (None, None) => true,
            (Some(held), Some(old)) => held.is(old),
            _ => false,
        };
        if !same {
            return false;
        }
        let before = std::mem::replace(&mut scope.held, new);
        drop(scope);
        // What goes away may run code of its own, which may bind.
        drop(before);
        true
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.held)
    }

    fn __clear__(&mut self) {
        self.held = None;
    }
}

/// What a scope holds, for a call that is to be captured.
pub(crate) fn held<'py>(scope: &Bound<'py, RequestScope>) -> Option<Bound<'py, Context>> {
    // Refused only while another thread exchanges, which takes a few instructions.
    loop {
        if let Ok(scope_now) = scope.try_borrow() {
            return scope_now.held.as_ref().map(|held| held.bind(scope.py()).clone());
        }
        std::hint::spin_loop();
    }
}
