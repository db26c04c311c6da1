//! The fields of a call: what `extra` gives, and the bound context.
//!
//! `Logger.makeRecord` puts `extra` on a record as attributes, and ours the bound context where there
//! is no attribute of that name. Natively they are fields. What only the library can do is left to it:
//! `extra` that is no plain dictionary, and keys that it refuses or that stand before what a record has
//! by its class.
//!
//! Values of exactly a builtin type are copied typed. Others are asked for their text only where some
//! formatter shows every field, after it is known that the record is wanted.

use crate::context::Context;
use crate::convert;
use crate::ffi::made::Held;
use crate::ffi::{Ref, Still, calls};
use crate::structured::{self, Kept, is_free};
use logboom::field::{Field, Value};
use logboom::format::percent::Kind;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// See the module. Empty for most calls.
pub(crate) struct Fields<'c> {
    extra: Vec<Extra>,
    context: Option<&'c Context>,
}

/// A key and a value of `extra`, by references of their own: a full ring is waited for without the
/// GIL, and others may change the dictionary then.
struct Extra {
    key: Held<PyString>,
    value: Held,
    /// What it is, where that is known.
    kept: Option<Kept>,
}

impl<'c> Fields<'c> {
    /// Those of the context alone.
    #[inline]
    pub(crate) fn new(context: Option<&'c Context>) -> Self {
        Fields { extra: Vec::new(), context }
    }

    /// Adds those of `extra`; `None` where only the library can.
    pub(crate) fn add(&mut self, py: Python<'_>, extra: Ref<'_>) -> Option<()> {
        let extra = extra.bound(py);
        for (key, value) in extra.cast_exact::<PyDict>().ok()? {
            let key = key.cast_into_exact::<PyString>().ok()?;
            if !is_free(key.to_str().ok()?) {
                return None;
            }
            let (key, value) = (Held::new(key.unbind()), Held::new(value.unbind()));
            self.extra.push(Extra { key, value, kept: None });
        }
        Some(())
    }

    /// The kind of the field under `key`, as far as a pattern may show it.
    pub(crate) fn kind(&self, still: &Still<'_>, key: &str) -> Option<Kind> {
        match self.extra.iter().find(|one| one.key(still) == key) {
            // Of others the library asks for what the pattern shows, each time it does.
            Some(one) => Some(one.exact(still).map_or(Kind::Nested, |(_, kind)| kind)),
            None => self.context?.get(key).map(|value| value.kind()),
        }
    }

    /// Whether there are values whose text has to be asked for.
    pub(crate) fn has_objects(&self, still: &Still<'_>) -> bool {
        self.extra.iter().any(|one| one.exact(still).is_none())
    }

    /// Whether a formatter of every field shows the context as Python would: an object that was bound
    /// is known by its `str` only.
    pub(crate) fn shows_context(&self) -> bool {
        self.context.is_none_or(Context::is_typed)
    }

    /// Asks the others for their text, which runs Python code.
    ///
    /// # Errors
    /// What that raises, if it is no `Exception`.
    pub(crate) fn keep(&mut self, py: Python<'_>) -> PyResult<()> {
        for one in &mut self.extra {
            if one.exact(&Still::new(py)).is_none() {
                one.kept = Some(structured::keep(one.value.bind(py), None)?);
            }
        }
        Ok(())
    }

    /// Puts them on a record as attributes; ``context`` adds the bound ones.
    ///
    /// # Errors
    /// If there is no memory.
    pub(crate) fn put_on(
        &self,
        attributes: &Bound<'_, PyDict>,
        context: &Py<PyAny>,
    ) -> PyResult<()> {
        for one in &self.extra {
            attributes.set_item(&*one.key, &*one.value)?;
        }
        if self.context.is_some() {
            calls::call_with(context.bind(attributes.py()), attributes)?;
        }
        Ok(())
    }

    /// Whether there are none.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.extra.is_empty() && self.context.is_none()
    }

    /// All of them: `extra` first, and of the context what is not in it.
    pub(crate) fn all<'a>(&'a self, still: &'a Still<'_>) -> impl Iterator<Item = Field<'a>> {
        let extra = self.extra.iter().filter_map(|one| {
            let value = match &one.kept {
                Some(kept) => kept.value(),
                None => one.exact(still)?.0,
            };
            Some(Field { key: one.key(still), value })
        });
        let context = self.context.into_iter().flat_map(Context::fields).filter(|field| {
            is_free(field.key) && !self.extra.iter().any(|one| one.key(still) == field.key)
        });
        extra.chain(context)
    }
}

impl Extra {
    fn key<'s>(&'s self, still: &'s Still<'_>) -> &'s str {
        // It was a text without surrogates when it was added, and texts do not change.
        let key = Ref::from_py(still, self.key.as_any()).exact_str();
        key.and_then(Result::ok).unwrap_or_default()
    }

    fn exact<'s>(&'s self, still: &'s Still<'_>) -> Option<(Value<'s>, Kind)> {
        convert::exact(Ref::from_py(still, &self.value))
    }
}
