//! For model checks: what a process leaves in its ring that is killed at some moment.
//!
//! Invariants:
//! 1. Each store to the ring's memory is a step that loom orders against [`Moment::come`], so the moment
//!    comes before, between and after any of them, whatever the threads.
//! 2. What is read then is what each thread had stored until then, all of it: a kill ends a thread
//!    between two instructions, and memory does not lose stores that were made.
//!
//! Loom lets one thread run at a time and changes over at its own atomics only. So the plain copy that
//! each atomic here keeps of its newest value can be read all at once.

use crate::sync::Ordering::{self, Relaxed};
use loom::sync::atomic;
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    /// The steps of the model that this thread of the test runs; `None` where nobody is killed.
    static STEPS: RefCell<Option<Arc<atomic::AtomicUsize>>> = const { RefCell::new(None) };
}

/// The moment at which a process is killed, in one run of a model.
pub struct Moment(Arc<atomic::AtomicUsize>);

impl Moment {
    /// Begins to tell stores apart; to be made before the ring.
    #[expect(clippy::new_without_default, reason = "it does something to the thread")]
    pub fn new() -> Moment {
        let steps = Arc::new(atomic::AtomicUsize::new(0));
        STEPS.set(Some(Arc::clone(&steps)));
        Moment(steps)
    }

    /// The moment is now. To be followed by [`Ring::left_behind`](crate::Ring::left_behind), with none of
    /// loom's primitives in between.
    pub fn come(&self) {
        self.0.load(Relaxed);
    }

    /// Ends what `new` began; with the last thread of the model.
    pub fn over(self) {
        STEPS.set(None);
    }
}

fn step() {
    let steps = STEPS.with_borrow(Clone::clone);
    if let Some(steps) = steps {
        steps.fetch_add(1, Relaxed);
    }
}

/// An atomic of the ring's memory, with a plain copy of its newest value.
#[derive(Default)]
pub(crate) struct AtomicU64 {
    modelled: atomic::AtomicU64,
    newest: std::sync::atomic::AtomicU64,
}

impl AtomicU64 {
    pub(crate) fn new(value: u64) -> Self {
        let newest = std::sync::atomic::AtomicU64::new(value);
        AtomicU64 { modelled: atomic::AtomicU64::new(value), newest }
    }

    pub(crate) fn load(&self, order: Ordering) -> u64 {
        self.modelled.load(order)
    }

    pub(crate) fn store(&self, value: u64, order: Ordering) {
        step();
        self.modelled.store(value, order);
        self.newest.store(value, Relaxed);
    }

    pub(crate) fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        step();
        let outcome = self.modelled.compare_exchange(current, new, success, failure);
        if outcome.is_ok() {
            self.newest.store(new, Relaxed);
        }
        outcome
    }

    pub(crate) fn compare_exchange_weak(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.compare_exchange(current, new, success, failure)
    }

    pub(crate) fn fetch_or(&self, bits: u64, order: Ordering) -> u64 {
        step();
        let before = self.modelled.fetch_or(bits, order);
        self.newest.store(before | bits, Relaxed);
        before
    }

    /// What was stored last.
    pub(crate) fn newest(&self) -> u64 {
        self.newest.load(Relaxed)
    }
}
