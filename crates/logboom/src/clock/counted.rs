//! The wall clock for whoever asks it in each call: the processor's counter, held against the system's
//! clock by the writer.
//!
//! Invariants:
//! 1. What [`wall_ns`] answers is the system's clock, or differs from it by less than [`TOLERANCE_NS`],
//!    but for a clock that was set, up to [`LONG_SPAN_NS`] after that it may still be the old one, and for
//!    one that is being slewed, by what that is in as long.
//! 2. A reading of the counter is good for [`SPAN_NS`] after the writer's last look, and for
//!    [`LONG_SPAN_NS`] where its speed is known from a long baseline. Later, before the first two looks, in a process without a writer, where the counter is not steady, goes back or leaps:
//!    the system's clock is asked.
//! 3. One keeps it at a time; whoever finds another at it leaves it alone.
//!
//! The writer looks at both clocks about once a millisecond while records come. Two looks that are far
//! enough apart give the counter's speed, and the newest one gives the time. Asking the system's clock
//! costs 22 to 25 ns on common machines, a fifth of a call; this costs a third of that.
//!
//! Pinned by the tests below.

use super::SystemClock;
use logboom_ring::{ticks, ticks_are_steady};
use std::sync::LazyLock;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, fence};

/// How far the answer may be from the system's clock, in nanoseconds.
const TOLERANCE_NS: i64 = 2_000;
/// How long a look is good for.
const SPAN_NS: u64 = 50_000_000;
/// The same with a speed that is exact to one in a million. So a burst of records after a pause, before
/// the writer has looked again, need not ask the system's clock.
const LONG_SPAN_NS: u64 = 250_000_000;
/// A pause that is longer tells nothing of the counter's speed.
const LONGEST_PAUSE_NS: i64 = 2_000_000_000;
/// Least time between two looks.
const PAUSE_NS: u64 = 1_000_000;
/// Least time between two looks that give the speed. A look is exact to [`WINDOW_TICKS`], so this bounds
/// the error of the speed to some 15 in a million.
const BASELINE_NS: i64 = 20_000_000;
/// The baseline is one to two of these long, so that the speed follows a clock that is being slewed.
const LONG_BASELINE_NS: i64 = 200_000_000;
/// A look at both clocks that took longer was interrupted, and is not taken.
const WINDOW_TICKS: u64 = 1_500;
/// Bits behind the point of a speed.
const POINT: u32 = 32;

/// The wall clock in nanoseconds since the Unix epoch, for a record. Any thread; no system call, but
/// where invariant 2 says so.
#[inline]
pub fn wall_ns() -> i64 {
    match PACE.at(ticks()) {
        Some(wall_ns) => wall_ns,
        None => system_ns(),
    }
}

#[cold]
fn system_ns() -> i64 {
    SystemClock::now()
}

static PACE: Pace = Pace::new();

/// Looks at both clocks, if it is time to. For the writer, after a batch.
pub(crate) fn keep() {
    static STEADY: LazyLock<bool> = LazyLock::new(ticks_are_steady);
    let now = ticks();
    if !PACE.is_due(now) || !*STEADY {
        return;
    }
    let wall_ns = SystemClock::now();
    let after = ticks();
    if after.wrapping_sub(now) < WINDOW_TICKS {
        PACE.keep(now + (after - now) / 2, wall_ns, std::process::id());
    }
}

/// A moment on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    ticks: u64,
    wall_ns: i64,
}

/// What readers need, on a cache line of its own, and what only the keeper does.
#[repr(align(128))]
struct Pace {
    /// Odd while the rest changes.
    version: AtomicU64,
    ticks: AtomicU64,
    wall_ns: AtomicI64,
    /// Nanoseconds per tick, with [`POINT`] bits behind the point; 0 while unknown.
    speed: AtomicU64,
    /// For how many ticks it holds.
    span: AtomicU64,
    keeping: Keeping,
}

#[repr(align(128))]
struct Keeping {
    /// The process that keeps it at this moment, else 0. A forked child takes it from its parent.
    process: AtomicU32,
    /// Where the baseline begins, and where the next one will; ticks of 0: nowhere.
    from: [AtomicU64; 2],
    from_wall_ns: [AtomicI64; 2],
    /// How long the baseline was that the speed is from.
    baseline_ns: AtomicI64,
}

