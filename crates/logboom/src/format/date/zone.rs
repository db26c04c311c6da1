//! The local time zone of the process, found as C's `tzset` finds it.
//!
//! Invariants:
//! 1. The environment and the zone files are read only on the thread that makes a formatter for local
//!    time first, or that calls [`reload_local_zone`]; never on the writer's. Reading `TZ` while
//!    another thread changes the environment is a race in C, so the caller decides when.
//! 2. Readers take no lock. A fork cannot leave one held.
//!
//! The zones that were in force form a list that only grows; the last one counts. Going back to an
//! earlier zone shares its rules, so reloading often costs some hundred bytes at most, and nothing
//! when the zone stays the same.
//!
//! As in the GNU C library: `TZ` unset means `/etc/localtime`; `TZ` empty or unusable means UTC; a
//! leading colon is ignored; a name is looked up in `TZDIR` or `/usr/share/zoneinfo`, and where there
//! is none, taken for POSIX rules such as `CET-1CEST,M3.5.0,M10.5.0/3`. Elsewhere than on Unix the
//! zone is the one that the system names.

use jiff::tz::TimeZone;
use std::sync::OnceLock;

/// Which clock dates are shown in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// The local time of the process (`logging.Formatter.converter = time.localtime`).
    #[default]
    Local,
    /// UTC (`time.gmtime`).
    Utc,
}

/// A zone that is or was the local one.
#[derive(Debug)]
pub(crate) struct LocalZone {
    zone: TimeZone,
    next: OnceLock<Box<LocalZone>>,
}

static FIRST: OnceLock<LocalZone> = OnceLock::new();

impl LocalZone {
    /// The first local zone of this process; [`LocalZone::latest`] leads from it to the one in force.
    pub(crate) fn first() -> &'static LocalZone {
        FIRST.get_or_init(|| LocalZone::new(load()))
    }

    /// The zone in force.
    #[inline]
    pub(crate) fn latest(&'static self) -> &'static LocalZone {
        let mut latest = self;
        while let Some(next) = latest.next.get() {
            latest = next;
        }
        latest
    }

    pub(crate) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    fn new(zone: TimeZone) -> LocalZone {
        LocalZone { zone, next: OnceLock::new() }
    }
}

/// Finds the local time zone anew, as `time.tzset()` does: to be called after it. Formatters show
/// the new zone from their next record on. Reads the environment and at most one file, on the
/// calling thread.
pub fn reload_local_zone() {
    publish(load());
}

fn publish(mut zone: TimeZone) {
    let first = LocalZone::first();
    let mut known = Some(first);
    while let Some(earlier) = known {
        if earlier.zone == zone {
            zone = earlier.zone.clone();
            break;
        }
        known = earlier.next.get().map(|next| &**next);
    }
    let mut node = Box::new(LocalZone::new(zone));
    loop {
        let last = first.latest();
        if last.zone == node.zone {
            return;
        }
        match last.next.set(node) {
            Ok(()) => return,
            Err(refused) => node = refused,
        }
    }
}

#[cfg(unix)]
fn load() -> TimeZone {
    let dir = std::env::var_os("TZDIR").filter(|dir| !dir.is_empty());
    let dir = dir.unwrap_or_else(|| "/usr/share/zoneinfo".into());
    match std::env::var("TZ") {
        Err(std::env::VarError::NotPresent) => {
            read("/etc/localtime".as_ref()).unwrap_or(TimeZone::UTC)
        }
        Ok(tz) => resolve(&tz, dir.as_ref()),
        Err(std::env::VarError::NotUnicode(_)) => TimeZone::UTC,
    }
}

#[cfg(not(unix))]
fn load() -> TimeZone {
    TimeZone::system()
}

/// The zone that the value `tz` of `TZ` names.
#[cfg(unix)]
pub(super) fn resolve(tz: &str, dir: &std::path::Path) -> TimeZone {
    let tz = tz.strip_prefix(':').unwrap_or(tz);
    if tz.is_empty() {
        return TimeZone::UTC;
    }
    read(&dir.join(tz)).or_else(|| posix(tz)).unwrap_or(TimeZone::UTC)
}

#[cfg(unix)]
fn read(path: &std::path::Path) -> Option<TimeZone> {
    TimeZone::tzif("Local", &std::fs::read(path).ok()?).ok()
}

