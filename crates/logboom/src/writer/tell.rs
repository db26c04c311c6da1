//! When the writer tells what it knows: drop notices into routes, faults to the reporter.
//!
//! Both keep the interval's distance, the notices of all routes in one round. Whether there may be
//! something to tell costs a pass two loads and one look at the clock.

use crate::barrier::Scope;
use crate::config::Config;
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
    /// When there was nothing to tell for the last time.
    clean_at: Duration,
}

impl Writer {
    /// Tells what is due.
    pub(super) fn tell(&mut self, generation: &Generation, consumer: &mut Consumer) {
        let now = generation.config.clock.elapsed();
        let interval = generation.config.notice_interval;
        if metrics::read(&generation.shared.meters.drops) == self.telling.drops {
            self.telling.clean_at = now;
        } else if self.telling.told_at.is_none_or(|told_at| now.saturating_sub(told_at) >= interval)
        {
            let range = self.scope(generation, Scope::All);
            self.tell_drops(generation, range);
            self.release(generation, consumer, self.taken);
        }
        self.tell_faults(generation, false);
    }

    /// Whether something waits for its time to be told.
    pub(super) fn has_untold(&self, generation: &Generation) -> bool {
        self.faults.is_untold()
            || metrics::read(&generation.shared.meters.drops) != self.telling.drops
    }

    /// Writes a notice into each route of `range` that dropped something no notice has told.
    /// The caller publishes.
    pub(super) fn tell_drops(&mut self, generation: &Generation, range: Range<usize>) {
        let dropped = metrics::read(&generation.shared.meters.drops);
        if dropped == self.telling.drops {
            return;
        }
        let clock = &generation.config.clock;
        let now = clock.elapsed();
        let since = self.telling.told_at.unwrap_or_default().max(self.telling.clean_at);
        let all_routes = range.len() == self.routes.len();
        let mut all_told = true;
        for index in range {
            let Some(drops) = self.routes.untold(index) else { continue };
            let capacity = generation.ring.capacity_bytes();
            let text = notice::text(&drops, now.saturating_sub(since), capacity);
            notice::encode(&text, clock.now_ns(), &mut self.scratch);
            let Ok(record) = RecordView::parse(&self.scratch, &()) else { continue };
            all_told &= self.routes.tell(index, &record, &drops, &mut self.faults);
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
        if self.faults.is_untold() {
            let (config, now) = (&generation.config, generation.config.clock.elapsed());
            if let Some(text) = self.faults.take(now, config.notice_interval, at_once) {
                report(config, &text);
                metrics::add(&meters.reports, 1);
            }
        }
    }
}

/// Gives a report to the reporter, whatever that does.
pub(crate) fn report(config: &Config, text: &str) {
    let _ = catch_unwind(AssertUnwindSafe(|| config.reporter.report(text)));
}