impl Pace {
    const fn new() -> Self {
        Pace {
            version: AtomicU64::new(0),
            ticks: AtomicU64::new(0),
            wall_ns: AtomicI64::new(0),
            speed: AtomicU64::new(0),
            span: AtomicU64::new(0),
            keeping: Keeping {
                process: AtomicU32::new(0),
                from: [const { AtomicU64::new(0) }; 2],
                from_wall_ns: [const { AtomicI64::new(0) }; 2],
                baseline_ns: AtomicI64::new(0),
            },
        }
    }

    /// The wall clock at this reading of the counter, if that can be said.
    #[inline]
    fn at(&self, now: u64) -> Option<i64> {
        let version = self.version.load(Acquire);
        // Before the newest look it wraps, and is too long.
        let since = now.wrapping_sub(self.ticks.load(Relaxed));
        let (span, wall_ns) = (self.span.load(Relaxed), self.wall_ns.load(Relaxed));
        let speed = self.speed.load(Relaxed);
        fence(Acquire);
        let is_whole = version & 1 == 0 && self.version.load(Relaxed) == version;
        (is_whole && since < span).then(|| wall_ns + scaled(since, speed))
    }

    fn is_due(&self, now: u64) -> bool {
        // Of a counter that went back it is long.
        let since = now.wrapping_sub(self.ticks.load(Relaxed));
        let speed = self.speed.load(Relaxed);
        speed == 0 || passed_ns(since, speed) >= u128::from(PAUSE_NS)
    }

    /// Takes a look over.
    fn keep(&self, ticks: u64, wall_ns: i64, process: u32) {
        let keeper = &self.keeping.process;
        let before = keeper.load(Relaxed);
        if before == process || keeper.compare_exchange(before, process, Acquire, Relaxed).is_err()
        {
            return;
        }
        self.judge(Look { ticks, wall_ns });
        keeper.store(0, Release);
    }

    fn judge(&self, now: Look) {
        let Some(from) = self.from(0) else { return self.begin(now, 0) };
        let last = Look { ticks: self.ticks.load(Relaxed), wall_ns: self.wall_ns.load(Relaxed) };
        let known = self.speed.load(Relaxed);
        match Judgement::of(last, now, known) {
            Judgement::Goes => {}
            Judgement::Paused => return self.begin(now, known),
            Judgement::Leapt => return self.begin(now, 0),
        }
        let baseline_ns = now.wall_ns - from.wall_ns;
        // A speed from a longer baseline is better.
        let least_ns = self.keeping.baseline_ns.load(Relaxed).clamp(BASELINE_NS, LONG_BASELINE_NS);
        if baseline_ns < least_ns {
            return self.publish(now, known);
        }
        let Some(speed) = speed_between(from, now) else { return self.begin(now, 0) };
        self.keeping.baseline_ns.store(baseline_ns, Relaxed);
        self.publish(now, speed);
        match self.from(1) {
            None => self.set_from(1, Some(now)),
            Some(next) if now.wall_ns - next.wall_ns >= LONG_BASELINE_NS => {
                self.set_from(0, Some(next));
                self.set_from(1, Some(now));
            }
            Some(_) => {}
        }
    }

    /// Measures anew from this look on, with a speed that is known, or 0.
    fn begin(&self, now: Look, speed: u64) {
        if speed == 0 {
            self.keeping.baseline_ns.store(0, Relaxed);
        }
        self.publish(now, speed);
        self.set_from(0, Some(now));
        self.set_from(1, None);
    }

    fn publish(&self, now: Look, speed: u64) {
        // One that died in a fork left it odd.
        let version = self.version.load(Relaxed) | 1;
        self.version.store(version, Relaxed);
        fence(Release);
        self.ticks.store(now.ticks, Relaxed);
        self.wall_ns.store(now.wall_ns, Relaxed);
        self.speed.store(speed, Relaxed);
        let is_exact = self.keeping.baseline_ns.load(Relaxed) >= LONG_BASELINE_NS;
        let span_ns = if is_exact { LONG_SPAN_NS } else { SPAN_NS };
        let span = (u128::from(span_ns) << POINT).checked_div(speed.into()).unwrap_or(0);
        self.span.store(span as u64, Relaxed);
        self.version.store(version + 1, Release);
    }

    fn from(&self, index: usize) -> Option<Look> {
        let ticks = self.keeping.from[index].load(Relaxed);
        let wall_ns = self.keeping.from_wall_ns[index].load(Relaxed);
        (ticks != 0).then_some(Look { ticks, wall_ns })
    }

    fn set_from(&self, index: usize, look: Option<Look>) {
        let look = look.unwrap_or(Look { ticks: 0, wall_ns: 0 });
        self.keeping.from[index].store(look.ticks, Relaxed);
        self.keeping.from_wall_ns[index].store(look.wall_ns, Relaxed);
    }
}

