//! Making room, or waiting for it: what the overflow policy says about a record that was refused.
//!
//! Invariants:
//! 1. Whoever waits has one place in the line of its ring, and keeps it while it looks after something
//!    else between two waits; only a change of the ring makes it line up anew.
//! 2. Its record lies in the line, encoded, so that it is served in its turn whatever its caller does.
//! 3. Each record is counted once, in whatever way it ends; one that is given up is in no count.
//! 4. No call made on the writer's own thread waits.
//!
//! Pinned by `a_full_ring_blocks_or_drops_as_told`, `the_oldest_are_dropped_and_told` and
//! `below_a_warning_is_dropped_first`.

use super::submit::passed;
use super::{Engine, Outcome, is_writer_thread};
use crate::engine::host::Phase;
use crate::generation::Generation;
use crate::level::Level;
use crate::metrics;
use crate::overflow::Overflow;
use crate::record::{Record, RecordView};
use logboom_ring::{Place, Refusal};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// While no thread serves the ring, a caller that waits for room looks itself this often.
const HELP_EVERY: Duration = Duration::from_millis(10);
/// How often a caller asks again whose oldest record is just being written.
const ASK_AGAIN: usize = 100;

/// What to do about a refusal.
pub(super) enum Step {
    /// It is over, and counted.
    Over(Outcome),
    /// To wait for room in this generation's ring.
    Wait(Arc<Generation>),
}

/// A record that waits for room, and its place in the line. Made by [`Engine::wait_for_room`]. Dropped
/// before it is over, the record is given up, as if it had never been submitted.
#[must_use]
pub struct Waiting<'e> {
    engine: &'e Engine,
    record: &'e Record<'e>,
    since: Instant,
    generation: Arc<Generation>,
    place: Option<Place>,
}

impl Engine {
    /// Has a record wait for room; for callers that were answered [`Outcome::Full`] and have to look
    /// after something else now and then. The [`block_timeout`] runs from now.
    ///
    /// [`block_timeout`]: crate::config::Config::block_timeout
    pub fn wait_for_room<'e>(&'e self, record: &'e Record<'e>) -> Waiting<'e> {
        let generation = Arc::clone(&self.generation);
        Waiting { engine: self, record, since: Instant::now(), generation, place: None }
    }

    /// What is to be done about `refusal`, which this generation's ring gave for a record of `len`
    /// bytes that waits since `since`; takes it in if there is room.
    #[cold]
    pub(super) fn make_room(
        &self,
        mut generation: Arc<Generation>,
        record: &Record<'_>,
        len: usize,
        mut refusal: Refusal,
        since: Instant,
    ) -> Step {
        let (mut helped, mut asked) = (false, 0);
        loop {
            let ring = Arc::clone(&generation.ring);
            let retried = match refusal {
                Refusal::TooLarge => return Step::Over(self.too_large(record)),
                Refusal::Closed => {
                    let newest = self.settled_newest();
                    if Arc::ptr_eq(&newest, &generation) {
                        return Step::Over(self.reject(record));
                    }
                    generation = newest;
                    match generation.ring.try_reserve(len) {
                        Ok(frame) => return Step::Over(self.commit(&generation, frame, record)),
                        Err(again) => refusal = again,
                    }
                    continue;
                }
                Refusal::Full if !helped && self.help(&generation) => {
                    helped = true;
                    ring.try_reserve(len)
                }
                Refusal::Full | Refusal::TimedOut => {
                    let config = &generation.config;
                    let late = passed(config.block_timeout.map(|timeout| since + timeout));
                    let waits = !late && !is_writer_thread();
                    match config.overflow {
                        Overflow::Block if waits => return Step::Wait(generation),
                        Overflow::DropOldest if asked < ASK_AGAIN => {
                            if asked > 0 {
                                std::thread::yield_now();
                            }
                            asked += 1;
                            ring.reserve_over_oldest(len, |oldest| {
                                self.count_oldest(&generation, oldest);
                            })
                        }
                        Overflow::Sample if record.level >= Level::WARNING => {
                            match ring.try_reserve_all(len) {
                                Err(Refusal::Full) if waits => return Step::Wait(generation),
                                Err(Refusal::Full) => return Step::Over(self.drop_newest(record)),
                                retried => retried,
                            }
                        }
                        _ => return Step::Over(self.drop_newest(record)),
                    }
                }
            };
            match retried {
                Ok(reservation) => {
                    return Step::Over(self.commit(&generation, reservation, record));
                }
                Err(again) => refusal = again,
            }
        }
    }

    fn too_large(&self, record: &Record<'_>) -> Outcome {
        let overflow = self.newest().config.overflow;
        if !overflow.may_wait(record.level) || is_writer_thread() {
            return self.reject(record);
        }
        Outcome::TooLarge
    }

    /// Counts a record that another caller's record drives out of the ring. Under the ring's hold.
    fn count_oldest(&self, generation: &Generation, bytes: &[u8]) {
        let shared = &self.generation.shared;
        let Ok(record) = RecordView::parse(bytes, generation.ring.table()) else {
            shared.registry.read().unknown.count_failed(1);
            return;
        };
        let mut deliveries = 0;
        let routes = shared.registry.read();
        for id in record.routes() {
            let counters = routes.open.get(&id).map_or(&routes.unknown, |entry| &entry.counters);
            counters.count_dropped(record.level, record.time_ns);
            deliveries += 1;
        }
        drop(routes);
        metrics::add(&shared.meters.drops, deliveries);
    }

    /// Makes room on this thread if nobody else can. False if the writer is in better hands.
    fn help(&self, generation: &Generation) -> bool {
        let host = &self.alive.host;
        if host.phase() != Phase::Idle || host.start(generation) {
            return false;
        }
        host.run_here();
        true
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.engine.alive.process != std::process::id() {
            // In a forked child: the line's lock may be held by a thread that is the parent's.
            std::mem::forget(self.place.take());
        }
    }
}

