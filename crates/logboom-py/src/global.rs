//! The engine of this process.
//!
//! There is always exactly one; until the first record it is an address range and no thread. A
//! forked child puts another in its place. The old one is never freed there: its locks may be held
//! by threads that the child does not have.

use crate::ffi::Forever;
use crate::ffi::signals::QuietSpawner;
use crate::waiting;
use logboom::config::Config;
use logboom::engine::{Engine, Outcome};
use logboom::error::Error;
use logboom::record::Record;
use pyo3::prelude::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

static ENGINE: Forever<Engine> = Forever::empty();

/// The engine.
///
/// # Panics
/// Before [`start`] was called: never after the module was imported.
#[inline]
pub(crate) fn engine() -> &'static Engine {
    ENGINE.get().expect("the engine is made when the module is imported")
}

/// Makes the engine, when the module is imported.
///
/// # Errors
/// If memory for the ring cannot be had.
pub(crate) fn start() -> Result<(), Error> {
    if ENGINE.get().is_none() {
        ENGINE.put(Engine::new(Config::default().spawner(Arc::new(QuietSpawner)))?);
    }
    Ok(())
}

/// Puts `engine` in the place of the one there is, which stays in memory.
pub(crate) fn replace(engine: Engine) {
    ENGINE.put(engine);
}

/// How often a call that waits for room lets Python's signal handlers run.
const SIGNALS_EVERY: Duration = Duration::from_millis(50);

/// Submits a record that found the ring full, or is too long for it: gives the GIL away and waits as
/// the overflow policy says. Whatever becomes of the record is counted.
///
/// # Errors
/// What a signal handler raises meanwhile, `KeyboardInterrupt` for one; the record is given up.
pub(crate) fn submit_waiting(py: Python<'_>, record: &Record<'_>) -> PyResult<()> {
    let since = Instant::now();
    let caller = waiting::enter(record.routes);
    let wait = || engine().submit_until(record, since, Instant::now() + SIGNALS_EVERY);
    let outcome = loop {
        match py.detach(wait) {
            Outcome::Full => py.check_signals()?,
            outcome => break outcome,
        }
    };
    if outcome == Outcome::TooLarge {
        let mut large = engine().submit_large(record);
        while py.detach(|| large.wait(Some(Instant::now() + SIGNALS_EVERY))).is_none() {
            py.check_signals()?;
        }
    }
    drop(caller);
    Ok(())
}