/// What two looks say of the clocks between them.
enum Judgement {
    Goes,
    /// Nobody looked for a while; both clocks went on about as they should.
    Paused,
    /// Somebody set the clock, or the machine slept, or moved.
    Leapt,
}

impl Judgement {
    fn of(last: Look, now: Look, speed: u64) -> Judgement {
        let Some(ticks) = now.ticks.checked_sub(last.ticks) else { return Judgement::Leapt };
        let wall_ns = now.wall_ns.saturating_sub(last.wall_ns);
        if speed == 0 {
            let goes = (0..LONGEST_PAUSE_NS).contains(&wall_ns);
            return if goes { Judgement::Goes } else { Judgement::Leapt };
        }
        let expected = scaled(ticks, speed);
        let error = wall_ns.saturating_sub(expected).saturating_abs();
        if expected < SPAN_NS as i64 {
            return if error < TOLERANCE_NS { Judgement::Goes } else { Judgement::Leapt };
        }
        match expected {
            _ if error >= expected / 10_000 => Judgement::Leapt,
            ..LONGEST_PAUSE_NS if error < expected / 50_000 => Judgement::Goes,
            _ => Judgement::Paused,
        }
    }
}

#[inline]
fn passed_ns(ticks: u64, speed: u64) -> u128 {
    (u128::from(ticks) * u128::from(speed)) >> POINT
}

#[inline]
fn scaled(ticks: u64, speed: u64) -> i64 {
    passed_ns(ticks, speed) as i64
}

