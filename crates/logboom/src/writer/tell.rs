//! When the writer tells what it knows: drop notices into routes, faults to the reporter.
//!
//! Both keep the interval's distance, each route's notices for themselves; what a flush, a close or the
//! end has told at once counts for that. Whether there may be something to tell costs a pass two loads
//! and one look at the clock.

use crate::barrier::Scope;
use crate::config::Config;
use crate::filter;
use crate::format::write_time;
use crate::generation::Generation;
use crate::metrics;
use crate::notice;
use crate::record::RecordView;
use crate::writer::Writer;
use logboom_ring::Consumer;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// What was told, and when.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// The number of drops of which all are told.
    pub(super) drops: u64,
    rejections: u64,
    /// When the last round of notices was.
    told_at: Option<Duration>,
    /// What the wall clock showed when there was nothing to tell for the last time.
    clean_at_ns: i64,
}

/// Which notices are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Those whose time has come.
    Now,
    /// All of them.
    AtOnce,
}

impl Writer {
    /// Tells what is due.
    pub(super) fn tell(&mut self, generation: &Generation, consumer: &mut Consumer) {
        let now = generation.config.clock.elapsed();
        let interval = generation.config.notice_interval;
        if metrics::read(&generation.shared.meters.drops) == self.telling.drops {
            self.telling.clean_at_ns = generation.config.clock.now_ns();
        } else if self.telling.told_at.is_none_or(|told_at| now.saturating_sub(told_at) >= interval)
        {
            let range = self.scope(generation, Scope::All);
            self.tell_drops(generation, range, Due::Now);
            self.release(generation, consumer, self.taken);
        }
        if self.routes.owing {
            let range = self.scope(generation, Scope::All);
            self.tell_filtered(generation, range, filter::Due::Now);
            self.release(generation, consumer, self.taken);
        }
        self.tell_faults(generation, false);
    }

    /// Writes what the filters of `range` have to tell. The caller publishes.
    pub(super) fn tell_filtered(
        &mut self,
        generation: &Generation,
        range: Range<usize>,
        due: filter::Due,
    ) {
        if !self.routes.owing {
            return;
        }
        let now_ns = generation.config.clock.now_ns();
        self.routes.note_beside();
        for index in range {
            if self.routes.routes[index].is_owing() {
                self.routes.tell_filtered(index, due, now_ns, &mut self.faults);
            }
        }
        self.routes.owing = self.routes.routes.iter().any(|route| route.is_owing());
        self.routes.write(&mut self.faults);
    }

    /// Whether something waits for its time to be told.
    pub(super) fn has_untold(&self, generation: &Generation) -> bool {
        self.faults.is_untold()
            || self.routes.owing
            || metrics::read(&generation.shared.meters.drops) != self.telling.drops
    }

    /// Writes a notice into each route of `range` that dropped something no notice has told.
    /// The caller publishes.
    pub(super) fn tell_drops(&mut self, generation: &Generation, range: Range<usize>, due: Due) {
        if due == Due::AtOnce {
            self.tell_filtered(generation, range.clone(), filter::Due::AtOnce);
        }
        let dropped = metrics::read(&generation.shared.meters.drops);
        if dropped == self.telling.drops {
            return;
        }
        let config = &generation.config;
        let now = config.clock.elapsed();
        let all_routes = range.len() == self.routes.len();
        let mut all_told = true;
        for index in range {
            let Some((drops, since_ns)) = self.routes.untold(index) else { continue };
            let ago = self.routes.told_ago(index, now);
            if due == Due::Now && ago.is_some_and(|ago| ago < config.notice_interval) {
                all_told = false;
                continue;
            }
            let mut since = String::new();
            write_time(since_ns.unwrap_or(self.telling.clean_at_ns), &mut since);
            let text = notice::text(&drops, &since, generation.ring.capacity_bytes());
            notice::encode(&text, config.clock.now_ns(), &mut self.scratch);
            let Ok(record) = RecordView::parse(&self.scratch, &()) else { continue };
            all_told &= self.routes.tell(index, &record, &drops, now, &mut self.faults);
        }
        if all_routes {
            self.telling.told_at = Some(now);
            if all_told {
                self.telling.drops = dropped;
            }
        }
    }

    /// Reports the faults since the last report, if their time has come.
    pub(super) fn tell_faults(&mut self, generation: &Generation, at_once: bool) {
        let meters = &generation.shared.meters;
        let rejected = metrics::read(&meters.rejections);
        if rejected != self.telling.rejections {
            let n = rejected - std::mem::replace(&mut self.telling.rejections, rejected);
            let limit = generation.ring.max_frame_bytes();
            self.faults.note(|| {
                format!("rejected {n} records: larger than {limit} bytes, or after the shutdown")
            });
        }
        let config = &generation.config;
        let now = config.clock.elapsed();
        if self.faults.is_untold()
            && meters.reported.take_turn(now, config.notice_interval, at_once)
            && let Some(text) = self.faults.take()
        {
            report(config, &text);
            metrics::add(&meters.reports, 1);
        }
    }
}

/// Gives a report to the reporter, whatever that does.
pub(crate) fn report(config: &Config, text: &str) {
    let _ = catch_unwind(AssertUnwindSafe(|| config.reporter.report(text)));
}
