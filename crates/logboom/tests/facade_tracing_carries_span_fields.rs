//! An event of `tracing` carries its own fields and those of the spans it is in.
#![cfg(feature = "tracing")]

use logboom::config::Config;
use logboom::engine::Engine;
use logboom::facade::tracing::TracingLayer;
use logboom::format::Needs;
use logboom::route::RouteSpec;
use logboom::sink::MemorySinkSpec;
use logboom::testing::DumpFormatter;
use tracing::field::Empty;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt};

/// What is in the sink after `program` ran under the layer.
fn run(needs: Needs, level: LevelFilter, program: impl FnOnce()) -> Vec<String> {
    let engine = Engine::new(Config::new()).unwrap();
    let memory = MemorySinkSpec::default();
    let route = RouteSpec::new("memory", DumpFormatter { needs }, memory.clone());
    let route = engine.route(route).unwrap();
    let layer = TracingLayer::new(&engine, [&route]).with_filter(level);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), program);
    assert!(engine.flush(None).is_done());
    memory.lines()
}

#[test]
fn fields_of_the_scope_come_first_and_the_innermost_value_counts() {
    let lines = run(Needs::default(), LevelFilter::TRACE, || {
        let outer = tracing::info_span!("request", user = "ann", id = 7, status = Empty);
        let _outer = outer.enter();
        tracing::info!(target: "shop", apples = 3_u64, outer_is = ?Some(1), "{} shops", "ann");
        outer.record("status", 200);
        let inner = tracing::info_span!("step", id = 8, ratio = 0.5, open = true);
        inner.in_scope(|| tracing::warn!(target: "shop", user = %"bob", "inner"));
        tracing::error!(target: "shop", wide = -7_i128, big = u128::MAX, "after");
    });
    let expected = [
        r#"20 shop "ann shops" {user: Str("ann"), id: I64(7), apples: U64(3), outer_is: Str("Some(1)")}"#.to_owned(),
        r#"30 shop "inner" {user: Str("bob"), id: I64(8), status: I64(200), ratio: F64(0.5), open: Bool(true)}"#.to_owned(),
        format!(
            r#"40 shop "after" {{user: Str("ann"), id: I64(7), status: I64(200), wide: I64(-7), big: BigInt("{}")}}"#,
            u128::MAX
        ),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn an_event_outside_of_spans_has_its_own_fields_only() {
    let error = std::io::Error::other("no apples");
    let error: &(dyn std::error::Error + 'static) = &error;
    let needs = Needs { site: true, ..Needs::default() };
    let lines = run(needs, LevelFilter::DEBUG, || {
        tracing::debug!(target: "shop", error);
        tracing::trace!(target: "shop", "below the level");
        tracing::info!(target: "shop", message = "as a field");
    });
    let here = "facade_tracing_carries_span_fields.rs:facade_tracing_carries_span_fields";
    let expected = [
        format!(r#"10 shop "" {here} {{error: Str("no apples")}}"#),
        format!(r#"20 shop "as a field" {here}"#),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_span_of_another_thread_counts_where_it_is_entered() {
    let lines = run(Needs::default(), LevelFilter::TRACE, || {
        let span = tracing::info_span!("job", job = 1);
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                tracing::dispatcher::with_default(&dispatch, || {
                    tracing::info!(target: "t", "outside");
                    span.in_scope(|| tracing::info!(target: "t", "inside"));
                });
            });
        });
    });
    assert_eq!(lines, [r#"20 t "outside""#, r#"20 t "inside" {job: I64(1)}"#]);
}
