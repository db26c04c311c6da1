//! A process that is killed at each step of its writer: before and after every call of the file system,
//! in the middle of every write, and between the note and the release.
//!
//! Nothing is killed here. A kill leaves the files as they are at that moment, so the test copies the
//! ring's file and the logs at each step while the engine runs on one thread, and afterwards lays out
//! each copy as it was, the same inodes under the same names, and recovers it. Twice: the second time
//! as after a recovery that was killed before it removed the ring.

#![cfg(all(target_os = "linux", not(loom)))]

mod model;
mod steps;
mod tampering;

use crate::config::Config;
use crate::durable::{Directory, Recovery, recover_locked};
use crate::engine::Engine;
use crate::format::PatternFormatter;
use crate::fs::{File, FileMode, FileSystem, Metadata, SystemFs};
use crate::level::Level;
use crate::record::{Message, Record, RouteId, Site};
use crate::route::RouteSpec;
use crate::sink::{FileSinkSpec, SinkSpec};
use crate::spawn::Spawner;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Everything there was at one moment.
#[derive(Clone)]
struct Moment {
    rings: BTreeMap<String, Vec<u8>>,
    /// Name, inode and bytes.
    logs: BTreeMap<String, (u64, Vec<u8>)>,
    /// How many calls had returned.
    said: usize,
}

/// A directory with rings, logs, and a second name for every log that there ever was.
struct Place {
    root: PathBuf,
    moments: Mutex<Vec<Moment>>,
    said: AtomicUsize,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}

impl Place {
    fn new() -> Arc<Place> {
        static NUMBERS: AtomicU32 = AtomicU32::new(0);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("logboom-durable-{}-{number}", std::process::id());
        let root = std::env::temp_dir().join(name);
        for part in ["rings", "logs", "kept"] {
            std::fs::create_dir_all(root.join(part)).unwrap();
        }
        Arc::new(Place { root, moments: Mutex::default(), said: AtomicUsize::new(0) })
    }

    fn rings(&self) -> PathBuf {
        self.root.join("rings")
    }

    fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(name)
    }

    fn step(&self) {
        let mut moment = Moment {
            rings: BTreeMap::new(),
            logs: BTreeMap::new(),
            said: self.said.load(Ordering::Relaxed),
        };
        for (name, path) in files(&self.rings()) {
            moment.rings.insert(name, std::fs::read(path).unwrap());
        }
        for (name, path) in files(&self.root.join("logs")) {
            let inode = std::fs::metadata(&path).unwrap().ino();
            let kept = self.root.join("kept").join(inode.to_string());
            if !kept.exists() {
                std::fs::hard_link(&path, kept).unwrap();
            }
            moment.logs.insert(name, (inode, std::fs::read(path).unwrap()));
        }
        self.moments.lock().unwrap().push(moment);
    }

    /// Lays a moment out.
    fn lay_out(&self, moment: &Moment) {
        for (_, path) in files(&self.root.join("logs")) {
            std::fs::remove_file(path).unwrap();
        }
        for (name, (inode, bytes)) in &moment.logs {
            let kept = self.root.join("kept").join(inode.to_string());
            std::fs::write(&kept, bytes).unwrap();
            std::fs::hard_link(kept, self.log(name)).unwrap();
        }
        for (_, path) in files(&self.rings()) {
            std::fs::remove_file(path).unwrap();
        }
        self.lay_out_rings(moment);
    }

    fn lay_out_rings(&self, moment: &Moment) {
        let directory = Directory::open(&self.rings(), false).unwrap();
        for (name, bytes) in &moment.rings {
            use std::io::Write as _;
            directory.make(name).unwrap().write_all(bytes).unwrap();
        }
    }

    /// Recovers as if every process had died.
    fn recover(&self) -> Recovery {
        let directory = Directory::open(&self.rings(), false).unwrap();
        recover_locked(&directory, &|_| false, &std::sync::Arc::default()).unwrap()
    }

    /// The lines of a log and its numbered older ones, without notices.
    fn lines(&self, name: &str) -> Vec<String> {
        let mut text = String::new();
        for number in (0..100).rev() {
            let name = if number == 0 { name.to_owned() } else { format!("{name}.{number}") };
            let read = std::fs::read_to_string(self.log(&name)).unwrap_or_default();
            assert!(read.is_empty() || read.ends_with('\n'), "torn: {read:?}");
            text += &read;
        }
        let notice = |line: &&str| !line.starts_with("recovered ");
        text.lines().filter(notice).map(str::to_owned).collect()
    }

    /// Recovers each moment, twice; `check` gets how many calls had returned then.
    fn check_all(&self, check: impl Fn(usize)) -> usize {
        let moments = self.moments.lock().unwrap().clone();
        let mut all = Vec::new();
        for (at, moment) in moments.iter().enumerate() {
            all.push(moment.clone());
            // What lies between two steps: the note is stored, and the ring not yet released.
            if let Some(next) = moments.get(at + 1) {
                let mut between = moment.clone();
                for (name, bytes) in &mut between.rings {
                    let Some(later) = next.rings.get(name) else { continue };
                    let memory = u64::from_ne_bytes(later[24..32].try_into().unwrap()) as usize;
                    bytes[..memory].copy_from_slice(&later[..memory]);
                }
                between.logs = next.logs.clone();
                between.said = moment.said.min(next.said);
                if moment.logs == next.logs && moment.rings != next.rings {
                    all.push(between);
                }
            }
        }
        for moment in &all {
            self.lay_out(moment);
            let open = |(name, path)| (name, std::fs::File::open(path).unwrap());
            let rings: Vec<_> = files(&self.rings()).map(open).collect();
            let first = self.recover();
            // The rings as they were just before they were removed.
            let mut again = Moment { rings: BTreeMap::new(), ..moment.clone() };
            for (name, mut file) in rings {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes).unwrap();
                again.rings.insert(name, bytes);
            }
            self.lay_out_rings(&again);
            let second = self.recover();
            assert_eq!(second.records(), 0, "{second:?}");
            for recovery in [first, second] {
                assert_eq!(recovery.problems().count(), 0, "{recovery:?}");
            }
            assert_eq!(files(&self.rings()).count(), 0, "nothing stays");
            check(moment.said);
        }
        all.len()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

