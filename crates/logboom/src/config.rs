//! How an engine is set up: sizes, overflow, intervals, and what is injected into it.
//!
//! A [`Config`] is plain values with setters; [`Config::validate`] names the first one that is out
//! of bounds, and [`Engine::new`](crate::engine::Engine::new) calls it before anything exists.

use crate::clock::{Clock, SystemClock};
use crate::error::{ConfigError, Error};
use crate::level::Level;
use crate::overflow::Overflow;
use crate::redact::Redaction;
use crate::report::{Reporter, StderrReporter};
use crate::spawn::{Spawner, ThreadSpawner};
use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What [`Config::capacity_bytes`] may be: 64 KiB to 16 GiB.
pub const CAPACITY_BYTES: RangeInclusive<usize> = (64 << 10)..=(16 << 30);
/// What [`Config::table_bytes`] may be: 4 KiB to 1 GiB.
pub const TABLE_BYTES: RangeInclusive<usize> = (4 << 10)..=(1 << 30);
/// What [`Config::notice_interval`] may be: 1 ms to 1 day.
pub const NOTICE_INTERVAL: RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(86_400);
/// The longest [`Config::block_timeout`] and [`Config::shutdown_timeout`]: 1 year.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(365 * 86_400);

/// The options of an engine.
#[derive(Clone)]
pub struct Config {
    /// The size of the ring in bytes; default 4 MiB, see [`CAPACITY_BYTES`].
    ///
    /// Memory is paid for only as far as it was ever used. A larger ring rides out a longer burst
    /// or a slower disk before [`Config::overflow`] takes hold; a smaller one holds less when the
    /// process dies. A record larger than a part of it (see `ring.max_frame_bytes` in the
    /// statistics) is rejected. Watch `ring.used_bytes` and `dropped`.
    pub capacity_bytes: usize,
    /// The size in bytes of the table of texts that records name by id: loggers, call sites,
    /// templates; default 1 MiB, see [`TABLE_BYTES`]. Once it is full, new texts travel with each
    /// record, which costs the caller a copy. Watch `ring.table_used_bytes`.
    pub table_bytes: usize,
    /// What happens to a record that finds the ring full; default [`Overflow::Block`].
    pub overflow: Overflow,
    /// How long [`Overflow::Block`], and [`Overflow::Sample`] with what is grave, waits before it drops
    /// the record; default `None`, for ever. At most [`MAX_TIMEOUT`]; zero drops at once. Has no effect
    /// with the other policies.
    pub block_timeout: Option<Duration>,
    /// How long the end of the engine may take where the caller gives no timeout of their own;
    /// default 5 s, at most [`MAX_TIMEOUT`]. Raised, a slow sink gets more of the last records; the
    /// process ends later. What remains is in the report.
    pub shutdown_timeout: Duration,
    /// The shortest time between two drop notices in one route, and between two reports of faults;
    /// default 1 s, see [`NOTICE_INTERVAL`].
    pub notice_interval: Duration,
    /// The directory in which the ring lies, as a file; default `None`, in memory of the process. Linux
    /// only. What a killed process had accepted and not written is then written at the next start with
    /// the same directory, or by [`recover`](crate::durable::recover).
    ///
    /// Best on a memory file system, see [`default_directory`](crate::durable::default_directory): a call
    /// then costs the same, while on a disk the kernel's write-back holds up a call now and then. The
    /// directory is made where there is none; it has to be this user's, and nobody else may write to it.
    /// The file takes [`Config::capacity_bytes`], [`Config::table_bytes`] and 0.3 MB, all of it at once;
    /// a forked child has one of its own. With [`Overflow::DropOldest`], a record that finds the ring full
    /// while the writer works on the oldest ones is dropped itself.
    pub durable: Option<PathBuf>,
    /// How often what was written is put onto its devices; default `None`, never but for a call of
    /// [`Engine::sync`](crate::engine::Engine::sync). Bounds what a machine loses that loses power, to
    /// this time and what the writer had not written. The writer pays, one `fdatasync` a file and
    /// interval, in which nothing else is written. 1 ms to 1 day.
    pub sync_every: Option<Duration>,
    /// The level from which on a record is put onto its device as soon as it is written, with all that
    /// was written to that file before; default `None`, none. Its call does not wait for that. The writer
    /// pays, one `fdatasync` for each batch with such a record.
    pub sync_level: Option<Level>,
    /// What is taken out of records before any formatter sees them; default the values of fields with
    /// secret names, see [`Redaction`]. The writer pays: a few nanoseconds a field, with patterns a look at
    /// each text. Formats of the standard library are left alone unless there are patterns.
    pub redaction: Arc<Redaction>,
    /// The name of the writer's thread; default `logboom-writer`. Linux shows the first 15 bytes.
    pub thread_name: String,
    /// Tells the time to notices and reports; default [`SystemClock`].
    pub clock: Arc<dyn Clock>,
    /// Is told of faults, at most once per [`Config::notice_interval`]; default one line to the
    /// standard error stream.
    pub reporter: Arc<dyn Reporter>,
    /// Starts the writer's thread at first need; default [`ThreadSpawner`].
    pub spawner: Arc<dyn Spawner>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            capacity_bytes: 4 << 20,
            table_bytes: 1 << 20,
            overflow: Overflow::default(),
            block_timeout: None,
            shutdown_timeout: Duration::from_secs(5),
            notice_interval: Duration::from_secs(1),
            durable: None,
            sync_every: None,
            sync_level: None,
            redaction: Arc::default(),
            thread_name: "logboom-writer".into(),
            clock: Arc::new(SystemClock::new()),
            reporter: Arc::new(StderrReporter),
            spawner: Arc::new(ThreadSpawner),
        }
    }
}

