//! Dates and times as Python shows them: `asctime`, `created`, `msecs`, `relativeCreated`.
//!
//! ```text
//! moment    nanoseconds to Python's floats, by the formulas of either generation of CPython
//! zone      the local time zone, as C's tzset finds it; replaced by reload_local_zone
//! civil     a second to year, month, day …
//! strftime  a format read once; the text of a second
//! iso       the text of ISO 8601, for formatters of our own
//! asctime   all of it together, with the text of the last second kept in the cache
//! ```
//!
//! Pinned by `tests.rs`, which replays what CPython gave for `testdata/dates.tsv`.

mod asctime;
mod civil;
mod iso;
mod moment;
mod strftime;
mod zone;

pub use iso::Precision;
pub use moment::TimeModel;
pub use zone::{Zone, reload_local_zone};

pub(crate) use asctime::{AscTime, DateCache};
pub(crate) use iso::IsoCache;
pub(crate) use strftime::DateFormat;

#[cfg(test)]
mod tests;
