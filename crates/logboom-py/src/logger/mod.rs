//! The methods of a native logger: level, walk, capture, or the library's own way.
//!
//! Invariants:
//! 1. A call does what the standard library's method of that name does. Where [`walk`] meets
//!    anything that is not ours, changed or unknown, the library's own function runs with the same
//!    arguments; nothing has happened by then that it would repeat.
//! 2. What decides is looked at in each call; what was found out is kept under stamps only, which
//!    change with it ([`view`]).
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
mod queued;
mod reached;
mod trail;
mod view;

pub(crate) use methods::{is_native, logger_methods};
pub(crate) use obstacle::{handler_obstacle, library_obstacle, logger_obstacle, way_obstacle};
pub(crate) use queued::{Target, target};
pub(crate) use trail::find as known_way;

use crate::ffi::dict::Key;
use crate::ffi::object::own;
use crate::ffi::{Ref, Still};
use crate::fields::Fields;
use crate::route::{self, Wants};
use crate::state::State;
use arrayvec::ArrayVec;
use logboom::record::{RouteId, TextId};
use obstacle::Obstacle;
use pyo3::prelude::*;

/// The most routes one record reaches natively; more take the library's way.
pub(crate) const MOST_ROUTES: usize = 8;
/// The deepest logger that is walked natively: a cycle of parents must end.
const MOST_PARENTS: usize = 64;

/// Where a record goes and what has to be known of it.
#[derive(Clone)]
pub(crate) struct Plan {
    /// The logger's name, where it is in the ring's table.
    pub(crate) logger: Option<TextId>,
    pub(crate) routes: ArrayVec<RouteId, MOST_ROUTES>,
    pub(crate) wants: Wants,
    /// The first moment at which one of the handlers has something to do first.
    pub(crate) deadline_ns: i64,
}

impl Plan {
    /// One that leads nowhere yet.
    #[inline]
    pub(crate) fn new() -> Self {
        Plan {
            logger: None,
            routes: ArrayVec::new(),
            wants: Wants::default(),
            deadline_ns: i64::MAX,
        }
    }
}

/// Why a record does not go natively, or not yet.
enum Detour {
    /// The library's way is the exact one.
    Library(Obstacle),
    /// This logger was never looked at, or changed.
    Unseen(Py<PyAny>),
    /// Something that belongs to a logger changed.
    Changed,
    /// The library's own settings changed.
    LibraryChanged,
    /// This handler's formatter may have changed since it was looked at.
    Stale(Box<Stale>),
}

impl Detour {
    /// What was met at this logger.
    #[cold]
    fn at(self, logger: Ref<'_>) -> Detour {
        match self {
            Detour::Changed => Detour::Unseen(own(logger)),
            other => other,
        }
    }
}

/// A route, and the formatter and stream that its handler has now.
struct Stale {
    route: Py<PyAny>,
    formatter: Py<PyAny>,
    stream: Py<PyAny>,
}

/// The logger's name; `None` where only the library can tell.
pub(crate) fn name<'s>(still: &'s Still<'_>, logger: Ref<'s>) -> Option<Ref<'s>> {
    view::of(still, logger).ok()?.name()
}

/// Whether the logger's `exception` comes to our own `error`.
fn has_plain_error(state: &State, still: &mut Still<'_>, logger: Ref<'_>) -> bool {
    settle(state, still, |still| Ok(view::of(still, logger)?.has_plain_error())).unwrap_or(false)
}

const ATTRIBUTE: Detour = Detour::Library(Obstacle::LoggerAttribute);

/// Whether the logger lets `level` through, looking at it first if need be; `None` where only the
/// library can say.
fn enabled(state: &State, still: &mut Still<'_>, logger: Ref<'_>, level: &Level) -> Option<bool> {
    settle(state, still, |still| view::of(still, logger)?.lets_through(state, level)).ok()
}

