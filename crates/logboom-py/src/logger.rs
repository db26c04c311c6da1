//! The methods of a native logger: level, walk, capture, or the library's own way.
//!
//! Invariants:
//! 1. A call does what the standard library's method of that name does. Where [`walk`] meets
//!    anything that is not ours, changed or unknown, the library's own function runs with the same
//!    arguments; nothing has happened by then that it would repeat.
//! 2. What decides is looked at in each call; nothing is cached but verdicts under stamps.
//! 3. No panic and no error of ours leaves a call.
//!
//! The way: [`walk`] reads what `Logger.isEnabledFor` reads (`disabled`, then `_cache`; CPython
//! `Lib/logging/__init__.py`), then goes through `handlers`, `propagate` and `parent` as
//! `Logger.callHandlers` does and ends in a [`Plan`]: the routes to reach and what they ask for.
//! `capture` makes the record of it.
//!
//! Pinned by `tests/python/test_logger.py` and `test_parity.py`.

use crate::capture::{self, Exit};
use crate::context::Context;
use crate::ffi::dict::{self, Key};
use crate::ffi::guard;
use crate::ffi::method::{Answer, Call, Native, descriptor};
use crate::ffi::object::own;
use crate::ffi::slots::{Shape, Slot};
use crate::ffi::{Ref, Still};
use crate::route::{ROUTE, Wants};
use crate::state::{Kind, State, state};
use arrayvec::ArrayVec;
use logboom::record::RouteId;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyType};

/// The most routes one record reaches natively; more take the library's way.
pub(crate) const MOST_ROUTES: usize = 8;
/// The deepest logger that is walked natively: a cycle of parents must end.
const MOST_PARENTS: usize = 64;

/// Where a record goes and what has to be known of it.
pub(crate) struct Plan {
    pub(crate) routes: ArrayVec<RouteId, MOST_ROUTES>,
    pub(crate) wants: Wants,
}

/// Why a record does not go natively.
pub(crate) enum Detour {
    /// The library's way is the exact one.
    Library,
    /// The class of this object was never looked at, or changed.
    Unclassified(Py<PyAny>),
}

/// Where the attributes of a logger lie.
#[derive(Clone, Copy)]
enum Place<'s> {
    Slots(Shape<'s>),
    Dict(Ref<'s>),
}

#[inline]
fn kind<'s>(
    state: &State,
    still: &'s Still<'_>,
    object: Ref<'s>,
) -> Result<(Kind, Shape<'s>), Detour> {
    state.kind(still, object).map_err(|_| Detour::Unclassified(own(object)))
}

/// Finds out where the attributes of a logger lie; `Library` where something of its own stands in
/// the way of its records.
#[inline]
fn place<'s>(state: &State, still: &'s Still<'_>, logger: Ref<'s>) -> Result<Place<'s>, Detour> {
    match kind(state, still, logger)? {
        (Kind::SlotLogger, shape) => {
            if guard::own_attributes(still, logger) != 0 {
                let dict = guard::own_dict(still, logger).ok_or(Detour::Library)?;
                overridden(still, dict, &state.logger_overrides)?;
            }
            Ok(Place::Slots(shape))
        }
        (Kind::DictLogger, _) => {
            let dict = guard::own_dict(still, logger).ok_or(Detour::Library)?;
            // An untouched logger has its seven attributes, `_cache` and perhaps `manager`.
            if guard::own_attributes(still, logger) > 8 {
                overridden(still, dict, &state.logger_overrides)?;
            }
            Ok(Place::Dict(dict))
        }
        _ => Err(Detour::Library),
    }
}

fn overridden<'s>(still: &'s Still<'_>, dict: Ref<'_>, names: &[Key]) -> Result<(), Detour> {
    match names.iter().any(|name| dict::get(still, dict, name).is_some()) {
        true => Err(Detour::Library),
        false => Ok(()),
    }
}

macro_rules! attribute {
    ($state:ident, $still:ident, $place:expr, $name:ident) => {
        match $place {
            Place::Slots(shape) => $state.slots.$name.read($still, shape),
            Place::Dict(dict) => dict::get($still, dict, &$state.keys.$name),
        }
    };
}

/// The logger's `name`.
#[inline]
pub(crate) fn name<'s>(state: &State, still: &'s Still<'_>, logger: Ref<'s>) -> Option<Ref<'s>> {
    match state.kind(still, logger).ok()? {
        (Kind::SlotLogger, shape) => state.slots.name.read(still, shape),
        (Kind::DictLogger, _) => {
            dict::get(still, guard::own_dict(still, logger)?, &state.keys.name)
        }
        _ => None,
    }
}

