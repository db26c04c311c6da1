//! What the lane's thread does with a batch of records: `QueueListener.handle` and `Handler.handle`,
//! where they are the library's, without running them.
//!
//! Everything is looked at for each record, as handlers may change anything. What a handler's `emit`
//! does is its own; where a method before it was overridden, that is called.

use super::parts::{Parts, names};
use super::queue;
use crate::ffi::guard::ClassStamp;
use crate::ffi::made;
use crate::ffi::{Ref, Still, calls};
use crate::state::{State, state};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};

/// What a class is to the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A listener that hands on as the library's does.
    Listener,
    /// A handler that filters, locks and then emits, as the library's does.
    Handler,
    Other,
}

/// Hands the records of a batch on to the handlers of a listener, one after the other, and counts each
/// in ``seat.handed_on`` and as a task of its queue that is done. Runs on the lane's thread.
///
/// ``report`` is called with what a handler raised; ``done`` where the queue itself has to count.
#[pyfunction]
pub(crate) fn deliver(
    seat: &Bound<'_, PyAny>,
    listener: &Bound<'_, PyAny>,
    records: &Bound<'_, PyList>,
    queue: &Bound<'_, PyAny>,
    done: &Bound<'_, PyAny>,
    report: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = seat.py();
    let ready = || PyRuntimeError::new_err("logboom was not set up");
    let lane = Lane {
        state: state(py).ok_or_else(ready)?,
        parts: super::parts(py).ok_or_else(ready)?,
        listener,
    };
    let count = names(py).handed_on.bind(py);
    for record in records {
        if let Err(error) = lane.hand_on(&record) {
            calls::call_with(report, error.into_value(py).bind(py))?;
        }
        let handed_on = seat.getattr(count)?.extract::<u64>()?;
        seat.setattr(count, handed_on + 1)?;
        if !queue::task_done(lane.parts, queue)? {
            calls::call(done)?;
        }
    }
    Ok(())
}

struct Lane<'a, 'py> {
    state: &'static State,
    parts: &'static Parts,
    listener: &'a Bound<'py, PyAny>,
}

impl<'py> Lane<'_, 'py> {
    /// What the listener's `handle` does.
    fn hand_on(&self, record: &Bound<'py, PyAny>) -> PyResult<()> {
        let (listener, py) = (self.listener, record.py());
        let plain = self.role(listener)? == Role::Listener
            && has_none_of(listener, [names(py).handle.bind(py), names(py).prepare.bind(py)])?;
        let handlers = match plain {
            true => {
                listener.getattr(names(py).handlers.bind(py))?.cast_into_exact::<PyTuple>().ok()
            }
            false => None,
        };
        let Some(handlers) = handlers else {
            return calls::method_with(listener, names(py).handle.bind(py), record).map(drop);
        };
        for handler in &handlers {
            let respects =
                listener.getattr(names(py).respect_handler_level.bind(py))?.is_truthy()?;
            if !respects || is_of_its_level(record, &handler)? {
                self.handle(&handler, record)?;
            }
        }
        Ok(())
    }

    /// What a handler's `handle` does.
    #[inline]
    fn handle(&self, handler: &Bound<'py, PyAny>, record: &Bound<'py, PyAny>) -> PyResult<()> {
        let py = record.py();
        let before = [
            names(py).handle.bind(py),
            names(py).filter.bind(py),
            names(py).acquire.bind(py),
            names(py).release.bind(py),
        ];
        let plain = self.role(handler)? == Role::Handler && has_none_of(handler, before)?;
        let lock = match plain && is_empty_list(&handler.getattr(names(py).filters.bind(py))?) {
            true => Some(handler.getattr(names(py).lock.bind(py))?),
            false => None,
        };
        let Some(lock) = lock.filter(|lock| lock.get_type().is(&self.parts.given.rlock_class))
        else {
            return calls::method_with(handler, names(py).handle.bind(py), record).map(drop);
        };
        calls::method(&lock, names(py).acquire.bind(py))?;
        let outcome = calls::method_with(handler, names(py).emit.bind(py), record);
        calls::method(&lock, names(py).release.bind(py))?;
        outcome.map(drop)
    }

    #[inline]
    fn role(&self, object: &Bound<'py, PyAny>) -> PyResult<Role> {
        match self.parts.roles.get(&Still::new(object.py()), Ref::from_bound(object)) {
            Some((role, _)) => Ok(role),
            None => self.find_role(&object.get_type()),
        }
    }

    #[cold]
    fn find_role(&self, class: &Bound<'py, PyType>) -> PyResult<Role> {
        // The stamp comes before what it vouches for.
        let Some(stamp) = ClassStamp::of_class(class) else { return Ok(Role::Other) };
        let given = &self.parts.given;
        let role = if given.is_plain_listener.bind(class.py()).call1((class,))?.is_truthy()? {
            Role::Listener
        } else if self
            .state
            .has_library_methods(class, &["handle", "filter", "acquire", "release"])
            .unwrap_or(false)
        {
            Role::Handler
        } else {
            Role::Other
        };
        self.parts.roles.put(&Still::new(class.py()), stamp, role, class, None);
        Ok(role)
    }
}

/// Whether an object has none of these of its own.
#[inline]
fn has_none_of<const N: usize>(
    object: &Bound<'_, PyAny>,
    names: [&Bound<'_, PyString>; N],
) -> PyResult<bool> {
    let Some(own): Option<Bound<'_, PyDict>> = made::attributes(object) else { return Ok(false) };
    for name in names {
        if own.contains(name)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_empty_list(object: &Bound<'_, PyAny>) -> bool {
    Ref::from_bound(object).exact_list().is_some_and(<[_]>::is_empty)
}

fn is_of_its_level(record: &Bound<'_, PyAny>, handler: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = record.py();
    record.getattr(names(py).levelno.bind(py))?.ge(handler.getattr(names(py).level.bind(py))?)
}
