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

mod methods;
mod obstacle;
mod place;

pub(crate) use methods::{is_native, logger_methods};
pub(crate) use obstacle::{handler_obstacle, library_obstacle, logger_obstacle, way_obstacle};

use crate::context::Context;
use crate::ffi::dict::{self, Key};
use crate::ffi::guard;
use crate::ffi::object::own;
use crate::ffi::slots::Slot;
use crate::ffi::{Ref, Still};
use crate::route::{self, ROUTE, Route, Wants};
use crate::state::{Kind, State};
use arrayvec::ArrayVec;
use logboom::record::RouteId;
use obstacle::Obstacle;
use place::{Place, is_overridden, place};
use pyo3::prelude::*;

/// The most routes one record reaches natively; more take the library's way.
pub(crate) const MOST_ROUTES: usize = 8;
/// The deepest logger that is walked natively: a cycle of parents must end.
const MOST_PARENTS: usize = 64;

/// Where a record goes and what has to be known of it.
pub(crate) struct Plan {
    pub(crate) routes: ArrayVec<RouteId, MOST_ROUTES>,
    pub(crate) wants: Wants,
    /// The first moment at which one of the handlers has something to do first.
    pub(crate) deadline_ns: i64,
}

impl Default for Plan {
    fn default() -> Self {
        Plan { routes: ArrayVec::new(), wants: Wants::default(), deadline_ns: i64::MAX }
    }
}

/// Why a record does not go natively.
pub(crate) enum Detour {
    /// The library's way is the exact one.
    Library(Obstacle),
    /// The class of this object was never looked at, or changed.
    Unclassified(Py<PyAny>),
    /// This logger was never looked at, or changed.
    Unseen(Py<PyAny>),
    /// This handler's formatter may have changed since it was looked at.
    Stale(Box<Stale>),
}

/// A route, and the formatter and stream that its handler has now.
pub(crate) struct Stale {
    route: Py<PyAny>,
    formatter: Py<PyAny>,
    stream: Py<PyAny>,
}

/// The logger's `name`.
#[inline]
pub(crate) fn name<'s>(state: &'s State, still: &'s Still<'_>, logger: Ref<'s>) -> Option<Ref<'s>> {
    place::unguarded(state, still, logger).ok()?.name(still)
}

/// Whether the logger lets `level` through, as `Logger.isEnabledFor` tells; `None` where only the
/// library can say.
#[inline]
fn lets_through(still: &Still<'_>, place: Place<'_>, level: &Key) -> Option<bool> {
    if place.disabled(still)?.plain_truth()? {
        return Some(false);
    }
    let cache = place.cache(still)?;
    dict::get(still, cache, level)?.exact_bool()
}

/// The same for any logger, classifying it first if need be.
fn enabled(state: &State, still: &mut Still<'_>, logger: Ref<'_>, level: &Key) -> Option<bool> {
    settle(state, still, |still| {
        lets_through(still, place(state, still, logger)?, level).ok_or(ATTRIBUTE)
    })
    .ok()
}

const ATTRIBUTE: Detour = Detour::Library(Obstacle::LoggerAttribute);

