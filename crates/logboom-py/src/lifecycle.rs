//! The life of the engine in a Python process: configuration, flush, fork, end.
//!
//! Invariants:
//! 1. The engine starts by itself at the first record and ends in one of three ways, whichever comes
//!    first: `shutdown()`, the interpreter's `atexit` (which flushes, as code that runs later may
//!    still log), or the process's last moments after the interpreter is gone (which shuts down).
//! 2. Around a fork nothing of the engine's set-up changes but by the forking thread. The child gets an
//!    engine of its own, empty, with the same routes, before any code of Python's runs in it, and starts no
//!    thread before it logs.
//! 3. Whatever waits does so without the GIL.
//!
//! Pinned by `tests/python/test_lifecycle.py`.

use crate::durable;
use crate::error::{config_error, to_python};
use crate::global;
use crate::redaction::{self, RedactionCore};
use crate::stats::{Report, Stats};
use crate::waiting;
use logboom::engine::ForkGuard;
use logboom::error::Error;
use logboom::level::Level;
use logboom::overflow::Overflow;
use logboom::redact::Redaction;
use logboom::report::{Reporter as _, StderrReporter};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

/// Changes options of the engine; those not given stay as they are. See `logboom.configure`.
///
/// Runs on the caller's thread; everything submitted before is written first.
#[pyfunction]
pub(crate) fn configure(py: Python<'_>, options: &Bound<'_, PyDict>) -> PyResult<()> {
    let mut config = global::engine().config().clone();
    let mut blocks_on_event_loop = global::blocks_on_event_loop();
    for (name, value) in options {
        let name = name.extract::<String>()?;
        match name.as_str() {
            "capacity_bytes" => config.capacity_bytes = size(&name, &value)?,
            "table_bytes" => config.table_bytes = size(&name, &value)?,
            "overflow" => {
                let word = value
                    .extract::<String>()
                    .map_err(|_| invalid(&name, &value, Overflow::WORDS))?;
                config.overflow = word.parse::<Overflow>().map_err(to_python)?;
            }
            "block_on_event_loop" => {
                blocks_on_event_loop =
                    value.extract::<bool>().map_err(|_| invalid(&name, &value, "a bool"))?;
            }
            "block_timeout" if value.is_none() => config.block_timeout = None,
            "block_timeout" => config.block_timeout = Some(seconds(&name, &value)?),
            "shutdown_timeout" => config.shutdown_timeout = seconds(&name, &value)?,
            "notice_interval" => config.notice_interval = seconds(&name, &value)?,
            "durable" => config.durable = durable::directory(&value)?,
            "sync_every" if value.is_none() => config.sync_every = None,
            "sync_every" => config.sync_every = Some(seconds(&name, &value)?),
            "sync_level" if value.is_none() => config.sync_level = None,
            "sync_level" => config.sync_level = Some(level(&name, &value)?),
            "redact" => config.redaction = redaction_of(&name, &value)?,
            _ => {
                return Err(config_error(format!(
                    "unknown option: got `{name}`, expected one of `capacity_bytes`, \
                     `table_bytes`, `overflow`, `block_timeout`, `block_on_event_loop`, \
                     `shutdown_timeout`, `notice_interval`, `durable`, `sync_every`, `sync_level`, `redact`"
                )));
            }
        }
    }
    config.validate().map_err(to_python)?;
    let successor = py.detach(|| global::engine().successor(config)).map_err(to_python)?;
    global::replace(successor);
    global::set_blocks_on_event_loop(blocks_on_event_loop);
    Ok(())
}

pub(crate) fn invalid(option: &str, got: &Bound<'_, PyAny>, expected: &str) -> PyErr {
    let got = got.repr().map_or_else(|_| "something".into(), |text| text.to_string());
    config_error(format!("invalid `{option}`: got {got}, expected {expected}"))
}

fn size(option: &str, value: &Bound<'_, PyAny>) -> PyResult<usize> {
    value.extract::<usize>().map_err(|_| invalid(option, value, "a whole number of bytes"))
}

fn redaction_of(option: &str, value: &Bound<'_, PyAny>) -> PyResult<Arc<Redaction>> {
    if let Ok(given) = value.cast_exact::<RedactionCore>() {
        return Ok(Arc::clone(&given.get().0));
    }
    match value.extract::<bool>() {
        Ok(true) => Ok(Arc::default()),
        Ok(false) => Ok(Arc::new(Redaction::off())),
        Err(_) => {
            Err(invalid(option, value, "True, False, a Redaction or a mapping of its options"))
        }
    }
}

fn level(option: &str, value: &Bound<'_, PyAny>) -> PyResult<Level> {
    value.extract::<i32>().map(Level).map_err(|_| invalid(option, value, "a level"))
}

