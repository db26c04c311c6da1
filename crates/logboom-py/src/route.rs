//! What a handler owns in the engine: a route, and the look it had at stream and formatter.
//!
//! Invariants:
//! 1. A record goes to a route natively only while the handler's stream is the very object the route
//!    was made for, and open, and its formatter is one that was looked at and found to do the same, unchanged
//!    since ([`Route::is_native_for`]). Otherwise the library formats, and the handler's `emit` writes
//!    the finished line ([`Route::write`]).
//! 2. A route that ends at a time takes no record of that time or later natively
//!    ([`Route::deadline_ns`]): the handler then does what is due first.
//! 3. Closing a route, or dropping the last reference to it, lets everything submitted before reach
//!    the sink first. Only `close` waits for that.
//!
//! Pinned by `tests/python/test_handlers.py` and `test_rotating.py`.

use crate::ffi::object::NativeClass;
use crate::ffi::paving::{Numbered, Paving};
use crate::ffi::stream::Stream;
use crate::ffi::{self, Ref, Still};
use crate::fields::Fields;
use crate::filters::NativeFilter;
use crate::formatter::{self, Compiled, Look, Work};
use crate::global;
use crate::places;
use crate::sharing::Shares;
use crate::state::{self, State};
use crate::structured;
use crate::waiting;
use arrayvec::ArrayVec;
use logboom::clock::wall_ns;
use logboom::engine::{Outcome, Wait};
use logboom::filter::Judges;
use logboom::format::console::Place;
use logboom::format::{Needs, PatternFormatter};
use logboom::level::Level;
use logboom::record::{Message, Record, RouteId, Site};
use logboom::route::RouteSpec;
use logboom::sink::{Rotation, SinkSpec, Turns};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

pub(crate) static ROUTE: NativeClass<Route> = NativeClass::unknown();

/// What the routes of a record ask of the capture.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wants {
    pub(crate) site: bool,
    pub(crate) thread_name: bool,
    pub(crate) process_name: bool,
    pub(crate) task_name: bool,
    /// The fields that a pattern shows.
    pub(crate) fields: bool,
    /// Every field that there is.
    pub(crate) all_fields: bool,
    /// A `LogRecord`, for a handler that puts it into a queue.
    pub(crate) record: bool,
}

impl Wants {
    #[inline]
    pub(crate) fn add(&mut self, other: Wants) {
        self.site |= other.site;
        self.thread_name |= other.thread_name;
        self.process_name |= other.process_name;
        self.task_name |= other.task_name;
        self.fields |= other.fields;
        self.all_fields |= other.all_fields;
    }

    fn of(compiled: &Compiled) -> Wants {
        let Needs { site, thread_name, process_name, task_name, .. } = compiled.needs();
        let all_fields = compiled.shows_all_fields();
        let pattern = compiled.pattern.as_ref();
        let fields = pattern.is_some_and(|pattern| pattern.required_fields().next().is_some());
        Wants { site, thread_name, process_name, task_name, fields, all_fields, record: false }
    }

    /// Whether nothing is asked for but the place of the call, if that.
    #[inline]
    pub(crate) fn only_sites(&self) -> bool {
        self.none_of_these() && !self.fields && !self.all_fields && !self.record
    }

    /// Whether nothing is asked for that only Python code can tell.
    #[inline]
    pub(crate) fn none_of_these(&self) -> bool {
        !(self.thread_name || self.process_name || self.task_name)
    }
}

/// A handler's route. Made by `open_route`; used by the handlers of `logboom` only.
#[pyclass(frozen, module = "logboom._logboom")]
pub(crate) struct Route {
    id: RouteId,
    stream: Numbered<Stream>,
    wants: Wants,
    pattern: Option<Arc<PatternFormatter>>,
    work: Option<Work>,
    look: Numbered<Look>,
    open: AtomicBool,
    deadline_ns: i64,
    /// How often the sink went on to another file, when the handler last followed and now; for sinks
    /// that may.
    turns: Option<(AtomicU64, Turns)>,
    /// The filters of the handler that the route has.
    filters: Vec<Py<NativeFilter>>,
}

impl Route {
    #[inline]
    pub(crate) fn id(&self) -> RouteId {
        self.id
    }

