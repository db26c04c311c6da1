//! What stands in the way of records that could go natively, for `logboom.explain`.
//!
//! Invariants:
//! 1. What is told comes from the very code that decides at each call ([`view`], [`Reached::visit`],
//!    `State::library_is_as_found`), so it cannot be wrong about the way.
//! 2. Nothing is logged, opened or changed by asking.
//!
//! Pinned by `tests/python/test_explain.py`.

use super::reached::Reached;
use super::{Detour, Plan, settle, view};
use crate::context;
use crate::ffi::{Ref, Still};
use crate::fields::Fields;
use crate::state::{self, State};
use pyo3::prelude::*;

/// Why the library's way is the exact one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The class of a logger is another, or one of its methods was overridden or patched.
    LoggerClass,
    /// A method on the way is an attribute of the logger itself.
    LoggerOwn,
    /// The logger has filters.
    LoggerFilters,
    /// What decides is not of the type that the library gives it.
    LoggerAttribute,
    /// No handler was found.
    NoHandler,
    /// The parents do not end, or are too many.
    Depth,
    /// The class of a handler is another, or one of its methods was overridden or patched.
    HandlerClass,
    /// A method on the way, or the terminator, is an attribute of the handler itself.
    HandlerOwn,
    /// The handler has filters that its route has not.
    HandlerFilters,
    /// What decides is not of the type that the library gives it.
    HandlerAttribute,
    /// No route is open: no record came yet, or the stream leads to no descriptor.
    NoRoute,
    /// The formatter is not one whose work the engine can do, or it changed since.
    Formatter,
    /// The pattern shows a field that is not bound here, or of a kind that only Python can show.
    Field,
    /// There are more handlers than one record reaches natively.
    TooManyHandlers,
    /// A setting of the library itself.
    Library,
    /// Something changed each time that it was looked at.
    Changing,
}

impl Obstacle {
    /// The word by which `logboom._explain` knows it.
    fn word(self) -> &'static str {
        match self {
            Obstacle::LoggerClass => "logger class",
            Obstacle::LoggerOwn => "logger own",
            Obstacle::LoggerFilters => "logger filters",
            Obstacle::LoggerAttribute => "logger attribute",
            Obstacle::NoHandler => "no handler",
            Obstacle::Depth => "depth",
            Obstacle::HandlerClass => "handler class",
            Obstacle::HandlerOwn => "handler own",
            Obstacle::HandlerFilters => "handler filters",
            Obstacle::HandlerAttribute => "handler attribute",
            Obstacle::NoRoute => "no route",
            Obstacle::Formatter => "formatter",
            Obstacle::Field => "field",
            Obstacle::TooManyHandlers => "too many handlers",
            Obstacle::Library => "library",
            Obstacle::Changing => "changing",
        }
    }
}

/// What keeps every record of the process from the native way; `None` if nothing does.
#[pyfunction]
pub(crate) fn library_obstacle(py: Python<'_>) -> Option<&'static str> {
    told(py, |state, still, _| {
        state.library_is_as_found(still).filter(|found| *found).ok_or(Obstacle::Library)
    })
}

/// What keeps the records of `logger` at `level` from the native way, whichever of its parents and
/// handlers it is; `None` if nothing does, also where the record is not enabled.
#[pyfunction]
pub(crate) fn way_obstacle(logger: &Bound<'_, PyAny>, level: i32) -> Option<&'static str> {
    let py = logger.py();
    let level = super::Level::new(py, level).ok()?;
    told(py, |state, still, fields| {
        let (logger, mut plan) = (Ref::from_bound(logger), Plan::new());
        super::plan(state, still, logger, &level, fields, super::Ask::Where, &mut plan)?;
        without_record(&plan)
    })
}

/// What about this logger keeps records from the native way; `None` if nothing does.
#[pyfunction]
pub(crate) fn logger_obstacle(logger: &Bound<'_, PyAny>) -> Option<&'static str> {
    told(logger.py(), |state, still, _| {
        settle(state, still, |still| {
            let logger = Ref::from_bound(logger);
            let own = view::of(still, logger)?;
            own.next()?;
            own.reached().map(drop)?;
            own.unfiltered()
        })
    })
}

/// What about this handler keeps records from the native way; `None` if nothing does.
#[pyfunction]
pub(crate) fn handler_obstacle(handler: &Bound<'_, PyAny>) -> Option<&'static str> {
    told(handler.py(), |state, still, fields| {
        let reached = Reached::read(state, still, handler);
        settle(state, still, |still| {
            let mut plan = Plan::new();
            // Above every level, so that no handler is passed over.
            reached.visit(state, still, Ref::from_bound(handler), i64::MAX, fields, &mut plan)?;
            without_record(&plan).map_err(Detour::Library)
        })
    })
}

/// A handler that puts records into a queue is given one, however it is made.
fn without_record(plan: &Plan) -> Result<(), Obstacle> {
    if plan.wants.record { Err(Obstacle::HandlerClass) } else { Ok(()) }
}

/// The word for what `look` meets, with the context that is bound here.
fn told<T>(
    py: Python<'_>,
    look: impl FnOnce(&State, &mut Still<'_>, &Fields<'_>) -> Result<T, Obstacle>,
) -> Option<&'static str> {
    let mut still = Still::new(py);
    let Some(state) = state::current(py, &mut still) else { return Some(Obstacle::Library.word()) };
    let context = context::current(state, &still);
    let context = context.as_ref().map(|context| context.get());
    look(state, &mut still, &Fields::new(context)).err().map(Obstacle::word)
}
