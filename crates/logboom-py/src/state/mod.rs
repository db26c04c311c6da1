//! What the binding knows of the standard library it lives in: the classes, their slots, and
//! whether the library is still as it was found.
//!
//! Invariants:
//! 1. There is one [`State`], made once by [`setup`] when `logboom` is imported, never changed in
//!    what is read without the GIL.
//! 2. Every verdict about a class is kept under a [`ClassStamp`], every verdict about a module under
//!    [`Stamps`](crate::ffi::dict::Stamps): once either changes, the verdict is made anew. Nothing stale is used.
//! 3. A verdict in doubt is "foreign": the library's own way is taken, which is always right.
//!
//! Pinned by `tests/python/test_parity.py`.

mod library;
mod verdict;

use crate::ffi::dict::{Key, of_attributes};
use crate::ffi::frame::Frames;
use crate::ffi::guard::ClassStamp;
use crate::ffi::object::{GilCell, GilSlot};
use crate::ffi::slots::{ClassTable, Shape, Slot};
use crate::ffi::{Ref, Still};
use crate::logger::{Level, STANDARD};
use crate::waiting;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyModule, PyString, PyType};
use std::time::Duration;

/// What a class means to the way of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A logger, every method on the way as we know it.
    Logger,
    /// One of our handlers, every method on the way as we know it.
    Handler,
    /// A handler that does nothing with a record.
    NullHandler,
    /// Our handler that puts records into a queue, every method on the way as we know it.
    QueueHandler,
    /// Anything else: the library's own way.
    Foreign,
}

/// Declares a struct with a slot, or a key, for each attribute of that name.
macro_rules! attributes {
    ($struct:ident of $type:ty: $($field:ident $name:literal)*) => {
        pub(crate) struct $struct {
            $(pub(crate) $field: $type,)*
        }

        impl $struct {
            fn new(mut make: impl FnMut(&str) -> PyResult<$type>) -> PyResult<Self> {
                Ok($struct { $($field: make($name)?,)* })
            }
        }
    };
}

attributes! { LoggerKeys of Key:
    name "name" parent "parent" propagate "propagate" handlers "handlers"
    disabled "disabled" filters "filters" cache "_cache"
}

attributes! { HandlerSlots of Slot:
    level "level" filters "filters" formatter "formatter" stream "stream" route "_route"
}

/// See the module.
pub(crate) struct State {
    pub(crate) frames: Frames,
    pub(crate) logging: Py<PyModule>,
    pub(crate) library_logger: Py<PyType>,
    /// The library's own methods of the names that ours have, as they were before `install`.
    pub(crate) library_methods: Py<PyDict>,
    /// The levels that the library defines, by rank.
    pub(crate) levels: [Level; STANDARD],
    /// `collections.abc.Mapping`.
    pub(crate) mapping: Py<PyAny>,
    pub(crate) context_var: Py<PyAny>,
    pub(crate) helpers: Helpers,
    pub(crate) handler_slots: HandlerSlots,
    pub(crate) keys: LoggerKeys,
    /// Names that, set on a logger itself, put something of the user's on the way of a record.
    pub(crate) logger_overrides: Vec<Key>,
    /// The same for a handler.
    pub(crate) handler_overrides: Vec<Key>,
    pub(crate) key_handle: Key,
    pub(crate) key_error: Key,
    pub(crate) key_exc_info: Key,
    pub(crate) key_extra: Key,
    pub(crate) key_stacklevel: Key,
    classes: Classes,
    kinds: ClassTable<Kind, 64>,
    library: GilSlot<library::Library>,
    library_looks: GilCell<u64>,
}

/// Python functions called where only Python knows the answer.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Helpers {
    pub(crate) thread_name: Py<PyAny>,
    pub(crate) process_name: Py<PyAny>,
    pub(crate) task_name: Py<PyAny>,
    pub(crate) level_name: Py<PyAny>,
    /// Whether nobody changed what the writer does in the place of a handler's own methods.
    pub(crate) is_plain: Py<PyAny>,
}

struct Classes {
    slot_handler: Py<PyType>,
    library_stream_handler: Py<PyType>,
    library_file_handler: Py<PyType>,
    /// Modules that are imported at need put theirs in, each before the class that it inherits from.
    handlers: Py<PyList>,
    null_handlers: Vec<Py<PyType>>,
    source_file: Py<PyString>,
}

static STATE: PyOnceLock<State> = PyOnceLock::new();

/// The state, once `logboom` has been imported.
#[inline]
pub(crate) fn state(py: Python<'_>) -> Option<&'static State> {
    STATE.get(py)
}

/// The state, with a look at the library's settings that holds.
pub(crate) fn current(py: Python<'_>, still: &mut Still<'_>) -> Option<&'static State> {
    let state = state(py)?;
    if state.library_is_as_found(still).is_none() {
        state.look_at_library(still);
    }
    Some(state)
}

/// What Python tells the binding of, see `logboom._binding`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Parts<'py> {
    library_methods: Py<PyDict>,
    slot_handler: Bound<'py, PyType>,
    handlers: Py<PyList>,
    null_handlers: Vec<Py<PyType>>,
    /// What else of a handler is in the way of its records once it is set on the handler itself.
    handler_overrides: Vec<String>,
    context_var: Py<PyAny>,
    helpers: Helpers,
}

