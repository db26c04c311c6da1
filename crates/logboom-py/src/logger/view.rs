//! What a look at a logger found, and whether it still holds.
//!
//! A logger keeps what decides about a record in attributes that anyone may set at any time. Looking
//! them up costs more than all the rest of a call, so a [`View`] keeps what was found, under a stamp of
//! the logger, and is drawn anew once that has changed. What no stamp tells of, the content of lists,
//! is looked at in each call. Views lie in a table of fixed size; none holds what it shows.

use super::reached::Reached;
use super::{ATTRIBUTE, Detour, Level, Obstacle, STANDARD, is_native};
use crate::ffi::dict::{self, Key, Watched};
use crate::ffi::guard::{ClassStamp, lookup};
use crate::ffi::object::{GilCell, GilSlot, own};
use crate::ffi::paving::Paving;
use crate::ffi::stamp::{ObjectStamp, Values};
use crate::ffi::{Ref, Still};
use crate::names::Name;
use crate::state::{Kind, State};
use logboom::record::TextId;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// A logger at one moment, without holding it.
pub(super) struct View {
    seen: Seen,
    /// What is in its attributes, or what stands in the way of all its records.
    own: Result<Own, Obstacle>,
}

/// What vouches for a view.
enum Seen {
    Whole(ObjectStamp<5>),
    /// The attributes of other classes' objects are nobody's to touch.
    Class(ClassStamp),
}

// The places of what a stamp has of the attributes.
const NAME: usize = 0;
const PARENT: usize = 1;
const HANDLERS: usize = 2;
const FILTERS: usize = 3;
// The fifth is `_cache`, which `Levels` reads.

/// What was made of the attributes, each `None` where it is not of the type that the library gives it.
struct Own {
    named: GilCell<Name>,
    disabled: Option<bool>,
    levels: Option<Levels>,
    reached: Box<[Reached]>,
    propagate: Option<bool>,
    /// Whether its `error` is ours, which `exception` calls.
    plain_error: bool,
}

/// A logger that is as it was when it was looked at.
#[derive(Clone, Copy)]
pub(super) struct Logger<'s> {
    still: &'s Still<'s>,
    stamp: &'s ObjectStamp<5>,
    values: Values<'s, 5>,
    own: &'s Own,
}

/// What `Logger._cache` says.
struct Levels {
    cache: Watched,
    /// One above the version of it that the next two were read from; 0 where they never were.
    version: GilCell<u64>,
    /// The ranks of the standard levels that were asked for, as bits.
    known: GilCell<u32>,
    /// Those of them that are let through.
    enabled: GilCell<u32>,
}

impl Levels {
    fn of(cache: Bound<'_, PyDict>) -> Option<Levels> {
        let cache = Watched::new(&cache).ok()?;
        let [known, enabled] = [const { GilCell::new(0) }; 2];
        Some(Levels { cache, version: GilCell::new(0), known, enabled })
    }

    #[inline(always)]
    fn enabled(&self, still: &Still<'_>, state: &State, level: &Level) -> Option<bool> {
        if level.rank == STANDARD {
            return self.read(still, level);
        }
        let now = self.cache.version(still).wrapping_add(1);
        if self.version.get(still) != now {
            self.learn(still, state, now);
        }
        let bit = 1 << level.rank;
        (self.known.get(still) & bit != 0).then_some(self.enabled.get(still) & bit != 0)
    }

    #[cold]
    fn learn(&self, still: &Still<'_>, state: &State, now: u64) {
        let bits = |is: &dyn Fn(&Level) -> bool| {
            state
                .levels
                .iter()
                .filter(|level| is(level))
                .fold(0, |bits, level| bits | 1 << level.rank)
        };
        self.known.set(still, bits(&|level| self.read(still, level).is_some()));
        self.enabled.set(still, bits(&|level| self.read(still, level) == Some(true)));
        self.version.set(still, now);
    }

    fn read(&self, still: &Still<'_>, level: &Level) -> Option<bool> {
        dict::get(still, self.cache.dict(still), &level.key).and_then(Ref::exact_bool)
    }
}

impl<'s> Logger<'s> {
    /// Whether the logger lets `level` through, as `Logger.isEnabledFor` tells; an obstacle where only
    /// the library can say.
    #[inline(always)]
    pub(super) fn lets_through(self, state: &State, level: &Level) -> Result<bool, Detour> {
        if self.own.disabled.ok_or(ATTRIBUTE)? {
            return Ok(false);
        }
        let levels = self.own.levels.as_ref().ok_or(ATTRIBUTE)?;
        levels.enabled(self.still, state, level).ok_or(ATTRIBUTE)
    }

