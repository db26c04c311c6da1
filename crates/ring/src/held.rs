//! A look at the frames of a running ring, for statistics.

use crate::ring::Ring;
use crate::sync::MutexGuard;
use crate::walk::Walk;

/// While it lives, the consumer releases nothing. Made by [`Ring::hold`].
pub struct Held<'r> {
    ring: &'r Ring,
    _guard: MutexGuard<'r, ()>,
}

impl<'r> Held<'r> {
    pub(crate) fn new(ring: &'r Ring, guard: MutexGuard<'r, ()>) -> Self {
        Held { ring, _guard: guard }
    }

    /// The frames that are committed and not released, in ring order, without abandoned ones and
    /// those that [`Front::keep`](crate::Front::keep) copied, up to the first that is still being
    /// written.
    pub fn frames(&self) -> impl Iterator<Item = &[u8]> {
        let tail = self.ring.released();
        let from = self.ring.oldest.first_behind(tail);
        // SAFETY: a frame begins at the tail, which moves only under the lock, and where a copy ended.
        let mut walk = unsafe { Walk::new(self.ring.memory(), from, tail) };
        std::iter::from_fn(move || {
            loop {
                let step = walk.step()?;
                if step.bytes.is_some() {
                    return step.bytes;
                }
            }
        })
    }
}
