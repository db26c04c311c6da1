//! What Python's `LogRecord` makes of the time of a call: `created`, `msecs`, `relativeCreated`.

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Which formulas give `created`, `msecs` and `relativeCreated`, and the time they count from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TimeModel {
    /// CPython 3.13 and newer: from nanoseconds. `start_ns` is `logging._startTime` there, in
    /// nanoseconds since the Unix epoch.
    Nanoseconds {
        /// The moment that `relativeCreated` counts from.
        start_ns: i64,
    },
    /// CPython 3.10 to 3.12: from seconds as a float. `start` is `logging._startTime` there.
    Float {
        /// The moment that `relativeCreated` counts from.
        start: f64,
    },
}

impl Default for TimeModel {
    fn default() -> Self {
        TimeModel::Nanoseconds { start_ns: 0 }
    }
}

impl TimeModel {
    /// Seconds since the epoch, as `time.time()` or the division gives them.
    #[inline]
    pub fn created(self, time_ns: i64) -> f64 {
        match self {
            TimeModel::Float { .. } if time_ns % NANOS_PER_SECOND == 0 => {
                (time_ns / NANOS_PER_SECOND) as f64
            }
            _ => time_ns as f64 / 1e9,
        }
    }

    /// The second that `time.localtime(created)` shows. Not always `time_ns`'s own: the float may
    /// have been rounded up to the next.
    #[inline]
    pub(crate) fn second(created: f64) -> i64 {
        let second = created as i64;
        second - i64::from(second as f64 > created)
    }

    /// Whole milliseconds within the second.
    #[inline]
    pub fn msecs(self, time_ns: i64, created: f64) -> f64 {
        let whole = created as i64;
        match self {
            // The cast truncates, and makes a negative zero positive, as Python's `int` does.
            TimeModel::Float { .. } => ((created - whole as f64) * 1000.0) as i64 as f64,
            TimeModel::Nanoseconds { .. } => {
                let msecs = time_ns.rem_euclid(NANOS_PER_SECOND) / 1_000_000;
                if msecs == 999 && whole != time_ns.div_euclid(NANOS_PER_SECOND) {
                    0.0
                } else {
                    msecs as f64
                }
            }
        }
    }

    /// Milliseconds since the start.
    pub fn relative_created(self, time_ns: i64, created: f64) -> f64 {
        match self {
            TimeModel::Float { start } => (created - start) * 1000.0,
            TimeModel::Nanoseconds { start_ns } => {
                (i128::from(time_ns) - i128::from(start_ns)) as f64 / 1e6
            }
        }
    }
}