/// Whether the logger lets `level` through, as `Logger.isEnabledFor` tells; `None` where only the
/// library can say.
#[inline]
fn lets_through(state: &State, still: &Still<'_>, place: Place<'_>, level: &Key) -> Option<bool> {
    if attribute!(state, still, place, disabled)?.plain_truth()? {
        return Some(false);
    }
    let cache = attribute!(state, still, place, cache)?;
    dict::get(still, cache, level)?.exact_bool()
}

/// The same for any logger, classifying it first if need be.
fn enabled(state: &State, still: &mut Still<'_>, logger: Ref<'_>, level: &Key) -> Option<bool> {
    settle(state, still, |still| {
        lets_through(state, still, place(state, still, logger)?, level).ok_or(Detour::Library)
    })
}

/// Runs `look`, classifying classes it had not met until it comes through; `None` where only the
/// library can say.
#[inline]
fn settle<T>(
    state: &State,
    still: &mut Still<'_>,
    look: impl Fn(&Still<'_>) -> Result<T, Detour>,
) -> Option<T> {
    // Each round classifies one class more; one that changes all the time ends here.
    for _ in 0..32 {
        let unknown = match look(still) {
            Ok(found) => return Some(found),
            Err(Detour::Library) => return None,
            Err(Detour::Unclassified(object)) => object,
        };
        let object = unknown.into_bound(still.python());
        state.classify(still, &object);
    }
    None
}

/// Goes the way of `Logger.isEnabledFor`, `Logger.handle` and `Logger.callHandlers`. No plan for a
/// record that is not enabled.
#[inline]
fn walk<'s>(
    state: &State,
    still: &'s Still<'_>,
    logger: Ref<'s>,
    level: &Level,
    context: Option<&Context>,
) -> Result<Option<Plan>, Detour> {
    let mut at = place(state, still, logger)?;
    if !lets_through(state, still, at, &level.key).ok_or(Detour::Library)? {
        return Ok(None);
    }
    let filters = attribute!(state, still, at, filters).and_then(Ref::exact_list);
    if filters.is_none_or(|filters| !filters.is_empty()) {
        return Err(Detour::Library);
    }
    let mut plan = Plan { routes: ArrayVec::new(), wants: Wants::default() };
    let mut found = false;
    for _ in 0..MOST_PARENTS {
        let handlers = attribute!(state, still, at, handlers).and_then(Ref::exact_list);
        for &handler in handlers.ok_or(Detour::Library)? {
            found = true;
            visit(state, still, handler, level.number, context, &mut plan)?;
        }
        let propagate = attribute!(state, still, at, propagate).and_then(Ref::plain_truth);
        let parent = match propagate.ok_or(Detour::Library)? {
            true => attribute!(state, still, at, parent).filter(|parent| !parent.is_none()),
            false => None,
        };
        match parent {
            Some(parent) => at = place(state, still, parent)?,
            None if found => return Ok(Some(plan)),
            // Nobody handles it: the library's last resort, or its complaint.
            None => return Err(Detour::Library),
        }
    }
    Err(Detour::Library)
}

/// One handler on the way: adds its route, or nothing where its level is above the record's.
#[inline]
fn visit<'s>(
    state: &State,
    still: &'s Still<'_>,
    handler: Ref<'s>,
    level: i64,
    context: Option<&Context>,
    plan: &mut Plan,
) -> Result<(), Detour> {
    let slots = &state.handler_slots;
    let shape = match kind(state, still, handler)? {
        (Kind::Handler, shape) => shape,
        (Kind::NullHandler, _) => {
            if let Some(dict) = guard::own_dict(still, handler)
                && dict::get(still, dict, &state.key_handle).is_some()
            {
                return Err(Detour::Library);
            }
            return Ok(());
        }
        _ => return Err(Detour::Library),
    };
    if guard::own_attributes(still, handler) != 0 {
        let dict = guard::own_dict(still, handler).ok_or(Detour::Library)?;
        overridden(still, dict, &state.handler_overrides)?;
    }
    let read = |slot: Slot| slot.read(still, shape).ok_or(Detour::Library);
    if level < read(slots.level)?.exact_i64().ok_or(Detour::Library)? {
        return Ok(());
    }
    if !read(slots.filters)?.exact_list().ok_or(Detour::Library)?.is_empty() {
        return Err(Detour::Library);
    }
    let route = read(slots.route)?.native(&ROUTE).ok_or(Detour::Library)?;
    if plan.routes.is_full()
        || !route.is_native_for(still, read(slots.formatter)?, read(slots.stream)?)
    {
        return Err(Detour::Library);
    }
    // A field that is missing is reported by the library, on this thread.
    if route.required().iter().any(|key| context.is_none_or(|context| context.get(key).is_none())) {
        return Err(Detour::Library);
    }
    plan.routes.push(route.id());
    plan.wants.add(route.wants());
    Ok(())
}