    /// Whether its `error` is ours, which `exception` calls.
    pub(super) fn has_plain_error(self) -> bool {
        self.own.plain_error
    }

    /// Whether nothing filters the records of this logger.
    #[inline]
    pub(super) fn unfiltered(self) -> Result<(), Detour> {
        match self.list(FILTERS)? {
            [] => Ok(()),
            _ => Err(Detour::Library(Obstacle::LoggerFilters)),
        }
    }

    /// The handlers that it has now, each with what was found of it; `Changed` where there are more or
    /// less of them.
    #[inline]
    pub(super) fn reached(self) -> Result<impl Iterator<Item = (&'s Reached, Ref<'s>)>, Detour> {
        let handlers = self.list(HANDLERS)?;
        match handlers.len() == self.own.reached.len() {
            true => Ok(self.own.reached.iter().zip(handlers.iter().copied())),
            false => Err(Detour::Changed),
        }
    }

    /// The logger that is asked next, if any.
    #[inline]
    pub(super) fn next(self) -> Result<Option<Ref<'s>>, Detour> {
        Ok(match self.own.propagate.ok_or(ATTRIBUTE)? {
            true => self.values.get(PARENT).filter(|parent| !parent.is_none()),
            false => None,
        })
    }

    /// The logger's name.
    pub(super) fn name(self) -> Option<Ref<'s>> {
        self.values.get(NAME)
    }

    /// The id of the name, once it has one; only a plain text has.
    #[inline]
    pub(super) fn name_id(self) -> Option<TextId> {
        Name::id(&self.own.named, self.still, self.name()?.exact_str()?.ok()?)
    }

    /// Guards that the view still holds.
    pub(super) fn guard(self, paving: &mut Paving<'_>) -> Option<()> {
        self.stamp.guard(paving)
    }

    /// Guards which levels are let through.
    pub(super) fn guard_levels(self, paving: &mut Paving<'_>) -> Option<()> {
        self.own.levels.as_ref()?.cache.guard(paving)
    }

    /// Guards that nothing filters.
    pub(super) fn guard_filters(self, paving: &mut Paving<'_>) -> Option<()> {
        paving.list(self.values.get(FILTERS)?)
    }

    /// Guards which handlers it has.
    pub(super) fn guard_handlers(self, paving: &mut Paving<'_>) -> Option<()> {
        paving.list(self.values.get(HANDLERS)?)
    }

    #[inline]
    fn list(self, at: usize) -> Result<&'s [Ref<'s>], Detour> {
        self.values.get(at).and_then(Ref::exact_list).ok_or(ATTRIBUTE)
    }
}

impl View {
    fn read(state: &State, still: &mut Still<'_>, logger: &Bound<'_, PyAny>) -> Option<View> {
        let keys = &state.keys;
        if state.classified(still, logger) == Kind::Logger
            && let names = [&keys.name, &keys.parent, &keys.handlers, &keys.filters, &keys.cache]
            && let Ok((stamp, attributes)) = ObjectStamp::of(logger, names)
        {
            let own =
                match is_overridden(still, Ref::from_bound(&attributes), &state.logger_overrides) {
                    true => Err(Obstacle::LoggerOwn),
                    false => Ok(Own::read(state, still, logger, &attributes)),
                };
            // All of that may have run Python code.
            if state.classified(still, logger) == Kind::Logger {
                return Some(View { seen: Seen::Whole(stamp), own });
            }
        }
        let class = ClassStamp::of_class(&logger.get_type())?;
        Some(View { seen: Seen::Class(class), own: Err(Obstacle::LoggerClass) })
    }

    /// What it shows of this logger; `None` where that has changed.
    #[inline]
    fn of<'s>(
        &'s self,
        still: &'s Still<'_>,
        logger: Ref<'s>,
    ) -> Option<Result<Logger<'s>, Obstacle>> {
        match &self.seen {
            Seen::Whole(stamp) => {
                let values = stamp.values(still, logger)?;
                Some(self.own.as_ref().map_err(|o| *o).map(|own| Logger {
                    still,
                    stamp,
                    values,
                    own,
                }))
            }
            // The verdict is about the class, so it is good for each of its objects.
            Seen::Class(class) => class.is_of(logger).then_some(Err(Obstacle::LoggerClass)),
        }
    }
}

