//! A handler that puts records into a queue, and what a record for it needs.

use super::reached::Reached;
use super::view::{self, is_overridden};
use super::{Ask, Detour, Level, MOST_PARENTS, Obstacle, Plan, settle};
use crate::ffi::made::Held;
use crate::ffi::object::own;
use crate::ffi::stamp::{ObjectStamp, Values};
use crate::ffi::{Ref, Still, dict};
use crate::fields::Fields;
use crate::lane;
use crate::state::{Kind, State};
use pyo3::prelude::*;

/// Such a handler at one moment, without holding it.
pub(super) struct Queued {
    stamp: ObjectStamp<5>,
    /// What stands in the way of its records.
    own: Option<Obstacle>,
    level: Option<i64>,
}

// The places of what the stamp has of the attributes.
const FILTERS: usize = 0;
const LOCK: usize = 1;
const QUEUE: usize = 2;
const LISTENER: usize = 3;
const FORMATTER: usize = 4;

/// Where a record is put, by references of its own.
pub(crate) struct Target {
    pub(crate) queue: Held,
    /// The handler's lock, if it has one.
    pub(crate) lock: Option<Held>,
    /// What hands on the records of the queue, if the handler knows.
    pub(crate) listener: Option<Held>,
    /// What the handler formats with, if that is not the library's default.
    pub(crate) formatter: Option<Held>,
}

impl Target {
    /// Whether it is the same.
    pub(crate) fn is(&self, other: &Target) -> bool {
        let same = |one: &Option<Held>, other: &Option<Held>| match (one, other) {
            (Some(one), Some(other)) => one.is(&**other),
            (None, None) => true,
            _ => false,
        };
        self.queue.is(&*other.queue)
            && same(&self.lock, &other.lock)
            && same(&self.listener, &other.listener)
            && same(&self.formatter, &other.formatter)
    }
}

impl Queued {
    /// A look at a handler; `None` for one that keeps its attributes in no dictionary.
    pub(super) fn read(
        state: &State,
        still: &mut Still<'_>,
        handler: &Bound<'_, PyAny>,
    ) -> Option<Queued> {
        let parts = lane::parts(handler.py())?;
        let keys = parts.handler_keys();
        let names = [&keys.filters, &keys.lock, &keys.queue, &keys.listener, &keys.formatter];
        let (stamp, attributes) = ObjectStamp::of(handler, names).ok()?;
        // All of that may have run Python code.
        if state.classified(still, handler) != Kind::QueueHandler {
            return None;
        }
        let dict = Ref::from_bound(attributes.as_any());
        let get = |key| dict::get(still, dict, key).filter(|object| !object.is_none());
        let plain = !is_overridden(still, dict, &keys.overrides)
            && get(&keys.formatter).is_none_or(|formatter| parts.is_plain_formatter(formatter))
            // A listener that is still to be made is made by the handler itself.
            && get(&keys.make_listener).is_none();
        let own = (!plain).then_some(Obstacle::HandlerClass);
        let level = dict::get(still, dict, &keys.level).and_then(Ref::exact_i64);
        Some(Queued { stamp, own, level })
    }

    /// Says in the plan of a record that it is wanted as an object, unless the handler's level is above
    /// the record's.
    #[inline]
    pub(super) fn visit<'s>(
        &self,
        still: &'s Still<'_>,
        handler: Ref<'s>,
        level: i64,
        plan: &mut Plan,
    ) -> Result<(), Detour> {
        if self.values(still, handler, level)?.is_some() {
            plan.wants.record = true;
        }
        Ok(())
    }

    /// Its attributes; `None` where its level is above the record's.
    #[inline]
    fn values<'s>(
        &'s self,
        still: &'s Still<'_>,
        handler: Ref<'s>,
        level: i64,
    ) -> Result<Option<Values<'s, 5>>, Detour> {
        let values = self.stamp.values(still, handler).ok_or(Detour::Changed)?;
        if let Some(obstacle) = self.own {
            return Err(Detour::Library(obstacle));
        }
        let attribute = Detour::Library(Obstacle::HandlerAttribute);
        let Some(least) = self.level else { return Err(attribute) };
        if level < least {
            return Ok(None);
        }
        match values.get(FILTERS).and_then(Ref::exact_list) {
            Some([]) => Ok(Some(values)),
            Some(_) => Err(Detour::Library(Obstacle::HandlerFilters)),
            None => Err(attribute),
        }
    }

    fn target<'s>(
        &'s self,
        still: &'s Still<'_>,
        handler: Ref<'s>,
        level: i64,
    ) -> Result<Option<Target>, Detour> {
        let Some(values) = self.values(still, handler, level)? else { return Ok(None) };
        let queue = values.get(QUEUE).ok_or(Detour::Library(Obstacle::HandlerAttribute))?;
        let held = |object| Held::new(own(object));
        let some = |at| values.get(at).filter(|object| !object.is_none()).map(held);
        Ok(Some(Target {
            queue: held(queue),
            lock: some(LOCK),
            listener: some(LISTENER),
            formatter: some(FORMATTER),
        }))
    }
}

/// The one queue that a record of this logger and level goes to; `None` if it goes nowhere, the obstacle
/// where only the library can say, also where it goes to other places as well.
pub(crate) fn target(
    state: &State,
    still: &mut Still<'_>,
    logger: Ref<'_>,
    level: &Level,
    fields: &Fields<'_>,
) -> Result<Option<Target>, Obstacle> {
    let mut plan = Plan::new();
    let ask = Ask::Where;
    settle(state, still, |still| {
        super::walk(state, still, logger, level, fields, ask, &mut plan)?;
        match (plan.wants.record, plan.routes.is_empty()) {
            (true, true) => find(still, logger, level.number),
            (false, true) => Ok(None),
            (_, false) => Err(Detour::Library(Obstacle::TooManyHandlers)),
        }
    })
}

/// The same after a walk that met no obstacle.
fn find(still: &Still<'_>, logger: Ref<'_>, level: i64) -> Result<Option<Target>, Detour> {
    let (mut at, mut found) = (Some(logger), None);
    for _ in 0..MOST_PARENTS {
        let Some(logger) = at else { return Ok(found) };
        let own = view::of(still, logger)?;
        for (reached, handler) in own.reached()? {
            if let Reached::Queue(queued) = reached
                && let Some(target) = queued.target(still, handler, level)?
                && found.replace(target).is_some()
            {
                return Err(Detour::Library(Obstacle::TooManyHandlers));
            }
        }
        at = own.next()?;
    }
    Err(Detour::Library(Obstacle::Depth))
}