/// A level as `Logger._cache` has it for a key, and as a number.
pub(crate) struct Level {
    key: Key,
    pub(crate) number: i64,
}

/// What a record of this level would reach; `Some(None)` for one that is not enabled, `None` where
/// only the library can say.
#[inline]
pub(crate) fn plan(
    state: &State,
    still: &mut Still<'_>,
    logger: Ref<'_>,
    level: &Level,
    context: Option<&Context>,
) -> Option<Option<Plan>> {
    settle(state, still, |still| walk(state, still, logger, level, context))
}

/// The whole of a call with the message at `at` among its arguments.
#[inline]
fn log(
    state: &State,
    still: &mut Still<'_>,
    call: &Call<'_>,
    level: &Level,
    at: usize,
) -> Result<(), Exit> {
    let Some(arguments) = call.positional.get(at..).filter(|arguments| !arguments.is_empty())
    else {
        return Err(Exit::Library);
    };
    if call.keywords {
        // The library looks at nothing else of a call that is not enabled.
        return match enabled(state, still, call.this, &level.key) {
            Some(false) => Ok(()),
            _ => Err(Exit::Library),
        };
    }
    capture::submit(state, still, call.this, level, arguments)
}

/// The library's own function of this name, with the same arguments.
#[cold]
fn library<'py>(still: &mut Still<'py>, call: &Call<'_>, name: &str) -> PyResult<Answer<'py>> {
    let py = still.python();
    let class = match state(py) {
        Some(state) => state.library_logger.bind(py).clone().into_any(),
        None => py.import("logging")?.getattr("Logger")?,
    };
    let function = class.getattr(PyString::intern(py, name))?;
    call.forward(py, &function).map(Answer::Object)
}

macro_rules! level_methods {
    ($($type:ident $name:literal $number:literal $level:ident;)*) => {$(
        struct $type;

        static $level: PyOnceLock<Level> = PyOnceLock::new();

        impl Native for $type {
            const NAME: &'static std::ffi::CStr = {
                match std::ffi::CStr::from_bytes_with_nul(concat!($name, "\0").as_bytes()) {
                    Ok(name) => name,
                    Err(_) => panic!(),
                }
            };
            const DOC: &'static std::ffi::CStr = {
                match std::ffi::CStr::from_bytes_with_nul(
                    concat!(
                        $name,
                        "($self, msg, /, *args, **kwargs)\n--\n\n",
                        "Log 'msg % args', exactly as logging.Logger.", $name, " does.\0"
                    )
                    .as_bytes(),
                ) {
                    Ok(doc) => doc,
                    Err(_) => panic!(),
                }
            };

            #[inline]
            fn call<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Answer<'py>> {
                let py = still.python();
                let (Some(state), Some(level)) = (state(py), $level.get(py)) else {
                    return library(still, call, $name);
                };
                match log(state, still, call, level, 0) {
                    Ok(()) => Ok(Answer::None),
                    Err(Exit::Library) => library(still, call, $name),
                    Err(Exit::Raise(error)) => Err(error),
                }
            }

            fn after_panic<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Answer<'py>> {
                library(still, call, $name)
            }
        }
    )*
        fn learn_levels(py: Python<'_>) -> PyResult<()> {
            $($level.get_or_try_init(py, || {
                Ok::<_, PyErr>(Level { key: Key::int(py, $number)?, number: $number })
            })?;)*
            Ok(())
        }
    };
}

level_methods! {
    Debug "debug" 10 DEBUG;
    Info "info" 20 INFO;
    Warning "warning" 30 WARNING;
    Error "error" 40 ERROR;
    Critical "critical" 50 CRITICAL;
}

/// `Logger.exception`: natively only where nothing is to be done.
struct Exception;

impl Native for Exception {
    const NAME: &'static std::ffi::CStr = c"exception";
    const DOC: &'static std::ffi::CStr = c"exception($self, msg, /, *args, exc_info=True, **kwargs)\n--\n\nLog an error with the traceback of the exception that is being handled, exactly as logging.Logger.exception does.";

