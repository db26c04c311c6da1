//! A route as the writer has it: its sink, its buffer, and what it has counted but not published.
//!
//! Invariants:
//! 1. A panic or an error of the route's filter, formatter or sink ends here: the delivery counts
//!    as failed, the buffer is as it was before, and the route goes on.
//! 2. A sink that panicked is never called again; the route opens a new one from its spec.
//! 3. Counts collect in `tally` and are published within the ring's release, see [`crate::metrics`].

use crate::barrier::Flush;
use crate::format::FormatCache;
use crate::metrics::{Drops, Tally};
use crate::notice;
use crate::record::{MessageView, RecordView};
use crate::route::registry::Entry;
use crate::sink::{Frames, Sink, Written};
use crate::writer::faults::Faults;
use crate::writer::settle::{Frame, settle};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A buffer of this size is given to the sink in the middle of a batch.
const WRITE_BYTES: usize = 256 << 10;
/// A buffer that grew beyond this is not kept for the next batch.
const KEEP_BYTES: usize = 2 * WRITE_BYTES;
/// How many buffers wait for the next batch.
const KEEP_BUFFERS: usize = 8;

/// Formatted frames on their way to a sink.
#[derive(Debug, Default)]
pub(crate) struct Staging {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Buffers between batches. However many routes there are, only those that a batch reaches have
/// one.
#[derive(Debug, Default)]
pub(crate) struct Pool(Vec<Staging>);

impl Pool {
    fn take(&mut self) -> Staging {
        self.0.pop().unwrap_or_default()
    }

    fn put(&mut self, mut staging: Staging) {
        staging.bytes.clear();
        staging.ends.clear();
        if self.0.len() < KEEP_BUFFERS && staging.bytes.capacity() <= KEEP_BYTES {
            self.0.push(staging);
        }
    }
}

/// An open route in the writer's hands.
pub(crate) struct LiveRoute {
    pub(crate) entry: Arc<Entry>,
    /// `None` between a panic, or a failed opening, and the next attempt.
    sink: Option<Box<dyn Sink>>,
    cache: FormatCache,
    staging: Option<Staging>,
    kept: Option<Frame>,
    tally: Tally,
    failed_since_flush: u64,
    written_since_sync: u64,
    notices_written: u64,
    told: Drops,
    /// Whether the writer has it on its list of routes to write and to publish.
    pub(super) touched: bool,
}

impl LiveRoute {
    pub(crate) fn new(entry: Arc<Entry>) -> Self {
        LiveRoute {
            sink: entry.take_sink(),
            entry,
            cache: FormatCache::default(),
            staging: None,
            kept: None,
            tally: Tally::default(),
            failed_since_flush: 0,
            written_since_sync: 0,
            notices_written: 0,
            told: Drops::default(),
            touched: false,
        }
    }

    /// Filters a record and formats it into the buffer.
    #[inline]
    pub(crate) fn take(&mut self, record: &RecordView<'_>, pool: &mut Pool, faults: &mut Faults) {
        if let Some(filter) = &self.entry.spec.filter {
            match catch_unwind(AssertUnwindSafe(|| filter.accept(record))) {
                Ok(true) => {}
                Ok(false) => {
                    self.tally.filtered += 1;
                    return;
                }
                Err(panic) => {
                    self.fail(faults, || format!("filter panicked: {}", words(&*panic)));
                    return;
                }
            }
        }
        if self.format(record, pool, faults)
            && self.staging.as_ref().is_some_and(|staging| staging.bytes.len() >= WRITE_BYTES)
        {
            self.offer(Frame::Record, faults);
        }
    }