/// Nanoseconds per tick; `None` for what no processor does: under a tenth of a gigahertz, over ten.
fn speed_between(from: Look, to: Look) -> Option<u64> {
    let ticks = to.ticks.checked_sub(from.ticks).filter(|&ticks| ticks > 0)?;
    let ns = u64::try_from(to.wall_ns.checked_sub(from.wall_ns)?).ok()?;
    let speed = (u128::from(ns) << POINT) / u128::from(ticks);
    let one = 1_u128 << POINT;
    (one / 10..one * 10).contains(&speed).then_some(speed as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GHZ: u64 = 3;

    /// A counter of three ticks a nanosecond that begins somewhere, beside a clock that does.
    fn look(ns: i64) -> Look {
        Look { ticks: 7_000_000_000 + ns as u64 * GHZ, wall_ns: 1_000_000_000_000 + ns }
    }

    fn kept(looks: impl IntoIterator<Item = Look>) -> Pace {
        let pace = Pace::new();
        for Look { ticks, wall_ns } in looks {
            pace.keep(ticks, wall_ns, 1);
        }
        pace
    }

    fn every_ms(count: i64) -> impl Iterator<Item = Look> {
        (0..count).map(|ms| look(ms * 1_000_000))
    }

    fn assert_tells(pace: &Pace, ns: i64) {
        let Look { ticks, wall_ns } = look(ns);
        let told = pace.at(ticks).unwrap();
        assert!((told - wall_ns).abs() <= 1, "{told} is not {wall_ns}");
    }

    #[test]
    fn it_tells_the_time_once_two_looks_are_far_enough_apart() {
        assert_eq!(Pace::new().at(look(0).ticks), None);
        assert_eq!(kept(every_ms(20)).at(look(19_500_000).ticks), None);
        let pace = kept(every_ms(21));
        for ns in [20_000_000, 20_000_001, 45_000_000, 69_999_999] {
            assert_tells(&pace, ns);
        }
    }

    #[test]
    fn a_look_is_good_for_its_span_and_not_backwards() {
        let pace = kept(every_ms(30));
        assert_eq!(pace.at(look(29_000_000).ticks - 1), None);
        assert_eq!(pace.at(look(29_000_000 + SPAN_NS as i64).ticks), None);
        assert_eq!(pace.at(0), None);
        assert_eq!(pace.at(u64::MAX), None);
    }

    #[test]
    fn it_goes_on_over_many_baselines_and_follows_a_clock_that_is_slewed() {
        let mut pace = kept(every_ms(5_000));
        assert_tells(&pace, 4_999_500_000);
        // 500 in a million faster, which is the most that Linux does.
        let slewed = |ms: i64| {
            let ns = 4_999_000_000 + ms * 1_000_000;
            Look { wall_ns: look(ns).wall_ns + ms * 500, ..look(ns) }
        };
        for ms in 1..3_000 {
            let Look { ticks, wall_ns } = slewed(ms);
            if let Some(told) = pace.at(ticks) {
                assert!((told - wall_ns).abs() < TOLERANCE_NS, "{ms}: {told} is not {wall_ns}");
            }
            pace.keep(ticks, wall_ns, 1);
        }
        let last = slewed(2_999);
        assert!(
            (pace.at(last.ticks + 9 * GHZ * 1_000_000).unwrap() - last.wall_ns - 9_004_500).abs()
                < 50
        );
        pace = kept(every_ms(2));
        assert_eq!(pace.at(look(2_000_000).ticks), None);
    }

    #[test]
    fn a_speed_from_a_long_baseline_is_good_for_longer_and_is_kept() {
        let pace = kept(every_ms(201));
        assert_tells(&pace, 449_000_000);
        assert_eq!(pace.at(look(450_000_000).ticks), None);
        // Bursts that are shorter than the baseline leave it as it is.
        for start in [600_000_000, 1_400_000_000] {
            for ns in (start..start + 60_000_000).step_by(1_000_000) {
                pace.keep(look(ns).ticks, look(ns).wall_ns, 1);
            }
            assert_tells(&pace, start + 300_000_000);
        }
    }

    #[test]
    fn short_bursts_are_enough_to_know_the_speed() {
        let bursts =
            (0..5).flat_map(|burst| [0, 1, 2].map(|ms| look((burst * 80 + ms) * 1_000_000)));
        assert_tells(&kept(bursts), 560_000_000);
    }

    #[test]
    fn after_a_pause_the_speed_is_still_known() {
        let pace = kept(every_ms(300));
        for ns in [10_000_000_000, 3_600_000_000_000] {
            assert_eq!(pace.at(look(ns).ticks), None);
            let Look { ticks, wall_ns } = look(ns);
            pace.keep(ticks, wall_ns, 1);
            assert_tells(&pace, ns + 3_000_000);
        }
    }

    #[test]
    fn a_clock_that_was_set_and_a_counter_that_leaps_are_not_believed() {
        let leaps: [fn(Look) -> Look; 4] = [
            |it| Look { wall_ns: it.wall_ns - 3_600_000_000_000, ..it },
            |it| Look { wall_ns: it.wall_ns + 5_000, ..it },
            |it| Look { ticks: it.ticks - 6_000_000_000, ..it },
            |it| Look { ticks: it.ticks + 6_000_000_000, ..it },
        ];
        for leap in leaps {
            let pace = kept(every_ms(100));
            for ms in 100..120 {
                let Look { ticks, wall_ns } = leap(look(ms * 1_000_000));
                pace.keep(ticks, wall_ns, 1);
                assert_eq!(pace.at(ticks + 1), None, "{ms}");
            }
            let Look { ticks, wall_ns } = leap(look(120_000_000));
            pace.keep(ticks, wall_ns, 1);
            assert!((pace.at(ticks + 3).unwrap() - wall_ns - 1).abs() <= 1);
        }
    }

    #[test]
    fn a_counter_that_went_back_is_looked_at_again() {
        // A tick a nanosecond: as many nanoseconds as ticks fit into no signed number.
        let pace = Pace::new();
        let at = |ms: u64| 7_000_000_000 + ms * 1_000_000;
        for ms in 0..30 {
            pace.keep(at(ms), ms as i64 * 1_000_000, 1);
        }
        assert!(!pace.is_due(at(29) + PAUSE_NS / 2));
        assert!(pace.is_due(at(30)) && pace.is_due(at(28)) && pace.is_due(0));
    }

    #[test]
    fn what_a_fork_left_half_done_is_taken_over_by_the_child_only() {
        let pace = kept(every_ms(30));
        pace.version.fetch_add(1, Relaxed);
        pace.keeping.process.store(1, Relaxed);
        let now = look(30_000_000);
        assert_eq!(pace.at(now.ticks), None);
        pace.keep(now.ticks, now.wall_ns, 1);
        assert_eq!(pace.at(now.ticks), None, "another thread is at it");
        pace.keep(now.ticks, now.wall_ns, 2);
        assert_tells(&pace, 30_500_000);
    }

    /// The real clocks, which this machine may not let us compare: then the system's alone is asked.
    #[test]
    fn it_lies_between_two_looks_at_the_systems_clock() {
        let deadline = std::time::Instant::now() + std::time::Duration::from_millis(100);
        while std::time::Instant::now() < deadline {
            keep();
            let before = SystemClock::now();
            let told = wall_ns();
            let after = SystemClock::now();
            assert!(told > before - TOLERANCE_NS && told < after + TOLERANCE_NS);
        }
    }
}
