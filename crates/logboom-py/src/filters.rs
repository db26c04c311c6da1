//! The filters that run natively on a route, and as plain `filter(record)` anywhere else.
//!
//! Both ways ask the same object of the engine, so what one has seen the other knows. A handler of ours
//! whose filters are all of these keeps the native way: its route has them, and records that Python
//! formatted were asked about by the handler itself.

use crate::error::{config_error, to_python};
use crate::lifecycle::invalid;
use logboom::filter::{Fold, Judge, Once, Per, RateLimit, Sample, Subject};
use logboom::level::Level;
use pyo3::PyClass;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString};
use std::sync::Arc;
use std::time::Duration;

/// What all of them are.
#[pyclass(frozen, subclass, module = "logboom._logboom")]
pub(crate) struct NativeFilter {
    pub(crate) judge: Arc<dyn Judge>,
}

#[pymethods]
impl NativeFilter {
    /// Whether a record passes, as `logging.Filter.filter`. A record that cannot be looked at does.
    fn filter(&self, record: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.asked(record).or_else(|error| match error.is_instance_of::<PyException>(record.py()) {
            true => Ok(true),
            false => Err(error),
        })
    }
}

impl NativeFilter {
    fn asked(&self, record: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = record.py();
        let asks = self.judge.asks();
        let text = |name: &str| -> PyResult<String> {
            Ok(record.getattr(name)?.str()?.to_string_lossy().into_owned())
        };
        let (path, line) = match asks.site {
            true => (text("pathname")?, record.getattr("lineno")?.extract().unwrap_or(0)),
            false => (String::new(), 0),
        };
        let message = match asks.text {
            true => record.call_method0("getMessage")?.str()?.to_string_lossy().into_owned(),
            false => String::new(),
        };
        let value = match asks.field {
            Some(key) => field_of(py, record, key)?,
            None => None,
        };
        let created: f64 = record.getattr("created")?.extract()?;
        let level = record.getattr("levelno")?.extract::<i32>().unwrap_or(0);
        Ok(self.judge.passes(&Subject {
            time_ns: (created * 1e9) as i64,
            level: Level(level),
            logger: text("name")?.as_bytes(),
            path: path.as_bytes(),
            line,
            text: message.as_bytes(),
            value: value.as_deref(),
        }))
    }
}

/// The text of a field of a record, or of what is bound.
fn field_of(py: Python<'_>, record: &Bound<'_, PyAny>, key: &str) -> PyResult<Option<Vec<u8>>> {
    let value = match record.getattr_opt(key)? {
        Some(value) => Some(value),
        None => {
            let bound = py.import("logboom._context")?.call_method0("context")?;
            bound.cast_into::<PyDict>()?.get_item(key)?
        }
    };
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(None) };
    let text = value.str()?.to_string_lossy().into_owned();
    let text = if value.is_instance_of::<PyBool>() { text.to_lowercase() } else { text };
    Ok(Some(text.into_bytes()))
}

type Made<T> = PyResult<PyClassInitializer<T>>;

fn made<T: PyClass<BaseType = NativeFilter>>(class: T, judge: impl Judge) -> PyClassInitializer<T> {
    PyClassInitializer::from(NativeFilter { judge: Arc::new(judge) }).add_subclass(class)
}

/// Lets at most so many records a second pass.
///
/// ``rate``: records a second, above 0 to 1e9. ``burst``: how many may come at once, 1 to 1e9; default
/// ``rate``, at least 1. ``per``: what has a limit of its own: ``"site"`` (default, each line of the program
/// that logs), ``"logger"``, ``"level"`` or ``"all"``; up to 4,096 are told apart. ``level``: from this level
/// on records pass and take no room; default `None`.
///
/// On a handler of this package, what is refused counts as ``filtered``, and a notice of the logger
/// ``logboom`` says how many it were, before the next record that passes, or once ``burst / rate`` seconds
/// have gone by; a flush, a close and the end tell the rest. The writer's thread does the work; elsewhere
/// the thread that logs. Raises `ConfigError` for options out of their bounds.
#[pyclass(frozen, extends = NativeFilter, module = "logboom._logboom")]
pub(crate) struct RateLimitFilter;

