//! How long the writer waits between two looks at the ring: in steps, deeper and deeper.
//!
//! After traffic it naps 5, 10 and 10 ms; with 25 ms gone by without any it sleeps until it is woken. So
//! a line waits for at most a nap, about 10 ms, and a process that logs nothing costs nothing. Producers
//! wake a napping writer only when the ring fills up, a sleeping one with the first record.
//!
//! What that trades: a nap costs the writer some 30 µs of CPU, a wake-up out of sleep costs the caller
//! some 6 to 10 µs. A service that logs all the time has its lines taken 200 times a second, in batches;
//! naps of a millisecond would cost it 3 % of a core. A program that logs more often than every 25 ms never
//! pays for a wake-up; one
//! that logs more rarely, or in bursts, pays for one at the first record after each pause, and the
//! writer for a few naps behind it. Were the naps to go on, rare records would cost callers nothing
//! and the process more: 100 naps for each second in which anything was logged.

use logboom_ring::Park;
use std::time::Duration;

const STEPS_MS: [u64; 3] = [5, 10, 10];
const LONGEST: Duration = Duration::from_millis(10);

/// Where the writer stands between traffic and deep sleep.
#[derive(Debug, Default)]
pub(crate) struct Ladder {
    step: usize,
}

impl Ladder {
    /// There was traffic.
    pub(crate) fn reset(&mut self) {
        *self = Ladder::default();
    }

    /// The next wait. With `untold` there is something to say when its time comes, so no sleep.
    pub(crate) fn next(&mut self, untold: bool) -> Park {
        let Some(&ms) = STEPS_MS.get(self.step) else {
            return if untold { Park::Nap(LONGEST) } else { Park::Sleep };
        };
        self.step += 1;
        Park::Nap(Duration::from_millis(ms))
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
        let naps: Vec<_> = std::iter::from_fn(|| nap_ms(ladder.next(false))).collect();
        assert_eq!(naps, [5, 10, 10], "then sleep");
        assert_eq!(nap_ms(ladder.next(true)), Some(10), "something untold keeps it from sleep");
        assert_eq!(nap_ms(ladder.next(false)), None);
        ladder.reset();
        assert_eq!(nap_ms(ladder.next(false)), Some(5));
    }
}