impl Own {
    fn read(
        state: &State,
        still: &mut Still<'_>,
        logger: &Bound<'_, PyAny>,
        attributes: &Bound<'_, PyDict>,
    ) -> Own {
        let dict = Ref::from_bound(attributes);
        let handlers = dict::get(still, dict, &state.keys.handlers).and_then(Ref::exact_list);
        let handlers: Vec<_> = handlers.unwrap_or_default().iter().map(|one| own(*one)).collect();
        let reached = handlers.iter().map(|one| {
            let one = one.bind(attributes.py());
            Reached::read(state, still, one)
        });
        let reached = reached.collect();
        let get = |key| dict::get(still, dict, key);
        let cache = get(&state.keys.cache).map(|cache| cache.bound(attributes.py()));
        Own {
            named: GilCell::new(Name::default()),
            disabled: get(&state.keys.disabled).and_then(Ref::plain_truth),
            levels: cache.and_then(|cache| Levels::of(cache.cast_into_exact().ok()?)),
            reached,
            propagate: get(&state.keys.propagate).and_then(Ref::plain_truth),
            plain_error: get(&state.key_error).is_none() && is_error_ours(logger),
        }
    }
}

fn is_error_ours(logger: &Bound<'_, PyAny>) -> bool {
    // No `intern!`: it makes its text at its first use, without the GIL, and a process could fork then.
    let name = PyString::intern(logger.py(), "error");
    lookup(&logger.get_type(), &name).is_some_and(|method| is_native(&method))
}

const SETS: usize = 4096;
/// The loggers of one walk may fall into one set: several views have room in each.
const WAYS: usize = 4;

struct Set {
    /// The addresses of the loggers whose views are beside.
    loggers: [GilCell<usize>; WAYS],
    views: [GilSlot<Box<View>>; WAYS],
    /// Which view makes room for the next.
    oldest: GilCell<usize>,
}

static TABLE: [Set; SETS] = [const {
    Set {
        loggers: [const { GilCell::new(0) }; WAYS],
        views: [const { GilSlot::empty() }; WAYS],
        oldest: GilCell::new(0),
    }
}; SETS];

impl Set {
    #[inline]
    fn of(logger: Ref<'_>) -> &'static Set {
        let address = logger.address() >> 4;
        &TABLE[(address ^ (address >> 12)) % SETS]
    }

    #[inline]
    fn find(&self, still: &Still<'_>, logger: Ref<'_>) -> Option<usize> {
        self.loggers.iter().position(|known| known.get(still) == logger.address())
    }

    fn put(&self, still: &mut Still<'_>, logger: Ref<'_>, view: View) {
        let at = self.find(still, logger).unwrap_or_else(|| {
            let oldest = self.oldest.get(still);
            self.oldest.set(still, (oldest + 1) % WAYS);
            oldest
        });
        self.loggers[at].set(still, logger.address());
        self.views[at].set(still, Some(Box::new(view)));
    }
}

/// What is known of a logger; `Library` where something of its own stands in the way of its records,
/// `Unseen` where it has to be looked at.
#[inline(always)]
pub(super) fn of<'s>(still: &'s Still<'_>, logger: Ref<'s>) -> Result<Logger<'s>, Detour> {
    let set = Set::of(logger);
    let view = set.find(still, logger).and_then(|at| set.views[at].get(still));
    match view.and_then(|view| view.of(still, logger)) {
        Some(known) => known.map_err(Detour::Library),
        None => Err(unseen(logger)),
    }
}

#[cold]
fn unseen(logger: Ref<'_>) -> Detour {
    Detour::Unseen(own(logger))
}

/// Draws a view of a logger.
#[cold]
pub(super) fn draw(state: &State, still: &mut Still<'_>, logger: &Bound<'_, PyAny>) {
    if let Some(view) = View::read(state, still, logger) {
        Set::of(Ref::from_bound(logger)).put(still, Ref::from_bound(logger), view);
    }
}

/// Whether an object's own dictionary has one of these names.
pub(super) fn is_overridden(still: &Still<'_>, dict: Ref<'_>, names: &[Key]) -> bool {
    names.iter().any(|name| dict::get(still, dict, name).is_some())
}
