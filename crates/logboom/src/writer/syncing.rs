//! When the writer has files put onto their devices by itself: at intervals, and for grave records.

use crate::barrier::Scope;
use crate::generation::Generation;
use crate::writer::Writer;
use crate::writer::faults::Faults;
use crate::writer::routes::LiveRoutes;
use std::ops::Range;
use std::time::Duration;

/// What is due.
#[derive(Debug, Default)]
pub(super) struct Syncing {
    /// A record of this batch is to be on its device.
    grave: bool,
    /// Something was written since the last interval ended.
    written: bool,
    /// When the last interval ended.
    since: Duration,
}

impl Writer {
    /// Notes the level of a record that was taken.
    #[inline]
    pub(super) fn weigh(&mut self, generation: &Generation, level: crate::level::Level) {
        if generation.config.sync_level.is_some_and(|grave| level >= grave) {
            self.syncing.grave = true;
        }
    }

    /// A batch was written: puts the files of a grave record onto their devices.
    pub(super) fn sync_batch(&mut self) {
        self.syncing.written = true;
        if std::mem::take(&mut self.syncing.grave) {
            let range = 0..self.routes.len();
            self.routes.sync_written(range, &mut self.faults);
        }
    }

    /// Puts what was written onto its devices, if the interval is over.
    pub(super) fn sync_in_time(&mut self, generation: &Generation) {
        let Some(interval) = generation.config.sync_every.filter(|_| self.syncing.written) else {
            return;
        };
        let now = generation.config.clock.elapsed();
        if now.saturating_sub(self.syncing.since) >= interval {
            self.syncing = Syncing { since: now, ..Syncing::default() };
            let range = self.scope(generation, Scope::All);
            self.routes.sync_written(range, &mut self.faults);
        }
    }

    /// Whether there will be something to put onto a device, though nothing more is logged.
    pub(super) fn has_unsynced(&self, generation: &Generation) -> bool {
        generation.config.sync_every.is_some() && self.syncing.written
    }
}

impl LiveRoutes {
    /// Puts everything that some routes wrote since the last sync onto its devices.
    fn sync_written(&mut self, range: Range<usize>, faults: &mut Faults) {
        for index in range {
            if self.routes[index].written_since_sync > 0 {
                self.touch(index);
                self.sync_sink(index, faults);
            }
        }
    }
}
