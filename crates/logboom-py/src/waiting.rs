//! Callers that wait for room in the ring, by the routes their records go to.
//!
//! A caller decides where its record goes, finds the ring full, and waits without the GIL. Were one
//! of the routes closed meanwhile, by a formatter that was replaced or a handler that was closed, the
//! record would come behind the route's end and be rejected. The standard library would have the one
//! who closes wait for the handler's lock. Here a route is closed once nobody waits with a record
//! for it: whoever closes and waits, waits for that first; whoever does not, leaves it to the last
//! caller.
//!
//! Pinned by `tests/python/test_handlers.py::test_a_handler_is_closed_behind_a_call_that_waits`.

use crate::global;
use logboom::engine::Wait;
use logboom::record::RouteId;
use std::collections::HashMap;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Default)]
pub(crate) struct Waiting {
    callers: usize,
    /// Whether the last of them closes the route.
    close: bool,
}

static ROUTES: LazyLock<Mutex<HashMap<RouteId, Waiting>>> = LazyLock::new(Mutex::default);
static LEFT: Condvar = Condvar::new();

/// Makes the list, so that nobody makes it while the process forks.
pub(crate) fn make_ready() {
    LazyLock::force(&ROUTES);
}

fn lock() -> MutexGuard<'static, HashMap<RouteId, Waiting>> {
    ROUTES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A caller that waits, until it is dropped.
pub(crate) struct Caller<'r>(&'r [RouteId]);

/// Says that the calling thread waits with a record for these routes. To be called with the GIL,
/// right after it was decided that the record goes there.
pub(crate) fn enter(routes: &[RouteId]) -> Caller<'_> {
    let mut waiting = lock();
    for route in routes {
        waiting.entry(*route).or_default().callers += 1;
    }
    Caller(routes)
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        let mut waiting = lock();
        let mut orphans = Vec::new();
        for route in self.0 {
            let Some(entry) = waiting.get_mut(route) else { continue };
            entry.callers -= 1;
            if entry.callers == 0 {
                if entry.close {
                    orphans.push(*route);
                }
                waiting.remove(route);
            }
        }
        drop(waiting);
        LEFT.notify_all();
        for route in orphans {
            let _ = global::engine().close_route(route, Wait::No);
        }
    }
}

/// Leaves it to the last caller that waits with a record for this route to close it; `false` if
/// there is none.
pub(crate) fn close_later(route: RouteId) -> bool {
    lock().get_mut(&route).is_some_and(|entry| {
        entry.close = true;
        true
    })
}

/// Waits until no caller waits with a record for this route, at most so long. To be called without
/// the GIL. Returns what is left of the time.
pub(crate) fn until_left(route: RouteId, timeout: Option<Duration>) -> Option<Duration> {
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut waiting = lock();
    while waiting.contains_key(&route) {
        waiting = match deadline {
            None => LEFT.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                LEFT.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0
            }
        };
    }
    deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())).or(timeout)
}

/// Keeps every change off while a process forks.
pub(crate) struct Hold(MutexGuard<'static, HashMap<RouteId, Waiting>>);

pub(crate) fn hold() -> Hold {
    Hold(lock())
}

impl Hold {
    /// In a forked child: the callers that waited are the parent's threads.
    pub(crate) fn forget_callers(mut self) {
        self.0.clear();
    }
}
