//! Whatever is done to a ring by one thread, it does what a queue of frames would.

use logboom_ring::{Consumer, Refusal, Reservation, Ring};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::sync::Arc;

#[derive(Clone, Debug)]
enum Action {
    Reserve(usize),
    /// The n-th of the open reservations, modulo their number.
    Commit(usize),
    Abandon(usize),
    /// Look at about so many bytes and release the first so many frames of them.
    Consume(usize, usize),
    Hold,
    Fold,
    ReplaceConsumer,
    Close,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    // Up to a quarter of the ring, the longest there can be, and a little more.
    let len = prop_oneof![6 => 0..200_usize, 4 => 0..16_400_usize, 1 => Just(16_376_usize)];
    let action = prop_oneof![
        12 => len.prop_map(Action::Reserve),
        10 => (0..8_usize).prop_map(Action::Commit),
        2 => (0..8_usize).prop_map(Action::Abandon),
        6 => (0..70_000_usize, 0..40_usize).prop_map(|(bytes, frames)| Action::Consume(bytes, frames)),
        1 => Just(Action::Hold),
        1 => Just(Action::Fold),
        1 => Just(Action::ReplaceConsumer),
    ];
    let closing = prop_oneof![4 => Just(None), 1 => (0..300_usize).prop_map(Some)];
    (prop::collection::vec(action, 0..300), closing).prop_map(|(mut actions, closing)| {
        if let Some(at) = closing {
            actions.insert(at.min(actions.len()), Action::Close);
        }
        actions
    })
}

#[derive(Debug, PartialEq)]
enum Fate {
    Open,
    Committed(Vec<u8>),
    Abandoned,
}

/// The queue: what became of each frame, and how much room it takes with what was left before it.
struct Model {
    frames: VecDeque<(u64, Fate)>,
    position: u64,
    released: u64,
    is_closed: bool,
    next_fill: u8,
}

const CAPACITY: u64 = 65_536;

impl Model {
    fn reserve(&mut self, len: usize) -> Result<u64, Refusal> {
        if len > 16_376 {
            return Err(Refusal::TooLarge);
        }
        if self.is_closed {
            return Err(Refusal::Closed);
        }
        let size = (len as u64 + 8).next_multiple_of(8);
        let left = CAPACITY - self.position % CAPACITY;
        let end = self.position + size + if left < size { left } else { 0 };
        if end - self.released > CAPACITY {
            return Err(Refusal::Full);
        }
        self.position = end;
        self.frames.push_back((end, Fate::Open));
        Ok(end)
    }

    fn decide(&mut self, end: u64, fate: Fate) {
        let frame = self.frames.iter_mut().find(|frame| frame.0 == end);
        frame.expect("a reservation is in the model").1 = fate;
    }

    /// The frames that a consumer sees.
    fn visible(&self) -> Vec<(u64, &[u8])> {
        let decided = self.frames.iter().take_while(|frame| frame.1 != Fate::Open);
        decided
            .filter_map(|(end, fate)| match fate {
                Fate::Committed(bytes) => Some((*end, &bytes[..])),
                _ => None,
            })
            .collect()
    }

    fn fold(&mut self) -> bool {
        let is_empty = self.position == self.released && !self.is_closed;
        let offset = self.position % CAPACITY;
        if !is_empty || offset <= CAPACITY / 8 {
            return false;
        }
        self.position += CAPACITY - offset;
        self.released = self.position;
        true
    }

    fn release(&mut self, to: u64) {
        while self.frames.front().is_some_and(|frame| frame.0 <= to) {
            self.frames.pop_front();
        }
        self.released = to;
    }
}

struct Run<'r> {
    ring: &'r Arc<Ring>,
    consumer: Option<Consumer>,
    open: Vec<(u64, Reservation<'r>)>,
    model: Model,
}

impl<'r> Run<'r> {
    fn step(&mut self, action: &Action) {
        match *action {
            Action::Reserve(len) => self.reserve(len),
            Action::Commit(which) => self.decide(which, true),
            Action::Abandon(which) => self.decide(which, false),
            Action::Consume(bytes, frames) => self.consume(bytes, frames),
            Action::Hold => {
                let held = self.ring.hold();
                let expected = self.model.visible().into_iter().map(|(_, bytes)| bytes);
                assert!(held.frames().eq(expected));
            }
            Action::Fold => {
                let folded = self.consumer.as_mut().unwrap().fold();
                assert_eq!(folded, self.model.fold());
            }
            Action::ReplaceConsumer => {
                self.consumer = None;
                self.consumer = self.ring.consumer();
            }
            Action::Close => {
                self.ring.close();
                self.model.is_closed = true;
            }
        }
        assert_eq!(self.ring.position(), self.model.position);
        assert_eq!(self.ring.released(), self.model.released);
        assert_eq!(self.ring.used_bytes() as u64, self.model.position - self.model.released);
        assert_eq!(self.ring.is_closed(), self.model.is_closed);
    }

    fn reserve(&mut self, len: usize) {
        let expected = self.model.reserve(len);
        match self.ring.try_reserve(len) {
            Ok(frame) => {
                assert!(frame.len() == len && frame.iter().all(|&byte| byte == 0));
                self.open.push((expected.unwrap(), frame));
            }
            Err(refusal) => assert_eq!(Err(refusal), expected),
        }
    }

    fn decide(&mut self, which: usize, commit: bool) {
        if self.open.is_empty() {
            return;
        }
        let (end, mut frame) = self.open.remove(which % self.open.len());
        self.model.next_fill = self.model.next_fill.wrapping_add(1);
        frame.fill(self.model.next_fill);
        let fate = if commit { Fate::Committed(frame.to_vec()) } else { Fate::Abandoned };
        if commit {
            let committed = frame.commit();
            assert_eq!((committed.end, committed.consumer_absent), (end, false));
        }
        self.model.decide(end, fate);
    }

    fn consume(&mut self, max_bytes: usize, max_frames: usize) {
        let consumer = self.consumer.as_mut().unwrap();
        let mut frames = consumer.frames(self.model.released, max_bytes);
        let shown: Vec<_> = frames.by_ref().map(|frame| (frame.end, frame.bytes)).collect();
        let visible = self.model.visible();
        assert_eq!(shown, visible[..shown.len()]);
        // All that fit are shown; if all were, so is what was abandoned behind them.
        let went_over = frames.position() - self.model.released;
        assert!(shown.len() == visible.len() || went_over >= max_bytes as u64);
        let to = match shown.get(max_frames) {
            Some(_) if max_frames == 0 => self.model.released,
            Some(_) => shown[max_frames - 1].0,
            None => frames.position(),
        };
        let mut accounted = 0;
        consumer.release(to, || accounted += 1);
        assert_eq!(accounted, 1);
        self.model.release(to);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn it_does_what_the_model_does(actions in actions()) {
        let ring = Arc::new(Ring::anonymous(CAPACITY as usize, 0).unwrap());
        let model = Model {
            frames: VecDeque::new(), position: 0, released: 0, is_closed: false, next_fill: 0,
        };
        let mut run = Run { ring: &ring, consumer: ring.consumer(), open: Vec::new(), model };
        actions.iter().for_each(|action| run.step(action));
        while !run.open.is_empty() {
            run.decide(0, true);
        }
        run.consume(usize::MAX, usize::MAX);
        prop_assert!(run.consumer.unwrap().is_idle());
    }
}
