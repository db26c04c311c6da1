//! The barrier: requests to the writer that are ordered with the records, beside the ring.
//!
//! Invariants:
//! 1. A control carries the ring's position at the moment it was asked for, read under the queue's
//!    lock; so positions in the queue never fall, and the writer looks at the front only.
//! 2. The writer carries a control out once everything before its position has been given to the
//!    sinks, and takes nothing that lies behind before it has. So a flush covers what was submitted
//!    before it, and a close has exactly what came before written.
//! 3. A control is never dropped for want of room: the queue is not bounded, but each control in it
//!    has a caller who waits (and withdraws it on giving up) or an open route that it ends; who
//!    opens more routes waits while the queue is long. Records whose callers must not wait are bounded
//!    by their bytes.
//! 4. After [`Barrier::seal`] nothing can be pushed: a caller either gets an answer from the writer
//!    or learns at once that it has to ask elsewhere.
//! 5. Who is told by [`Barrier::is_passed`] that everything is done has what a flush promises
//!    without asking for one.
//!
//! The way through: a caller pushes and wakes the ring's consumer; the writer looks at the position
//! of the first control before it takes a record and after each pass, takes what is due, and settles
//! the [`Ticket`] that the caller waits on. The position is stored before the wake-up and read after
//! it, so a writer about to park comes back; and before the caller submits anything more, so a
//! writer that sees such a record sees the control too.
//!
//! What it does not do: know routes or sinks, or free anything in the ring. Pinned by the tests
//! below, the loom models in `models.rs`, and by `flush_is_a_barrier`, `flush_is_never_dropped`,
//! `a_flush_with_nothing_to_do_wakes_nobody`, `close_route_writes_what_came_before`.

#[cfg(all(test, loom))]
mod models;
mod outcome;
mod ticket;

pub use outcome::{Flush, Wait};
pub(crate) use ticket::Ticket;

use crate::record::RouteId;
use logboom_ring::{Frames, Ring};
#[cfg(loom)]
use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU64, Ordering::SeqCst},
};
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
#[cfg(not(loom))]
use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU64, Ordering::SeqCst},
};

/// Which routes a flush covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    All,
    One(RouteId),
}

/// What the writer is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Flush(Scope),
    Sync(Scope),
    Close(RouteId),
    /// To deliver a record that is too long for the ring, encoded with that ring's ids. Its caller
    /// waits, so that there is one for a caller at most.
    Deliver(Arc<[u8]>),
    /// To deliver a record that found the ring full and whose caller must not wait. Counts as pending
    /// until it is delivered; bounded by [`BESIDE_BYTES`].
    Beside(Arc<[u8]>),
}

/// How many bytes of records wait beside a ring at most without anybody waiting for them.
pub(crate) const BESIDE_BYTES: usize = 1 << 20;

/// A request with its place among the records.
#[derive(Debug)]
pub(crate) struct Control {
    at: u64,
    pub(crate) action: Action,
    pub(crate) ticket: Option<Arc<Ticket>>,
}

/// The queue of controls of one ring.
#[derive(Debug)]
pub(crate) struct Barrier {
    /// The position of the first control, or [`NONE`].
    front: AtomicU64,
    queue: Mutex<Queue>,
}

/// A position that no ring reaches.
const NONE: u64 = u64::MAX;

#[derive(Debug, Default)]
struct Queue {
    controls: VecDeque<Control>,
    /// Controls that were taken out and not carried out yet.
    in_hand: usize,
    /// Records that lie beside the ring, in order, those in hand included.
    beside: VecDeque<Arc<[u8]>>,
    beside_bytes: usize,
    sealed: bool,
}

/// The barrier takes no more controls: its ring is drained for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sealed;

impl Default for Barrier {
    fn default() -> Self {
        Barrier { front: AtomicU64::new(NONE), queue: Mutex::new(Queue::default()) }
    }
}

impl Queue {
    /// Shows the writer the first control. Under the queue's lock, after each change.
    fn show(&self, front: &AtomicU64) {
        front.store(self.controls.front().map_or(NONE, |control| control.at), SeqCst);
    }
}

