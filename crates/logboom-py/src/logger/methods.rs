//! The native methods themselves, as the interpreter calls them.

use super::{Level, enabled, has_plain_error};
use crate::capture::{self, Exit, Keywords};
use crate::ffi::method::{Answer, Call, Native, descriptor};
use crate::ffi::{Ref, Still};
use crate::sites;
use crate::state::{State, state};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyString, PyType};

/// The whole of a call with the message at `at` among its arguments.
#[inline(always)]
fn log(
    state: &State,
    still: &mut Still<'_>,
    call: &Call<'_>,
    level: &Level,
    at: usize,
) -> Result<Answer, Box<PyErr>> {
    let Some(arguments) = call.positional.get(at..).filter(|arguments| !arguments.is_empty())
    else {
        return Ok(Answer::Library);
    };
    if call.keywords {
        return log_with_keywords(state, still, call, level, arguments, Keywords::default());
    }
    answer(capture::submit(state, still, call.this, level, arguments))
}

#[inline(always)]
fn answer(outcome: Result<(), Exit>) -> Result<Answer, Box<PyErr>> {
    match outcome {
        Ok(()) => Ok(Answer::None),
        Err(Exit::Library) => Ok(Answer::Library),
        Err(Exit::Raise(error)) => Err(error),
    }
}

/// The same for a call with arguments by keyword, over those that it has without.
#[inline(never)]
fn log_with_keywords<'c>(
    state: &State,
    still: &mut Still<'_>,
    call: &Call<'c>,
    level: &Level,
    arguments: &[Ref<'c>],
    mut keywords: Keywords<'c>,
) -> Result<Answer, Box<PyErr>> {
    // The library looks at nothing else of a call that is not enabled.
    match enabled(state, still, call.this, level) {
        Some(true) => {}
        Some(false) => return Ok(Answer::None),
        None => return Ok(Answer::Library),
    }
    for (name, value) in call.by_keyword() {
        if state.key_exc_info.is(still, name) {
            keywords.exc_info = Some(value);
        } else if state.key_extra.is(still, name) {
            keywords.extra = Some(value);
        } else if state.key_stacklevel.is(still, name) {
            match frames_above(value) {
                Some(above) => keywords.frames_above = above,
                None => return Ok(Answer::Library),
            }
        } else {
            return Ok(Answer::Library);
        }
    }
    answer(capture::submit_with(state, still, call.this, level, arguments, &keywords))
}

/// How many frames above the caller's a `stacklevel` names; `None` for what only the library reads.
fn frames_above(stacklevel: Ref<'_>) -> Option<usize> {
    let level = usize::try_from(stacklevel.exact_i64()?).ok()?;
    (1..=sites::MOST_ABOVE + 1).contains(&level).then(|| level - 1)
}

/// The library's own function of this name, with the same arguments.
#[cold]
fn library<'py>(
    still: &mut Still<'py>,
    call: &Call<'_>,
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let py = still.python();
    // Set on no class before there is a state.
    let state = state(py).ok_or_else(|| PyRuntimeError::new_err("logboom was not set up"))?;
    let function = state.library_methods.bind(py).get_item(PyString::intern(py, name))?;
    let function =
        function.ok_or_else(|| PyRuntimeError::new_err("the library has no such method"))?;
    call.forward(py, &function)
}

macro_rules! level_methods {
    ($($type:ident $name:literal $rank:literal;)*) => {$(
        struct $type;

        impl Native for $type {
            const NAME: &'static std::ffi::CStr = {
                match std::ffi::CStr::from_bytes_with_nul(concat!($name, "\0").as_bytes()) {
                    Ok(name) => name,
                    Err(_) => panic!(),
                }
            };
            const DOC: &'static std::ffi::CStr = {
                match std::ffi::CStr::from_bytes_with_nul(
                    concat!(
                        $name,
                        "($self, msg, /, *args, **kwargs)\n--\n\n",
                        "Log 'msg % args', exactly as logging.Logger.", $name, " does.\0"
                    )
                    .as_bytes(),
                ) {
                    Ok(doc) => doc,
                    Err(_) => panic!(),
                }
            };

            #[inline]
            fn call(still: &mut Still<'_>, call: &Call<'_>) -> Result<Answer, Box<PyErr>> {
                match state(still.python()) {
                    Some(state) => log(state, still, call, &state.levels[$rank], 0),
                    None => Ok(Answer::Library),
                }
            }

            fn library<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Bound<'py, PyAny>> {
                library(still, call, $name)
            }
        }
    )*};
}

level_methods! {
    Debug "debug" 0;
    Info "info" 1;
    Warning "warning" 2;
    Error "error" 3;
    Critical "critical" 4;
}

/// `Logger.exception`.
struct Exception;