/// POSIX rules. Summer time without rules follows those of the United States, and what begins with
/// a name and goes on with nothing useful is UTC under that name, as in the GNU C library.
#[cfg(unix)]
fn posix(tz: &str) -> Option<TimeZone> {
    let name: String = tz.chars().take_while(char::is_ascii_alphabetic).collect();
    TimeZone::posix(tz)
        .or_else(|_| TimeZone::posix(&format!("{tz},M3.2.0,M11.1.0")))
        .or_else(|_| TimeZone::posix(&format!("{name}0")))
        .ok()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::format::pattern::PatternOptions;
    use crate::format::{FormatCache, Formatter, PatternFormatter};
    use crate::level::Level;
    use crate::record::{Message, Record, RecordView, Site};

    fn shown(tz: &str, second: i64) -> String {
        super::super::civil::Civil::local(
            second,
            &resolve(tz, "/usr/share/zoneinfo".as_ref()),
            |civil| format!("{:02}:{:02} {}", civil.hour, civil.minute, civil.zone),
        )
    }

    #[test]
    fn rules_without_a_file_are_read_as_the_c_library_reads_them() {
        assert_eq!(shown("ABC-3", 0), "03:00 ABC");
        assert_eq!(shown("<+0330>-3:30", 0), "03:30 +0330");
        assert_eq!(shown("QQQ5WWW", 1_720_000_000), "05:46 WWW", "summer time without rules");
        assert_eq!(shown("Foo/Bar", 0), "00:00 Foo");
        assert_eq!(shown("", 0), "00:00 UTC");
        assert_eq!(shown(":", 0), "00:00 UTC");
        assert_eq!(shown("?", 0), "00:00 UTC");
    }

    fn line(formatter: &PatternFormatter, cache: &mut FormatCache) -> String {
        let record = Record {
            time_ns: 1_720_000_000_000_000_000,
            level: Level::INFO,
            thread: 1,
            logger: "".into(),
            site: Site::None,
            message: Message::Plain("".into()),
            fields: &[],
            attributes: &[],
            routes: &[],
        };
        let mut bytes = vec![0; record.encoded_len().unwrap()];
        record.encode(&mut bytes);
        let mut out = Vec::new();
        formatter.format(&RecordView::parse(&bytes, &()).unwrap(), cache, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Runs in a process of its own, since the local zone belongs to the process.
    #[test]
    fn local_time_follows_tz_and_its_reloading() {
        const EXPECTED: &str = "LOGBOOM_TEST_LOCAL_TIME";
        let Ok(expected) = std::env::var(EXPECTED) else {
            let zones = concat!(env!("CARGO_MANIFEST_DIR"), "/src/format/testdata/zoneinfo");
            for (tz, expected) in [
                ("Europe/Berlin", "11:46:40 CEST"),
                (":Asia/Kathmandu", "15:31:40 +0545"),
                (&format!("{zones}/America/New_York"), "05:46:40 EDT"),
                ("ABC-3", "12:46:40 ABC"),
                ("", "09:46:40 UTC"),
            ] {
                let child = std::process::Command::new(std::env::current_exe().unwrap())
                    .args([
                        "--exact",
                        "format::date::zone::tests::local_time_follows_tz_and_its_reloading",
                    ])
                    .env("TZ", tz)
                    .env("TZDIR", zones)
                    .env(EXPECTED, expected)
                    .output()
                    .unwrap();
                let text = String::from_utf8_lossy(&child.stdout);
                assert!(child.status.success() && text.contains("1 passed"), "{tz}: {text}");
            }
            return;
        };
        let options = PatternOptions { datefmt: Some("%T %Z"), ..PatternOptions::default() };
        let formatter = PatternFormatter::new("%(asctime)s", &options).unwrap();
        let mut cache = FormatCache::default();
        assert_eq!(line(&formatter, &mut cache), expected);
        let before = LocalZone::first().latest();
        reload_local_zone();
        assert!(std::ptr::eq(before, LocalZone::first().latest()), "nothing changed");
        publish(TimeZone::posix("XYZ+1").unwrap());
        assert_eq!(line(&formatter, &mut cache), "08:46:40 XYZ", "within the same second");
        reload_local_zone();
        assert_eq!(line(&formatter, &mut cache), expected);
    }
}
