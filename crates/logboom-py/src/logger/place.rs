//! Where the attributes of a logger lie, and reading them.
//!
//! Loggers made after `install` have them in slots: one load each. Those that existed before have
//! them in their dictionary, where a look-up costs more than all else; a [`View`] keeps what it
//! found, under a stamp of the dictionary, and is drawn anew once that has changed. Views lie in a
//! table of fixed size; each holds what it shows.

use super::{Detour, Obstacle};
use crate::ffi::dict::{self, Key, Stamps};
use crate::ffi::guard;
use crate::ffi::object::{GilCell, GilSlot, own};
use crate::ffi::slots::Shape;
use crate::ffi::{Ref, Still};
use crate::state::{Kind, State};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Where the attributes of a logger lie.
#[derive(Clone, Copy)]
pub(super) enum Place<'s> {
    Slots(&'s State, Shape<'s>),
    View(&'s View),
}

/// What the walk asks of a logger. All lie in slots, or in the dictionary.
macro_rules! attributes {
    ($($name:ident)*) => {
        impl<'s> Place<'s> {$(
            #[inline]
            pub(super) fn $name(self, still: &'s Still<'_>) -> Option<Ref<'s>> {
                match self {
                    Place::Slots(state, shape) => state.slots.$name.read(still, shape),
                    Place::View(view) => view.$name.as_ref().map(|v| Ref::from_py(still, v)),
                }
            }
        )*}

        /// The attributes of one logger at one moment.
        pub(super) struct View {
            logger: Py<PyAny>,
            dict: usize,
            stamps: Stamps<1>,
            /// Whether something of its own stands in the way of its records.
            overridden: bool,
            $($name: Option<Py<PyAny>>,)*
        }

        impl View {
            fn read(
                state: &State,
                still: &Still<'_>,
                logger: Py<PyAny>,
                dict: &Bound<'_, PyDict>,
                stamps: Stamps<1>,
            ) -> View {
                let own_dict = Ref::from_bound(dict);
                View {
                    logger,
                    dict: own_dict.address(),
                    stamps,
                    overridden: is_overridden(still, own_dict, &state.logger_overrides),
                    $($name: dict::get(still, own_dict, &state.keys.$name).map(own),)*
                }
            }
        }
    };
}

attributes! { name parent propagate handlers disabled filters cache }

const SETS: usize = 64;
/// The loggers of one walk may fall into one set: several views have room in each.
const WAYS: usize = 4;

struct Set {
    views: [GilSlot<View>; WAYS],
    /// Which view makes room for the next.
    oldest: GilCell<usize>,
}

static TABLE: [Set; SETS] =
    [const { Set { views: [const { GilSlot::empty() }; WAYS], oldest: GilCell::new(0) } }; SETS];

impl Set {
    fn of(logger: Ref<'_>) -> &'static Set {
        &TABLE[(logger.address() >> 4) % SETS]
    }

    /// The view of this logger, whether it still holds or not.
    #[inline]
    fn find<'s>(&'static self, still: &'s Still<'_>, logger: Ref<'_>) -> Option<&'s View> {
        self.views.iter().filter_map(|slot| slot.get(still)).find(|view| logger.is(&view.logger))
    }

    fn put(&self, still: &mut Still<'_>, view: View) {
        let logger = view.logger.as_ptr();
        let known = self
            .views
            .iter()
            .position(|slot| slot.get(still).is_some_and(|view| view.logger.as_ptr() == logger));
        let place = known.unwrap_or_else(|| {
            let oldest = self.oldest.get(still);
            self.oldest.set(still, (oldest + 1) % WAYS);
            oldest
        });
        self.views[place].set(still, Some(view));
    }
}

/// Where the attributes of a logger lie; `Library` where something of its own stands in the way of
/// its records.
#[inline]
pub(super) fn place<'s>(
    state: &'s State,
    still: &'s Still<'_>,
    logger: Ref<'s>,
) -> Result<Place<'s>, Detour> {
    let place = unguarded(state, still, logger)?;
    let overridden = match place {
        Place::View(view) => view.overridden,
        Place::Slots(..) => {
            guard::own_attributes(still, logger) != 0
                && guard::own_dict(still, logger)
                    .is_none_or(|dict| is_overridden(still, dict, &state.logger_overrides))
        }
    };
    if overridden { Err(Detour::Library(Obstacle::LoggerOwn)) } else { Ok(place) }
}

/// The same without a look at what stands in the way.
#[inline]
pub(super) fn unguarded<'s>(
    state: &'s State,
    still: &'s Still<'_>,
    logger: Ref<'s>,
) -> Result<Place<'s>, Detour> {
    match state.kind(still, logger) {
        Ok((Kind::SlotLogger, shape)) => Ok(Place::Slots(state, shape)),
        Ok((Kind::DictLogger, _)) => {
            let dict =
                guard::own_dict(still, logger).ok_or(Detour::Library(Obstacle::LoggerAttribute))?;
            match Set::of(logger).find(still, logger) {
                Some(view) if dict.address() == view.dict && view.stamps.hold(still) => {
                    Ok(Place::View(view))
                }
                _ => Err(Detour::Unseen(own(logger))),
            }
        }
        Ok(_) => Err(Detour::Library(Obstacle::LoggerClass)),
        Err(_) => Err(Detour::Unclassified(own(logger))),
    }
}

/// Draws a view of a logger whose attributes lie in its dictionary.
#[cold]
pub(super) fn draw(state: &State, still: &mut Still<'_>, logger: &Bound<'_, PyAny>) {
    let _ = still.python();
    let Ok(dict) = dict::of_attributes(logger) else { return };
    // The stamp comes first: a change while we look must make the view useless.
    let Ok(stamps) = Stamps::of([&dict]) else { return };
    let view = View::read(state, still, logger.clone().unbind(), &dict, stamps);
    Set::of(Ref::from_bound(logger)).put(still, view);
}

/// Whether an object's own dictionary has one of these names.
pub(super) fn is_overridden(still: &Still<'_>, dict: Ref<'_>, names: &[Key]) -> bool {
    names.iter().any(|name| dict::get(still, dict, name).is_some())
}
