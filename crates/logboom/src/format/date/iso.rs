//! Dates as ISO 8601 (and RFC 3339) shows them, in UTC: `2026-11-24T14:02:31.123456Z`.
//!
//! The second's text is made once; a record adds the digits behind the point, cut and not rounded, so
//! that no line is dated later than its call.

use super::civil::Civil;
use super::strftime::{write_three, write_two};

/// How many digits a time shows behind the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// None.
    Seconds,
    /// Three.
    Millis,
    /// Six; the default.
    #[default]
    Micros,
    /// Nine.
    Nanos,
}

/// The text of the last second that was shown.
#[derive(Debug, Default)]
pub(crate) struct IsoCache {
    second: Option<i64>,
    text: Vec<u8>,
}

const NANOS_PER_SECOND: i64 = 1_000_000_000;

impl IsoCache {
    /// Appends the time.
    #[inline]
    pub(crate) fn write(&mut self, precision: Precision, time_ns: i64, out: &mut Vec<u8>) {
        let second = time_ns.div_euclid(NANOS_PER_SECOND);
        if self.second != Some(second) {
            self.refresh(second);
        }
        out.extend_from_slice(&self.text);
        let nanos = time_ns.rem_euclid(NANOS_PER_SECOND) as u32;
        if precision != Precision::Seconds {
            out.push(b'.');
            write_three(nanos / 1_000_000, out);
        }
        if matches!(precision, Precision::Micros | Precision::Nanos) {
            write_three(nanos / 1000 % 1000, out);
        }
        if precision == Precision::Nanos {
            write_three(nanos % 1000, out);
        }
        out.push(b'Z');
    }

    #[cold]
    fn refresh(&mut self, second: i64) {
        let civil = Civil::utc(second);
        self.second = Some(second);
        let text = &mut self.text;
        text.clear();
        // A record's nanoseconds reach from 1677 to 2262: four digits.
        write_two(civil.year.div_euclid(100) as u32, text);
        write_two(civil.year.rem_euclid(100) as u32, text);
        for (before, number) in [
            (b'-', civil.month),
            (b'-', civil.day),
            (b'T', civil.hour),
            (b':', civil.minute),
            (b':', civil.second),
        ] {
            text.push(before);
            write_two(number, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_cut_to_its_precision() {
        let mut cache = IsoCache::default();
        let mut show = |precision, time_ns| {
            let mut out = Vec::new();
            cache.write(precision, time_ns, &mut out);
            String::from_utf8(out).unwrap()
        };
        let time = 1_700_000_000_123_456_789;
        assert_eq!(show(Precision::Nanos, time), "2023-11-14T22:13:20.123456789Z");
        assert_eq!(show(Precision::Micros, time), "2023-11-14T22:13:20.123456Z");
        assert_eq!(show(Precision::Millis, time), "2023-11-14T22:13:20.123Z");
        assert_eq!(show(Precision::Seconds, time), "2023-11-14T22:13:20Z");
        assert_eq!(show(Precision::Nanos, time + 1_000_000_000), "2023-11-14T22:13:21.123456789Z");
        assert_eq!(show(Precision::Micros, -1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(show(Precision::Seconds, i64::MIN), "1677-09-21T00:12:43Z");
        assert_eq!(show(Precision::Seconds, i64::MAX), "2262-04-11T23:47:16Z");
    }
}
