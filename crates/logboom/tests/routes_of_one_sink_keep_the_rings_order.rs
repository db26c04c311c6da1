//! Routes that hold the same sink's spec lead to one place: their lines come in the ring's order,
//! whatever fails, and each delivery is counted for its own route.

mod support;

use logboom::engine::{Engine, Outcome, Wait};
use logboom::metrics::Counts;
use logboom::record::RouteId;
use logboom::route::RouteSpec;
use logboom::sink::SinkSpec;
use std::sync::Arc;
use support::*;

const THREADS: usize = 4;
const RECORDS: usize = 3_000;
const MARKS: [&str; 3] = ["a:", "b:", "c> "];

/// The routes that a record goes to, by its number: each subset of the three, in turns.
fn picked(number: usize) -> impl Iterator<Item = usize> {
    (0..3).filter(move |route| (1 + number % 7) & (1 << route) != 0)
}

/// What makes the formatters fail, for some numbers.
fn fault(number: usize) -> &'static str {
    match number {
        n if n % 50 == 7 => "refuse ",
        n if n % 500 == 9 => "boom ",
        _ => "",
    }
}

/// Submits from several threads, to the witness and some of the routes; closes the second of these in
/// the middle. Returns how many were asked of each.
fn load(engine: &Engine, witness: RouteId, routes: [RouteId; 3]) -> [u64; 3] {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for number in 0..RECORDS {
                    let text = format!("{}{thread} {number}", fault(number));
                    let picked = picked(number).map(|route| routes[route]);
                    let ids: Vec<_> = [witness].into_iter().chain(picked).collect();
                    assert_eq!(say(engine, &text, &ids), Outcome::Accepted);
                    if thread == 0 && number == RECORDS / 2 {
                        let _ = engine.close_route(routes[1], Wait::Forever);
                    }
                    if number % 500 == 0 {
                        let _ = engine.flush_route(routes[number / 500 % 3], Some(DEADLINE));
                    }
                }
            });
        }
    });
    let mut asked = [0; 3];
    (0..RECORDS).flat_map(picked).for_each(|route| asked[route] += THREADS as u64);
    asked
}

/// Asserts that `lines` are some of those that the witness's make of the routes, in that order.
fn assert_in_order(witnessed: &[String], lines: &[String]) {
    let mut lines = lines.iter();
    let mut next = lines.next();
    for text in witnessed {
        let number = text.split(' ').next_back().unwrap().parse().unwrap();
        for route in picked(number) {
            if next.is_some_and(|line| line.strip_prefix(MARKS[route]) == Some(text)) {
                next = lines.next();
            }
        }
    }
    assert_eq!(next, None, "moved, repeated or torn");
}

/// Returns what the first and the third route counted.
fn run(fault: impl Fn(u64) -> Answer + Send + Sync + 'static) -> [Counts; 2] {
    let engine = Engine::new(config().capacity_bytes(64 << 10)).unwrap();
    let (witnessed, scripted) = (memory(), ScriptedSpec::new(fault));
    let witness = engine.open_route(RouteSpec::new("witness", Witness, witnessed.clone())).unwrap();
    let sink: Arc<dyn SinkSpec> = Arc::new(scripted.clone());
    let routes = MARKS.map(|mark| engine.open_route(marked(mark, &sink)).unwrap());
    let asked = load(&engine, witness, routes);
    let _ = engine.flush(Some(DEADLINE));

    let lines = scripted.memory.lines();
    assert_in_order(&witnessed.lines(), &lines);
    let with = |mark| lines.iter().filter(|line| line.starts_with(mark)).count() as u64;
    let stats = engine.stats();
    let [all, first, third] = [0, 1, 2].map(|at| stats.routes[at].counts);
    assert_eq!(all.written, (THREADS * RECORDS) as u64);
    for (counts, route) in [(first, 0), (third, 2)] {
        let Counts { submitted, written, failed, pending, .. } = counts;
        assert_eq!((submitted, pending), (asked[route], 0));
        assert_eq!((written, failed), (with(MARKS[route]), submitted - written));
        assert!(failed >= submitted / 50, "some were refused");
    }
    // What is not in these three is the closed route's, or came too late for it.
    let totals = stats.totals;
    let closed = |count: fn(&Counts) -> u64| {
        count(&totals) - [all, first, third].iter().map(count).sum::<u64>()
    };
    assert_eq!(closed(|counts| counts.submitted), asked[1]);
    assert_eq!(closed(|counts| counts.written), with(MARKS[1]));
    assert_eq!(closed(|counts| counts.pending), 0);
    assert_eq!(
        closed(|counts| counts.failed + counts.rejected + counts.written),
        asked[1],
        "nothing was dropped or filtered"
    );
    assert!(totals.rejected > 0, "some came after the close");
    assert!(engine.shutdown(Some(DEADLINE)).completed);
    assert_eq!(engine.stats().totals, totals);
    [first, third]
}

/// Formats everything.
struct Witness;

impl logboom::format::Formatter for Witness {
    fn format(
        &self,
        record: &logboom::record::RecordView<'_>,
        _: &mut logboom::format::FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), logboom::format::FormatError> {
        let logboom::record::MessageView::Plain(text) = record.message else { unreachable!() };
        out.extend_from_slice(text);
        Ok(())
    }

    fn needs(&self) -> logboom::format::Needs {
        logboom::format::Needs::default()
    }
}

#[test]
fn order_is_global_and_accounting_exact_whatever_fails() {
    for every in [2, 3, 7] {
        within_deadline(move || {
            let _ = run(move |call| match call % every {
                1 => match call / every % 4 {
                    0 => Answer::Fail(5),
                    1 => Answer::Keep(3),
                    2 => Answer::Panic,
                    _ => Answer::Keep(0),
                },
                _ => Answer::Take,
            });
        });
    }
}

#[test]
fn without_faults_only_what_was_refused_is_missing() {
    let [first, third] = within_deadline(|| run(|_| Answer::Take));
    for (counts, route) in [(first, 0), (third, 2)] {
        let refused = (0..RECORDS).filter(|&number| !fault(number).is_empty());
        let refused = refused.flat_map(picked).filter(|&picked| picked == route).count();
        assert_eq!(counts.failed, (THREADS * refused) as u64);
    }
}