    #[inline]
    pub(crate) fn wants(&self) -> Wants {
        self.wants
    }

    /// The first moment whose records it does not take; far away for most routes.
    #[inline]
    pub(crate) fn deadline_ns(&self) -> i64 {
        self.deadline_ns
    }

    /// Whether there is every field that the pattern shows and has no default for, of a kind
    /// that it shows exactly as Python does. A field that is missing is reported by the library, on
    /// the caller's thread.
    #[inline]
    pub(crate) fn has_its_fields(&self, still: &Still<'_>, fields: &Fields<'_>) -> bool {
        if self.wants.all_fields {
            return fields.shows_context();
        }
        !self.wants.fields
            || self.pattern.as_ref().is_none_or(|pattern| {
                pattern.required_fields().all(|field| match fields.kind(still, field.key()) {
                    Some(kind) => field.accepts(kind),
                    None => field.has_default(),
                })
            })
    }

    /// Whether these are the filters that it has.
    #[inline]
    pub(crate) fn has_filters(&self, filters: &[Ref<'_>]) -> bool {
        filters.len() == self.filters.len()
            && filters.iter().zip(&self.filters).all(|(now, own)| now.is(own.as_any()))
    }

    /// Whether this is the stream that it was made for, and open.
    #[inline]
    fn writes_to(&self, still: &Still<'_>, stream: Ref<'_>) -> bool {
        self.stream.get(still).is_some_and(|own| own.is_open_and(still, stream))
    }

    /// Whether the engine formats as this formatter would and writes where this stream leads.
    #[inline]
    pub(crate) fn is_native_for(
        &self,
        state: &State,
        still: &Still<'_>,
        formatter: Ref<'_>,
        stream: Ref<'_>,
    ) -> bool {
        self.writes_to(still, stream)
            && !self.moved()
            && self.look.get(still).is_some_and(|look| look.holds(state, still, formatter))
    }

    /// Guards that an object is the route that it is, with the stream and the formatter that it has,
    /// both unchanged. `turns` takes the count of a file that others move.
    pub(crate) fn guard<'s, const N: usize>(
        paving: &mut Paving<'s>,
        object: Ref<'s>,
        turns: &mut ArrayVec<(Turns, u64), N>,
    ) -> Option<()> {
        let route = paving.native(object, &ROUTE)?;
        paving
            .numbered(&route, |route| &route.stream, |stream, show| stream.held(show))?
            .guard(paving)?;
        paving
            .numbered(&route, |route| &route.look, |look, show| look.held(show))?
            .guard(paving)?;
        match &route.get().turns {
            Some((then, now)) => turns.try_push((now.clone(), then.load(Ordering::Relaxed))).ok(),
            None => Some(()),
        }
    }

    /// Whether another look may tell that the engine still does what the handler would: not where
    /// the library formats anyway, or the stream is another one.
    pub(crate) fn may_be_renewed(&self, still: &Still<'_>, stream: Ref<'_>) -> bool {
        self.work.is_some() && self.writes_to(still, stream)
    }
}

/// Looks anew at the formatter of a handler with this route and stream; whether its records may go
/// natively then.
#[cold]
pub(crate) fn renew(
    state: &State,
    still: &mut Still<'_>,
    route: &Py<PyAny>,
    formatter: &Py<PyAny>,
    stream: &Py<PyAny>,
) -> bool {
    let py = still.python();
    let Ok(route) = route.bind(py).cast_exact::<Route>() else { return false };
    let (formatter, stream) = (formatter.bind(py), stream.bind(py));
    // What cannot be looked at is the library's.
    route.get().refresh(py, formatter, stream, None).unwrap_or(false)
        && route.get().is_native_for(
            state,
            &Still::new(py),
            Ref::from_bound(formatter),
            Ref::from_bound(stream),
        )
}

