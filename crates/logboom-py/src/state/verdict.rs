//! What a class means to the way of a record: verdicts, drawn by looking at every method on it.

use super::{Kind, State};
use crate::ffi::guard::lookup;
use crate::lane;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

pub(super) const LOGGER_METHODS: [&str; 8] = [
    "isEnabledFor",
    "getEffectiveLevel",
    "_log",
    "handle",
    "makeRecord",
    "callHandlers",
    "findCaller",
    "filter",
];
const LOGGER_ATTRIBUTES: [&str; 7] =
    ["name", "parent", "propagate", "handlers", "disabled", "filters", "_cache"];
pub(super) const HANDLER_METHODS: [&str; 7] =
    ["handle", "emit", "format", "filter", "acquire", "release", "flush"];
const QUEUE_HANDLER_ATTRIBUTES: [&str; 5] = ["level", "filters", "formatter", "lock", "queue"];
const HANDLER_ATTRIBUTES: [&str; 4] = ["level", "filters", "formatter", "_route"];

impl State {
    pub(super) fn verdict<'py>(
        &self,
        py: Python<'py>,
        class: &Bound<'py, PyType>,
    ) -> PyResult<Kind> {
        let any = |bases: &[Bound<'py, PyType>]| -> PyResult<Option<Bound<'py, PyType>>> {
            for base in bases {
                if class.is_subclass(base)? {
                    return Ok(Some(base.clone()));
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
        if let Some(base) = any(&classes.handlers.extract::<Vec<_>>(py)?)? {
            let library = [&classes.library_stream_handler, &classes.library_file_handler];
            let plain = self.is_as_defined(class, &base, &HANDLER_METHODS)?
                && library.iter().all(|class| {
                    let class = class.bind(py);
                    self.has_library_methods(class, &HANDLER_METHODS).unwrap_or(false)
                })
                && is_same(class, classes.slot_handler.bind(py).as_any(), &HANDLER_ATTRIBUTES)?
                // Some of ours have it brought up to date where a program looks at it.
                && (is_same(class, classes.slot_handler.bind(py).as_any(), &["stream"])?
                    || is_same(class, base.as_any(), &["stream"])?)
                && is_newline(class)?
                && self.helpers.is_plain.bind(py).call1((class,))?.is_truthy()?;
            return Ok(if plain { Kind::Handler } else { Kind::Foreign });
        }
        if lane::is_plain_handler(class)? {
            let plain = keeps_attributes_in_dict(class, &QUEUE_HANDLER_ATTRIBUTES);
            return Ok(if plain { Kind::QueueHandler } else { Kind::Foreign });
        }
        let logger = self.library_logger.bind(py);
        if class.is_subclass(logger)? {
            let plain = self.is_as_defined(class, logger, &LOGGER_METHODS)?
                && keeps_attributes_in_dict(class, &LOGGER_ATTRIBUTES);
            return Ok(if plain { Kind::Logger } else { Kind::Foreign });
        }
        Ok(Kind::Foreign)
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

    /// Whether what `class` has under this name was defined by this package.
    pub(crate) fn is_ours_on(&self, class: &Bound<'_, PyType>, name: &str) -> PyResult<bool> {
        match lookup(class, &PyString::intern(class.py(), name)) {
            Some(found) => self.is_ours(&found),
            None => Ok(false),
        }
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
    pub(super) fn is_library_function(
        &self,
        function: &Bound<'_, PyAny>,
        name: &Bound<'_, PyString>,
    ) -> PyResult<bool> {
        let Some(code) = function.getattr_opt("__code__")? else { return Ok(false) };
        Ok(code.getattr("co_name")?.eq(name)?
            && code.getattr("co_filename")?.eq(self.classes.source_file.bind(function.py()))?)
    }
}

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

/// Whether what the objects of `class` have under `names` is what their dictionary has.
fn keeps_attributes_in_dict(class: &Bound<'_, PyType>, names: &[&str]) -> bool {
    let py = class.py();
    let object = py.get_type::<PyAny>();
    let getter = PyString::intern(py, "__getattribute__");
    names.iter().all(|name| lookup(class, &PyString::intern(py, name)).is_none())
        && lookup(class, &getter)
            .is_some_and(|own| lookup(&object, &getter).is_some_and(|o| o.is(&own)))
}

fn is_newline(class: &Bound<'_, PyType>) -> PyResult<bool> {
    match lookup(class, &PyString::intern(class.py(), "terminator")) {
        Some(terminator) => terminator.eq("\n"),
        None => Ok(false),
    }
}
