//! The native methods themselves, as the interpreter calls them.

use super::{Level, enabled};
use crate::capture::{self, Exit};
use crate::ffi::method::{Answer, Call, Native, descriptor};
use crate::ffi::{Ref, Still};
use crate::state::{State, state};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyType};

/// The whole of a call with the message at `at` among its arguments.
#[inline]
fn log(
    state: &State,
    still: &mut Still<'_>,
    call: &Call<'_>,
    level: &Level,
    at: usize,
) -> Result<(), Exit> {
    let Some(arguments) = call.positional.get(at..).filter(|arguments| !arguments.is_empty())
    else {
        return Err(Exit::Library);
    };
    if call.keywords {
        // The library looks at nothing else of a call that is not enabled.
        return match enabled(state, still, call.this, &level.key) {
            Some(false) => Ok(()),
            _ => Err(Exit::Library),
        };
    }
    capture::submit(state, still, call.this, level, arguments)
}

/// The library's own function of this name, with the same arguments.
#[cold]
fn library<'py>(still: &mut Still<'py>, call: &Call<'_>, name: &str) -> PyResult<Answer<'py>> {
    let py = still.python();
    let class = match state(py) {
        Some(state) => state.library_logger.bind(py).clone().into_any(),
        None => py.import("logging")?.getattr("Logger")?,
    };
    let function = class.getattr(PyString::intern(py, name))?;
    call.forward(py, &function).map(Answer::Object)
}

macro_rules! level_methods {
    ($($type:ident $name:literal $number:literal $level:ident;)*) => {$(
        struct $type;

        static $level: PyOnceLock<Level> = PyOnceLock::new();

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
            fn call<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Answer<'py>> {
                let py = still.python();
                let (Some(state), Some(level)) = (state(py), $level.get(py)) else {
                    return library(still, call, $name);
                };
                match log(state, still, call, level, 0) {
                    Ok(()) => Ok(Answer::None),
                    Err(Exit::Library) => library(still, call, $name),
                    Err(Exit::Raise(error)) => Err(error),
                }
            }

            fn after_panic<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Answer<'py>> {
                library(still, call, $name)
            }
        }
    )*
        fn learn_levels(py: Python<'_>) -> PyResult<()> {
            $($level.get_or_try_init(py, || {
                Level::new(py, $number)
            })?;)*
            Ok(())
        }
    };
}

level_methods! {
    Debug "debug" 10 DEBUG;
    Info "info" 20 INFO;
    Warning "warning" 30 WARNING;
    Error "error" 40 ERROR;
    Critical "critical" 50 CRITICAL;
}

/// `Logger.exception`: natively only where nothing is to be done.
struct Exception;

impl Native for Exception {
    const NAME: &'static std::ffi::CStr = c"exception";
    const DOC: &'static std::ffi::CStr = c"exception($self, msg, /, *args, exc_info=True, **kwargs)\n--\n\nLog an error with the traceback of the exception that is being handled, exactly as logging.Logger.exception does.";

    fn call<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Answer<'py>> {
        let py = still.python();
        if let (Some(state), Some(level)) = (state(py), ERROR.get(py))
            && !call.positional.is_empty()
            && enabled(state, still, call.this, &level.key) == Some(false)
        {
            return Ok(Answer::None);
        }
        library(still, call, "exception")
    }

    fn after_panic<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Answer<'py>> {
        library(still, call, "exception")
    }
}

/// The key of a level given as an argument: the standard ones have theirs ready.
fn level_of<'a>(py: Python<'a>, level: Ref<'_>) -> Option<(Option<&'a Level>, i64)> {
    let number = level.exact_i64()?;
    let known = match number {
        10 => DEBUG.get(py),
        20 => INFO.get(py),
        30 => WARNING.get(py),
        40 => ERROR.get(py),
        50 => CRITICAL.get(py),
        _ => None,
    };
    Some((known, number))
}

/// `Logger.log`.
struct Log;

impl Log {
    fn native(still: &mut Still<'_>, call: &Call<'_>) -> Result<(), Exit> {
        let py = still.python();
        let state = state(py).ok_or(Exit::Library)?;
        let level = call.positional.first().and_then(|level| level_of(py, *level));
        let (known, number) = level.ok_or(Exit::Library)?;
        let own;
        let level = match known {
            Some(level) => level,
            None => {
                let number = i32::try_from(number).map_err(|_| Exit::Library)?;
                own = Level::new(py, number).map_err(|_| Exit::Library)?;
                &own
            }
        };
        log(state, still, call, level, 1)
    }
}

impl Native for Log {
    const NAME: &'static std::ffi::CStr = c"log";
    const DOC: &'static std::ffi::CStr = c"log($self, level, msg, /, *args, **kwargs)\n--\n\nLog 'msg % args' with the integer level, exactly as logging.Logger.log does.";

    fn call<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Answer<'py>> {
        match Self::native(still, call) {
            Ok(()) => Ok(Answer::None),
            Err(Exit::Library) => library(still, call, "log"),
            Err(Exit::Raise(error)) => Err(error),
        }
    }

    fn after_panic<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Answer<'py>> {
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
        let (level, _) = level_of(py, call.positional[0])?;
        enabled(state(py)?, still, call.this, &level?.key)
    }
}

impl Native for IsEnabledFor {
    const NAME: &'static std::ffi::CStr = c"isEnabledFor";
    const DOC: &'static std::ffi::CStr = c"isEnabledFor($self, level)\n--\n\nWhether this logger lets records of this level through.";

    fn call<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Answer<'py>> {
        match Self::native(still, call) {
            Some(enabled) => Ok(Answer::Bool(enabled)),
            None => library(still, call, "isEnabledFor"),
        }
    }

    fn after_panic<'py>(still: &mut Still<'py>, call: &Call<'_>) -> PyResult<Answer<'py>> {
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
    learn_levels(py)?;
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
