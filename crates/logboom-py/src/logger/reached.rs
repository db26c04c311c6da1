//! What a look at a handler found, and going past it with a record.

use super::queued::Queued;
use super::trail::MOST_TURNS;
use super::view::is_overridden;
use super::{Detour, Obstacle, Plan, Stale};
use crate::ffi::guard::ClassStamp;
use crate::ffi::object::own;
use crate::ffi::paving::Paving;
use crate::ffi::slots::{Shaped, Slot};
use crate::ffi::stamp::ObjectStamp;
use crate::ffi::{Ref, Still, dict};
use crate::fields::Fields;
use crate::route::{ROUTE, Route};
use crate::state::{Kind, State};
use arrayvec::ArrayVec;
use logboom::sink::Turns;
use pyo3::prelude::*;

/// A handler at one moment, without holding it.
pub(super) enum Reached {
    /// One of ours.
    Ours(Ours),
    /// One that does nothing with a record, unless it has a `handle` of its own.
    Null(ObjectStamp, Option<Obstacle>),
    /// One that puts records into a queue.
    Queue(Queued),
    /// Anything else, whose attributes are nobody's to touch.
    Foreign(Option<ClassStamp>),
}

/// A handler of ours. What lies in its slots is read in each call.
pub(super) struct Ours {
    shaped: Shaped,
    /// Something of its own that stands in the way.
    own: Option<Obstacle>,
    /// The level as the object that it was, and its number.
    level: Option<(Py<PyAny>, i64)>,
}

const ATTRIBUTE: Detour = Detour::Library(Obstacle::HandlerAttribute);

impl Reached {
    /// A look at a handler.
    pub(super) fn read(
        state: &State,
        still: &mut Still<'_>,
        handler: &Bound<'_, PyAny>,
    ) -> Reached {
        let kind = state.classified(still, handler);
        if kind == Kind::QueueHandler
            && let Some(queued) = Queued::read(state, still, handler)
        {
            return Reached::Queue(queued);
        }
        if matches!(kind, Kind::Handler | Kind::NullHandler)
            && let Ok((stamp, attributes)) = ObjectStamp::of(handler, [])
            // All of that may have run Python code.
            && state.classified(still, handler) == kind
        {
            let dict = Ref::from_bound(attributes.as_any());
            if kind == Kind::NullHandler {
                let own = dict::get(still, dict, &state.key_handle).map(|_| Obstacle::HandlerOwn);
                return Reached::Null(stamp, own);
            }
            let own = is_overridden(still, dict, &state.handler_overrides)
                .then_some(Obstacle::HandlerOwn);
            if let Ok((_, shape)) = state.kind(still, Ref::from_bound(handler)) {
                let level = state.handler_slots.level.read(still, shape);
                let level = level.and_then(|level| Some((self::own(level), level.exact_i64()?)));
                return Reached::Ours(Ours {
                    shaped: Shaped::new(still, stamp, shape),
                    own,
                    level,
                });
            }
        }
        Reached::Foreign(ClassStamp::of_class(&handler.get_type()))
    }

    /// Adds the handler's route to the plan of a record, or nothing where its level is above the
    /// record's; `Changed` where it is not the one looked at, or not what it was.
    #[inline(always)]
    pub(super) fn visit<'s>(
        &self,
        state: &State,
        still: &'s Still<'_>,
        handler: Ref<'s>,
        level: i64,
        fields: &Fields<'_>,
        plan: &mut Plan,
    ) -> Result<(), Detour> {
        match self {
            Reached::Ours(ours) => ours.visit(state, still, handler, level, fields, plan),
            Reached::Null(stamp, own) => match (stamp.holds(still, handler), own) {
                (true, None) => Ok(()),
                (true, Some(obstacle)) => Err(Detour::Library(*obstacle)),
                (false, _) => Err(Detour::Changed),
            },
            Reached::Queue(queued) => queued.visit(still, handler, level, plan),
            // The verdict is about the class, so it is good for each of its objects.
            Reached::Foreign(class) => match class.is_none_or(|class| class.is_of(handler)) {
                true => Err(Detour::Library(Obstacle::HandlerClass)),
                false => Err(Detour::Changed),
            },
        }
    }
}

impl Reached {
    /// Guards what going past it looks at, after it went well. `turns` takes the count of a file that others
    /// move.
    pub(super) fn guard<'s>(
        &self,
        state: &State,
        still: &'s Still<'_>,
        handler: Ref<'s>,
        level: i64,
        paving: &mut Paving<'s>,
        turns: &mut ArrayVec<(Turns, u64), MOST_TURNS>,
    ) -> Option<()> {
        match self {
            Reached::Ours(ours) => ours.guard(state, still, handler, level, paving, turns),
            Reached::Null(stamp, None) => stamp.guard(paving),
            Reached::Null(..) | Reached::Queue(_) | Reached::Foreign(_) => None,
        }
    }
}

impl Ours {
    fn guard<'s>(
        &self,
        state: &State,
        still: &'s Still<'_>,
        handler: Ref<'s>,
        level: i64,
        paving: &mut Paving<'s>,
        turns: &mut ArrayVec<(Turns, u64), MOST_TURNS>,
    ) -> Option<()> {
        let slots = &state.handler_slots;
        let shape = self.shaped.guard(paving, still, handler)?;
        if level < paving.number(slots.level, shape)? {
            return Some(());
        }
        let filters = paving.slot(slots.filters, shape)?;
        paving.list(filters)?;
        let object = paving.slot(slots.route, shape)?;
        paving.slot(slots.formatter, shape)?;
        paving.slot(slots.stream, shape)?;
        Route::guard(paving, object, turns)
    }

    #[inline(always)]
    fn visit<'s>(
        &self,
        state: &State,
        still: &'s Still<'_>,
        handler: Ref<'s>,
        level: i64,
        fields: &Fields<'_>,
        plan: &mut Plan,
    ) -> Result<(), Detour> {
        let slots = &state.handler_slots;
        let shape = self.shaped.shape(still, handler).ok_or(Detour::Changed)?;
        if let Some(obstacle) = self.own {
            return Err(Detour::Library(obstacle));
        }
        let read = |slot: Slot| slot.read(still, shape).ok_or(ATTRIBUTE);
        let now = read(slots.level)?;
        let least = match &self.level {
            Some((then, number)) if now.is(then) => *number,
            _ => now.exact_i64().ok_or(ATTRIBUTE)?,
        };
        if level < least {
            return Ok(());
        }
        let filters = read(slots.filters)?.exact_list().ok_or(ATTRIBUTE)?;
        let object = read(slots.route)?;
        let route = object.native(&ROUTE).ok_or(Detour::Library(match filters {
            [] => Obstacle::NoRoute,
            _ => Obstacle::HandlerFilters,
        }))?;
        if !route.has_filters(filters) {
            return Err(Detour::Library(Obstacle::HandlerFilters));
        }
        if plan.routes.is_full() {
            return Err(Detour::Library(Obstacle::TooManyHandlers));
        }
        let (formatter, stream) = (read(slots.formatter)?, read(slots.stream)?);
        if !route.is_native_for(state, still, formatter, stream) {
            return Err(stale(still, route, object, formatter, stream));
        }
        if !route.has_its_fields(still, fields) {
            return Err(Detour::Library(Obstacle::Field));
        }
        plan.routes.push(route.id());
        plan.wants.add(route.wants());
        plan.deadline_ns = plan.deadline_ns.min(route.deadline_ns());
        Ok(())
    }
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
