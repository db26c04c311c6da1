//! Where faults are told: an error of a sink, a formatter that panics, a thread that cannot start.
//!
//! The engine tells at most one fault per interval and counts all of them; the text of one report
//! says how many it stands for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Is told of faults. Called on the writer's thread, and on a caller's where the writer's thread
/// cannot be started. A panic in it is swallowed.
pub trait Reporter: Send + Sync + 'static {
    /// Takes one report: a line without its terminator.
    fn report(&self, text: &str);
}

impl<F: Fn(&str) + Send + Sync + 'static> Reporter for F {
    fn report(&self, text: &str) {
        self(text);
    }
}

/// One line of at most 4 KiB to the standard error stream, in one write, and only where that has room
/// at once: a pipe that nobody reads, or a terminal that was stopped, must not hold up the writer. What
/// finds no room, or a stream that is closed, is not told, for there is nobody to tell.
#[derive(Clone, Copy, Debug)]
pub struct StderrReporter;

/// What a pipe takes whole, or not at all, where `poll` says that it has room.
const LINE_BYTES: usize = 4096;

impl Reporter for StderrReporter {
    fn report(&self, text: &str) {
        let line = line(text);
        // Not through `std::io::stderr`: its lock may be held for ever by a thread that a fork
        // left behind.
        #[cfg(unix)]
        if has_room() {
            let _ = rustix::io::write(rustix::stdio::stderr(), line.as_bytes());
        }
        #[cfg(not(unix))]
        let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
    }
}

fn line(text: &str) -> String {
    let mut line = format!("logboom: {}", text.replace(['\n', '\r'], " "));
    let mut end = line.len().min(LINE_BYTES - 1);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.truncate(end);
    line.push('\n');
    line
}

#[cfg(unix)]
fn has_room() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let stderr = rustix::stdio::stderr();
    let mut polled = [PollFd::new(&stderr, PollFlags::OUT)];
    poll(&mut polled, Some(&at_once)).is_ok_and(|ready| ready > 0)
}

/// When the last report was, for all who report: they keep the interval's distance together.
#[derive(Debug, Default)]
pub(crate) struct Pace(AtomicU64);

impl Pace {
    /// Whether a report may be given at `now`, which then is the last one; with `at_once` whatever the
    /// time.
    pub(crate) fn take_turn(&self, now: Duration, interval: Duration, at_once: bool) -> bool {
        // In microseconds, and one more, so that 0 stands for never.
        let now_us = u64::try_from(now.as_micros()).unwrap_or(u64::MAX).saturating_add(1);
        let last_us = self.0.load(Ordering::Relaxed);
        let ago = Duration::from_micros(now_us.saturating_sub(last_us));
        if !at_once && last_us != 0 && ago < interval {
            return false;
        }
        // Who comes second has nothing to tell that could not wait.
        let taken =
            self.0.compare_exchange(last_us, now_us, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        taken || at_once
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_keep_their_distance_whoever_gives_them() {
        let (pace, second) = (Pace::default(), Duration::from_secs(1));
        assert!(pace.take_turn(Duration::ZERO, second, false), "the first one");
        assert!(!pace.take_turn(second / 2, second, false));
        assert!(pace.take_turn(second / 2, second, true));
        assert!(!pace.take_turn(second, second, false));
        assert!(pace.take_turn(second * 3 / 2, second, false));
        assert!(!pace.take_turn(second, second, false), "a clock that went back is no reason");
    }

    #[test]
    fn a_line_is_one_line_and_short() {
        assert_eq!(line("a\nb\rc"), "logboom: a b c\n");
        let long = line(&"ä".repeat(5000));
        assert_eq!((long.len(), long.lines().count()), (4096, 1));
        assert!(long.ends_with("ä\n"));
    }
}