    fn call<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Answer<'py>> {
        let py = still.python();
        if let (Some(state), Some(level)) = (state(py), ERROR.get(py))
            && !call.positional.is_empty()
            && enabled(state, still, call.this, &level.key) == Some(false)
        {
            return Ok(Answer::None);
        }
        library(still, call, "exception")
    }

    fn after_panic<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Answer<'py>> {
        library(still, call, "exception")
    }
}

/// The key of a level given as an argument: the standard ones have theirs ready.
fn level_of<'a>(py: Python<'a>, level: Ref<'_>) -> Option<(Option<&'a Level>, i64)> {
    let number = level.exact_i64()?;
    let known = match number {
        10 => DEBUG.get(py),
        20 => INFO.get(py),
        30 => WARNING.get(py),
        40 => ERROR.get(py),
        50 => CRITICAL.get(py),
        _ => None,
    };
    Some((known, number))
}

/// `Logger.log`.
struct Log;

impl Log {
    fn native(still: &mut Still<'_>, call: &Call<'_>) -> Result<(), Exit> {
        let py = still.python();
        let state = state(py).ok_or(Exit::Library)?;
        let level = call.positional.first().and_then(|level| level_of(py, *level));
        let (known, number) = level.ok_or(Exit::Library)?;
        let own;
        let level = match known {
            Some(level) => level,
            None => {
                let number = i32::try_from(number).map_err(|_| Exit::Library)?;
                let key = Key::int(py, number).map_err(|_| Exit::Library)?;
                own = Level { key, number: number.into() };
                &own
            }
        };
        log(state, still, call, level, 1)
    }
}

impl Native for Log {
    const NAME: &'static std::ffi::CStr = c"log";
    const DOC: &'static std::ffi::CStr = c"log($self, level, msg, /, *args, **kwargs)\n--\n\nLog 'msg % args' with the integer level, exactly as logging.Logger.log does.";

    fn call<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Answer<'py>> {
        match Self::native(still, call) {
            Ok(()) => Ok(Answer::None),
            Err(Exit::Library) => library(still, call, "log"),
            Err(Exit::Raise(error)) => Err(error),
        }
    }

    fn after_panic<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Answer<'py>> {
        library(still, call, "log")
    }
}

/// `Logger.isEnabledFor`.
struct IsEnabledFor;

impl IsEnabledFor {
    fn native(still: &mut Still<'_>, call: &Call<'_>) -> Option<bool> {
        if call.keywords || call.positional.len() != 1 {
            return None;
        }
        let py = still.python();
        let (level, _) = level_of(py, call.positional[0])?;
        enabled(state(py)?, still, call.this, &level?.key)
    }
}

impl Native for IsEnabledFor {
    const NAME: &'static std::ffi::CStr = c"isEnabledFor";
    const DOC: &'static std::ffi::CStr = c"isEnabledFor($self, level)\n--\n\nWhether this logger lets records of this level through.";

    fn call<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Answer<'py>> {
        match Self::native(still, call) {
            Some(enabled) => Ok(Answer::Bool(enabled)),
            None => library(still, call, "isEnabledFor"),
        }
    }

    fn after_panic<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Answer<'py>> {
        library(still, call, "isEnabledFor")
    }
}

/// The addresses of the descriptors made here, by which they are known again.
static NATIVES: PyOnceLock<std::sync::Mutex<Vec<usize>>> = PyOnceLock::new();

/// Whether a method is one of the descriptors made here.
pub(crate) fn is_native(method: &Bound<'_, PyAny>) -> bool {
    NATIVES
        .get(method.py())
        .and_then(|natives| natives.lock().ok().map(|n| n.contains(&(method.as_ptr() as usize))))
        .unwrap_or(false)
}

/// The native methods for `class`, by name; whoever sets them on the class makes it native.
#[pyfunction]
pub(crate) fn logger_methods<'py>(
    class: &Bound<'py, PyType>,
) -> PyResult<Vec<(Bound<'py, PyString>, Bound<'py, PyAny>)>> {
    let py = class.py();
    learn_levels(py)?;
    let methods = vec![
        descriptor::<Debug>(class)?,
        descriptor::<Info>(class)?,
        descriptor::<Warning>(class)?,
        descriptor::<Error>(class)?,
        descriptor::<Critical>(class)?,
        descriptor::<Exception>(class)?,
        descriptor::<Log>(class)?,
        descriptor::<IsEnabledFor>(class)?,
    ];
    let natives = NATIVES.get_or_init(py, Default::default);
    if let Ok(mut natives) = natives.lock() {
        natives.extend(methods.iter().map(|(_, method)| method.as_ptr() as usize));
        // Known by address, so they must never go away.
        for (_, method) in &methods {
            std::mem::forget(method.clone());
        }
    }
    Ok(methods)
}