#[pymethods]
impl Route {
    /// Whether the route still does what a handler with these would. Looks anew at a formatter that
    /// may have changed.
    #[pyo3(signature = (formatter, stream, filters=None))]
    fn refresh(
        &self,
        py: Python<'_>,
        formatter: &Bound<'_, PyAny>,
        stream: &Bound<'_, PyAny>,
        filters: Option<Vec<Py<NativeFilter>>>,
    ) -> PyResult<bool> {
        if let Some(filters) = filters
            && !(filters.len() == self.filters.len()
                && filters.iter().zip(&self.filters).all(|(now, own)| now.is(own)))
        {
            return Ok(false);
        }
        let mut still = Still::new(py);
        let Some(state) = state::current(py, &mut still) else { return Ok(false) };
        if !self.open.load(Ordering::Acquire) || !self.writes_to(&still, Ref::from_bound(stream)) {
            return Ok(false);
        }
        match &self.look.get(&still) {
            Some(look) if look.holds(state, &still, Ref::from_bound(formatter)) => return Ok(true),
            None if self.work.is_none() && !formatter::may_be_native(formatter)? => {
                return Ok(true);
            }
            _ => {}
        }
        let (work, look) = formatter::look(py, formatter)?.unzip();
        let same = work == self.work;
        if same {
            self.look.set(&mut still, look);
        }
        Ok(same)
    }

    /// Submits a finished line for this route; waits without the GIL while the ring is full.
    fn write(&self, py: Python<'_>, line: &Bound<'_, PyBytes>, level: i32) -> PyResult<()> {
        let record = Record {
            time_ns: wall_ns(),
            level: Level(level),
            thread: ffi::thread_ident(),
            logger: "".into(),
            site: Site::None,
            message: Message::Line(line.as_bytes()),
            fields: &[],
            attributes: &[],
            routes: &[self.id],
        };
        if matches!(global::engine().try_submit(&record), Outcome::Full | Outcome::TooLarge) {
            global::submit_waiting(py, &record)?;
        }
        Ok(())
    }

    /// Counts a record that could not be formatted, and was reported by the library, as failed.
    fn count_failed(&self) {
        global::engine().count_failed(&[self.id]);
    }

    /// Waits until everything submitted before is with the operating system; `False` on a time-out
    /// or where a record failed.
    #[pyo3(signature = (timeout=None))]
    fn flush(&self, py: Python<'_>, timeout: Option<Duration>) -> bool {
        let id = self.id;
        self.open.load(Ordering::Acquire)
            && py.detach(|| global::engine().flush_route(id, timeout)).is_done()
    }

    /// Ends the route and waits until its last line is written; `False` on a time-out or where a
    /// record failed.
    #[pyo3(signature = (timeout=None))]
    fn close(&self, py: Python<'_>, timeout: Option<Duration>) -> bool {
        if !self.open.swap(false, Ordering::AcqRel) {
            return true;
        }
        let id = self.id;
        py.detach(|| {
            let left = waiting::until_left(id, timeout);
            global::engine().close_route(id, left.map_or(Wait::Forever, Wait::For))
        })
        .is_done()
    }

    /// How often the writer went on to another file, where it may.
    #[getter]
    fn turns(&self) -> u64 {
        self.turns.as_ref().map_or(0, |(_, turns)| turns.get())
    }

    /// Whether it did since the handler last followed.
    #[getter]
    #[inline]
    fn moved(&self) -> bool {
        self.turns.as_ref().is_some_and(|(then, turns)| turns.get() != then.load(Ordering::Relaxed))
    }

    /// Says that the handler followed: it has this stream now, on the file after so many turns.
    fn follow(&self, stream: &Bound<'_, PyAny>, turns: u64) {
        self.stream.set(&mut Still::new(stream.py()), Some(Stream::new(stream)));
        if let Some((then, _)) = &self.turns {
            then.store(turns, Ordering::Relaxed);
        }
    }

    /// Whether records are formatted by the engine, as `logboom.explain` tells.
    #[getter]
    fn native(&self) -> bool {
        self.work.is_some()
    }

    /// The number of the route in `logboom.stats()`.
    #[getter(id)]
    fn number(&self) -> u32 {
        self.id.0
    }
}

impl Drop for Route {
    fn drop(&mut self) {
        if self.open.swap(false, Ordering::AcqRel) {
            // Does not wait, so it may run wherever the collector does.
            if waiting::close_later(self.id) {
                return;
            }
            let _ = global::engine().close_route(self.id, Wait::No);
        }
    }
}

