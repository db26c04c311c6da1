//! Notices: what the engine writes into a log about itself.
//!
//! A drop notice tells a route how many of its records were dropped since the last notice, of which
//! levels, and when the first of them was logged:
//!
//! ```text
//! dropped 1234 records since 2026-11-24T14:02:31.123Z (DEBUG 1000, INFO 234): ring full, capacity 4194304 bytes
//! ```
//!
//! It is a record like others (logger `logboom`, level WARNING), made by the route's own formatter,
//! but it passes no ring and no filter, and is no delivery: it has a counter of its own. The writer
//! writes it between two batches, so it is told while the load lasts; the last one is written by a
//! flush, a close or shutdown, so that the notices of a route add up to what it dropped. A notice
//! that its sink refuses is not lost: the next one says its numbers again.
//!
//! A recovery notice follows the records that a dead process had left in its durable ring:
//!
//! ```text
//! recovered 12 records of process 4711, which ended without a shutdown after 2026-01-02T03:04:05.678Z
//! ```
//!
//! Pinned by `drops_are_told_while_the_load_lasts` and the tests of `durable`.

use crate::level::Level;
use crate::metrics::{DROP_LEVELS, Drops};
use crate::record::{Message, Record, Site};
use std::fmt::Write;

/// What was dropped between two counts, or `None` if nothing was.
pub(crate) fn untold(now: &Drops, told: &Drops) -> Option<Drops> {
    let mut untold = [0; DROP_LEVELS.len() + 1];
    for (untold, (now, told)) in untold.iter_mut().zip(now.iter().zip(told)) {
        *untold = now - told;
    }
    untold.iter().any(|&n| n > 0).then_some(untold)
}

/// The words of a drop notice; `since` is the text of a time.
pub(crate) fn text(drops: &Drops, since: &str, capacity_bytes: usize) -> String {
    let total: u64 = drops.iter().sum();
    let noun = if total == 1 { "record" } else { "records" };
    let mut text = format!("dropped {total} {noun} since {since} (");
    let names = DROP_LEVELS.iter().map(|level| level.name().unwrap_or("other")).chain(["other"]);
    let mut separator = "";
    for (name, n) in names.zip(drops).filter(|&(_, &n)| n > 0) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator}{name} {n}");
        separator = ", ";
    }
    let _ = write!(text, "): ring full, capacity {capacity_bytes} bytes");
    text
}

/// The words of a recovery notice. `last_ns` is the time of the newest record, `instead_of` what they
/// were meant for if they stand somewhere else.
#[cfg_attr(
    not(all(target_os = "linux", not(loom))),
    allow(dead_code, reason = "nothing is recovered there")
)]
pub(crate) fn recovered(
    records: u64,
    process: u32,
    last_ns: i64,
    instead_of: Option<&str>,
    exactly_once: bool,
) -> String {
    let noun = if records == 1 { "record" } else { "records" };
    let mut text =
        format!("recovered {records} {noun} of process {process}, which ended without a ");
    text.push_str("shutdown after ");
    crate::format::write_time(last_ns, &mut text);
    if let Some(sink) = instead_of {
        let _ = write!(text, "; they were meant for {sink}");
    }
    if !exactly_once {
        text.push_str("; some may have been written before");
    }
    text
}

/// Encodes a notice into `out`, from which a formatter can read it like any record.
pub(crate) fn encode(text: &str, time_ns: i64, out: &mut Vec<u8>) {
    encode_as(Level::WARNING, "logboom", text, time_ns, out);
}

/// The same under another name and level.
pub(crate) fn encode_as(level: Level, logger: &str, text: &str, time_ns: i64, out: &mut Vec<u8>) {
    let record = Record {
        time_ns,
        level,
        thread: 0,
        logger: logger.into(),
        site: Site::None,
        message: Message::Plain(text.into()),
        fields: &[],
        attributes: &[],
        routes: &[],
    };
    out.clear();
    out.resize(record.encoded_len().unwrap_or(0), 0);
    record.encode(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_many_of_which_level() {
        let now = [0, 1000, 234, 0, 0, 0, 3];
        assert_eq!(untold(&now, &now), None);
        let drops = untold(&now, &[0, 0, 230, 0, 0, 0, 0]).unwrap();
        assert_eq!(
            text(&drops, "2026-11-24T14:02:31.123Z", 4096),
            "dropped 1007 records since 2026-11-24T14:02:31.123Z (DEBUG 1000, INFO 4, other 3): ring full, \
             capacity 4096 bytes"
        );
        assert_eq!(
            recovered(1, 7, 1_000_000_000, None, true),
            "recovered 1 record of process 7, which ended without a shutdown after \
             1970-01-01T00:00:01.000Z"
        );
        let one = [0, 0, 0, 0, 1, 0, 0];
        assert!(text(&one, "then", 1).starts_with("dropped 1 record since then ("));
    }
}
