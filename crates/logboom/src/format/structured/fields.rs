//! The fields of a record, each under a key that nothing else in its object has.
//!
//! A field whose key is one of the formatter's own gets `_` behind it, as often as is needed: no
//! record forges its level. Of two fields with one key the last is written.

use super::Notation;
use crate::field::Field;
use std::collections::{HashMap, HashSet};

/// Up to here keys are compared with each other, which allocates nothing.
pub(super) const FEW: usize = 32;

/// Where the fields lie that were written: the entry, and its key, within `out`.
#[derive(Debug, Default)]
pub(in crate::format) struct Written {
    entry: usize,
    key: (usize, usize),
    altered: bool,
}

/// The keys of an object that are the formatter's own, as they are written.
pub(in crate::format) type OwnKeys = Vec<Box<[u8]>>;

/// What becomes of a field's key: another one, or the field is left out.
pub(in crate::format) type Changes = Vec<(Box<str>, Option<Box<str>>)>;

/// Appends the fields.
pub(in crate::format) fn write<'a, N: Notation>(
    fields: impl Iterator<Item = Field<'a>> + Clone,
    own: &OwnKeys,
    changes: &Changes,
    written: &mut Vec<Written>,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    written.clear();
    for field in fields.clone() {
        if written.len() == FEW {
            out.truncate(start);
            return write_many::<N>(fields, own, changes, out);
        }
        let entry = out.len();
        let Some((key, altered)) = write_key::<N>(field.key, own, changes, out) else { continue };
        let mut one = Written { entry, key: (key, out.len()), altered };
        while let Some(at) =
            written.iter().position(|w| out[w.key.0..w.key.1] == out[one.key.0..one.key.1])
        {
            if one.altered || written[at].altered {
                out.push(b'_');
                one = Written { entry, key: (key, out.len()), altered: true };
                continue;
            }
            // The last one with a key is written.
            let end = written.get(at + 1).map_or(entry, |next| next.entry);
            let gone = end - written[at].entry;
            out.drain(written[at].entry..end);
            written.remove(at);
            for later in written[at..].iter_mut().chain([&mut one]) {
                later.entry -= gone;
                later.key = (later.key.0 - gone, later.key.1 - gone);
            }
            break;
        }
        written.push(one);
        out.extend_from_slice(N::KEY_CLOSE);
        N::write_value(field.value, out);
    }
}

/// Appends what opens a key, and the key; where it begins, and whether it is another than the
/// field's. `None` for a field that is left out.
fn write_key<N: Notation>(
    key: &str,
    own: &OwnKeys,
    changes: &Changes,
    out: &mut Vec<u8>,
) -> Option<(usize, bool)> {
    let change = changes.iter().find(|(from, _)| **from == *key).map(|(_, to)| to.as_deref());
    let shown = change.unwrap_or(Some(key))?;
    out.extend_from_slice(N::KEY_OPEN);
    let start = out.len();
    let mut altered = N::write_key(shown, out) | change.is_some();
    while own.iter().any(|own| **own == out[start..]) {
        out.push(b'_');
        altered = true;
    }
    Some((start, altered))
}

/// The same for many: by tables, so that the time does not grow with the square.
#[cold]
fn write_many<'a, N: Notation>(
    fields: impl Iterator<Item = Field<'a>> + Clone,
    own: &OwnKeys,
    changes: &Changes,
    out: &mut Vec<u8>,
) {
    let last: HashMap<&str, usize> =
        fields.clone().enumerate().map(|(at, field)| (field.key, at)).collect();
    let mut used = HashSet::new();
    for (at, field) in fields.enumerate() {
        if last.get(field.key) != Some(&at) {
            continue;
        }
        let Some((key, _)) = write_key::<N>(field.key, own, changes, out) else { continue };
        while !used.insert(out[key..].to_vec()) {
            out.push(b'_');
        }
        out.extend_from_slice(N::KEY_CLOSE);
        N::write_value(field.value, out);
    }
}