/// Opens a route for a handler with this stream, formatter and filters, which takes records natively until
/// `deadline_ns`, in nanoseconds since the epoch; default `None`, for ever.
#[pyfunction]
#[pyo3(signature = (name, target, stream, formatter, deadline_ns=None, filters=Vec::new()))]
pub(crate) fn open_route(
    py: Python<'_>,
    name: String,
    target: Target,
    stream: &Bound<'_, PyAny>,
    formatter: &Bound<'_, PyAny>,
    deadline_ns: Option<i64>,
    filters: Vec<Py<NativeFilter>>,
) -> PyResult<Route> {
    let mut still = Still::new(py);
    state::current(py, &mut still);
    let place = target.place();
    let (sink, turns) = target.sink(&name)?;
    let (work, look) = formatter::look(py, formatter)?.unzip();
    let compiled = Compiled::new(py, work.as_ref(), place)?;
    let mut wants = Wants::of(&compiled);
    let mut spec = RouteSpec::shared(name, compiled.for_route()?, sink);
    if !filters.is_empty() {
        let judges: Vec<_> = filters.iter().map(|one| Arc::clone(&one.get().judge)).collect();
        for asks in judges.iter().map(|judge| judge.asks()) {
            wants.site |= asks.site;
            wants.all_fields |= asks.field.is_some();
        }
        spec = spec.filter(Judges::new(judges));
    }
    let id = py.detach(|| global::engine().open_route(spec)).map_err(crate::error::to_python)?;
    let (own_stream, slot) = (Numbered::empty(), Numbered::empty());
    own_stream.set(&mut still, Some(Stream::new(stream)));
    slot.set(&mut still, look);
    Ok(Route {
        id,
        stream: own_stream,
        wants,
        pattern: compiled.pattern,
        work,
        look: slot,
        open: AtomicBool::new(true),
        deadline_ns: deadline_ns.unwrap_or(i64::MAX),
        turns,
        filters,
    })
}

/// Where a route leads. A descriptor was made by `os.dup`, and is given up to the route.
#[derive(FromPyObject)]
pub(crate) enum Target {
    /// The name of a standard stream: "stdout" or "stderr".
    Name(String),
    /// A descriptor of a file.
    Descriptor(i32),
    /// The same, with the absolute path under which the file is followed.
    Watched(i32, PathBuf),
    /// The same, with what `logging.handlers.RotatingFileHandler` calls `maxBytes` and `backupCount`,
    /// and whether empty files are rotated.
    Rotating(i32, PathBuf, u64, u32, bool),
    /// The same, with what the processes that share it agree on.
    Shared(i32, PathBuf, Shares),
}

impl Target {
    /// Where lines go, as far as a formatter may ask.
    fn place(&self) -> Place {
        match self {
            Target::Name(name) => structured::place(Some(name)),
            _ => Place::Elsewhere,
        }
    }

    #[allow(clippy::type_complexity, reason = "named where the parts are made")]
    fn sink(self, name: &str) -> PyResult<(Arc<dyn SinkSpec>, Option<(AtomicU64, Turns)>)> {
        let (sink, turns, then) = match self {
            Target::Name(name) if name == "stdout" => return Ok((places::stdout(), None)),
            Target::Name(name) if name == "stderr" => return Ok((places::stderr(), None)),
            Target::Name(name) => {
                let text = format!(
                    "invalid target: got {name:?}, expected `stdout`, `stderr` or a descriptor"
                );
                return Err(PyValueError::new_err(text));
            }
            Target::Descriptor(descriptor) => return Ok((places::file(name, descriptor)?, None)),
            Target::Watched(descriptor, path) => places::watched(path, descriptor)?,
            Target::Rotating(descriptor, path, max_bytes, backup_count, rotates_empty) => {
                let rotation = Rotation { max_bytes, backup_count, rotates_empty };
                places::rotating(path, rotation, descriptor)?
            }
            Target::Shared(descriptor, path, shares) => {
                places::shared_with_others(path, shares.sharing()?, descriptor)?
            }
        };
        Ok((sink, Some((AtomicU64::new(then), turns))))
    }
}