fn seconds(option: &str, value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let wrong = || invalid(option, value, "a number of seconds, 0 or more");
    let seconds = value.extract::<f64>().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

/// The time-out given by a caller: `None` waits for ever.
fn timeout(value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Duration>> {
    value.map(|value| seconds("timeout", value)).transpose()
}

/// See `logboom.flush`.
#[pyfunction]
#[pyo3(signature = (timeout=None))]
pub(crate) fn flush(py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
    let timeout = self::timeout(timeout)?;
    Ok(py.detach(|| global::engine().flush(timeout)).is_done())
}

/// See `logboom.sync`.
#[pyfunction]
#[pyo3(signature = (timeout=None))]
pub(crate) fn sync(py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
    let timeout = self::timeout(timeout)?;
    Ok(py.detach(|| global::engine().sync(timeout)).is_done())
}

/// See `logboom.shutdown`.
#[pyfunction]
#[pyo3(signature = (timeout=None))]
pub(crate) fn shutdown(py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Report> {
    let timeout = match timeout {
        Some(_) => self::timeout(timeout)?,
        None => Some(global::engine().config().shutdown_timeout),
    };
    Ok(Report::new(py.detach(|| global::engine().shutdown(timeout))))
}

/// See `logboom.stats`.
#[pyfunction]
pub(crate) fn stats(py: Python<'_>) -> Stats {
    Stats::new(py.detach(|| global::engine().stats()))
}

/// The options of the engine as they are.
#[pyfunction]
pub(crate) fn options(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let config = global::engine().config();
    let options = PyDict::new(py);
    options.set_item("capacity_bytes", config.capacity_bytes)?;
    options.set_item("table_bytes", config.table_bytes)?;
    options.set_item("overflow", config.overflow.as_str())?;
    options.set_item("block_timeout", config.block_timeout.map(|t| t.as_secs_f64()))?;
    options.set_item("block_on_event_loop", global::blocks_on_event_loop())?;
    options.set_item("shutdown_timeout", config.shutdown_timeout.as_secs_f64())?;
    options.set_item("notice_interval", config.notice_interval.as_secs_f64())?;
    options.set_item("durable", config.durable)?;
    options.set_item("sync_every", config.sync_every.map(|t| t.as_secs_f64()))?;
    options.set_item("sync_level", config.sync_level.map(|level| level.0))?;
    options.set_item("redact", redaction::shown(py, &config.redaction)?)?;
    Ok(options)
}

thread_local! {
    /// Between the hooks before and after a fork, on the thread that forks.
    static FORKING: RefCell<Option<ForkGuard>> = const { RefCell::new(None) };
    /// Within the fork itself. Nobody who holds this one waits for anything.
    static HELD: RefCell<Option<waiting::Hold>> = const { RefCell::new(None) };
}

/// To be run by the thread that is about to fork. Hooks of others may run between this and the fork.
#[pyfunction]
pub(crate) fn before_fork(py: Python<'_>) {
    // A thread that holds the gate may be waiting for the GIL.
    let guard = py.detach(|| global::engine().lock_for_fork());
    FORKING.with(|forking| *forking.borrow_mut() = Some(guard));
}

/// To be run in the parent once the fork is done, or failed.
#[pyfunction]
pub(crate) fn after_fork_in_parent() {
    FORKING.with(|forking| drop(forking.borrow_mut().take()));
}

/// To be run in a forked child, for where the system told it of no fork.
#[pyfunction]
pub(crate) fn after_fork_in_child() -> PyResult<()> {
    renew_child().map_err(to_python)
}

/// Gives a forked child an engine of its own, once.
fn renew_child() -> Result<(), Error> {
    FORKING.with(|forking| {
        let mut forking = forking.borrow_mut();
        if forking.is_some() {
            global::replace(global::engine().child()?);
        }
        // Of locks that only the parent's engine has; the child never touches them again.
        std::mem::forget(forking.take());
        Ok(())
    })
}

fn is_forking() -> bool {
    FORKING.with(|forking| forking.borrow().is_some())
}

/// Between the last hook before the fork and the fork.
extern "C" fn at_fork() {
    if is_forking() {
        HELD.with(|held| *held.borrow_mut() = Some(waiting::hold()));
    }
}

/// Between the fork and the first hook in the parent.
extern "C" fn forked_in_parent() {
    HELD.with(|held| drop(held.borrow_mut().take()));
}

/// Between the fork and the first hook in the child: what those log is the child's.
extern "C" fn forked_in_child() {
    crate::ffi::forget_process_id();
    if let Some(waiting) = HELD.with(|held| held.borrow_mut().take()) {
        waiting.forget_callers();
    }
    // Where there is no memory, the hook tries again, and says so.
    let _ = renew_child();
}

/// Has the system tell of forks.
pub(crate) fn register_forks() -> bool {
    crate::ffi::at_fork(at_fork, forked_in_parent, forked_in_child)
}

/// The interpreter is gone: what code run by `atexit` and by finalisers has logged is written, and
/// the report of what was not goes to the standard error stream.
extern "C" fn at_end() {
    let engine = global::engine();
    let report = engine.shutdown(Some(engine.config().shutdown_timeout));
    if !report.completed {
        // A pipe that nobody reads must not keep the process alive.
        StderrReporter.report(&report.to_string());
    }
}

/// Has the engine shut down when the interpreter is gone.
pub(crate) fn register_end() -> bool {
    crate::ffi::at_interpreter_end(at_end)
}
