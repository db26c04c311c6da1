//! `queue.Queue`: what its `put` does, without running it.
//!
//! `Queue.put` takes the queue's lock, calls `_put`, counts the task and tells who waits (CPython
//! `Lib/queue.py`). While this thread has the GIL and nobody holds the lock, nobody can come between, so
//! that the lock need not be taken. A listener on the lane stands in the place of `_put` by a
//! [`MarkingPut`].

use super::parts::{Parts, names};
use crate::ffi::made;
use crate::ffi::object::NativeClass;
use crate::ffi::{Ref, Still, calls};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

pub(crate) static MARKING_PUT: NativeClass<MarkingPut> = NativeClass::unknown();

/// Stands in the place of a queue's ``_put``, and marks the seat that hands on its records.
///
/// ``behind``: the method of before; ``plain``: whether that is the class's own; ``seats``: a list with
/// the seat, or nothing once its listener was stopped; ``lane``: the lane of the seat. Called on the
/// thread that puts a record.
#[pyclass(frozen, module = "logboom._logboom")]
pub(crate) struct MarkingPut {
    behind: Py<PyAny>,
    seats: Py<PyList>,
    lane: Py<PyAny>,
    plain: bool,
}

#[pymethods]
impl MarkingPut {
    #[new]
    fn new(behind: Py<PyAny>, seats: Py<PyList>, lane: Py<PyAny>, plain: bool) -> MarkingPut {
        MarkingPut { behind, seats, lane, plain }
    }

    fn __call__(&self, py: Python<'_>, record: &Bound<'_, PyAny>) -> PyResult<()> {
        calls::call_with(self.behind.bind(py), record)?;
        if let Ok(seat) = self.seats.bind(py).get_item(0) {
            calls::method(&seat, names(py).mark_for_put.bind(py))?;
        }
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // A cycle is broken by the list and by the dictionary of the queue, which can be cleared.
        visit.call(&self.behind)?;
        visit.call(&self.lane)?;
        visit.call(&self.seats)
    }
}

impl MarkingPut {
    /// Marks the seat, if that was not done yet or nobody woke the lane.
    #[inline]
    fn mark(&self, py: Python<'_>) -> PyResult<()> {
        let Ok(seat) = self.seats.bind(py).get_item(0) else { return Ok(()) };
        if !seat.getattr(names(py).marked.bind(py))?.is_truthy()?
            || self.lane.bind(py).getattr(names(py).asleep.bind(py))?.is_truthy()?
        {
            calls::method(&seat, names(py).mark.bind(py))?;
        }
        Ok(())
    }
}

/// Puts a record into a queue as `put_nowait` does; false where only the library's way is exact.
///
/// # Errors
/// What `put_nowait` raises.
pub(super) fn put(
    parts: &Parts,
    still: &mut Still<'_>,
    queue: &Bound<'_, PyAny>,
    record: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    let py = still.python();
    if queue.get_type().is(&parts.given.simple_queue_class) {
        return put_simply(parts, queue, record);
    }
    if !parts.is_plain_queue(queue)? {
        return Ok(false);
    }
    let Some(attributes) = made::attributes(queue) else { return Ok(false) };
    for own in [names(py).put_nowait.bind(py), names(py).put.bind(py)] {
        if attributes.contains(own)? {
            return Ok(false);
        }
    }
    let hook = attributes.get_item(names(py).own_put.bind(py))?;
    let marking = match &hook {
        None => None,
        Some(hook) => match Ref::from_bound(hook).native(&MARKING_PUT).filter(|hook| hook.plain) {
            Some(marking) => Some(marking),
            None => return by_itself(queue, record),
        },
    };
    match put_at_once(parts, &attributes, record)? {
        true => marking.map_or(Ok(()), |marking| marking.mark(py))?,
        false => return by_itself(queue, record),
    }
    Ok(true)
}

