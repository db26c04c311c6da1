//! Message templates, parsed once and kept.
//!
//! `logger.info("user %s", name)` passes the same `str` object each time: a constant of the code.
//! The cache knows the last templates by their address and holds them, so that no other text comes
//! to lie there. Beside each stands which kinds of arguments Python's `%` takes and the writer
//! renders exactly; a template met twice gets an id in the ring's table.

use crate::ffi::made;
use crate::ffi::object::{GilCell, GilSlot, own};
use crate::ffi::{Ref, Still};
use crate::names::Name;
use logboom::field::Value;
use logboom::format::percent::{Kind, Template};
use logboom::record::Text;
use pyo3::prelude::*;

const PLACES: usize = 1024;

struct Known {
    /// Held, so that its address stays its own.
    object: Py<PyAny>,
    /// `None` for a template that is left to Python.
    template: Option<Template>,
    /// The [`Signature`] of the arguments accepted last; 0 for none yet.
    accepted: GilCell<u64>,
    name: GilCell<Name>,
}

static TEMPLATES: [GilSlot<Known>; PLACES] = [const { GilSlot::empty() }; PLACES];

/// The kinds of up to 15 values in one number that is not 0.
#[derive(Clone, Copy)]
pub(crate) struct Signature(u64);

impl Signature {
    /// That of no values.
    pub(crate) const EMPTY: Signature = Signature(1);

    /// With one more value of this kind.
    #[inline]
    pub(crate) fn and(self, kind: Kind) -> Signature {
        Signature((self.0 << 4) | (kind as u64 + 1))
    }
}

/// Looks at a template that was not met before.
#[inline]
pub(crate) fn meet(still: &mut Still<'_>, message: Ref<'_>, text: &str) {
    let place = &TEMPLATES[(message.address() >> 4) % PLACES];
    if place.get(still).is_none_or(|known| !message.is(&known.object)) {
        place.set(still, Some(learn(message, text)));
        // The template that it pushed out.
        made::give_up_dropped();
    }
}

/// The template as the record names it, if it was met and the writer renders these values exactly as
/// Python does.
#[inline(always)]
pub(crate) fn accepted<'c>(
    still: &Still<'_>,
    message: Ref<'c>,
    text: &'c str,
    values: &[Value<'_>],
    signature: Signature,
) -> Option<Text<'c>> {
    let place = &TEMPLATES[(message.address() >> 4) % PLACES];
    let known = place.get(still).filter(|known| message.is(&known.object))?;
    if known.accepted.get(still) != signature.0 {
        if !known.template.as_ref()?.accepts(values.iter().map(Kind::of)) {
            return None;
        }
        known.accepted.set(still, signature.0);
    }
    Some(Name::id(&known.name, still, text).map_or(text.into(), Text::Id))
}

#[cold]
fn learn(message: Ref<'_>, text: &str) -> Known {
    Known {
        object: own(message),
        template: Template::parse(text.as_bytes()).ok(),
        accepted: GilCell::new(0),
        name: GilCell::new(Name::default()),
    }
}
