//! Two routes, typed fields, a flush and a shutdown that says what became of every record.
//!
//! ```text
//! cargo run --example quickstart -- /tmp/quickstart.log
//! ```

use logboom::Logger;
use logboom::config::Config;
use logboom::engine::Engine;
use logboom::filter::LevelFilter;
use logboom::format::PatternFormatter;
use logboom::level::Level;
use logboom::route::RouteSpec;
use logboom::sink::{FileSinkSpec, StdioSinkSpec};
use std::error::Error;
use std::io::Write as _;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).unwrap_or_else(|| "quickstart.log".into());
    let engine = Engine::new(Config::new())?;

    // Everything into a file; what is grave to the terminal as well.
    let pattern = "%(asctime)s %(levelname)-8s %(name)s %(filename)s:%(lineno)d %(message)s";
    let format = PatternFormatter::new(pattern, &Default::default())?;
    let file = engine.route(RouteSpec::new("file", format, FileSinkSpec::append(path)?))?;

    let format = PatternFormatter::new("%(levelname)s: %(message)s", &Default::default())?;
    let terminal = RouteSpec::new("terminal", format, StdioSinkSpec::stderr());
    let terminal = engine.route(terminal.filter(LevelFilter(Level::WARNING)))?;

    let shop = Logger::new(&engine, "shop", Level::INFO, [&file, &terminal]);
    let till = shop.child("till");
    for (customer, apples) in [("ann", 3), ("bob", 0)] {
        logboom::info!(till, "{} buys {} apples", customer, apples; price.total = 0.5 * f64::from(apples));
        if apples == 0 {
            logboom::warn!(till, "{} came for nothing", customer);
        }
    }
    logboom::debug!(shop, "not made at all: {}", expensive());

    // Everything so far is with the operating system once this returns `Done`.
    let flushed = engine.flush(Some(Duration::from_secs(5)));
    logboom::info!(shop, "flushed: {}", &format!("{flushed:?}"));

    let report = engine.shutdown(Some(Duration::from_secs(5)));
    writeln!(std::io::stderr(), "{report}")?;
    assert!(report.completed, "five seconds were not enough: {report:?}");
    Ok(())
}

fn expensive() -> u64 {
    unreachable!("the level is checked before the arguments are evaluated")
}
