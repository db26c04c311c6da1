//! The crate's own macros: nothing is evaluated below the level, arguments stay typed, and a call
//! site's texts go into the table once.

use logboom::config::Config;
use logboom::engine::{Engine, Route};
use logboom::format::Needs;
use logboom::level::Level;
use logboom::route::RouteSpec;
use logboom::sink::MemorySinkSpec;
use logboom::testing::DumpFormatter;
use logboom::{Logger, debug, error, info, trace, warn};
use std::cell::Cell;

fn engine() -> (Engine, Route, MemorySinkSpec) {
    let engine = Engine::new(Config::new()).unwrap();
    let memory = MemorySinkSpec::default();
    let needs = Needs { site: true, ..Needs::default() };
    let route = RouteSpec::new("memory", DumpFormatter { needs }, memory.clone());
    let route = engine.route(route).unwrap();
    (engine, route, memory)
}

fn lines(engine: &Engine, memory: &MemorySinkSpec) -> Vec<String> {
    assert!(engine.flush(None).is_done());
    memory.lines()
}

#[test]
fn nothing_is_evaluated_below_the_level() {
    let (engine, route, memory) = engine();
    let logger = Logger::new(&engine, "shop", Level::INFO, [&route]);
    let evaluated = Cell::new(0);
    let count = || {
        evaluated.set(evaluated.get() + 1);
        evaluated.get()
    };
    debug!(logger, "{}", count(); key = count());
    assert_eq!(evaluated.get(), 0);
    logger.clone().set_level(Level::DEBUG);
    debug!(logger, "{}", count(); key = count());
    let here = "facade_logger_checks_the_level_first.rs:facade_logger_checks_the_level_first";
    assert_eq!(lines(&engine, &memory), [format!(r#"10 shop "1" {here} {{key: I64(2)}}"#)]);
}

#[test]
fn arguments_and_fields_keep_their_types() {
    let (engine, route, memory) = engine();
    let logger = Logger::new(&engine, "", Level::NOTSET, [&route]);
    let text = String::from("own");
    let child = logger.child("a").child("b");
    info!(child, "{{}} {} {} {} {}", &text, -1, 2.5, true,; http.status = 200_u16, none = None::<&str>,);
    warn!(&logger, "plain");
    trace!(logger, "fine"; path = &text);
    error!(logger, "grave",);
    let lines = lines(&engine, &memory);
    let parts: Vec<(&str, &str)> = lines
        .iter()
        .map(|line| line.split_once(" facade_logger_checks_the_level_first.rs").unwrap())
        .collect();
    assert_eq!(parts[0].0, r#"20 a.b "{} own -1 2.5 true""#);
    assert!(parts[0].1.ends_with("{http.status: U64(200), none: None}"), "{parts:?}");
    assert_eq!(parts[1].0, r#"30  "plain""#);
    assert_eq!(parts[2].0, r#"5  "fine""#);
    assert!(parts[2].1.ends_with(r#"(TRACE) {path: Str("own")}"#), "{parts:?}");
    assert_eq!(parts[3].0, r#"40  "grave""#);
}

#[test]
fn a_call_site_goes_into_the_table_of_each_engine_once() {
    let ((one, route_one, memory_one), (two, route_two, memory_two)) = (engine(), engine());
    let loggers = [
        Logger::new(&one, "one", Level::INFO, [&route_one]),
        Logger::new(&two, "two", Level::INFO, [&route_two]),
        Logger::new(&one, "again", Level::INFO, [&route_one]),
    ];
    let used = || [&one, &two].map(|engine| engine.stats().ring.table_used_bytes);
    let log = || {
        for logger in &loggers {
            info!(logger, "same place for {}", logger.name());
        }
    };
    log();
    let after_one_round = used();
    for _ in 0..100 {
        log();
    }
    assert_eq!(used(), after_one_round);
    assert!(after_one_round.iter().all(|&bytes| bytes > 0));
    assert_eq!(lines(&one, &memory_one).len(), 202);
    let here = "facade_logger_checks_the_level_first.rs:facade_logger_checks_the_level_first";
    let expected = format!(r#"20 two "same place for two" {here}"#);
    assert_eq!(lines(&two, &memory_two), vec![expected; 101]);
}

#[test]
fn many_threads_share_a_logger() {
    let (engine, route, memory) = engine();
    let logger = Logger::new(&engine, "shop", Level::INFO, [&route]);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let logger = &logger;
            scope.spawn(move || {
                for n in 0..500 {
                    info!(logger, "{} {}", thread, n);
                }
            });
        }
    });
    let lines = lines(&engine, &memory);
    let mut seen = lines.iter().map(|line| line.split('"').nth(1).unwrap()).collect::<Vec<_>>();
    assert_eq!(seen.len(), 2_000);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 2_000);
}