fn files(directory: &Path) -> impl Iterator<Item = (String, PathBuf)> + use<> {
    std::fs::read_dir(directory).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), entry.path())
    })
}

/// The system's files, with a step before and after each call, and writes that take a few bytes.
#[derive(Clone, Debug)]
struct SteppedFs {
    place: Arc<Place>,
    below: Arc<dyn FileSystem>,
    piece: usize,
}

impl FileSystem for SteppedFs {
    fn open(&self, path: &Path, mode: FileMode) -> io::Result<Arc<dyn File>> {
        self.place.step();
        let file = self.below.open(path, mode)?;
        self.place.step();
        Ok(Arc::new(SteppedFile { fs: self.clone(), file }))
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.below.metadata(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.place.step();
        let outcome = self.below.rename(from, to);
        self.place.step();
        outcome
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.below.remove(path)
    }

    fn is_systems(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct SteppedFile {
    fs: SteppedFs,
    file: Arc<dyn File>,
}

impl File for SteppedFile {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.fs.place.step();
        let outcome = self.file.write(&bytes[..bytes.len().min(self.fs.piece)]);
        self.fs.place.step();
        outcome
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn metadata(&self) -> io::Result<Metadata> {
        self.fs.place.step();
        self.file.metadata()
    }
}

/// Starts no thread, so that the one that flushes does everything.
#[derive(Debug)]
struct NoThreads;

impl Spawner for NoThreads {
    fn spawn(&self, _: &str, _: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

fn config(place: &Place) -> Config {
    Config::new()
        .durable(Some(place.rings()))
        .capacity_bytes(64 << 10)
        .table_bytes(8 << 10)
        .spawner(Arc::new(NoThreads))
        .reporter(Arc::new(|_: &str| ()))
}

fn stepped(place: &Arc<Place>, piece: usize) -> SteppedFs {
    SteppedFs { place: Arc::clone(place), below: Arc::new(SystemFs), piece }
}

fn route(engine: &Engine, sink: Arc<dyn SinkSpec>) -> RouteId {
    let formatter = PatternFormatter::new("%(message)s", &Default::default()).unwrap();
    engine.open_route(RouteSpec::shared("log", Arc::new(formatter), sink)).unwrap()
}

fn say(place: &Place, engine: &Engine, text: &str, routes: &[RouteId]) {
    let record = Record {
        time_ns: 1_000_000_000,
        level: Level::INFO,
        thread: 0,
        logger: "app".into(),
        site: Site::None,
        message: Message::Plain(text.into()),
        fields: &[],
        attributes: &[],
        routes,
    };
    let _ = engine.submit(&record);
    place.said.fetch_add(1, Ordering::Relaxed);
}

fn expected(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("line {n}")).collect()
}

/// Logs lines in batches of a few; steps also where nothing is written.
fn work(place: &Place, engine: &Engine, routes: &[RouteId], counts: &[usize]) {
    for &count in counts {
        for _ in 0..count {
            let line = format!("line {}", place.said.load(Ordering::Relaxed));
            say(place, engine, &line, routes);
            place.step();
        }
        assert!(engine.flush(None).is_done());
        place.step();
    }
}

/// A moment with three records in the ring, and the place it is of.
fn three_records() -> (Arc<Place>, Moment) {
    let place = Place::new();
    let sink = FileSinkSpec::open(place.log("a"), FileMode::Append, &stepped(&place, 500)).unwrap();
    let engine = Engine::new(config(&place)).unwrap();
    let route = route(&engine, Arc::new(sink));
    for n in 0..3 {
        say(&place, &engine, &format!("line {n}"), &[route]);
    }
    place.step();
    let moment = place.moments.lock().unwrap().pop().unwrap();
    drop(engine);
    (place, moment)
}
