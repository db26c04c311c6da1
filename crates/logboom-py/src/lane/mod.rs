//! Records for Python handlers behind a queue, made and put there natively.
//!
//! A `logboom.QueueHandler` puts what the library's `prepare` makes of a record into a queue: a copy of a
//! `LogRecord`, with the message formatted. Where nothing on the way was changed, that copy is all that
//! anybody ever sees. It is made here at once, with the attributes that the library would have left, and
//! put into the program's own queue, so that everything which looks at that sees what it always saw.
//!
//! Invariants:
//! 1. Whatever may fail or has to be left to the library is done before the queue is touched.
//! 2. What is put is an object of the library's own class, with the same attributes in the same order.
//! 3. A plain queue is changed as its `put` does, in one go under the GIL and not while anybody holds its
//!    lock; where anything about that is unusual, its own `put_nowait` is called.
//!
//! The way: `capture` meets a plan that asks for a record, [`submit`] formats the message, [`record`] makes
//! the object, [`logger::target`] says where it goes, [`queue`] puts it there.
//!
//! Not done here: other queues than `queue.Queue` and `queue.SimpleQueue`, formatters that are not of the
//! library's own class, records that also go to routes or to a second queue. All of these take the
//! library's way.
//!
//! Pinned by `tests/python/test_lane_records.py`.

mod hand_on;
mod parts;
mod places;
mod queue;
mod record;

pub(crate) use hand_on::deliver;
pub(crate) use parts::{is_plain_handler, parts, setup_lane};
pub(crate) use queue::{MARKING_PUT, MarkingPut};

use crate::capture::{self, Call, Exit};
use crate::convert;
use crate::ffi::Still;
use crate::fields::Fields;
use crate::logger::{self, Target};
use crate::state::State;
use crate::traceback::{self, Found};
use parts::{Parts, names};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyString;
use record::{Draft, Maker};

/// Makes the record of a call that is enabled, and puts it into the queue that it goes to.
pub(crate) fn submit(
    state: &State,
    still: &mut Still<'_>,
    call: &Call<'_>,
    fields: &Fields<'_>,
) -> Result<(), Exit> {
    let py = still.python();
    let parts = parts(py).ok_or(Exit::Library)?;
    let maker = Maker::current(state, still).ok_or(Exit::Library)?;
    let place = places::current(state, still).ok_or(Exit::Library)?;
    let seek = |still: &mut Still<'_>| {
        logger::target(state, still, call.logger, call.level, fields).map_err(|_| Exit::Library)
    };
    let Some(target) = seek(still)? else { return Ok(()) };
    let draft = Draft { state, call, place: &place, fields, put_on: parts.put_on() };
    let record = match &target.formatter {
        None => {
            let message = convert::format_now(py, call.message, call.arguments);
            let message = with_exception(py, call, message.map_err(capture::exit)?)?;
            maker.prepared(still, &draft, &message).map_err(left_to_library)?
        }
        // The library makes other things of an exception than its text.
        Some(_) if call.exc_info.is_some() => return Err(Exit::Library),
        Some(formatter) => {
            maker.formatted(still, &draft, formatter.bind(py)).map_err(left_to_library)?
        }
    };
    // All of that may have run Python code.
    match seek(still)? {
        Some(now) if now.is(&target) && maker.holds(state, still) => {
            put(parts, still, &target, &record)
        }
        Some(_) => Err(Exit::Library),
        None => Ok(()),
    }
}

/// What `Formatter.format` makes of a message and an exception.
fn with_exception<'py>(
    py: Python<'py>,
    call: &Call<'_>,
    message: Bound<'py, PyString>,
) -> Result<Bound<'py, PyString>, Exit> {
    let Some(exc_info) = call.exc_info else { return Ok(message) };
    match traceback::text(py, &exc_info.bound(py)).map_err(Exit::raise)? {
        Found::None => Ok(message),
        Found::Library => Err(Exit::Library),
        Found::Text(text) => {
            let message = message.to_str().map_err(|_| Exit::Library)?;
            let end = if message.ends_with('\n') { "" } else { "\n" };
            Ok(PyString::new(py, &format!("{message}{end}{text}")))
        }
    }
}

fn put(
    parts: &Parts,
    still: &mut Still<'_>,
    target: &Target,
    record: &Bound<'_, PyAny>,
) -> Result<(), Exit> {
    let py = still.python();
    let mut put = || -> PyResult<bool> {
        Ok(parts.has_begun(py, target)? && is_free(py, target)? && {
            queue::put(parts, still, target.queue.bind(py), record)?
        })
    };
    match put() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Exit::Library),
        Err(error) => Err(left_to_library(error)),
    }
}

/// Whether nobody holds the handler's lock.
fn is_free(py: Python<'_>, target: &Target) -> PyResult<bool> {
    let Some(lock) = &target.lock else { return Ok(true) };
    let free = lock.call_method1(py, names(py).acquire.bind(py), (false,))?;
    if !free.is_truthy(py)? {
        return Ok(false);
    }
    lock.call_method0(py, names(py).release.bind(py))?;
    Ok(true)
}

/// An `Exception` the library meets again, and reports; anything else belongs to the caller.
fn left_to_library(error: PyErr) -> Exit {
    Python::attach(|py| match error.is_instance_of::<PyException>(py) {
        true => Exit::Library,
        false => Exit::raise(error),
    })
}