    /// Appends one frame to the buffer, or counts the delivery as failed and leaves it as it was.
    #[inline]
    fn format(&mut self, record: &RecordView<'_>, pool: &mut Pool, faults: &mut Faults) -> bool {
        let staging = self.staging.get_or_insert_with(|| pool.take());
        let start = staging.bytes.len();
        if let MessageView::Line(line) = record.message {
            staging.bytes.extend_from_slice(line);
            staging.ends.push(staging.bytes.len());
            return true;
        }
        let (spec, cache) = (&self.entry.spec, &mut self.cache);
        let formatted = catch_unwind(AssertUnwindSafe(|| {
            spec.formatter.format(record, cache, &mut staging.bytes)
        }));
        let text = match formatted {
            Ok(Ok(())) => {
                staging.bytes.extend_from_slice(&spec.terminator);
                staging.ends.push(staging.bytes.len());
                return true;
            }
            Ok(Err(error)) => error.to_string(),
            Err(panic) => {
                // It may have left the cache half changed.
                self.cache = FormatCache::default();
                format!("formatter panicked: {}", words(&*panic))
            }
        };
        staging.bytes.truncate(start);
        self.fail(faults, || text);
        false
    }

    /// Gives what is in the buffer to the sink and the buffer back.
    pub(crate) fn write(&mut self, pool: &mut Pool, faults: &mut Faults) {
        self.offer(Frame::Record, faults);
        self.give_back(pool);
    }

    fn give_back(&mut self, pool: &mut Pool) {
        if let Some(staging) = self.staging.take() {
            pool.put(staging);
        }
    }

    /// Gives what is in the buffer to the sink and empties the buffer. True if nothing failed.
    fn offer(&mut self, kind: Frame, faults: &mut Faults) -> bool {
        let Some(mut staging) = self.staging.take() else { return true };
        let mut accepted = true;
        if !staging.ends.is_empty() {
            let frames = Frames { bytes: &staging.bytes, ends: &staging.ends };
            accepted = self.call(kind, frames.ends.len(), faults, |sink| sink.write(&frames));
            staging.bytes.clear();
            staging.ends.clear();
        }
        self.staging = Some(staging);
        accepted
    }

    /// Calls the sink and settles what it answers. True if nothing failed.
    fn call(
        &mut self,
        kind: Frame,
        offered: usize,
        faults: &mut Faults,
        call: impl FnOnce(&mut dyn Sink) -> Written,
    ) -> bool {
        let written = match self.sink() {
            Err(error) => Written { frames: 0, kept: false, error: Some(error) },
            Ok(sink) => match catch_unwind(AssertUnwindSafe(|| call(&mut **sink))) {
                Ok(written) => written,
                Err(panic) => {
                    let error = std::io::Error::other(format!("sink panicked: {}", words(&*panic)));
                    self.discard_sink();
                    Written { frames: 0, kept: false, error: Some(error) }
                }
            },
        };
        let settled = settle(self.kept, kind, offered, &written);
        self.kept = settled.kept;
        self.tally.written += settled.written;
        self.tally.failed += settled.failed;
        self.written_since_sync += settled.written;
        self.failed_since_flush += settled.failed;
        self.notices_written += settled.notices_written;
        if written.error.is_some() || !settled.complete {
            self.note_refusal(&written, settled.failed, faults);
        }
        settled.complete
    }

    #[cold]
    fn note_refusal(&self, written: &Written, failed: u64, faults: &mut Faults) {
        let spec = &self.entry.spec;
        faults.note(|| {
            let sink = catch_unwind(AssertUnwindSafe(|| spec.sink.describe())).unwrap_or_default();
            let error =
                written.error.as_ref().map_or("no reason given".into(), ToString::to_string);
            format!("route `{}`: sink `{sink}`: {failed} records failed: {error}", spec.name)
        });
    }

    /// The sink, opened again if there is none.
    fn sink(&mut self) -> std::io::Result<&mut Box<dyn Sink>> {
        if self.sink.is_none() {
            let spec = &self.entry.spec.sink;
            let opened = catch_unwind(AssertUnwindSafe(|| spec.open()));
            self.sink = Some(opened.unwrap_or_else(|panic| {
                Err(std::io::Error::other(format!("opening panicked: {}", words(&*panic))))
            })?);
        }
        self.sink.as_mut().ok_or_else(|| std::io::Error::other("no sink"))
    }