impl Barrier {
    /// Queues a control behind everything before `position`, which is asked under the lock.
    pub(crate) fn push(
        &self,
        action: Action,
        ticket: Option<Arc<Ticket>>,
        position: impl FnOnce() -> u64,
    ) -> Result<(), Sealed> {
        let mut queue = self.lock();
        if queue.sealed {
            return Err(Sealed);
        }
        let at = position();
        queue.controls.push_back(Control { at, action, ticket });
        queue.show(&self.front);
        Ok(())
    }

    /// Has a record wait beside the ring, behind everything before `position`, without anybody who
    /// waits for it. False where there is no room left for that, or nobody to deliver it.
    pub(crate) fn push_beside(&self, record: Arc<[u8]>, position: impl FnOnce() -> u64) -> bool {
        let mut queue = self.lock();
        if queue.sealed || queue.beside_bytes + record.len() > BESIDE_BYTES {
            return false;
        }
        queue.beside_bytes += record.len();
        queue.beside.push_back(Arc::clone(&record));
        let control = Control { at: position(), action: Action::Beside(record), ticket: None };
        queue.controls.push_back(control);
        queue.show(&self.front);
        true
    }

    /// The first record beside the ring is delivered. Within the ring's release.
    pub(crate) fn beside_done(&self) {
        let mut queue = self.lock();
        if let Some(record) = queue.beside.pop_front() {
            queue.beside_bytes -= record.len();
        }
    }

    /// The records beside the ring that nobody waits for. While the ring's release is held off.
    pub(crate) fn beside(&self) -> Vec<Arc<[u8]>> {
        self.lock().beside.iter().cloned().collect()
    }

    /// How many controls there are that somebody has to carry out for the sake of routes.
    pub(crate) fn len(&self) -> usize {
        let queue = self.lock();
        queue.controls.len().saturating_sub(queue.beside.len())
    }

    /// The position of the first control: nothing behind it is to be taken before that is carried
    /// out. One load; beyond every ring where there is no control.
    #[inline]
    pub(crate) fn front(&self) -> u64 {
        self.front.load(SeqCst)
    }

    /// Gives `take` each of `frames`, which begin at `from`, that lies before the first control;
    /// returns how far that came, abandoned frames included.
    #[inline]
    pub(crate) fn take_frames(
        &self,
        from: u64,
        mut frames: Frames<'_>,
        mut take: impl FnMut(&[u8]),
    ) -> u64 {
        let mut end = from;
        loop {
            let Some(frame) = frames.next() else {
                // Behind the last frame there may be abandoned ones.
                return frames.position();
            };
            let front = self.front();
            if frame.end > front {
                // Between the last frame and this one there may be abandoned ones, too.
                return end.max(front);
            }
            take(frame.bytes);
            end = frame.end;
        }
    }

    /// The next control whose records all lie before `done`.
    pub(crate) fn take_due(&self, done: u64) -> Option<Control> {
        let mut queue = self.lock();
        let due = queue.controls.front().is_some_and(|control| control.at <= done);
        let control = due.then(|| queue.controls.pop_front()).flatten();
        queue.in_hand += usize::from(control.is_some());
        queue.show(&self.front);
        control
    }

    /// A control that was taken out is carried out.
    pub(crate) fn done(&self) {
        let mut queue = self.lock();
        queue.in_hand = queue.in_hand.saturating_sub(1);
    }

    /// Whether everything asked of the writer before this moment is done already: every record
    /// released, every control carried out. `and` is asked, if so, while the writer publishes
    /// nothing, so that it finds what those records and controls have left in the counters.
    pub(crate) fn is_passed(&self, ring: &Ring, and: impl FnOnce() -> bool) -> bool {
        let position = ring.position();
        if ring.released() < position {
            return false;
        }
        let queue = self.lock();
        if queue.in_hand > 0 || !queue.controls.is_empty() {
            return false;
        }
        drop(queue);
        // The tail moves before the counters do, but under one hold.
        let _held = ring.hold();
        and()
    }

    /// Takes back the control with this ticket; false if the writer has taken it.
    pub(crate) fn withdraw(&self, ticket: &Arc<Ticket>) -> bool {
        let mut queue = self.lock();
        let before = queue.controls.len();
        queue.controls.retain(|control| {
            !control.ticket.as_ref().is_some_and(|queued| Arc::ptr_eq(queued, ticket))
        });
        queue.show(&self.front);
        queue.controls.len() < before
    }