/// Tells the binding of the classes and functions that Python defined. Called once by
/// `logboom._binding`.
#[pyfunction]
pub(crate) fn setup(py: Python<'_>, parts: Parts<'_>) -> PyResult<()> {
    let state = State::new(py, parts)?;
    make_ready(py, &state)?;
    STATE.set(py, state).map_err(|_| PyRuntimeError::new_err("logboom is set up already"))
}

/// A number that no class has had before and that changes with the class and those it inherits from; 0
/// where the interpreter has none left.
#[pyfunction]
pub(crate) fn class_stamp(class: &Bound<'_, PyType>) -> u32 {
    ClassStamp::of_class(class).map_or(0, ClassStamp::tag)
}

/// Has everything made now that would be made at its first use. What PyO3 makes once it makes without
/// the GIL, so that a process could fork in the middle of it; the child would wait for ever for a
/// thread that it does not have.
fn make_ready(py: Python<'_>, state: &State) -> PyResult<()> {
    ClassStamp::of_class(state.library_logger.bind(py));
    of_attributes(&state.logging.bind(py).getattr("Filter")?.call0()?)?;
    Duration::ZERO.into_pyobject(py)?.extract::<Duration>()?;
    waiting::make_ready();
    Ok(())
}

/// The class was not looked at yet, or changed since.
pub(crate) struct Unclassified;

impl State {
    fn new(py: Python<'_>, parts: Parts<'_>) -> PyResult<State> {
        let logging = py.import("logging")?;
        let keys = |names: &[&str]| -> PyResult<Vec<Key>> {
            names.iter().map(|name| Key::text(py, name)).collect()
        };
        let class = |name: &str| -> PyResult<Py<PyType>> {
            Ok(logging.getattr(name)?.cast_into::<PyType>()?.unbind())
        };
        let mut handler_overrides = keys(&verdict::HANDLER_METHODS)?;
        handler_overrides.push(Key::text(py, "terminator")?);
        handler_overrides.extend(
            parts
                .handler_overrides
                .iter()
                .map(|key| Key::text(py, key))
                .collect::<PyResult<Vec<_>>>()?,
        );
        Ok(State {
            frames: Frames::detect(py),
            library_logger: class("Logger")?,
            library_methods: parts.library_methods,
            levels: Level::all_standard(py)?,
            mapping: py.import("collections.abc")?.getattr("Mapping")?.unbind(),
            context_var: parts.context_var,
            helpers: parts.helpers,
            handler_slots: HandlerSlots::new(|name| Slot::of(&parts.slot_handler, name))?,
            keys: LoggerKeys::new(|name| Key::text(py, name))?,
            logger_overrides: keys(&verdict::LOGGER_METHODS)?,
            handler_overrides,
            key_handle: Key::text(py, "handle")?,
            key_error: Key::text(py, "error")?,
            key_exc_info: Key::text(py, "exc_info")?,
            key_extra: Key::text(py, "extra")?,
            key_stacklevel: Key::text(py, "stacklevel")?,
            classes: Classes {
                slot_handler: parts.slot_handler.unbind(),
                library_stream_handler: class("StreamHandler")?,
                library_file_handler: class("FileHandler")?,
                handlers: parts.handlers,
                null_handlers: parts.null_handlers,
                source_file: logging.getattr("_srcfile")?.cast_into::<PyString>()?.unbind(),
            },
            kinds: ClassTable::new(Kind::Foreign),
            library: GilSlot::empty(),
            library_looks: GilCell::new(0),
            logging: logging.unbind(),
        })
    }

    /// What the class of `object` means, if that is known already.
    #[inline]
    pub(crate) fn kind<'s>(
        &self,
        still: &'s Still<'_>,
        object: Ref<'s>,
    ) -> Result<(Kind, Shape<'s>), Unclassified> {
        self.kinds.get(still, object).ok_or(Unclassified)
    }

    /// What the class of `object` means, found out if need be, which runs Python code.
    pub(crate) fn classified(&self, still: &mut Still<'_>, object: &Bound<'_, PyAny>) -> Kind {
        if self.kind(still, Ref::from_bound(object)).is_err() {
            self.classify(still, object);
        }
        // A class without a stamp is not one that can be relied on.
        self.kind(still, Ref::from_bound(object)).map_or(Kind::Foreign, |(kind, _)| kind)
    }

    fn classify(&self, still: &mut Still<'_>, object: &Bound<'_, PyAny>) {
        let py = still.python();
        let class = object.get_type();
        // The stamp comes first: a change while we look must make the verdict useless.
        let Some(stamp) = ClassStamp::of_class(&class) else { return };
        let kind = self.verdict(py, &class).unwrap_or(Kind::Foreign);
        let slots_of = (kind == Kind::Handler).then_some(&self.classes.slot_handler);
        self.kinds.put(still, stamp, kind, &class, slots_of.map(|base| base.bind(py)));
    }

    /// The name that the library's file of this function carries in its code objects.
    pub(crate) fn source_file<'py>(&self, py: Python<'py>) -> &Bound<'py, PyString> {
        self.classes.source_file.bind(py)
    }
}
