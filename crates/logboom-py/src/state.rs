//! What the binding knows of the standard library it lives in: the classes, their slots, and
//! whether the library is still as it was found.
//!
//! Invariants:
//! 1. There is one [`State`], made once by [`setup`] when `logboom` is imported, never changed in
//!    what is read without the GIL.
//! 2. Every verdict about a class is kept under a [`ClassStamp`], every verdict about a module under
//!    a [`DictStamp`]: once either changes, the verdict is made anew. Nothing stale is used.
//! 3. A verdict in doubt is "foreign": the library's own way is taken, which is always right.
//!
//! Pinned by `tests/python/test_parity.py`.

use crate::ffi::dict::{Key, Stamps};
use crate::ffi::frame::Frames;
use crate::ffi::guard::{ClassStamp, lookup};
use crate::ffi::object::GilSlot;
use crate::ffi::slots::{ClassTable, Shape, Slot};
use crate::ffi::{Ref, Still};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule, PyString, PyType};

/// What a class means to the way of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One of our loggers, its attributes in slots, every method on the way as we know it.
    SlotLogger,
    /// A logger that existed before `install()`, its attributes in its dictionary.
    DictLogger,
    /// One of our handlers, every method on the way as we know it.
    Handler,
    /// A handler that does nothing with a record.
    NullHandler,
    /// Anything else: the library's own way.
    Foreign,
}

pub(crate) struct LoggerSlots {
    pub(crate) name: Slot,
    pub(crate) parent: Slot,
    pub(crate) propagate: Slot,
    pub(crate) handlers: Slot,
    pub(crate) disabled: Slot,
    pub(crate) filters: Slot,
    pub(crate) cache: Slot,
}

pub(crate) struct HandlerSlots {
    pub(crate) level: Slot,
    pub(crate) filters: Slot,
    pub(crate) formatter: Slot,
    pub(crate) stream: Slot,
    pub(crate) route: Slot,
}

pub(crate) struct LoggerKeys {
    pub(crate) name: Key,
    pub(crate) parent: Key,
    pub(crate) propagate: Key,
    pub(crate) handlers: Key,
    pub(crate) disabled: Key,
    pub(crate) filters: Key,
    pub(crate) cache: Key,
}

/// See the module.
pub(crate) struct State {
    pub(crate) frames: Frames,
    pub(crate) logging: Py<PyModule>,
    pub(crate) library_logger: Py<PyType>,
    pub(crate) context_var: Py<PyAny>,
    pub(crate) helpers: Helpers,
    pub(crate) slots: LoggerSlots,
    pub(crate) handler_slots: HandlerSlots,
    pub(crate) keys: LoggerKeys,
    /// Names that, set on a logger itself, put something of the user's on the way of a record.
    pub(crate) logger_overrides: Vec<Key>,
    /// The same for a handler.
    pub(crate) handler_overrides: Vec<Key>,
    pub(crate) key_handle: Key,
    classes: Classes,
    kinds: ClassTable<Kind, 64>,
    library: GilSlot<Library>,
}

/// Python functions called where only Python knows the answer.
pub(crate) struct Helpers {
    pub(crate) thread_name: Py<PyAny>,
    pub(crate) process_name: Py<PyAny>,
    pub(crate) task_name: Py<PyAny>,
    pub(crate) level_name: Py<PyAny>,
}

struct Classes {
    slot_logger: Py<PyType>,
    slot_handler: Py<PyType>,
    dict_loggers: Vec<Py<PyType>>,
    handlers: Vec<Py<PyType>>,
    null_handlers: Vec<Py<PyType>>,
    source_file: Py<PyString>,
}

const LOGGER_METHODS: [&str; 8] = [
    "isEnabledFor",
    "getEffectiveLevel",
    "_log",
    "handle",
    "makeRecord",
    "callHandlers",
    "findCaller",
    "filter",
];
/// The methods that ours stand in front of: the library's must be its own for ours to be right.
const SHADOWED: [&str; 9] = [
    "debug",
    "info",
    "warning",
    "error",
    "critical",
    "exception",
    "log",
    "isEnabledFor",
    "makeRecord",
];
const LOGGER_ATTRIBUTES: [&str; 7] =
    ["name", "parent", "propagate", "handlers", "disabled", "filters", "_cache"];
