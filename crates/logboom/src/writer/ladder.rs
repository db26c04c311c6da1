//! How long the writer waits between two looks at the ring: in steps, deeper and deeper.
//!
//! After traffic it naps 1, 1, 2 and 5 ms, then 10 ms at a time; after a second without any it
//! sleeps until it is woken. So a line waits for at most a nap, about 10 ms, and a process that
//! logs nothing costs nothing. Producers wake a napping writer only when the ring fills up.

use logboom_ring::Park;
use std::time::Duration;

const STEPS_MS: [u64; 4] = [1, 1, 2, 5];
const LONGEST: Duration = Duration::from_millis(10);
const AWAKE: Duration = Duration::from_secs(1);

/// Where the writer stands between traffic and deep sleep.
#[derive(Debug, Default)]
pub(crate) struct Ladder {
    step: usize,
    waited: Duration,
}

impl Ladder {
    /// There was traffic.
    pub(crate) fn reset(&mut self) {
        *self = Ladder::default();
    }

    /// The next wait. With `untold` there is something to say when its time comes, so no sleep.
    pub(crate) fn next(&mut self, untold: bool) -> Park {
        if self.waited >= AWAKE && !untold {
            return Park::Sleep;
        }
        let nap = STEPS_MS.get(self.step).map_or(LONGEST, |&ms| Duration::from_millis(ms));
        self.step += 1;
        self.waited += nap;
        Park::Nap(nap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nap_ms(park: Park) -> Option<u128> {
        match park {
            Park::Nap(nap) => Some(nap.as_millis()),
            Park::Sleep => None,
        }
    }

    #[test]
    fn it_goes_down_in_steps_and_up_at_once() {
        let mut ladder = Ladder::default();
        let first: Vec<_> = (0..6).map(|_| nap_ms(ladder.next(false)).unwrap()).collect();
        assert_eq!(first, [1, 1, 2, 5, 10, 10]);
        let naps = std::iter::from_fn(|| nap_ms(ladder.next(false))).count();
        assert_eq!(naps, 98, "a second in all, then sleep");
        assert_eq!(nap_ms(ladder.next(true)), Some(10), "something untold keeps it from sleep");
        assert_eq!(nap_ms(ladder.next(false)), None);
        ladder.reset();
        assert_eq!(nap_ms(ladder.next(false)), Some(1));
    }
}