    /// Refuses all further controls and returns those that are left.
    pub(crate) fn seal(&self) -> VecDeque<Control> {
        let mut queue = self.lock();
        queue.sealed = true;
        let controls = std::mem::take(&mut queue.controls);
        queue.in_hand += controls.len();
        queue.show(&self.front);
        controls
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_control_is_due_when_all_before_it_is_done() {
        let barrier = Barrier::default();
        barrier.push(Action::Flush(Scope::All), None, || 10).unwrap();
        barrier.push(Action::Close(RouteId(1)), None, || 10).unwrap();
        barrier.push(Action::Close(RouteId(2)), None, || 30).unwrap();
        assert!(barrier.take_due(9).is_none());
        assert_eq!(barrier.front(), 10);
        assert_eq!(barrier.take_due(10).unwrap().action, Action::Flush(Scope::All));
        assert_eq!(barrier.take_due(29).unwrap().action, Action::Close(RouteId(1)));
        assert!(barrier.take_due(29).is_none());
        assert_eq!(barrier.take_due(30).unwrap().action, Action::Close(RouteId(2)));
        assert_eq!(barrier.front(), NONE);
    }

    #[test]
    fn it_is_passed_when_no_control_is_queued_or_in_hand() {
        let (barrier, ring) = (Barrier::default(), Ring::anonymous(64 << 10, 0).unwrap());
        assert!(barrier.is_passed(&ring, || true));
        assert!(!barrier.is_passed(&ring, || false));
        barrier.push(Action::Close(RouteId(1)), None, || 0).unwrap();
        barrier.push(Action::Close(RouteId(2)), None, || 0).unwrap();
        assert!(!barrier.is_passed(&ring, || true));
        assert!(barrier.take_due(0).is_some());
        assert_eq!(barrier.seal().len(), 1);
        assert!(!barrier.is_passed(&ring, || true), "two are in hand");
        barrier.done();
        assert!(!barrier.is_passed(&ring, || true), "one is in hand");
        barrier.done();
        assert!(barrier.is_passed(&ring, || true));
        let _ = ring.try_reserve(8).unwrap().commit();
        assert!(!barrier.is_passed(&ring, || true), "a record is in the ring");
    }

    #[test]
    fn a_withdrawn_control_is_gone_and_the_others_stay() {
        let barrier = Barrier::default();
        let tickets = [(); 2].map(|()| Arc::new(Ticket::default()));
        for ticket in &tickets {
            barrier.push(Action::Flush(Scope::All), Some(Arc::clone(ticket)), || 0).unwrap();
        }
        assert!(barrier.withdraw(&tickets[0]));
        let left = barrier.take_due(0).unwrap().ticket.unwrap();
        assert!(Arc::ptr_eq(&left, &tickets[1]));
        assert!(barrier.take_due(0).is_none());
        assert!(!barrier.withdraw(&tickets[1]), "it is taken");
    }

    #[test]
    fn records_beside_the_ring_are_bounded_and_kept_in_sight_until_they_are_done() {
        let barrier = Barrier::default();
        let record: Arc<[u8]> = vec![0; BESIDE_BYTES / 2].into();
        assert!(barrier.push_beside(Arc::clone(&record), || 8));
        assert!(barrier.push_beside(Arc::clone(&record), || 8));
        assert!(!barrier.push_beside(vec![0].into(), || 8), "there is no room left");
        assert_eq!(barrier.take_due(8).unwrap().action, Action::Beside(record));
        assert_eq!((barrier.beside().len(), barrier.len()), (2, 0));
        barrier.beside_done();
        assert_eq!(barrier.beside().len(), 1);
        assert!(barrier.push_beside(vec![0].into(), || 8));
        assert_eq!(barrier.seal().len(), 2);
        assert!(!barrier.push_beside(vec![0].into(), || 8));
    }

    #[test]
    fn a_sealed_barrier_gives_its_controls_back_and_takes_no_more() {
        let barrier = Barrier::default();
        barrier.push(Action::Close(RouteId(1)), None, || 99).unwrap();
        assert_eq!(barrier.seal().len(), 1);
        assert_eq!(barrier.push(Action::Close(RouteId(2)), None, || 99), Err(Sealed));
        assert_eq!(barrier.front(), NONE);
    }
}