#[pymethods]
impl RateLimitFilter {
    #[new]
    #[pyo3(signature = (rate, burst=None, per="site", *, level=None))]
    fn new(
        rate: &Bound<'_, PyAny>,
        burst: Option<&Bound<'_, PyAny>>,
        per: &str,
        level: Option<&Bound<'_, PyAny>>,
    ) -> Made<Self> {
        let per = Per::of(per).ok_or_else(|| one_of("per", per, "site, logger, level or all"))?;
        let always = level.map(|level| level_of("level", level)).transpose()?;
        let burst = burst.map(|burst| number("burst", burst)).transpose()?;
        let limit = RateLimit::new(number("rate", rate)?, burst, per, always).map_err(to_python)?;
        Ok(made(RateLimitFilter, limit))
    }
}

/// Folds records that say, from the same line of the program, what the one before said.
///
/// ``within``: seconds after the first one for which others are folded into it, 0.001 to 86,400; default
/// 5.0.
///
/// On a handler of this package, what is folded counts as ``filtered``, and a line "repeated N times: ..."
/// of the same logger and level stands before the next other record, or comes once the time is over; a
/// flush, a close and the end tell the rest. One line is remembered. The writer's thread does the work;
/// elsewhere the thread that logs. Raises `ConfigError` for options out of their bounds.
#[pyclass(frozen, extends = NativeFilter, module = "logboom._logboom")]
pub(crate) struct FoldFilter;

#[pymethods]
impl FoldFilter {
    #[new]
    #[pyo3(signature = (within=None))]
    fn new(within: Option<&Bound<'_, PyAny>>) -> Made<Self> {
        let seconds = within.map_or(Ok(5.0), |within| number("within", within))?;
        let duration = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO);
        Ok(made(FoldFilter, Fold::new(duration).map_err(to_python)?))
    }
}

/// Lets the first record pass of each line of the program that logs (``per="site"``, default), or of each
/// logger and message (``per="message"``), for as long as the filter lives. 65,536 of them are remembered;
/// what comes beyond that passes.
///
/// The writer's thread does the work on handlers of this package, elsewhere the thread that logs. Raises
/// `ConfigError` for another ``per``.
#[pyclass(frozen, extends = NativeFilter, module = "logboom._logboom")]
pub(crate) struct OnceFilter;

#[pymethods]
impl OnceFilter {
    #[new]
    #[pyo3(signature = (per="site"))]
    fn new(per: &str) -> Made<Self> {
        match per {
            "site" | "message" => Ok(made(OnceFilter, Once::new(per == "message"))),
            _ => Err(one_of("per", per, "site or message")),
        }
    }
}

/// Lets a part of the records pass.
///
/// ``rate``: the part, 0 to 1, or a mapping of levels, by name or number, to parts; records of other levels
/// pass then. ``key``: a field, as ``"trace_id"``: records with the same text there pass all or none, in
/// every process alike; those without it pass by chance.
///
/// The writer's thread does the work on handlers of this package, elsewhere the thread that logs. Raises
/// `ConfigError` for options that are not as described.
#[pyclass(frozen, extends = NativeFilter, module = "logboom._logboom")]
pub(crate) struct SampleFilter;

#[pymethods]
impl SampleFilter {
    #[new]
    #[pyo3(signature = (rate, *, key=None))]
    fn new(rate: &Bound<'_, PyAny>, key: Option<String>) -> Made<Self> {
        let mut rates = Vec::new();
        if let Ok(given) = rate.cast::<PyDict>() {
            for (level, rate) in given {
                rates.push((level_of("rate", &level)?, number("rate", &rate)?));
            }
            let given: Vec<Level> = rates.iter().map(|(level, _)| *level).collect();
            for Level(level) in given.iter().copied() {
                let above = Level(level.saturating_add(1));
                if !given.contains(&above) {
                    rates.push((above, 1.0));
                }
            }
        } else {
            rates.push((Level(i32::MIN), number("rate", rate)?));
        }
        Ok(made(SampleFilter, Sample::new(rates, key).map_err(to_python)?))
    }
}

fn one_of(option: &str, got: &str, expected: &str) -> PyErr {
    config_error(format!("invalid `{option}`: got {got:?}, expected {expected}"))
}

fn number(option: &str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    let given = (!value.is_instance_of::<PyBool>()).then(|| value.extract::<f64>().ok()).flatten();
    given.ok_or_else(|| invalid(option, value, "a number"))
}

fn level_of(option: &str, value: &Bound<'_, PyAny>) -> PyResult<Level> {
    let given = match value.is_instance_of::<PyString>() {
        true => value.py().import("logging")?.call_method1("getLevelName", (value,))?,
        false => value.clone(),
    };
    given
        .extract::<i32>()
        .map(Level)
        .map_err(|_| invalid(option, value, "a level, by name or number"))
}
