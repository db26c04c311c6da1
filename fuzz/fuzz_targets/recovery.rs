//! `cargo +nightly fuzz run recovery`: whatever was changed in what a dead process left, the recovery
//! makes lines of it without a panic. It writes nothing here.
//!
//! An input is a list of changes to a real file, as in `ring_file`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use logboom::config::Config;
use logboom::durable::read_as_recovery;
use logboom::engine::Engine;
use logboom::format::{JsonFormatter, PatternFormatter};
use logboom::level::Level;
use logboom::record::{Message, Record, Site, Style};
use logboom::route::RouteSpec;
use logboom::sink::{FileSinkSpec, StdioSinkSpec};
use logboom::spawn::Spawner;
use logboom_ring::crc32;
use std::sync::{Arc, LazyLock};
use std::thread::JoinHandle;

/// Starts no thread, so that everything stays in the ring.
struct NoThreads;

impl Spawner for NoThreads {
    fn spawn(&self, _: &str, _: Box<dyn FnOnce() + Send>) -> std::io::Result<JoinHandle<()>> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let directory = std::env::temp_dir().join(format!("logboom-fuzz-{}", std::process::id()));
    let config = Config::new()
        .durable(Some(directory.clone()))
        .capacity_bytes(64 << 10)
        .table_bytes(4 << 10)
        .spawner(Arc::new(NoThreads))
        .reporter(Arc::new(|_: &str| ()));
    let engine = Engine::new(config).unwrap();
    let pattern = PatternFormatter::new("%(asctime)s %(lineno)d %(message)s", &Default::default());
    let json = JsonFormatter::new(&Default::default()).unwrap();
    let file = FileSinkSpec::append(directory.join("app.log")).unwrap();
    let routes = [
        engine.open_route(RouteSpec::new("file", pattern.unwrap(), file)).unwrap(),
        engine.open_route(RouteSpec::new("out", json, StdioSinkSpec::stdout())).unwrap(),
    ];
    let template = engine.intern(b"%s and %d").unwrap();
    for n in 0..5 {
        let values = ["text".into(), n.into()];
        let record = Record {
            time_ns: n,
            level: Level::INFO,
            thread: 1,
            logger: "app".into(),
            site: Site::None,
            message: Message::Template(
                Style::Percent,
                logboom::record::Text::Id(template),
                &values,
            ),
            fields: &[logboom::field::Field { key: "key", value: 0.5.into() }],
            attributes: &[(logboom::record::Attribute::ThreadName, "main")],
            routes: &routes,
        };
        let _ = engine.submit(&record);
    }
    let mut names = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let ring = names.find(|name| name.extension().is_some_and(|kind| kind == "ring")).unwrap();
    let bytes = std::fs::read(ring).unwrap();
    drop(engine);
    std::fs::remove_dir_all(directory).unwrap();
    assert_eq!(read_as_recovery(&bytes), Some(10));
    bytes
});

/// Most of the file is zeros: changed is what is not, or near it.
static USED: LazyLock<Vec<usize>> =
    LazyLock::new(|| (0..FILE.len()).filter(|&at| FILE[at] != 0).collect());

fuzz_target!(|changes: &[u8]| {
    let mut bytes = FILE.clone();
    let used = &*USED;
    for change in changes.chunks_exact(4) {
        let at = u16::from_le_bytes([change[0], change[1]]) as usize % used.len();
        let at = (used[at] + usize::from(change[2] % 8)).min(bytes.len() - 1);
        bytes[at] ^= change[3];
    }
    if changes.first().is_some_and(|first| first % 2 == 1) {
        let sum = crc32(&bytes[..128]).to_ne_bytes();
        bytes[128..132].copy_from_slice(&sum);
    }
    let _ = read_as_recovery(&bytes);
});
