//! So many records a second and no more, per call site, logger, level or in all.

use super::judge::{Asks, Due, Judge, Subject, Told, file_name, fingerprint, lock};
use crate::error::{ConfigError, Error};
use crate::format::write_time;
use crate::level::Level;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many places are told apart; those beyond share one limit.
pub const MOST_PLACES: usize = 4096;
const BILLION: f64 = 1e9;

/// What has a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// Each line of the program that logs.
    Site,
    /// Each logger.
    Logger,
    /// Each level.
    Level,
    /// All together.
    All,
}

impl Per {
    /// The one of this name: `site`, `logger`, `level` or `all`.
    pub fn of(name: &str) -> Option<Per> {
        Some(match name {
            "site" => Per::Site,
            "logger" => Per::Logger,
            "level" => Per::Level,
            "all" => Per::All,
            _ => return None,
        })
    }
}

struct Place {
    /// How many records may come at once now.
    room: f64,
    at_ns: i64,
    refused: u64,
    since_ns: i64,
    words: String,
}

#[derive(Default)]
struct State {
    places: HashMap<u64, Place>,
    ready: Vec<Told>,
}

/// Refuses what comes faster than a rate; tells how many at the next record that passes, or once as much time
/// has gone by as it takes for `burst` records to have room again.
pub struct RateLimit {
    rate: f64,
    burst: f64,
    per: Per,
    always: Option<Level>,
    state: Mutex<State>,
    owed: AtomicU64,
}

impl RateLimit {
    /// `rate`: records a second, above 0 to 1e9. `burst`: how many may come at once, 1 to 1e9; `None` for
    /// the rate, at least 1. `always`: the level from which on every record passes and takes no room.
    ///
    /// # Errors
    /// Names what is out of these bounds.
    pub fn new(
        rate: f64,
        burst: Option<f64>,
        per: Per,
        always: Option<Level>,
    ) -> Result<Self, Error> {
        if !(rate > 0.0 && rate <= BILLION) {
            let expected = "records a second, above 0 to 1000000000".into();
            return Err(ConfigError::new("rate", rate, expected).into());
        }
        let burst = burst.unwrap_or(rate.max(1.0));
        if !(1.0..=BILLION).contains(&burst) {
            return Err(ConfigError::new("burst", burst, "1 to 1000000000 records".into()).into());
        }
        let (state, owed) = (Mutex::default(), AtomicU64::new(0));
        Ok(RateLimit { rate, burst, per, always, state, owed })
    }

    fn key(&self, subject: &Subject<'_>) -> u64 {
        match self.per {
            Per::Site => fingerprint(&[subject.path, &subject.line.to_le_bytes()]),
            Per::Logger => fingerprint(&[subject.logger]),
            Per::Level => fingerprint(&[&subject.level.0.to_le_bytes()]),
            Per::All => 0,
        }
    }

    fn words(&self, subject: &Subject<'_>) -> String {
        match self.per {
            Per::Site => format!("of {}:{}", file_name(subject.path), subject.line),
            Per::Logger => format!("of {}", String::from_utf8_lossy(subject.logger)),
            Per::Level => match subject.level.name() {
                Some(name) => format!("of level {name}"),
                None => format!("of level {}", subject.level.0),
            },
            Per::All => "in all".into(),
        }
    }

    fn told(&self, place: &mut Place) -> Told {
        let refused = std::mem::take(&mut place.refused);
        self.owed.fetch_sub(1, Relaxed);
        let noun = if refused == 1 { "record" } else { "records" };
        let mut text = format!("filtered {refused} {noun} {} since ", place.words);
        write_time(place.since_ns, &mut text);
        text.push_str(&format!(": more than {} a second", self.rate));
        Told { level: Level::WARNING, logger: "logboom".into(), text }
    }
}

impl Judge for RateLimit {
    fn passes(&self, subject: &Subject<'_>) -> bool {
        if self.always.is_some_and(|level| subject.level >= level) {
            return true;
        }
        let Some(mut state) = lock(&self.state) else { return true };
        let State { places, ready } = &mut *state;
        let mut key = self.key(subject);
        if places.len() >= MOST_PLACES && !places.contains_key(&key) {
            let full_again = (self.burst / self.rate * BILLION) as i64;
            places.retain(|_, place| {
                place.refused > 0 || subject.time_ns.saturating_sub(place.at_ns) < full_again
            });
            if places.len() >= MOST_PLACES {
                key = u64::MAX;
            }
        }
        let place = places.entry(key).or_insert_with(|| Place {
            room: self.burst,
            at_ns: subject.time_ns,
            refused: 0,
            since_ns: 0,
            words: String::new(),
        });
        // A clock that was set back gives no room, and takes none.
        let gone = subject.time_ns.saturating_sub(place.at_ns).max(0) as f64 / BILLION;
        place.at_ns = subject.time_ns;
        place.room = (place.room + gone * self.rate).min(self.burst);
        if place.room >= 1.0 {
            place.room -= 1.0;
            if place.refused > 0 {
                ready.push(self.told(place));
                // What is ready is owed until it is told.
                self.owed.fetch_add(1, Relaxed);
            }
            return true;
        }
        if place.refused == 0 {
            place.since_ns = subject.time_ns;
            place.words = self.words(subject);
            self.owed.fetch_add(1, Relaxed);
        }
        place.refused += 1;
        false
    }

    fn asks(&self) -> Asks<'_> {
        Asks { site: self.per == Per::Site, ..Asks::default() }
    }

    fn is_owing(&self) -> bool {
        self.owed.load(Relaxed) > 0
    }

    fn tell(&self, now_ns: i64, due: Due) -> Vec<Told> {
        let Some(mut state) = lock(&self.state) else { return Vec::new() };
        let mut told = std::mem::take(&mut state.ready);
        self.owed.fetch_sub(told.len() as u64, Relaxed);
        if due != Due::Passing {
            let interval = (self.burst / self.rate * BILLION) as i64;
            for place in state.places.values_mut().filter(|place| place.refused > 0) {
                if due == Due::AtOnce || now_ns.saturating_sub(place.since_ns) >= interval {
                    told.push(self.told(place));
                }
            }
        }
        told
    }
}