/// The same for `queue.SimpleQueue`, of which nobody can change anything.
fn put_simply(
    parts: &Parts,
    queue: &Bound<'_, PyAny>,
    record: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    let py = queue.py();
    queue.call_method1(names(py).put_nowait.bind(py), (record,))?;
    let silent = parts.given.silent.bind(py);
    if !silent.is_empty()
        && let Some(seat) = silent.get_item(Ref::from_bound(queue).address())?
    {
        calls::method(&seat, names(py).mark.bind(py))?;
    }
    Ok(true)
}

/// The queue's own way, on the caller's thread.
#[cold]
fn by_itself(queue: &Bound<'_, PyAny>, record: &Bound<'_, PyAny>) -> PyResult<bool> {
    calls::method_with(queue, names(queue.py()).put_nowait.bind(queue.py()), record)?;
    Ok(true)
}

/// Puts a record into a queue with these attributes, if that has no bounds, nobody holds its lock and
/// nobody waits for records. Runs no Python code.
#[inline]
fn put_at_once(
    parts: &Parts,
    attributes: &Bound<'_, PyDict>,
    record: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    let py = record.py();
    let given = &parts.given;
    let get = |name| attributes.get_item(name);
    let (Some(most), Some(mutex), Some(items), Some(waited), Some(unfinished)) = (
        get(names(py).maxsize.bind(py))?,
        get(names(py).mutex.bind(py))?,
        get(names(py).queue.bind(py))?,
        get(names(py).not_empty.bind(py))?,
        get(names(py).unfinished_tasks.bind(py))?,
    ) else {
        return Ok(false);
    };
    let number = |object| Ref::from_bound(object).exact_i64();
    let (Some(most), Some(unfinished)) = (number(&most), number(&unfinished)) else {
        return Ok(false);
    };
    if cfg!(Py_3_13)
        && get(names(py).is_shutdown.bind(py))?
            .is_none_or(|down| Ref::from_bound(&down).exact_bool() != Some(false))
    {
        return Ok(false);
    }
    if most > 0
        || !mutex.get_type().is(&given.lock_class)
        || !items.get_type().is(&given.deque_class)
        || has_waiters(parts, &waited)?
        || mutex.call_method0(names(py).locked.bind(py))?.is_truthy()?
    {
        return Ok(false);
    }
    items.call_method1(names(py).append.bind(py), (record,))?;
    attributes.set_item(names(py).unfinished_tasks.bind(py), unfinished + 1)?;
    Ok(true)
}

/// Counts a task of a plain queue as done, as `task_done` does; false where that has to do it, for the
/// last one among others. Runs no Python code.
#[inline]
pub(super) fn task_done(parts: &Parts, queue: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = queue.py();
    if !parts.is_plain_queue(queue)? {
        return Ok(false);
    }
    let Some(attributes) = made::attributes(queue) else { return Ok(false) };
    let name = names(py).unfinished_tasks.bind(py);
    let (Some(mutex), Some(unfinished)) =
        (attributes.get_item(names(py).mutex.bind(py))?, attributes.get_item(name)?)
    else {
        return Ok(false);
    };
    match Ref::from_bound(&unfinished).exact_i64() {
        Some(unfinished)
            if unfinished > 1
                && mutex.get_type().is(&parts.given.lock_class)
                && !attributes.contains(names(py).task_done.bind(py))?
                && !mutex.call_method0(names(py).locked.bind(py))?.is_truthy()? =>
        {
            attributes.set_item(name, unfinished - 1)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Whether somebody may be waiting for a condition, or it is not one of the library's.
#[inline]
fn has_waiters(parts: &Parts, condition: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = condition.py();
    if !condition.get_type().is(&parts.given.condition_class) {
        return Ok(true);
    }
    let Some(attributes) = made::attributes(condition) else { return Ok(true) };
    let waiters = attributes.get_item(names(py).waiters.bind(py))?;
    Ok(attributes.contains(names(py).notify.bind(py))?
        || !waiters.is_some_and(|waiters| {
            waiters.get_type().is(&parts.given.deque_class) && waiters.len().is_ok_and(|n| n == 0)
        }))
}
