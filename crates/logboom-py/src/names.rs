//! Texts that come again and again — message templates, names of loggers — and their ids in the ring's
//! table.
//!
//! A text goes along with the first record that has it, as it may be one of many that are met once. Met
//! again it gets an id, as long as the table has room.

use crate::ffi::Still;
use crate::ffi::object::GilCell;
use crate::global;
use logboom::record::TextId;

/// How a record names a text.
#[derive(Clone, Copy, Default)]
pub(crate) enum Name {
    /// Never met.
    #[default]
    New,
    /// Met once.
    Met,
    /// Met again when the table was full.
    Text,
    /// Met again.
    Id(TextId),
}

impl Name {
    /// The id by which the next record names the text; `None` where that goes along with it.
    #[inline]
    pub(crate) fn id(name: &GilCell<Name>, still: &Still<'_>, text: &str) -> Option<TextId> {
        match name.get(still) {
            Name::Id(id) => Some(id),
            met => {
                Self::meet(name, still, met, text);
                None
            }
        }
    }

    #[cold]
    fn meet(name: &GilCell<Name>, still: &Still<'_>, met: Name, text: &str) {
        match met {
            Name::New => name.set(still, Name::Met),
            Name::Met => {
                let id = global::engine().intern(text.as_bytes());
                name.set(still, id.map_or(Name::Text, Name::Id));
            }
            Name::Text | Name::Id(_) => {}
        }
    }
}
