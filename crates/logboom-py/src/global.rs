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
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
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

/// Whether a call on an event loop's thread waits for room as any other does.
static BLOCKS_ON_EVENT_LOOP: AtomicBool = AtomicBool::new(true);

/// The option `block_on_event_loop`.
pub(crate) fn blocks_on_event_loop() -> bool {
    BLOCKS_ON_EVENT_LOOP.load(Relaxed)
}

/// Sets the option.
pub(crate) fn set_blocks_on_event_loop(blocks: bool) {
    BLOCKS_ON_EVENT_LOOP.store(blocks, Relaxed);
}

thread_local! {
    /// Whether signal handlers run on this thread in the middle of a call that waits for room.
    static HANDLES_SIGNALS: Cell<bool> = const { Cell::new(false) };
}

/// Submits a record that found the ring full, or is too long for it: gives the GIL away and waits as
/// the overflow policy says. Whatever becomes of the record is counted.
///
/// Signal handlers run meanwhile. What they log must not wait: the call that they interrupted would
/// wait for it, and handlers of further signals would pile up above. It goes beside the ring.
///
/// # Errors
/// What a signal handler raises meanwhile, `KeyboardInterrupt` for one; the record is given up.
pub(crate) fn submit_waiting(py: Python<'_>, record: &Record<'_>) -> PyResult<()> {
    if HANDLES_SIGNALS.get() {
        let _ = engine().submit_beside(record);
        return Ok(());
    }
    if !blocks_on_event_loop() && runs_event_loop(py)? {
        let _ = engine().submit_or_drop(record);
        return Ok(());
    }
    let caller = waiting::enter(record.routes);
    let outcome = wait_for_room(py, record)?;
    if outcome == Outcome::TooLarge {
        deliver(py, record)?;
    }
    drop(caller);
    Ok(())
}

fn wait_for_room(py: Python<'_>, record: &Record<'_>) -> PyResult<Outcome> {
    let mut current = engine();
    let mut waiting = current.wait_for_room(record);
    loop {
        if let Some(outcome) = py.detach(|| waiting.wait(Some(Instant::now() + SIGNALS_EVERY))) {
            return Ok(outcome);
        }
        handle_signals(py)?;
        // A handler may have forked, and this is the child. In the same process the place is kept, also
        // when the engine was changed: the record may be in a ring by now.
        if current.is_of_another_process() {
            current = engine();
            waiting = current.wait_for_room(record);
        }
    }
}

fn deliver(py: Python<'_>, record: &Record<'_>) -> PyResult<()> {
    let mut current = engine();
    let mut large = current.submit_large(record);
    while py.detach(|| large.wait(Some(Instant::now() + SIGNALS_EVERY))).is_none() {
        handle_signals(py)?;
        if current.is_of_another_process() {
            current = engine();
            large = current.submit_large(record);
        }
    }
    Ok(())
}

/// Runs the handlers of the signals that came.
fn handle_signals(py: Python<'_>) -> PyResult<()> {
    struct Handling;
    impl Drop for Handling {
        fn drop(&mut self) {
            HANDLES_SIGNALS.set(false);
        }
    }
    HANDLES_SIGNALS.set(true);
    let _handling = Handling;
    py.check_signals()
}

/// Whether the calling thread runs an event loop of `asyncio`, or one that says so to it.
fn runs_event_loop(py: Python<'_>) -> PyResult<bool> {
    // No `intern!`: it makes its text at its first use, without the GIL, and a process could fork then.
    let modules = py.import("sys")?.getattr("modules")?;
    // Who has not imported it runs none.
    let Ok(events) = modules.get_item("asyncio.events") else { return Ok(false) };
    Ok(!events.call_method0("_get_running_loop")?.is_none())
}