impl Native for Exception {
    const NAME: &'static std::ffi::CStr = c"exception";
    const DOC: &'static std::ffi::CStr = c"exception($self, msg, /, *args, exc_info=True, **kwargs)\n--\n\nLog an error with the traceback of the exception that is being handled, exactly as logging.Logger.exception does.";

    fn call(still: &mut Still<'_>, call: &Call<'_>) -> Result<Answer, Box<PyErr>> {
        let py = still.python();
        match state(py) {
            Some(state)
                if !call.positional.is_empty() && has_plain_error(state, still, call.this) =>
            {
                let truth = PyBool::new(py, true);
                let exc_info = Some(Ref::from_bound(&truth));
                let keywords = Keywords { exc_info, ..Keywords::default() };
                let level = &state.levels[3];
                log_with_keywords(state, still, call, level, call.positional, keywords)
            }
            _ => Ok(Answer::Library),
        }
    }

    fn library<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Bound<'py, PyAny>> {
        library(still, call, "exception")
    }
}

/// A level given as an argument, if it is one of those that the library defines.
fn standard<'s>(state: &'s State, level: Ref<'_>) -> Option<&'s Level> {
    let number = level.exact_i64()?;
    state.levels.iter().find(|level| level.number == number)
}

/// `Logger.log`.
struct Log;

impl Native for Log {
    const NAME: &'static std::ffi::CStr = c"log";
    const DOC: &'static std::ffi::CStr = c"log($self, level, msg, /, *args, **kwargs)\n--\n\nLog 'msg % args' with the integer level, exactly as logging.Logger.log does.";

    fn call(still: &mut Still<'_>, call: &Call<'_>) -> Result<Answer, Box<PyErr>> {
        let py = still.python();
        let (Some(state), Some(level)) = (state(py), call.positional.first()) else {
            return Ok(Answer::Library);
        };
        if let Some(level) = standard(state, *level) {
            return log(state, still, call, level, 1);
        }
        let number = level.exact_i64().and_then(|number| i32::try_from(number).ok());
        match number.map(|number| Level::new(py, number)) {
            Some(Ok(level)) => log(state, still, call, &level, 1),
            _ => Ok(Answer::Library),
        }
    }

    fn library<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Bound<'py, PyAny>> {
        library(still, call, "log")
    }
}

/// `Logger.isEnabledFor`.
struct IsEnabledFor;

impl IsEnabledFor {
    fn native(still: &mut Still<'_>, call: &Call<'_>) -> Option<bool> {
        if call.keywords || call.positional.len() != 1 {
            return None;
        }
        let py = still.python();
        let state = state(py)?;
        enabled(state, still, call.this, standard(state, call.positional[0])?)
    }
}

impl Native for IsEnabledFor {
    const NAME: &'static std::ffi::CStr = c"isEnabledFor";
    const DOC: &'static std::ffi::CStr = c"isEnabledFor($self, level)\n--\n\nWhether this logger lets records of this level through.";

    fn call(still: &mut Still<'_>, call: &Call<'_>) -> Result<Answer, Box<PyErr>> {
        Ok(Self::native(still, call).map_or(Answer::Library, Answer::Bool))
    }

    fn library<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Bound<'py, PyAny>> {
        library(still, call, "isEnabledFor")
    }
}

/// The addresses of the descriptors made here, by which they are known again.
static NATIVES: PyOnceLock<std::sync::Mutex<Vec<usize>>> = PyOnceLock::new();

/// Whether a method is one of the descriptors made here.
pub(crate) fn is_native(method: &Bound<'_, PyAny>) -> bool {
    NATIVES
        .get(method.py())
        .and_then(|natives| natives.lock().ok().map(|n| n.contains(&(method.as_ptr() as usize))))
        .unwrap_or(false)
}

/// The native methods for `class`, by name; whoever sets them on the class makes it native.
#[pyfunction]
pub(crate) fn logger_methods<'py>(
    class: &Bound<'py, PyType>,
) -> PyResult<Vec<(Bound<'py, PyString>, Bound<'py, PyAny>)>> {
    let py = class.py();
    let methods = vec![
        descriptor::<Debug>(class)?,
        descriptor::<Info>(class)?,
        descriptor::<Warning>(class)?,
        descriptor::<Error>(class)?,
        descriptor::<Critical>(class)?,
        descriptor::<Exception>(class)?,
        descriptor::<Log>(class)?,
        descriptor::<IsEnabledFor>(class)?,
    ];
    let natives = NATIVES.get_or_init(py, Default::default);
    if let Ok(mut natives) = natives.lock() {
        natives.extend(methods.iter().map(|(_, method)| method.as_ptr() as usize));
        // Known by address, so they must never go away.
        for (_, method) in &methods {
            std::mem::forget(method.clone());
        }
    }
    Ok(methods)
}
