//! How producers and the consumer find each other: the consumer's state, parking and waking.
//!
//! Invariants:
//! 1. A producer that decides a frame and a consumer that goes to sleep cannot miss each other:
//!    either the consumer sees the frame, or the producer sees it asleep and wakes it.
//! 2. Whoever changes the state from parked to awake notifies; so a wake-up is paid for once.
//! 3. [`Signal::wake`] is remembered by a consumer that is awake: its next park returns at once.
//! 4. While the consumer is awake or naps, a producer writes nothing here.
//!
//! The first one is the classic store-load race: the producer stores a word and loads the state, the
//! consumer stores the state and loads the word, and each may read before its own store is seen. A
//! full fence on both sides forbids that, but costs the producer more than the rest of its commit.
//! On Linux the consumer has the kernel run the fence on the producers' processors, by `membarrier`,
//! before it looks a last time and goes to deep sleep; the producer then only has to keep the
//! compiler from turning the two around. Where that system call is missing, and where the ring was made
//! in a process of several threads before its first sleep or long nap, producers run the fence.
//!
//! A nap needs none of this: it ends by itself, and a wake-up that is missed because of the race is
//! made up for by the next commit.
//!
//! All of it is local to the process and lies outside of the ring's memory. Pinned by the loom models
//! `a_sleeping_consumer_misses_no_commit` and `a_sleeping_consumer_misses_no_wake`.

use crate::membarrier;
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use crate::sync::{AtomicBool, AtomicU32, Condvar, Mutex, compiler_fence, fence, lock};
use std::time::{Duration, Instant};

pub(crate) const ABSENT: u32 = 0;
pub(crate) const AWAKE: u32 = 1;
pub(crate) const NAPPING: u32 = 2;
pub(crate) const ASLEEP: u32 = 3;

/// Nobody has asked the kernel yet; producers run the fence.
const UNSETTLED: u32 = 0;
/// The consumer has the kernel run it.
const LIGHT: u32 = 1;
/// Producers run it, since the kernel does not.
const FENCED: u32 = 2;

/// A consumer that naps for so long has time to ask the kernel.
const LONG_NAP: Duration = Duration::from_millis(5);

/// How a consumer waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Park {
    /// For so long. Producers do not wake it before a quarter of the ring is filled, so that it
    /// costs them nothing.
    Nap(Duration),
    /// Until a frame is committed. The producer that does so pays for the wake-up.
    Sleep,
}

/// Aligned so that the consumer's changes of state move no line that producers need otherwise.
#[repr(align(128))]
pub(crate) struct Signal {
    state: AtomicU32,
    /// Who runs the fence between a commit and the look at `state`.
    mode: AtomicU32,
    /// Whether somebody asked for attention that no park has given yet.
    woken: AtomicBool,
    parked: Mutex<()>,
    condvar: Condvar,
}

impl Signal {
    pub(crate) fn new() -> Self {
        let signal = Signal {
            state: AtomicU32::new(ABSENT),
            mode: AtomicU32::new(UNSETTLED),
            woken: AtomicBool::new(false),
            parked: Mutex::new(()),
            condvar: Condvar::new(),
        };
        if membarrier::is_at_hand() {
            signal.settle_mode();
        }
        signal
    }

    /// Takes the consumer's token.
    pub(crate) fn arrive(&self) -> bool {
        self.state.compare_exchange(ABSENT, AWAKE, AcqRel, Relaxed).is_ok()
    }

    /// Gives it back. Who commits from here on sees that; what was committed before, the caller
    /// sees.
    pub(crate) fn leave(&self) {
        self.state.store(ABSENT, Release);
        self.barrier();
    }

    /// The consumer's state after a commit.
    #[inline]
    pub(crate) fn state_after_commit(&self) -> u32 {
        if self.mode.load(Relaxed) == LIGHT {
            compiler_fence();
        } else {
            fence(SeqCst);
        }
        self.state.load(Relaxed)
    }

    /// Wakes the consumer out of a nap or sleep; nothing if it is in neither.
    #[cold]
    pub(crate) fn unpark(&self) {
        let state = self.state.load(Relaxed);
        let parked = matches!(state, NAPPING | ASLEEP);
        if parked && self.state.compare_exchange(state, AWAKE, AcqRel, Relaxed).is_ok() {
            // Between its look at the state and its wait the consumer holds the lock; after this
            // line it does wait, or will look again.
            drop(lock(&self.parked));
            self.condvar.notify_one();
        }
    }

    /// Wakes the consumer, or keeps it from parking the next time.
    pub(crate) fn wake(&self) {
        self.woken.store(true, Release);
        fence(SeqCst);
        self.unpark();
    }

    /// Waits as `depth` says, unless `ready` finds a reason not to.
    pub(crate) fn park(&self, depth: Park, ready: impl FnOnce() -> bool) {
        match depth {
            Park::Nap(length) => {
                if length >= LONG_NAP {
                    self.settle_mode();
                }
                self.state.store(NAPPING, Relaxed);
                // Only `wake` counts on it; see the module's text for commits.
                fence(SeqCst);
                if !self.woken.load(Acquire) && !ready() {
                    self.wait(NAPPING, Instant::now().checked_add(length));
                }
            }
            Park::Sleep => {
                self.settle_mode();
                self.state.store(ASLEEP, Relaxed);
                if self.barrier() && !self.woken.load(Acquire) && !ready() {
                    self.wait(ASLEEP, None);
                }
            }
        }
        // Acquires what the producer wrote that changed it.
        self.state.swap(AWAKE, AcqRel);
        // The caller looks at everything after a park, so this serves every wake until here.
        self.woken.swap(false, AcqRel);
    }

    /// Blocks while the state is `state`, at most until `deadline`.
    fn wait(&self, state: u32, deadline: Option<Instant>) {
        let mut guard = lock(&self.parked);
        while self.state.load(Acquire) == state {
            guard = match deadline {
                None => self.condvar.wait(guard).unwrap_or_else(|poison| poison.into_inner()),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    let waited = self.condvar.wait_timeout(guard, left);
                    waited.unwrap_or_else(|poison| poison.into_inner()).0
                }
            }
        }
    }

    /// Settles, once, whether producers have to run the fence. In a process of several threads the
    /// registration takes milliseconds, for which nobody waits while the consumer would rest anyway; so a
    /// ring that is made in one does not do it at once.
    fn settle_mode(&self) {
        if self.mode.load(Relaxed) == UNSETTLED {
            let mode = if membarrier::register() { LIGHT } else { FENCED };
            self.mode.store(mode, Relaxed);
        }
    }

    /// The consumer's half of the fence: orders its store of the state before its loads, against
    /// producers that run [`Signal::state_after_commit`]. `false` says that it did not, this once.
    fn barrier(&self) -> bool {
        // The kernel's fence serves producers that run their own as well: they may not yet have
        // seen that they need not.
        if self.mode.load(Relaxed) != LIGHT {
            fence(SeqCst);
            return true;
        }
        if membarrier::run() {
            return true;
        }
        // Unheard of after a registration. Producers fence from here on.
        self.mode.store(FENCED, SeqCst);
        false
    }
}
