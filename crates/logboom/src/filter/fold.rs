//! The same line again and again, folded into how often.

use super::judge::{Asks, Due, Judge, Subject, Told, fingerprint, lock};
use crate::error::{ConfigError, Error};
use crate::level::Level;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// How much of a line is told again.
const SHOWN_BYTES: usize = 200;

struct Line {
    key: u64,
    first_ns: i64,
    again: u64,
    level: Level,
    logger: String,
    text: String,
}

#[derive(Default)]
struct State {
    last: Option<Line>,
    ready: Vec<Told>,
}

/// Refuses a record that says, from the same place, what the one before it said, for some time after that
/// one; tells how many these were before the next other line, once the time is over, and at a flush, a close
/// or the end. It remembers one line.
pub struct Fold {
    within_ns: i64,
    state: Mutex<State>,
    owed: AtomicBool,
}

impl Fold {
    /// `within`: how long after the first one others are folded into it, 1 ms to 1 day.
    ///
    /// # Errors
    /// If it is out of these bounds.
    pub fn new(within: Duration) -> Result<Fold, Error> {
        if !(Duration::from_millis(1)..=Duration::from_secs(86_400)).contains(&within) {
            let expected = "0.001 to 86400 seconds".into();
            return Err(ConfigError::new("within", within.as_secs_f64(), expected).into());
        }
        let within_ns = within.as_nanos() as i64;
        Ok(Fold { within_ns, state: Mutex::default(), owed: AtomicBool::new(false) })
    }
}

fn told(line: &mut Line) -> Option<Told> {
    let again = std::mem::take(&mut line.again);
    let times = if again == 1 { "time" } else { "times" };
    (again > 0).then(|| Told {
        level: line.level,
        logger: line.logger.clone(),
        text: format!("repeated {again} {times}: {}", line.text),
    })
}

impl Judge for Fold {
    fn passes(&self, subject: &Subject<'_>) -> bool {
        let place = subject.line.to_le_bytes();
        let level = subject.level.0.to_le_bytes();
        let key = fingerprint(&[subject.path, &place, &level, subject.logger, subject.text]);
        let Some(mut state) = lock(&self.state) else { return true };
        let State { last, ready } = &mut *state;
        if let Some(line) = last {
            let gone = subject.time_ns.saturating_sub(line.first_ns);
            if line.key == key && (0..self.within_ns).contains(&gone) {
                line.again += 1;
                self.owed.store(true, Relaxed);
                return false;
            }
            ready.extend(told(line));
        }
        let mut end = subject.text.len().min(SHOWN_BYTES);
        while end > 0 && end < subject.text.len() && subject.text[end] & 0xC0 == 0x80 {
            end -= 1;
        }
        *last = Some(Line {
            key,
            first_ns: subject.time_ns,
            again: 0,
            level: subject.level,
            logger: String::from_utf8_lossy(subject.logger).into_owned(),
            text: String::from_utf8_lossy(&subject.text[..end]).into_owned(),
        });
        true
    }

    fn asks(&self) -> Asks<'_> {
        Asks { site: true, text: true, field: None }
    }

    fn is_owing(&self) -> bool {
        self.owed.load(Relaxed)
    }

    fn tell(&self, now_ns: i64, due: Due) -> Vec<Told> {
        let Some(mut state) = lock(&self.state) else { return Vec::new() };
        let mut all = std::mem::take(&mut state.ready);
        if let Some(line) = &mut state.last {
            let over = now_ns.saturating_sub(line.first_ns) >= self.within_ns;
            if due == Due::AtOnce || (due == Due::Now && over) {
                all.extend(told(line));
            }
            self.owed.store(line.again > 0, Relaxed);
        }
        all
    }
}
