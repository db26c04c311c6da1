//! Any sequence of what a program may do to an engine, against a reference a few lines long: the
//! lines of each sink and the counters are the same.

mod support;

use logboom::engine::{Engine, Flush, Outcome, Wait};
use logboom::record::RouteId;
use logboom::route::RouteSpec;
use logboom::sink::{MemorySinkSpec, SinkSpec};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use support::*;

#[derive(Clone, Debug)]
enum Action {
    /// To the routes that these bits pick among those ever opened.
    Submit {
        routes: u8,
        refused: bool,
    },
    Flush,
    FlushRoute(usize),
    Open,
    /// Leads where that one of the routes ever opened leads.
    OpenShared(usize),
    Close(usize, bool),
    /// From here on, until it is called again.
    FailSink(usize),
    Successor,
    Shutdown,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        12 => (any::<u8>(), prop::bool::weighted(0.1))
            .prop_map(|(routes, refused)| Action::Submit { routes, refused }),
        2 => Just(Action::Flush),
        1 => (0..6_usize).prop_map(Action::FlushRoute),
        2 => Just(Action::Open),
        2 => (0..6_usize).prop_map(Action::OpenShared),
        1 => (0..6_usize, any::<bool>()).prop_map(|(route, wait)| Action::Close(route, wait)),
        1 => (0..6_usize).prop_map(Action::FailSink),
        1 => Just(Action::Successor),
        1 => prop::bool::weighted(0.05)
            .prop_map(|last| if last { Action::Shutdown } else { Action::Flush }),
    ];
    prop::collection::vec(action, 1..60)
}

/// A sink in the engine, which routes may share, and what the model says about it.
struct Place {
    spec: Arc<dyn SinkSpec>,
    memory: MemorySinkSpec,
    fails: Arc<AtomicBool>,
    lines: Vec<String>,
}

/// A route in the engine and what the model says about it.
struct Twin {
    id: RouteId,
    place: usize,
    open: bool,
    failed_since_flush: u64,
}

#[derive(Default)]
struct Model {
    places: Vec<Place>,
    routes: Vec<Twin>,
    written: u64,
    failed: u64,
    rejected: u64,
    is_shut_down: bool,
}

impl Model {
    fn add_place(&mut self) -> usize {
        let fails = Arc::new(AtomicBool::new(false));
        let sink = ScriptedSpec::new({
            let fails = Arc::clone(&fails);
            move |_| if fails.load(SeqCst) { Answer::Fail(0) } else { Answer::Take }
        });
        let memory = sink.memory.clone();
        self.places.push(Place { spec: Arc::new(sink), memory, fails, lines: Vec::new() });
        self.places.len() - 1
    }

    fn open(&mut self, engine: &Engine, place: usize) {
        let sink = Arc::clone(&self.places[place].spec);
        let route = RouteSpec::shared("model", Arc::new(MessageFormatter), sink);
        let id = engine.open_route(route).unwrap();
        self.routes.push(Twin { id, place, open: !self.is_shut_down, failed_since_flush: 0 });
    }

    fn submit(&mut self, engine: &Engine, text: &str, picked: u8) {
        let picked = |index: usize| picked & (1 << (index % 8)) != 0;
        let routes: Vec<_> = (0..self.routes.len()).filter(|&index| picked(index)).collect();
        let ids: Vec<_> = routes.iter().map(|&index| self.routes[index].id).collect();
        let expected = if self.is_shut_down { Outcome::Rejected } else { Outcome::Accepted };
        assert_eq!(say(engine, text, &ids), expected);
        for index in routes {
            let route = &mut self.routes[index];
            let place = &mut self.places[route.place];
            if !route.open {
                self.rejected += 1;
            } else if text == "refuse" || place.fails.load(SeqCst) {
                self.failed += 1;
                route.failed_since_flush += 1;
            } else {
                self.written += 1;
                place.lines.push(text.to_owned());
            }
        }
    }

    fn flushed(&mut self, index: Option<usize>) -> Flush {
        let mut failed = 0;
        for (at, route) in self.routes.iter_mut().enumerate() {
            if route.open && index.is_none_or(|index| index == at) {
                failed += std::mem::take(&mut route.failed_since_flush);
            }
        }
        if failed == 0 { Flush::Done } else { Flush::Failed { records: failed } }
    }

    fn assert_same(&self, engine: &Engine) {
        for place in &self.places {
            assert_eq!(place.memory.lines(), place.lines);
        }
        let totals = engine.stats().totals;
        assert_eq!(
            (totals.written, totals.failed, totals.rejected, totals.pending, totals.dropped),
            (self.written, self.failed, self.rejected, 0, 0)
        );
        assert_eq!(totals.submitted, self.written + self.failed + self.rejected);
    }
}

fn play(actions: &[Action]) {
    let (mut engine, mut model) = (Engine::new(config()).unwrap(), Model::default());
    for (number, action) in actions.iter().enumerate() {
        match *action {
            Action::Submit { routes, refused } => {
                let text = if refused { "refuse".into() } else { format!("line {number}") };
                model.submit(&engine, &text, routes);
            }
            Action::Flush => {
                let expected = model.flushed(None);
                assert_eq!(engine.flush(Some(DEADLINE)), expected);
                model.assert_same(&engine);
            }
            Action::FlushRoute(index) if index < model.routes.len() => {
                let expected = model.flushed(Some(index));
                assert_eq!(engine.flush_route(model.routes[index].id, Some(DEADLINE)), expected);
                let place = &model.places[model.routes[index].place];
                assert_eq!(place.memory.lines(), place.lines);
            }
            Action::Open => {
                let place = model.add_place();
                model.open(&engine, place);
            }
            Action::OpenShared(index) if index < model.routes.len() => {
                model.open(&engine, model.routes[index].place);
            }
            Action::Close(index, waits) if index < model.routes.len() => {
                let expected = model.flushed(Some(index));
                let route = &mut model.routes[index];
                let wait = if waits { Wait::For(DEADLINE) } else { Wait::No };
                route.open = false;
                let outcome = engine.close_route(route.id, wait);
                if waits {
                    assert_eq!(outcome, expected);
                }
            }
            Action::FailSink(index) if index < model.routes.len() => {
                // What was submitted before has to meet the sink as it was.
                let expected = model.flushed(Some(index));
                let route = &model.routes[index];
                assert_eq!(engine.flush_route(route.id, Some(DEADLINE)), expected);
                model.places[route.place].fails.fetch_xor(true, SeqCst);
            }
            Action::Successor => match engine.successor(config()) {
                Ok(successor) => engine = successor,
                Err(error) => assert!(model.is_shut_down, "{error}"),
            },
            Action::Shutdown => {
                assert!(engine.shutdown(Some(DEADLINE)).completed);
                model.is_shut_down = true;
                model.routes.iter_mut().for_each(|route| route.open = false);
                model.assert_same(&engine);
            }
            _ => {}
        }
    }
    let _ = engine.flush(Some(DEADLINE));
    model.assert_same(&engine);
    assert!(engine.shutdown(Some(DEADLINE)).completed);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_and_counters_are_those_of_the_model(actions in actions()) {
        play(&actions);
    }
}