const HANDLER_METHODS: [&str; 7] =
    ["handle", "emit", "format", "filter", "acquire", "release", "flush"];
const HANDLER_ATTRIBUTES: [&str; 5] = ["level", "filters", "formatter", "stream", "_route"];

static STATE: PyOnceLock<State> = PyOnceLock::new();

/// The state, once `logboom` has been imported.
#[inline]
pub(crate) fn state(py: Python<'_>) -> Option<&'static State> {
    STATE.get(py)
}

/// Tells the binding of the classes that Python defined. Called once by `logboom._native`.
#[pyfunction]
#[pyo3(signature = (*, slot_logger, slot_handler, dict_loggers, handlers, null_handlers, context_var, helpers))]
pub(crate) fn setup(
    py: Python<'_>,
    slot_logger: Bound<'_, PyType>,
    slot_handler: Bound<'_, PyType>,
    dict_loggers: Vec<Py<PyType>>,
    handlers: Vec<Py<PyType>>,
    null_handlers: Vec<Py<PyType>>,
    context_var: Py<PyAny>,
    helpers: Bound<'_, PyDict>,
) -> PyResult<()> {
    let logging = py.import("logging")?;
    let slot = |name| Slot::of(&slot_logger, name);
    let handler_slot = |name| Slot::of(&slot_handler, name);
    let key = |name| Key::text(py, name);
    let helper = |name: &str| -> PyResult<Py<PyAny>> {
        helpers
            .get_item(name)?
            .map(Bound::unbind)
            .ok_or_else(|| PyRuntimeError::new_err(format!("no helper `{name}` given")))
    };
    let state = State {
        frames: Frames::detect(py),
        library_logger: logging.getattr("Logger")?.cast_into::<PyType>()?.unbind(),
        context_var,
        helpers: Helpers {
            thread_name: helper("thread_name")?,
            process_name: helper("process_name")?,
            task_name: helper("task_name")?,
            level_name: helper("level_name")?,
        },
        slots: LoggerSlots {
            name: slot("name")?,
            parent: slot("parent")?,
            propagate: slot("propagate")?,
            handlers: slot("handlers")?,
            disabled: slot("disabled")?,
            filters: slot("filters")?,
            cache: slot("_cache")?,
        },
        handler_slots: HandlerSlots {
            level: handler_slot("level")?,
            filters: handler_slot("filters")?,
            formatter: handler_slot("formatter")?,
            stream: handler_slot("stream")?,
            route: handler_slot("_route")?,
        },
        keys: LoggerKeys {
            name: key("name")?,
            parent: key("parent")?,
            propagate: key("propagate")?,
            handlers: key("handlers")?,
            disabled: key("disabled")?,
            filters: key("filters")?,
            cache: key("_cache")?,
        },
        logger_overrides: LOGGER_METHODS.iter().map(|name| key(name)).collect::<PyResult<_>>()?,
        handler_overrides: HANDLER_METHODS
            .iter()
            .chain(&["terminator"])
            .map(|name| key(name))
            .collect::<PyResult<_>>()?,
        key_handle: key("handle")?,
        classes: Classes {
            slot_logger: slot_logger.unbind(),
            slot_handler: slot_handler.unbind(),
            dict_loggers,
            handlers,
            null_handlers,
            source_file: logging.getattr("_srcfile")?.cast_into::<PyString>()?.unbind(),
        },
        kinds: ClassTable::new(Kind::Foreign),
        library: GilSlot::empty(),
        logging: logging.unbind(),
    };
    STATE.set(py, state).map_err(|_| PyRuntimeError::new_err("logboom is set up already"))
}

/// The library's modules at one moment.
struct Library {
    stamps: Stamps<3>,
    as_found: bool,
}

impl State {
    /// What the class of `object` means, if that is known already.
    #[inline]
    pub(crate) fn kind<'s>(
        &self,
        still: &'s Still<'_>,
        object: Ref<'s>,
    ) -> Result<(Kind, Shape<'s>), Unclassified> {
        self.kinds.get(still, object).ok_or(Unclassified)
    }

    /// Finds out what the class of `object` means, running Python code.
    pub(crate) fn classify(&self, still: &mut Still<'_>, object: &Bound<'_, PyAny>) {
        let py = still.python();
        let class = object.get_type();
        // The stamp comes first: a change while we look must make the verdict useless.
        let Some(stamp) = ClassStamp::of_class(&class) else { return };
        let kind = self.verdict(py, &class).unwrap_or(Kind::Foreign);
        let slots_of = match kind {
            Kind::SlotLogger => Some(&self.classes.slot_logger),
            Kind::Handler => Some(&self.classes.slot_handler),
            _ => None,
        };
        self.kinds.put(still, stamp, kind, &class, slots_of.map(|base| base.bind(py)));
    }

    fn verdict(&self, py: Python<'_>, class: &Bound<'_, PyType>) -> PyResult<Kind> {
        let any = |bases: &[Py<PyType>]| -> PyResult<Option<Bound<'_, PyType>>> {
            for base in bases {
                if class.is_subclass(base.bind(py))? {
                    return Ok(Some(base.bind(py).clone()));
                }
            }
            Ok(None)
        };
        let classes = &self.classes;
        for exact in &classes.null_handlers {
            if class.is(exact) {
                let plain = self.is_as_defined(class, exact.bind(py), &["handle"])?;
                return Ok(if plain { Kind::NullHandler } else { Kind::Foreign });
            }
        }
        if let Some(base) = any(&classes.handlers)? {
            let plain = self.is_as_defined(class, &base, &HANDLER_METHODS)?
                && is_same(class, classes.slot_handler.bind(py).as_any(), &HANDLER_ATTRIBUTES)?
                && is_newline(class)?;
            return Ok(if plain { Kind::Handler } else { Kind::Foreign });
        }
        if class.is_subclass(classes.slot_logger.bind(py))? {
            let ours = classes.slot_logger.bind(py);
            let plain = self.is_logger_plain(py, class, ours)?
                && is_same(class, ours.as_any(), &LOGGER_ATTRIBUTES)?;
            return Ok(if plain { Kind::SlotLogger } else { Kind::Foreign });
        }
        if let Some(base) = any(&classes.dict_loggers)? {
            let plain = self.is_logger_plain(py, class, &base)?
                && LOGGER_ATTRIBUTES
                    .iter()
                    .all(|name| lookup(class, &PyString::intern(py, name)).is_none());
            return Ok(if plain { Kind::DictLogger } else { Kind::Foreign });
        }
        Ok(Kind::Foreign)
    }

    fn is_logger_plain(
        &self,
        py: Python<'_>,
        class: &Bound<'_, PyType>,
        ours: &Bound<'_, PyType>,
    ) -> PyResult<bool> {
        let library = self.library_logger.bind(py);
        Ok(self.is_as_defined(class, ours, &LOGGER_METHODS)?
            && self.is_as_defined(library, library, &SHADOWED)?)
    }

    /// Whether each of `methods` is, on `class`, what `base` defines itself or else the library's
    /// own function under that name.
    fn is_as_defined(
        &self,
        class: &Bound<'_, PyType>,
        base: &Bound<'_, PyType>,
        methods: &[&str],
    ) -> PyResult<bool> {
        let py = class.py();
        for name in methods {
            let name = PyString::intern(py, name);
            let Some(found) = lookup(class, &name) else { return Ok(false) };
            let ours =
                lookup(base, &name).is_some_and(|own| own.is(&found)) && self.is_ours(&found)?;
            if !ours && !self.is_library_function(&found, &name)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a method was defined by this package.
    fn is_ours(&self, method: &Bound<'_, PyAny>) -> PyResult<bool> {
        if crate::logger::is_native(method) {
            return Ok(true);
        }
        let Some(module) = method.getattr_opt("__module__")? else { return Ok(false) };
        let Ok(code) = method.getattr("__code__") else { return Ok(false) };
        let own = module.extract::<&str>().is_ok_and(|name| name.starts_with("logboom."));
        // A wrapper that copied the name of what it wraps still has its own code.
        let path = code.getattr("co_filename")?.extract::<String>()?;
        Ok(own && path.contains("logboom"))
    }

    /// Whether `class` has each of these as the library's source defines it.
    pub(crate) fn has_library_methods(
        &self,
        class: &Bound<'_, PyType>,
        methods: &[&str],
    ) -> PyResult<bool> {
        for name in methods {
            let name = PyString::intern(class.py(), name);
            let Some(found) = lookup(class, &name) else { return Ok(false) };
            if !self.is_library_function(&found, &name)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether it is the function that the standard library's source defines under this name.
    fn is_library_function(
        &self,
        function: &Bound<'_, PyAny>,
        name: &Bound<'_, PyString>,
    ) -> PyResult<bool> {
        let Some(code) = function.getattr_opt("__code__")? else { return Ok(false) };
        Ok(code.getattr("co_name")?.eq(name)?
            && code.getattr("co_filename")?.eq(self.classes.source_file.bind(function.py()))?)
    }

    /// Whether the module's own settings are those under which the native way is exact: the record
    /// factory, the level names, the flags on what a record holds, and the clock.
    #[inline]
    pub(crate) fn library_is_as_found(&self, still: &mut Still<'_>) -> bool {
        match self.library.get(still) {
            Some(library) if library.stamps.hold(still) => library.as_found,
            _ => self.look_at_library(still),
        }
    }

    #[cold]
    fn look_at_library(&self, still: &mut Still<'_>) -> bool {
        let py = still.python();
        let look = || -> PyResult<Library> {
            let logging = self.logging.bind(py);
            let time = logging.getattr("time")?.cast_into::<PyModule>()?;
            let names = logging.getattr("_levelToName")?.cast_into::<PyDict>()?;
            let stamps = Stamps::of([&logging.dict(), &time.dict(), &names])?;
            let as_found = self.is_library_plain(logging, &time, &names)?;
            Ok(Library { stamps, as_found })
        };
        let library = look().ok();
        let as_found = library.as_ref().is_some_and(|library| library.as_found);
        self.library.set(still, library);
        as_found
    }

    fn is_library_plain(
        &self,
        logging: &Bound<'_, PyModule>,
        time: &Bound<'_, PyModule>,
        names: &Bound<'_, PyDict>,
    ) -> PyResult<bool> {
        let py = logging.py();
        let factory = logging.getattr("_logRecordFactory")?;
        let record = logging.getattr("LogRecord")?.cast_into::<PyType>()?;
        let plain_record = factory.is(&record)
            && ["__init__", "getMessage"].iter().try_fold(true, |plain, name| {
                let name = PyString::intern(py, name);
                let method = lookup(&record, &name);
                Ok::<_, PyErr>(
                    plain
                        && method
                            .is_some_and(|m| self.is_library_function(&m, &name).unwrap_or(false)),
                )
            })?;
        for flag in ["logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks"] {
            match logging.getattr_opt(flag)? {
                Some(value) if !value.is_truthy()? => return Ok(false),
                _ => {}
            }
        }
        let source = logging.getattr("_srcfile")?;
        for clock in ["time", "time_ns"] {
            let function = time.getattr(clock)?;
            if !function.is_instance_of::<pyo3::types::PyCFunction>() {
                return Ok(false);
            }
        }
        for (level, name) in [
            (0, "NOTSET"),
            (10, "DEBUG"),
            (20, "INFO"),
            (30, "WARNING"),
            (40, "ERROR"),
            (50, "CRITICAL"),
        ] {
            if !names.get_item(level)?.is_some_and(|found| found.eq(name).unwrap_or(false)) {
                return Ok(false);
            }
        }
        Ok(plain_record && source.eq(self.classes.source_file.bind(py))?)
    }

    /// The name that the library's file of this function carries in its code objects.
    pub(crate) fn source_file<'py>(&self, py: Python<'py>) -> &Bound<'py, PyString> {
        self.classes.source_file.bind(py)
    }
}

/// The class was not looked at yet, or changed since.
pub(crate) struct Unclassified;

/// Whether `class` finds each of `names` exactly where `base` has it.
fn is_same(class: &Bound<'_, PyType>, base: &Bound<'_, PyAny>, names: &[&str]) -> PyResult<bool> {
    let own = base.getattr("__dict__")?;
    for name in names {
        let name = PyString::intern(class.py(), name);
        if !lookup(class, &name)
            .is_some_and(|found| own.get_item(&name).is_ok_and(|o| o.is(&found)))
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_newline(class: &Bound<'_, PyType>) -> PyResult<bool> {
    match lookup(class, &PyString::intern(class.py(), "terminator")) {
        Some(terminator) => terminator.eq("\n"),
        None => Ok(false),
    }
}
