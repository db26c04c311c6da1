//! The `log` crate's records arrive with their level, target, message, call site and typed fields.
#![cfg(feature = "log")]

use log::{LevelFilter, Log};
use logboom::config::Config;
use logboom::engine::{Engine, Route};
use logboom::facade::log::{AlreadySet, LogFacade, init};
use logboom::format::Needs;
use logboom::route::RouteSpec;
use logboom::sink::MemorySinkSpec;
use logboom::testing::DumpFormatter;
use std::fmt;

fn engine(needs: Needs) -> (Engine, Route, MemorySinkSpec) {
    let engine = Engine::new(Config::new()).unwrap();
    let memory = MemorySinkSpec::default();
    let route = RouteSpec::new("memory", DumpFormatter { needs }, memory.clone());
    let route = engine.route(route).unwrap();
    (engine, route, memory)
}

/// Logs while it is being logged.
struct Chatty;

impl fmt::Display for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        log::info!(target: "inner", n = 1; "before {}", "the outer one");
        f.write_str("chatty")
    }
}

/// One test, for a process has one logger.
#[test]
fn records_of_the_log_crate_arrive_whole() {
    let (engine, route, memory) = engine(Needs { site: true, ..Needs::default() });
    init(&engine, [&route], LevelFilter::Debug).unwrap();
    assert_eq!(init(&engine, [&route], LevelFilter::Trace), Err(AlreadySet));
    assert_eq!(log::max_level(), LevelFilter::Debug, "a refused logger changes no level");
    assert!(AlreadySet.to_string().contains("already"));

    let answer = Some(42);
    log::trace!("below the level: {}", unreachable());
    log::debug!(target: "shop", user = "ann", count = 3, ratio = 0.5, open = true; "static");
    log::info!(target: "shop", big = u128::MAX, wide = -7_i128, shown:? = answer; "{} apples", 3);
    log::warn!(target: "shop", x:% = Chatty; "outer");
    log::error!(target: "shop", "{Chatty}");
    log::logger().flush();

    let lines = memory.lines();
    let here = "facade_log_carries_fields.rs:facade_log_carries_fields";
    let expected = [
        format!(
            r#"10 shop "static" {here} {{user: Str("ann"), count: I64(3), ratio: F64(0.5), open: Bool(true)}}"#
        ),
        format!(
            r#"20 shop "3 apples" {here} {{big: BigInt("{}"), wide: I64(-7), shown: Str("Some(42)")}}"#,
            u128::MAX
        ),
        format!(r#"20 inner "before the outer one" {here} {{n: I64(1)}}"#),
        format!(r#"30 shop "outer" {here} {{x: Str("chatty")}}"#),
        format!(r#"20 inner "before the outer one" {here} {{n: I64(1)}}"#),
        format!(r#"40 shop "chatty" {here}"#),
    ];
    assert_eq!(lines, expected);
}

fn unreachable() -> u32 {
    unreachable!("below the level")
}

fn log_one(facade: &LogFacade) {
    let record = log::Record::builder()
        .level(log::Level::Trace)
        .target("t")
        .args(format_args!("m"))
        .file_static(Some("/src/a.rs"))
        .build();
    facade.log(&record);
}

#[test]
fn what_no_route_needs_is_not_captured() {
    let (bare, bare_route, bare_memory) = engine(Needs::default());
    log_one(&LogFacade::new(&bare, [&bare_route], LevelFilter::Trace));
    assert!(bare.flush(None).is_done());
    assert_eq!(bare_memory.lines(), [r#"5 t "m" (TRACE)"#]);

    let needs = Needs { site: true, thread_name: true, ..Needs::default() };
    let (full, full_route, full_memory) = engine(needs);
    let facade = LogFacade::new(&full, [&full_route], LevelFilter::Trace);
    std::thread::scope(|scope| {
        let log = || log_one(&facade);
        std::thread::Builder::new().name("till".into()).spawn_scoped(scope, log).unwrap();
    });
    log_one(&LogFacade::new(&full, [&full_route], LevelFilter::Debug));
    assert!(full.flush(None).is_done());
    assert_eq!(full_memory.lines(), [r#"5 t "m" a.rs: [till] (TRACE)"#]);
}
