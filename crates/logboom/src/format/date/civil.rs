//! A second as year, month, day and so on: what C calls `struct tm`.

use jiff::Timestamp;
use jiff::tz::TimeZone;

const SECONDS_PER_DAY: i64 = 86_400;

/// A second in some time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil<'z> {
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: u32,
    /// 1 to 31.
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
    /// 0 is Sunday.
    pub(crate) weekday: u32,
    /// 0 is the first of January.
    pub(crate) yearday: u32,
    /// Seconds east of Greenwich.
    pub(crate) offset: i32,
    /// The time zone's abbreviation.
    pub(crate) zone: &'z str,
}

/// What C's `gmtime` calls its zone.
pub(crate) const UTC_NAME: &str =
    if cfg!(all(target_os = "linux", target_env = "gnu")) { "GMT" } else { "UTC" };

impl Civil<'_> {
    /// The second, counted from the Unix epoch, in UTC.
    pub(crate) fn utc(second: i64) -> Civil<'static> {
        Civil::with_offset(second, 0, UTC_NAME)
    }

    /// Runs `show` on the second, counted from the Unix epoch, in `zone`.
    pub(crate) fn local<R>(second: i64, zone: &TimeZone, show: impl FnOnce(&Civil<'_>) -> R) -> R {
        // A record's nanoseconds reach from 1677 to 2262, which every time stamp can hold.
        let timestamp = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
        let info = zone.to_offset_info(timestamp);
        show(&Civil::with_offset(second, info.offset().seconds(), info.abbreviation()))
    }

    fn with_offset(second: i64, offset: i32, zone: &str) -> Civil<'_> {
        let shown = second + i64::from(offset);
        let days = shown.div_euclid(SECONDS_PER_DAY);
        let clock = shown.rem_euclid(SECONDS_PER_DAY) as u32;
        let (year, month, day) = date(days);
        Civil {
            year,
            month,
            day,
            hour: clock / 3600,
            minute: clock / 60 % 60,
            second: clock % 60,
            weekday: (days + 4).rem_euclid(7) as u32, // the epoch was a Thursday
            yearday: yearday(year, month, day),
            offset,
            zone,
        }
    }

    /// The year and week of ISO 8601: weeks begin on Monday, the first has a Thursday.
    pub(crate) fn iso_week(&self) -> (i64, u32) {
        let monday_based = (self.weekday + 6) % 7;
        // The yearday of this week's Thursday tells the year that the week belongs to.
        let thursday = i64::from(self.yearday) + 3 - i64::from(monday_based);
        let (year, thursday) = if thursday < 0 {
            (self.year - 1, thursday + days_in_year(self.year - 1))
        } else if thursday >= days_in_year(self.year) {
            (self.year + 1, thursday - days_in_year(self.year))
        } else {
            (self.year, thursday)
        };
        (year, (thursday / 7) as u32 + 1)
    }

    /// The week of the year where weeks begin on `first` (0 is Sunday) and days before the first
    /// such day are in week 0.
    pub(crate) fn week(&self, first: u32) -> u32 {
        (self.yearday + 7 - (self.weekday + 7 - first) % 7) / 7
    }
}

/// The date of a day counted from the Unix epoch, in the Gregorian calendar. Years are taken to
/// begin in March, so that the leap day is the last one; 146,097 days are a cycle of 400 years.
fn date(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468; // from the first of March of the year 0
    let cycle = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let yearday = day - (365 * year + year / 4 - year / 100);
    let month = (5 * yearday + 2) / 153; // 0 is March
    let day = yearday - (153 * month + 2) / 5 + 1;
    let january = i64::from(month >= 10);
    let month = if month < 10 { month + 3 } else { month - 9 };
    (cycle * 400 + year + january, month as u32, day as u32)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_year(year: i64) -> i64 {
    365 + i64::from(is_leap(year))
}

fn yearday(year: i64, month: u32, day: u32) -> u32 {
    const BEFORE: [u32; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    BEFORE[month as usize - 1] + day - 1 + u32::from(month > 2 && is_leap(year))
}
