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
mod place;

pub(crate) use methods::{is_native, logger_methods};

use crate::context::Context;
use crate::ffi::dict::{self, Key};
use crate::ffi::guard;
use crate::ffi::object::own;
use crate::ffi::slots::Slot;
use crate::ffi::{Ref, Still};
use crate::route::{ROUTE, Wants};
use crate::state::{Kind, State};
use arrayvec::ArrayVec;
use logboom::record::RouteId;
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
}

/// Why a record does not go natively.
pub(crate) enum Detour {
    /// The library's way is the exact one.
    Library,
    /// The class of this object was never looked at, or changed.
    Unclassified(Py<PyAny>),
    /// This logger was never looked at, or changed.
    Unseen(Py<PyAny>),
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
        lets_through(still, place(state, still, logger)?, level).ok_or(Detour::Library)
    })
}

/// Runs `look`, finding out about what it had not met until it comes through; `None` where only the
/// library can say.
#[inline]
fn settle<T>(
    state: &State,
    still: &mut Still<'_>,
    look: impl Fn(&Still<'_>) -> Result<T, Detour>,
) -> Option<T> {
    // Each round finds out about one object more; one that changes all the time ends here.
    for _ in 0..32 {
        match look(still) {
            Ok(found) => return Some(found),
            Err(Detour::Library) => return None,
            Err(Detour::Unclassified(object)) => {
                let object = object.into_bound(still.python());
                state.classify(still, &object);
            }
            Err(Detour::Unseen(logger)) => {
                let logger = logger.into_bound(still.python());
                place::draw(state, still, &logger);
            }
        }
    }
    None
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
    if ask == Ask::WhetherAndWhere && !lets_through(still, at, &level.key).ok_or(Detour::Library)? {
        return Ok(None);
    }
    let filters = at.filters(still).and_then(Ref::exact_list);
    if filters.is_none_or(|filters| !filters.is_empty()) {
        return Err(Detour::Library);
    }
    let mut plan = Plan { routes: ArrayVec::new(), wants: Wants::default() };
    let mut found = false;
    for _ in 0..MOST_PARENTS {
        let handlers = at.handlers(still).and_then(Ref::exact_list);
        for &handler in handlers.ok_or(Detour::Library)? {
            found = true;
            visit(state, still, handler, level.number, context, &mut plan)?;
        }
        let propagate = at.propagate(still).and_then(Ref::plain_truth);
        let parent = match propagate.ok_or(Detour::Library)? {
            true => at.parent(still).filter(|parent| !parent.is_none()),
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
    let shape = match state.kind(still, handler) {
        Ok((Kind::Handler, shape)) => shape,
        Ok((Kind::NullHandler, _)) => {
            if let Some(dict) = guard::own_dict(still, handler)
                && dict::get(still, dict, &state.key_handle).is_some()
            {
                return Err(Detour::Library);
            }
            return Ok(());
        }
        Ok(_) => return Err(Detour::Library),
        Err(_) => return Err(Detour::Unclassified(own(handler))),
    };
    if guard::own_attributes(still, handler) != 0
        && guard::own_dict(still, handler)
            .is_none_or(|dict| is_overridden(still, dict, &state.handler_overrides))
    {
        return Err(Detour::Library);
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
    if !route.has_its_fields(context) {
        return Err(Detour::Library);
    }
    plan.routes.push(route.id());
    plan.wants.add(route.wants());
    Ok(())
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

/// What a record of this level would reach; `Some(None)` for one that is not enabled, `None` where
/// only the library can say.
#[inline]
pub(crate) fn plan(
    state: &State,
    still: &mut Still<'_>,
    logger: Ref<'_>,
    level: &Level,
    context: Option<&Context>,
    ask: Ask,
) -> Option<Option<Plan>> {
    settle(state, still, |still| walk(state, still, logger, level, context, ask))
}