macro_rules! setters {
    ($($option:ident: $type:ty),* $(,)?) => {
        impl Config {
            /// The defaults, which each option's field documents.
            pub fn new() -> Self {
                Config::default()
            }
            $(
                #[doc = concat!("Sets [`Config::", stringify!($option), "`].")]
                #[must_use]
                pub fn $option(mut self, $option: $type) -> Self {
                    self.$option = $option;
                    self
                }
            )*
        }
    };
}

setters! {
    capacity_bytes: usize,
    table_bytes: usize,
    overflow: Overflow,
    block_timeout: Option<Duration>,
    shutdown_timeout: Duration,
    notice_interval: Duration,
    durable: Option<PathBuf>,
    sync_every: Option<Duration>,
    sync_level: Option<Level>,
    redaction: Arc<Redaction>,
    thread_name: String,
    clock: Arc<dyn Clock>,
    reporter: Arc<dyn Reporter>,
    spawner: Arc<dyn Spawner>,
}

impl Config {
    /// Checks every option against its bounds.
    ///
    /// # Errors
    /// Names the first option that is out of them, what it is and what it may be.
    pub fn validate(&self) -> Result<(), Error> {
        bounds("capacity_bytes", &self.capacity_bytes, &CAPACITY_BYTES)?;
        bounds("table_bytes", &self.table_bytes, &TABLE_BYTES)?;
        bounds("notice_interval", &self.notice_interval, &NOTICE_INTERVAL)?;
        if let Some(interval) = &self.sync_every {
            bounds("sync_every", interval, &NOTICE_INTERVAL)?;
        }
        let timeouts = Duration::ZERO..=MAX_TIMEOUT;
        if let Some(timeout) = &self.block_timeout {
            bounds("block_timeout", timeout, &timeouts)?;
        }
        bounds("shutdown_timeout", &self.shutdown_timeout, &timeouts)?;
        if self.thread_name.is_empty() || self.thread_name.contains('\0') {
            let expected = "a name without NUL".into();
            return Err(ConfigError::new("thread_name", &self.thread_name, expected).into());
        }
        Ok(())
    }
}

fn bounds<T: PartialOrd + fmt::Debug>(
    option: &'static str,
    got: &T,
    bounds: &RangeInclusive<T>,
) -> Result<(), Error> {
    if bounds.contains(got) {
        return Ok(());
    }
    let expected = format!("{:?} to {:?}", bounds.start(), bounds.end());
    Err(ConfigError::new(option, got, expected).into())
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("capacity_bytes", &self.capacity_bytes)
            .field("table_bytes", &self.table_bytes)
            .field("overflow", &self.overflow)
            .field("block_timeout", &self.block_timeout)
            .field("shutdown_timeout", &self.shutdown_timeout)
            .field("notice_interval", &self.notice_interval)
            .field("durable", &self.durable)
            .field("sync_every", &self.sync_every)
            .field("sync_level", &self.sync_level)
            .field("redaction", &self.redaction)
            .field("thread_name", &self.thread_name)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bound_is_checked_and_named() {
        let refused = |config: Config| config.validate().unwrap_err().to_string();
        Config::new().validate().unwrap();
        assert_eq!(
            refused(Config::new().capacity_bytes(0)),
            "invalid `capacity_bytes`: got 0, expected 65536 to 17179869184"
        );
        assert_eq!(
            refused(Config::new().table_bytes(1)),
            "invalid `table_bytes`: got 1, expected 4096 to 1073741824"
        );
        assert_eq!(
            refused(Config::new().notice_interval(Duration::ZERO)),
            "invalid `notice_interval`: got 0ns, expected 1ms to 86400s"
        );
        assert_eq!(
            refused(Config::new().block_timeout(Some(Duration::MAX))),
            "invalid `block_timeout`: got 18446744073709551615.999999999s, expected 0ns to 31536000s"
        );
        assert!(refused(Config::new().shutdown_timeout(Duration::MAX)).contains("shutdown"));
        assert_eq!(
            refused(Config::new().thread_name(String::new())),
            "invalid `thread_name`: got \"\", expected a name without NUL"
        );
    }
}
