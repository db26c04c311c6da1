//! Dates and times as Python shows them: `asctime`, `created`, `msecs`, `relativeCreated`.
//!
//! ```text
//! moment    nanoseconds to Python's floats, by the formulas of either generation of CPython
//! zone      the local time zone, as C's tzset finds it; replaced by reload_local_zone
//! civil     a second to year, month, day …
//! strftime  a format read once; the text of a second
//! asctime   all of it together, with the text of the last second kept in the cache
//! ```
//!
//! Pinned by `tests.rs`, which replays what CPython gave for `testdata/dates.tsv`.

mod asctime;
mod civil;
mod moment;
mod strftime;
mod zone;

pub use moment::TimeModel;
pub use zone::{Zone, reload_local_zone};

pub(crate) use asctime::{AscTime, DateCache};
pub(crate) use strftime::DateFormat;

#[cfg(test)]
mod tests;