    /// Drops the sink; its own drop may panic as well.
    fn discard_sink(&mut self) {
        let sink = self.sink.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(sink)));
    }

    /// Has the sink give on what it keeps.
    pub(crate) fn flush(&mut self, faults: &mut Faults) {
        if self.sink.is_some() || self.kept.is_some() {
            self.call(Frame::Record, 0, faults, |sink| sink.flush());
        }
    }

    /// Has the sink put everything onto its device. True if it did.
    pub(crate) fn sync(&mut self, faults: &mut Faults) -> bool {
        let Some(sink) = &mut self.sink else { return self.written_since_sync == 0 };
        let error = match catch_unwind(AssertUnwindSafe(|| sink.sync())) {
            Ok(Ok(())) => {
                self.written_since_sync = 0;
                return true;
            }
            Ok(Err(error)) => error.to_string(),
            Err(panic) => {
                self.discard_sink();
                self.give_up_kept();
                format!("sink panicked: {}", words(&*panic))
            }
        };
        let name = &self.entry.spec.name;
        faults.note(|| format!("route `{name}`: sync failed: {error}"));
        false
    }

    /// What a flush answers; starts the next one's count.
    pub(crate) fn flushed(&mut self, synced: bool) -> Flush {
        let mut records = std::mem::take(&mut self.failed_since_flush);
        records += u64::from(self.kept == Some(Frame::Record));
        if !synced {
            records += self.written_since_sync;
        }
        if records == 0 && synced { Flush::Done } else { Flush::Failed { records } }
    }

    /// Closes the sink. What it keeps is given up and counts as failed.
    pub(crate) fn close(&mut self, faults: &mut Faults) {
        self.flush(faults);
        self.discard_sink();
        self.give_up_kept();
    }

    fn give_up_kept(&mut self) {
        if self.kept.take() == Some(Frame::Record) {
            self.tally.failed += 1;
            self.failed_since_flush += 1;
        }
    }

    /// What callers dropped and no notice has told.
    pub(crate) fn untold(&self) -> Option<Drops> {
        notice::untold(&self.entry.counters.drops(), &self.told)
    }

    /// Writes a drop notice that stands for `drops`. True if the sink has it.
    pub(crate) fn tell(
        &mut self,
        notice: &RecordView<'_>,
        drops: &Drops,
        pool: &mut Pool,
        faults: &mut Faults,
    ) -> bool {
        let failed_before = (self.tally.failed, self.failed_since_flush);
        if !self.format(notice, pool, faults) {
            // A notice is no delivery.
            (self.tally.failed, self.failed_since_flush) = failed_before;
            return false;
        }
        let told = self.offer(Frame::Notice, faults);
        if told {
            for (told, drops) in self.told.iter_mut().zip(drops) {
                *told += drops;
            }
        }
        self.give_back(pool);
        told
    }

    /// Publishes what was counted and returns how many notices were written. Within the ring's
    /// release only.
    pub(crate) fn publish(&mut self) -> u64 {
        self.touched = false;
        self.entry.counters.publish(&std::mem::take(&mut self.tally));
        self.entry.counters.set_kept(self.kept == Some(Frame::Record));
        std::mem::take(&mut self.notices_written)
    }

    #[cold]
    fn fail(&mut self, faults: &mut Faults, text: impl FnOnce() -> String) {
        self.tally.failed += 1;
        self.failed_since_flush += 1;
        let name = &self.entry.spec.name;
        faults.note(|| format!("route `{name}`: a record failed: {}", text()));
    }
}

/// What a panic said.
pub(crate) fn words(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(words), _) => words,
        (_, Some(words)) => words,
        _ => "no message",
    }
}
