//! Models of callers and the writer at a barrier and a ring, run through every order of their steps:
//! `RUSTFLAGS="--cfg loom" cargo test -p logboom --lib models --release`

use super::*;
use crate::barrier::Action::Close;
use logboom_ring::{Consumer, Park, Ring};
use loom::{sync::atomic::Ordering::Relaxed, thread};

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

struct Scene {
    ring: Arc<Ring>,
    barrier: Barrier,
}

impl Scene {
    fn new() -> Arc<Self> {
        let ring = Arc::new(Ring::anonymous(64, 0).unwrap());
        Arc::new(Scene { ring, barrier: Barrier::default() })
    }

    fn submit(&self) {
        let _ = self.ring.try_reserve(8).unwrap().commit();
    }

    fn ask(&self) -> Result<(), Sealed> {
        let pushed = self.barrier.push(Close(RouteId(0)), None, || self.ring.position());
        self.ring.wake();
        pushed
    }

    /// A pass and the controls after it, as the writer does them. How many frames it took, and
    /// whether there was a control.
    fn pass(&self, consumer: &mut Consumer) -> (usize, bool) {
        let from = self.ring.released();
        let mut taken = 0;
        let frames = consumer.frames(from, usize::MAX);
        let end = self.barrier.take_frames(from, frames, |_| taken += 1);
        consumer.release(end, || ());
        let control = self.barrier.front() <= end && self.barrier.take_due(end).is_some();
        (taken, control)
    }
}

/// Runs the writer, which sleeps whenever there is nothing to do, until there was a control.
/// Returns how many records it took before.
fn write_until_asked(call: impl FnOnce(&Scene) + Send + 'static) -> usize {
    let scene = Scene::new();
    let caller = thread::spawn({
        let scene = Arc::clone(&scene);
        move || call(&scene)
    });
    let mut consumer = scene.ring.consumer().unwrap();
    let mut before = 0;
    loop {
        let (taken, control) = scene.pass(&mut consumer);
        before += taken;
        if control {
            break;
        }
        if taken == 0 {
            consumer.park(Park::Sleep);
        }
    }
    caller.join().unwrap();
    before
}

#[test]
fn a_control_has_exactly_the_records_before_it_written() {
    check(|| {
        let before = write_until_asked(|scene| {
            scene.submit();
            scene.ask().unwrap();
            scene.submit();
        });
        assert_eq!(before, 1);
    });
}

#[test]
fn a_control_wakes_a_sleeping_writer() {
    check(|| {
        // Nothing follows that would wake it as well.
        let before = write_until_asked(|scene| scene.ask().unwrap());
        assert_eq!(before, 0);
    });
}

#[test]
fn a_caller_is_answered_or_told_that_nobody_will() {
    check(|| {
        let scene = Scene::new();
        let caller = thread::spawn({
            let scene = Arc::clone(&scene);
            move || scene.ask().is_ok()
        });
        let answered = scene.barrier.seal().len() == 1;
        assert_eq!(caller.join().unwrap(), answered);
    });
}

/// Runs the writer until a caller, who submits a record and with `asks` a control behind it, was told
/// whether that is passed. Whenever it is said to be, all of it has to be counted.
fn ask_whether_it_is_passed(asks: bool) {
    let scene = Scene::new();
    let counted = Arc::new(AtomicU64::new(0));
    let caller = thread::spawn({
        let (scene, counted) = (Arc::clone(&scene), Arc::clone(&counted));
        move || {
            scene.submit();
            if asks {
                scene.ask().unwrap();
            }
            // True or false as the order has it; what it must not do is to ask too early.
            let _ = scene.barrier.is_passed(&scene.ring, || {
                assert_eq!(counted.load(Relaxed), 1 + u64::from(asks));
                true
            });
        }
    });
    let mut consumer = scene.ring.consumer().unwrap();
    let (mut done, all) = (0, 1 + u64::from(asks));
    while done < all {
        let (from, mut taken) = (scene.ring.released(), 0);
        let frames = consumer.frames(from, usize::MAX);
        let end = scene.barrier.take_frames(from, frames, |_| taken += 1);
        consumer.release(end, || _ = counted.fetch_add(taken, Relaxed));
        done += taken;
        if scene.barrier.take_due(end).is_some() {
            counted.fetch_add(1, Relaxed);
            scene.barrier.done();
            done += 1;
        } else if taken == 0 {
            consumer.park(Park::Sleep);
        }
    }
    caller.join().unwrap();
}

#[test]
fn a_record_that_is_passed_is_counted() {
    check(|| ask_whether_it_is_passed(false));
}

#[test]
fn a_control_that_is_passed_is_carried_out() {
    check(|| ask_whether_it_is_passed(true));
}
