//! Time, injected: what notices and reports are dated and paced by.
//!
//! The engine reads its clock on the writer's thread, once a pass; a record's own time is the
//! caller's affair. Deadlines of callers (`flush`, `shutdown`, `block_timeout`) are real time: a
//! clock that stands still must not turn a timeout into a hang.

mod counted;

pub(crate) use counted::keep;
pub use counted::wall_ns;

use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Nanoseconds since the Unix epoch, as the wall clock shows them.
    fn now_ns(&self) -> i64;

    /// How long ago some fixed moment was. Never goes back.
    fn elapsed(&self) -> Duration;
}

/// The system's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose [`Clock::elapsed`] counts from now.
    pub fn new() -> Self {
        SystemClock { start: Instant::now() }
    }

    /// Nanoseconds since the Unix epoch, negative before it.
    #[inline]
    pub(crate) fn now() -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now_ns(&self) -> i64 {
        SystemClock::now()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock for tests: it stands still until it is told to go on.
#[derive(Debug)]
pub struct ManualClock {
    wall_ns: Mutex<i64>,
    elapsed: Mutex<Duration>,
}

impl ManualClock {
    /// A clock that shows `start_ns` nanoseconds since the Unix epoch.
    pub fn new(start_ns: i64) -> Self {
        ManualClock { wall_ns: Mutex::new(start_ns), elapsed: Mutex::default() }
    }

    /// Lets `by` go by.
    pub fn advance(&self, by: Duration) {
        *self.elapsed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) += by;
        let by_ns = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
        let mut wall_ns = self.wall_ns();
        *wall_ns = wall_ns.saturating_add(by_ns);
    }

    /// Sets the wall clock, forward or back, as an administrator does; no time goes by.
    pub fn set_wall_ns(&self, now_ns: i64) {
        *self.wall_ns() = now_ns;
    }

    fn wall_ns(&self) -> MutexGuard<'_, i64> {
        self.wall_ns.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Clock for ManualClock {
    fn now_ns(&self) -> i64 {
        *self.wall_ns()
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_goes_on_only_when_told() {
        let clock = ManualClock::new(5);
        assert_eq!((clock.now_ns(), clock.elapsed()), (5, Duration::ZERO));
        clock.advance(Duration::from_micros(1));
        assert_eq!((clock.now_ns(), clock.elapsed()), (1005, Duration::from_micros(1)));
        clock.set_wall_ns(-7);
        assert_eq!((clock.now_ns(), clock.elapsed()), (-7, Duration::from_micros(1)));
    }
}