/// Runs `look`, finding out about what it had not met until it comes through; the obstacle where
/// only the library can say.
#[inline(always)]
fn settle<T>(
    state: &State,
    still: &mut Still<'_>,
    mut look: impl FnMut(&Still<'_>) -> Result<T, Detour>,
) -> Result<T, Obstacle> {
    // Each round finds out about one object more; one that changes all the time ends here.
    let mut rounds = 0;
    loop {
        match look(still) {
            Ok(found) => return Ok(found),
            Err(detour) => find_out(state, still, detour, &mut rounds)?,
        }
    }
}

#[cold]
fn find_out(
    state: &State,
    still: &mut Still<'_>,
    detour: Detour,
    rounds: &mut usize,
) -> Result<(), Obstacle> {
    *rounds += 1;
    if *rounds > 3 * MOST_PARENTS {
        return Err(Obstacle::Changing);
    }
    match detour {
        Detour::Unseen(logger) => {
            let logger = logger.into_bound(still.python());
            view::draw(state, still, &logger);
        }
        Detour::LibraryChanged if state.look_at_library(still) => {}
        Detour::LibraryChanged => return Err(Obstacle::Library),
        Detour::Stale(stale) => {
            let Stale { route, formatter, stream } = *stale;
            if !route::renew(state, still, &route, &formatter, &stream) {
                return Err(Obstacle::Formatter);
            }
        }
        Detour::Library(obstacle) => return Err(obstacle),
        // Whoever looks at one thing alone looks again.
        Detour::Changed => {}
    }
    Ok(())
}

/// Goes the way of `Logger.isEnabledFor`, `Logger.handle` and `Logger.callHandlers`, and makes a plan
/// of it; false for a record that is not enabled.
#[inline(always)]
fn walk<'s>(
    state: &'s State,
    still: &'s Still<'_>,
    logger: Ref<'s>,
    level: &Level,
    fields: &Fields<'_>,
    ask: Ask,
    plan: &mut Plan,
) -> Result<bool, Detour> {
    let mut at = logger;
    let mut own = view::of(still, at)?;
    if ask == Ask::WhetherAndWhere && !own.lets_through(state, level)? {
        return Ok(false);
    }
    match state.library_is_as_found(still) {
        Some(true) => {}
        Some(false) => return Err(Detour::Library(Obstacle::Library)),
        None => return Err(Detour::LibraryChanged),
    }
    own.unfiltered()?;
    *plan = Plan { logger: own.name_id(), ..Plan::new() };
    let mut found = false;
    for _ in 0..MOST_PARENTS {
        for (reached, handler) in own.reached().map_err(|detour| detour.at(at))? {
            found = true;
            reached
                .visit(state, still, handler, level.number, fields, plan)
                .map_err(|detour| detour.at(at))?;
        }
        match own.next()? {
            Some(parent) => (at, own) = (parent, view::of(still, parent)?),
            None if found => return Ok(true),
            // Nobody handles it: the library's last resort, or its complaint.
            None => return Err(Detour::Library(Obstacle::NoHandler)),
        }
    }
    Err(Detour::Library(Obstacle::Depth))
}

/// What is asked of a walk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Whether the logger lets the record through, and where it goes then.
    WhetherAndWhere,
    /// Where it goes: that it is let through was found before.
    Where,
}

/// The levels that the library defines, by rank.
const LEVELS: [i32; STANDARD] = [10, 20, 30, 40, 50];
/// How many there are.
pub(crate) const STANDARD: usize = 5;

/// A level as `Logger._cache` has it for a key, and as a number.
pub(crate) struct Level {
    key: Key,
    pub(crate) number: i64,
    /// Its rank among those that the library defines; `STANDARD` for others.
    rank: usize,
}

impl Level {
    pub(crate) fn new(py: Python<'_>, number: i32) -> PyResult<Level> {
        let rank = LEVELS.iter().position(|level| *level == number).unwrap_or(STANDARD);
        Ok(Level { key: Key::int(py, number)?, number: number.into(), rank })
    }

    /// The levels that the library defines, by rank.
    ///
    /// # Errors
    /// If there is no memory.
    pub(crate) fn all_standard(py: Python<'_>) -> PyResult<[Level; STANDARD]> {
        let [debug, info, warning, error, critical] = LEVELS.map(|number| Level::new(py, number));
        Ok([debug?, info?, warning?, error?, critical?])
    }
}

/// Makes a plan of what a record of this level would reach; false for one that is not enabled, the
/// obstacle where only the library can say.
pub(crate) fn plan(
    state: &State,
    still: &mut Still<'_>,
    logger: Ref<'_>,
    level: &Level,
    fields: &Fields<'_>,
    ask: Ask,
    plan: &mut Plan,
) -> Result<bool, Obstacle> {
    if let Some(known) = known_way(state, still, logger, level) {
        match &known.plan {
            Some(found) if !found.wants.all_fields || fields.shows_context() => {
                *plan = found.clone();
                return Ok(true);
            }
            None if ask == Ask::WhetherAndWhere => return Ok(false),
            _ => {}
        }
    }
    let goes = settle(state, still, |still| walk(state, still, logger, level, fields, ask, plan))?;
    trail::lay(state, still, logger, level, fields, goes.then_some(&*plan));
    Ok(goes)
}
