//! Ways that records went before: what a [`walk`](super::walk) found for a logger and a level, under guards
//! of all that it looked at.
//!
//! While the guards hold, the walk would come to the same end; so a call compares some forty words of
//! memory in place of walking. Trails lie in a table of fixed size, and hold no logger, handler or
//! formatter. A trail is laid at once where there is room in a set, and where others were pushed out for it
//! only for every fourth call that finds none: what changes all the time costs a walk a call, not a trail.

use super::view;
use super::{Level, Plan, STANDARD};
use crate::ffi::object::{GilCell, GilSlot};
use crate::ffi::paving::{Guards, Paving};
use crate::ffi::{Ref, Still};
use crate::fields::Fields;
use crate::state::State;
use arrayvec::ArrayVec;
use logboom::sink::Turns;

/// How many handlers may follow files that others move.
pub(super) const MOST_TURNS: usize = 2;

/// The end of a way, and what vouches for it.
pub(crate) struct Trail {
    guards: Guards,
    rank: usize,
    /// Which look at the library's settings it goes with.
    library: u64,
    /// How often the files of handlers had been moved.
    turns: ArrayVec<(Turns, u64), MOST_TURNS>,
    /// Whether its routes ask for nothing but the place of the call, if that.
    pub(crate) asks_for_sites_only: bool,
    /// Where the record goes; `None` where it is not let through.
    pub(crate) plan: Option<Plan>,
}

impl Trail {
    #[inline(always)]
    fn holds(&self, state: &State, still: &Still<'_>, logger: Ref<'_>, level: &Level) -> bool {
        self.rank == level.rank
            && self.guards.hold(still, logger)
            && (self.plan.is_none()
                || (state.library_is_as_found(still).is_some()
                    && state.looks_at_library(still) == self.library
                    && self.turns.iter().all(|(turns, then)| turns.get() == *then)))
    }
}

const SETS: usize = 2048;
const WAYS: usize = 2;

struct Set {
    trails: [GilSlot<Box<Trail>>; WAYS],
    /// How many calls found none here.
    missed: GilCell<u32>,
}

static TABLE: [Set; SETS] =
    [const { Set { trails: [const { GilSlot::empty() }; WAYS], missed: GilCell::new(0) } }; SETS];

fn set(logger: Ref<'_>, level: &Level) -> &'static Set {
    let address = logger.address() >> 4;
    &TABLE[(address ^ (address >> 11)).wrapping_add(level.rank * 409) % SETS]
}

/// The end of the way of this logger's records of this level, if it is known.
#[inline(always)]
pub(crate) fn find<'s>(
    state: &State,
    still: &'s Still<'_>,
    logger: Ref<'_>,
    level: &Level,
) -> Option<&'s Trail> {
    let [first, second] = &set(logger, level).trails;
    match first.get(still) {
        Some(trail) if trail.holds(state, still, logger, level) => Some(trail),
        _ => {
            let trail = second.get(still)?;
            trail.holds(state, still, logger, level).then_some(&**trail)
        }
    }
}

/// Lays a trail for a way that was just gone and ended with this plan, or `None` for a record that is not
/// let through.
#[cold]
pub(super) fn lay(
    state: &State,
    still: &mut Still<'_>,
    logger: Ref<'_>,
    level: &Level,
    fields: &Fields<'_>,
    plan: Option<&Plan>,
) {
    if level.rank == STANDARD || !may_be_laid(plan) {
        return;
    }
    let set = set(logger, level);
    let missed = set.missed.get(still).wrapping_add(1);
    set.missed.set(still, missed);
    if missed as usize > WAYS && !missed.is_multiple_of(4) {
        return;
    }
    let Some(trail) = pave(state, still, logger, level, fields, plan) else { return };
    let [first, second] = &set.trails;
    let older = first.take(still);
    second.set(still, older);
    first.set(still, Some(Box::new(trail)));
}

/// Whether what the plan says is the same for each record of the level.
fn may_be_laid(plan: Option<&Plan>) -> bool {
    plan.is_none_or(|plan| plan.logger.is_some() && !plan.wants.fields && !plan.wants.record)
}

/// Goes the way of [`walk`](super::walk) again.
fn pave(
    state: &State,
    still: &Still<'_>,
    logger: Ref<'_>,
    level: &Level,
    fields: &Fields<'_>,
    plan: Option<&Plan>,
) -> Option<Trail> {
    let mut paving = Paving::from(still, logger);
    let mut turns = ArrayVec::new();
    let mut own = view::of(still, logger).ok()?;
    own.guard(&mut paving)?;
    own.guard_levels(&mut paving)?;
    // A walk that was told where to go only did not look.
    (own.lets_through(state, level).ok()? == plan.is_some()).then_some(())?;
    if let Some(plan) = plan {
        own.guard_filters(&mut paving)?;
        loop {
            own.guard_handlers(&mut paving)?;
            for (reached, handler) in own.reached().ok()? {
                reached.guard(state, still, handler, level.number, &mut paving, &mut turns)?;
            }
            match own.next().ok()? {
                Some(parent) => own = view::of(still, parent).ok()?,
                None => break,
            }
            own.guard(&mut paving)?;
        }
        // Not every record has such fields as this one.
        (!plan.wants.all_fields || fields.shows_context()).then_some(())?;
    }
    let library = state.looks_at_library(still);
    Some(Trail {
        guards: paving.finish(),
        rank: level.rank,
        library,
        turns,
        asks_for_sites_only: plan.is_some_and(|plan| plan.wants.only_sites()),
        plan: plan.cloned(),
    })
}