/// Runs `look`, finding out about what it had not met until it comes through; the obstacle where
/// only the library can say.
#[inline]
fn settle<T>(
    state: &State,
    still: &mut Still<'_>,
    look: impl Fn(&Still<'_>) -> Result<T, Detour>,
) -> Result<T, Obstacle> {
    // Each round finds out about one object more; one that changes all the time ends here.
    for _ in 0..32 {
        match look(still) {
            Ok(found) => return Ok(found),
            Err(Detour::Library(obstacle)) => return Err(obstacle),
            Err(Detour::Unclassified(object)) => {
                let object = object.into_bound(still.python());
                state.classify(still, &object);
            }
            Err(Detour::Unseen(logger)) => {
                let logger = logger.into_bound(still.python());
                place::draw(state, still, &logger);
            }
            Err(Detour::Stale(stale)) => {
                let Stale { route, formatter, stream } = *stale;
                if !route::renew(still, &route, &formatter, &stream) {
                    return Err(Obstacle::Formatter);
                }
            }
        }
    }
    Err(Obstacle::LoggerClass)
}

/// Whether nothing filters the records of this logger.
#[inline]
fn unfiltered(still: &Still<'_>, place: Place<'_>) -> Result<(), Obstacle> {
    match place.filters(still).and_then(Ref::exact_list) {
        Some([]) => Ok(()),
        Some(_) => Err(Obstacle::LoggerFilters),
        None => Err(Obstacle::LoggerAttribute),
    }
}

/// Goes the way of `Logger.isEnabledFor`, `Logger.handle` and `Logger.callHandlers`. No plan for a
/// record that is not enabled.
#[inline]
fn walk<'s>(
    state: &'s State,
    still: &'s Still<'_>,
    logger: Ref<'s>,
    level: &Level,
    context: Option<&Context>,
    ask: Ask,
) -> Result<Option<Plan>, Detour> {
    let mut at = place(state, still, logger)?;
    if ask == Ask::WhetherAndWhere && !lets_through(still, at, &level.key).ok_or(ATTRIBUTE)? {
        return Ok(None);
    }
    unfiltered(still, at).map_err(Detour::Library)?;
    let mut plan = Plan::default();
    let mut found = false;
    for _ in 0..MOST_PARENTS {
        let handlers = at.handlers(still).and_then(Ref::exact_list);
        for &handler in handlers.ok_or(ATTRIBUTE)? {
            found = true;
            visit(state, still, handler, level.number, context, &mut plan)?;
        }
        let propagate = at.propagate(still).and_then(Ref::plain_truth);
        let parent = match propagate.ok_or(ATTRIBUTE)? {
            true => at.parent(still).filter(|parent| !parent.is_none()),
            false => None,
        };
        match parent {
            Some(parent) => at = place(state, still, parent)?,
            None if found => return Ok(Some(plan)),
            // Nobody handles it: the library's last resort, or its complaint.
            None => return Err(Detour::Library(Obstacle::NoHandler)),
        }
    }
    Err(Detour::Library(Obstacle::Depth))
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
    let shape = match state.kind(still, handler) {
        Ok((Kind::Handler, shape)) => shape,
        Ok((Kind::NullHandler, _)) => {
            if let Some(dict) = guard::own_dict(still, handler)
                && dict::get(still, dict, &state.key_handle).is_some()
            {
                return Err(Detour::Library(Obstacle::HandlerOwn));
            }
            return Ok(());
        }
        Ok(_) => return Err(Detour::Library(Obstacle::HandlerClass)),
        Err(_) => return Err(Detour::Unclassified(own(handler))),
    };
    if guard::own_attributes(still, handler) != 0
        && guard::own_dict(still, handler)
            .is_none_or(|dict| is_overridden(still, dict, &state.handler_overrides))
    {
        return Err(Detour::Library(Obstacle::HandlerOwn));
    }
    const ATTRIBUTE: Detour = Detour::Library(Obstacle::HandlerAttribute);
    let read = |slot: Slot| slot.read(still, shape).ok_or(ATTRIBUTE);
    if level < read(slots.level)?.exact_i64().ok_or(ATTRIBUTE)? {
        return Ok(());
    }
    if !read(slots.filters)?.exact_list().ok_or(ATTRIBUTE)?.is_empty() {
        return Err(Detour::Library(Obstacle::HandlerFilters));
    }
    let object = read(slots.route)?;
    let route = object.native(&ROUTE).ok_or(Detour::Library(Obstacle::NoRoute))?;
    if plan.routes.is_full() {
        return Err(Detour::Library(Obstacle::TooManyHandlers));
    }
    let (formatter, stream) = (read(slots.formatter)?, read(slots.stream)?);
    if !route.is_native_for(still, formatter, stream) {
        return Err(stale(still, route, object, formatter, stream));
    }
    if !route.has_its_fields(context) {
        return Err(Detour::Library(Obstacle::Field));
    }
    plan.routes.push(route.id());
    plan.wants.add(route.wants());
    plan.deadline_ns = plan.deadline_ns.min(route.deadline_ns());
    Ok(())
}

#[cold]
fn stale(
    still: &Still<'_>,
    route: &Route,
    object: Ref<'_>,
    formatter: Ref<'_>,
    stream: Ref<'_>,
) -> Detour {
    match route.may_be_renewed(still, stream) {
        true => Detour::Stale(Box::new(Stale {
            route: own(object),
            formatter: own(formatter),
            stream: own(stream),
        })),
        false => Detour::Library(Obstacle::Formatter),
    }
}

/// What is asked of a walk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Whether the logger lets the record through, and where it goes then.
    WhetherAndWhere,
    /// Where it goes: that it is let through was found before.
    Where,
}

/// A level as `Logger._cache` has it for a key, and as a number.
pub(crate) struct Level {
    key: Key,
    pub(crate) number: i64,
}

impl Level {
    pub(crate) fn new(py: Python<'_>, number: i32) -> PyResult<Level> {
        Ok(Level { key: Key::int(py, number)?, number: number.into() })
    }
}

/// What a record of this level would reach, `None` for one that is not enabled; the obstacle where
/// only the library can say.
#[inline]
pub(crate) fn plan(
    state: &State,
    still: &mut Still<'_>,
    logger: Ref<'_>,
    level: &Level,
    context: Option<&Context>,
    ask: Ask,
) -> Result<Option<Plan>, Obstacle> {
    settle(state, still, |still| walk(state, still, logger, level, context, ask))
}
