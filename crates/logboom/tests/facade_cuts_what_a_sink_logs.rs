//! A sink that logs does not feed itself: what is logged on the writer's thread is not submitted.
#![cfg(feature = "log")]

use logboom::config::Config;
use logboom::engine::Engine;
use logboom::facade::log::init;
use logboom::level::Level;
use logboom::route::RouteSpec;
use logboom::sink::{Frames, MemorySinkSpec, Sink, SinkSpec, Written};
use logboom::testing::DumpFormatter;
use logboom::{Logger, info};
use std::io;
use std::sync::{Arc, OnceLock};

/// Logs whenever it is given something, by both facades, and flushes.
#[derive(Clone, Debug)]
struct ChattySpec {
    memory: MemorySinkSpec,
    logger: Arc<OnceLock<Logger>>,
}

struct Chatty {
    memory: Box<dyn Sink>,
    logger: Arc<OnceLock<Logger>>,
}

impl SinkSpec for ChattySpec {
    fn open(&self) -> io::Result<Box<dyn Sink>> {
        Ok(Box::new(Chatty { memory: self.memory.open()?, logger: Arc::clone(&self.logger) }))
    }

    fn describe(&self) -> String {
        "chatty".to_owned()
    }
}

impl Sink for Chatty {
    fn write(&mut self, batch: &Frames<'_>) -> Written {
        log::info!("through log");
        log::logger().flush();
        if let Some(logger) = self.logger.get() {
            info!(logger, "through the macro");
        }
        self.memory.write(batch)
    }

    fn flush(&mut self) -> Written {
        log::info!("flushing");
        self.memory.flush()
    }

    fn sync(&mut self) -> io::Result<()> {
        self.memory.sync()
    }
}

#[test]
fn a_sink_that_logs_is_not_fed_by_itself() {
    let engine = Engine::new(Config::new()).unwrap();
    let chatty = ChattySpec { memory: MemorySinkSpec::default(), logger: Arc::default() };
    let route = RouteSpec::new("chatty", DumpFormatter::default(), chatty.clone());
    let route = engine.route(route).unwrap();
    init(&engine, [&route], log::LevelFilter::Trace).unwrap();
    let logger = Logger::new(&engine, "app", Level::TRACE, [&route]);
    chatty.logger.set(logger.clone()).unwrap();

    for n in 0..10 {
        info!(logger, "{}", n);
        assert!(engine.flush(None).is_done());
    }
    let expected: Vec<String> = (0..10).map(|n| format!("20 app \"{n}\"")).collect();
    assert_eq!(chatty.memory.lines(), expected);
    assert_eq!(engine.stats().totals.written, 10);
}