impl Waiting<'_> {
    /// Waits until the record is in the ring or the policy says that it is dropped, at most until
    /// `limit`; `None` if it is not over by then. Until the caller asks again it keeps its place, and may
    /// be served. [`Outcome::TooLarge`] and what is counted are as [`Engine::try_submit`] says.
    pub fn wait(&mut self, limit: Option<Instant>) -> Option<Outcome> {
        loop {
            let Some(place) = &self.place else {
                if let Some(outcome) = self.line_up(Refusal::Full) {
                    return Some(outcome);
                }
                continue;
            };
            let outcome = match place.wait(self.until(limit)) {
                Ok(()) => self.served(),
                Err(Refusal::TimedOut) if passed(self.deadline()) => self.give_up(),
                Err(Refusal::TimedOut) if passed(limit) => return None,
                Err(Refusal::TimedOut) => {
                    self.engine.help(&self.generation);
                    continue;
                }
                Err(refusal) => {
                    self.place = None;
                    match self.line_up(refusal) {
                        Some(outcome) => outcome,
                        None => continue,
                    }
                }
            };
            return Some(outcome);
        }
    }

    /// Takes a place in the line of the ring that takes records now, if there is no other way.
    fn line_up(&mut self, mut refusal: Refusal) -> Option<Outcome> {
        let Some(len) = self.record.encoded_len() else {
            return Some(self.engine.reject(self.record));
        };
        let mut generation = Arc::clone(&self.generation);
        loop {
            match self.engine.make_room(generation, self.record, len, refusal, self.since) {
                Step::Over(outcome) => return Some(outcome),
                Step::Wait(waits_for) => generation = waits_for,
            }
            let mut frame = vec![0; len].into_boxed_slice();
            self.record.encode(&mut frame);
            match generation.ring.line_up(frame) {
                Ok(place) => {
                    self.place = Some(place);
                    self.generation = generation;
                    return None;
                }
                Err(too_large) => refusal = too_large,
            }
        }
    }

    /// The record is in the ring.
    fn served(&mut self) -> Outcome {
        self.place = None;
        // Whoever made the room may not be there any more.
        self.engine.start(&self.generation);
        Outcome::Accepted
    }

    /// The time is up.
    fn give_up(&mut self) -> Outcome {
        let served = self.place.take().is_some_and(Place::leave);
        if served { self.served() } else { self.engine.drop_newest(self.record) }
    }

    fn deadline(&self) -> Option<Instant> {
        self.generation.config.block_timeout.map(|timeout| self.since + timeout)
    }

    /// How long to wait before looking again: at the caller's limit, the policy's deadline, and at who
    /// makes room.
    fn until(&self, limit: Option<Instant>) -> Option<Instant> {
        let serves = self.engine.alive.host.phase() == Phase::Thread;
        let help = (!serves).then(|| Instant::now() + HELP_EVERY);
        [limit, self.deadline(), help].into_iter().flatten().min()
    }
}
