//! A process that is killed at each step of its writer: before and after every call of the file system,
//! in the middle of every write, and between the note and the release.
//!
//! Nothing is killed here. A kill leaves the files as they are at that moment, so the test copies the
//! ring's file and the logs at each step while the engine runs on one thread, and afterwards lays out
//! each copy as it was, the same inodes under the same names, and recovers it. Twice: the second time
//! as after a recovery that was killed before it removed the ring.

use super::directory::Directory;
use super::recover::recover_locked;
use crate::config::Config;
use crate::durable::{Recovery, RingOutcome};
use crate::engine::Engine;
use crate::format::PatternFormatter;
use crate::fs::{File, FileMode, FileSystem, Metadata, SystemFs};
use crate::level::Level;
use crate::record::{Message, Record, RouteId, Site};
use crate::route::RouteSpec;
use crate::sink::{FileSinkSpec, RotatingFileSinkSpec, Rotation, SinkSpec, WatchedFileSinkSpec};
use crate::spawn::Spawner;
use crate::testing::{Fault, FaultFs, Operation, When};
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
        recover_locked(&directory, &|_| false).unwrap()
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

#[test]
fn a_file_has_each_line_once_wherever_its_process_is_killed() {
    let place = Place::new();
    let sink = FileSinkSpec::open(place.log("a"), FileMode::Append, &stepped(&place, 5)).unwrap();
    let engine = Engine::new(config(&place)).unwrap();
    let route = route(&engine, Arc::new(sink));
    work(&place, &engine, &[route], &[3, 1, 0, 4]);
    assert!(engine.shutdown(None).completed);
    assert_eq!(files(&place.rings()).count(), 0, "a clean end leaves nothing");
    assert_eq!(place.lines("a"), expected(8));
    place.step();
    let checked = place.check_all(|said| {
        let lines = place.lines("a");
        // One call may have been under way.
        assert!(lines == expected(said) || lines == expected(said + 1), "{said}: {lines:?}");
    });
    assert!(checked > 60, "{checked}");
}

#[test]
fn routes_and_sinks_have_each_what_is_theirs() {
    let place = Place::new();
    let fs = stepped(&place, 11);
    let open = |name: &str| -> Arc<dyn SinkSpec> {
        Arc::new(FileSinkSpec::open(place.log(name), FileMode::Append, &fs).unwrap())
    };
    let engine = Engine::new(config(&place)).unwrap();
    let (a, b) = (open("a"), open("b"));
    let [a1, a2, b] = [a.clone(), a, b].map(|sink| route(&engine, sink));
    for round in 0..3 {
        for (name, routes) in [("one", &[a1][..]), ("two", &[b]), ("three", &[b, a2])] {
            say(&place, &engine, &format!("{round} {name}"), routes);
        }
        place.step();
        assert!(engine.flush(None).is_done());
    }
    drop(engine);
    let all = |names: &[&str]| -> Vec<String> {
        (0..3).flat_map(|round| names.iter().map(move |name| format!("{round} {name}"))).collect()
    };
    place.check_all(|said| {
        let rounds = said / 3;
        for (log, names) in [("a", ["one", "three"]), ("b", ["two", "three"])] {
            let (lines, all) = (place.lines(log), all(&names));
            assert!(lines.len() >= 2 * rounds && all.starts_with(&lines), "{said}: {lines:?}");
        }
    });
}

#[test]
fn a_file_that_rotates_has_each_line_once_wherever_its_process_is_killed() {
    // Some rotations of a batch at a time, and all of the files of before gone by them.
    for backup_count in [50, 4] {
        let place = Place::new();
        let rotation = Rotation { max_bytes: 30, backup_count, rotates_empty: false };
        let fs = stepped(&place, 8);
        let sink = RotatingFileSinkSpec::open(place.log("a"), rotation, fs).unwrap();
        let engine = Engine::new(config(&place)).unwrap();
        let route = route(&engine, Arc::new(sink));
        work(&place, &engine, &[route], &[2, 9, 1, 5, 18]);
        drop(engine);
        let whole = expected(35);
        assert!(whole.ends_with(&place.lines("a")));
        place.check_all(|said| {
            let lines = place.lines("a");
            let (last, least) = (said.max(1), if backup_count == 50 { said } else { 0 });
            let is = |count: usize| whole[..count.min(35)].ends_with(&lines);
            assert!(is(said) || is(last + 1), "{said}: {lines:?}");
            assert!(lines.len() >= least, "{said}: {lines:?}");
        });
    }
}

#[test]
fn a_file_that_is_moved_away_is_found() {
    let place = Place::new();
    let sink = WatchedFileSinkSpec::open(place.log("a"), stepped(&place, 6)).unwrap();
    let engine = Engine::new(config(&place)).unwrap();
    let route = route(&engine, Arc::new(sink));
    work(&place, &engine, &[route], &[2]);
    std::fs::rename(place.log("a"), place.log("a.1")).unwrap();
    place.step();
    work(&place, &engine, &[route], &[3, 2]);
    drop(engine);
    place.check_all(|said| {
        let lines = place.lines("a");
        assert!(lines == expected(said) || lines == expected(said + 1), "{said}: {lines:?}");
    });
}

#[test]
fn the_rings_of_a_process_are_recovered_in_their_order() {
    let place = Place::new();
    let fs = stepped(&place, 7);
    let sink = FileSinkSpec::open(place.log("a"), FileMode::Append, &fs).unwrap();
    let mut engine = Engine::new(config(&place)).unwrap();
    let route = route(&engine, Arc::new(sink));
    for round in 0..3 {
        for _ in 0..3 {
            let line = format!("line {}", place.said.load(Ordering::Relaxed));
            say(&place, &engine, &line, &[route]);
        }
        place.step();
        // What is in the ring stays there, to be written before what comes next.
        engine =
            engine.successor(config(&place).capacity_bytes((64 << 10) << (round % 2))).unwrap();
        place.step();
    }
    assert!(files(&place.rings()).count() >= 2);
    assert!(engine.flush(None).is_done());
    assert_eq!(files(&place.rings()).count(), 1, "only the newest has something to say");
    drop(engine);
    place.check_all(|said| {
        let lines = place.lines("a");
        assert!(lines == expected(said) || lines == expected(said + 1), "{said}: {lines:?}");
    });
}

#[test]
fn a_disk_that_is_full_leaves_no_torn_line_and_repeats_none() {
    let place = Place::new();
    let faulty = FaultFs::new(SystemFs);
    for n in (3..60).step_by(4) {
        faulty.inject(Operation::Write, When::At(n), Fault::Error(io::ErrorKind::StorageFull));
    }
    let fs = SteppedFs { place: Arc::clone(&place), below: Arc::new(faulty), piece: 5 };
    let sink = FileSinkSpec::open(place.log("a"), FileMode::Append, &fs).unwrap();
    let engine = Engine::new(config(&place)).unwrap();
    let route = route(&engine, Arc::new(sink));
    for _ in 0..6 {
        for _ in 0..3 {
            let line = format!("line {}", place.said.load(Ordering::Relaxed));
            say(&place, &engine, &line, &[route]);
        }
        let _ = engine.flush(None);
        place.step();
    }
    drop(engine);
    place.check_all(|_| {
        let lines = place.lines("a");
        let numbers: Vec<usize> =
            lines.iter().map(|line| line.strip_prefix("line ").unwrap().parse().unwrap()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{lines:?}");
    });
}

#[test]
fn what_is_not_in_the_ring_leaves_no_torn_line_behind() {
    let place = Place::new();
    let sink =
        FileSinkSpec::open(place.log("a"), FileMode::Append, &stepped(&place, 9000)).unwrap();
    let engine = Engine::new(config(&place)).unwrap();
    let route = route(&engine, Arc::new(sink));
    work(&place, &engine, &[route], &[2]);
    let long = "x".repeat(20_000);
    say(&place, &engine, &long, &[route]);
    place.step();
    work(&place, &engine, &[route], &[2]);
    drop(engine);
    place.check_all(|said| {
        let lines = place.lines("a");
        let mut whole = expected(5);
        whole[2].clone_from(&long);
        assert!(lines == whole[..said] || lines == whole[..(said + 1).min(5)], "{said}");
    });
}

#[test]
fn a_line_of_others_behind_ours_is_left_alone() {
    let place = Place::new();
    let sink = FileSinkSpec::open(place.log("a"), FileMode::Append, &stepped(&place, 5)).unwrap();
    let engine = Engine::new(config(&place)).unwrap();
    let route = route(&engine, Arc::new(sink));
    work(&place, &engine, &[route], &[2, 3]);
    drop(engine);
    let mut moments = place.moments.lock().unwrap();
    moments.retain(|moment| moment.logs.contains_key("a"));
    for moment in moments.iter_mut() {
        if let Some((_, bytes)) = moment.logs.get_mut("a") {
            bytes.extend_from_slice(b"others\n");
        }
    }
    drop(moments);
    place.check_all(|said| {
        let lines = place.lines("a");
        let whole = expected(5);
        for line in &whole[..said] {
            assert_eq!(lines.iter().filter(|one| *one == line).count(), 1, "{said}: {lines:?}");
        }
        assert_eq!(lines.iter().filter(|line| line.ends_with("others")).count(), 1);
    });
}

#[test]
fn a_file_that_others_write_to_gets_every_line_at_least_once() {
    let place = Place::new();
    let sink = FileSinkSpec::open(place.log("a"), FileMode::Append, &stepped(&place, 500)).unwrap();
    let engine = Engine::new(config(&place)).unwrap();
    let route = route(&engine, Arc::new(sink));
    work(&place, &engine, &[route], &[2]);
    std::io::Write::write_all(
        &mut std::fs::File::options().append(true).open(place.log("a")).unwrap(),
        b"others\n",
    )
    .unwrap();
    work(&place, &engine, &[route], &[2]);
    for n in 4..7 {
        say(&place, &engine, &format!("line {n}"), &[route]);
    }
    place.step();
    let moment = place.moments.lock().unwrap().pop().unwrap();
    drop(engine);
    place.lay_out(&moment);
    let recovery = place.recover();
    assert!(!recovery.rings[0].places[0].exactly_once, "{recovery:?}");
    let lines = place.lines("a");
    assert_eq!(
        lines.iter().filter(|line| *line != "others").cloned().collect::<Vec<_>>(),
        expected(7)
    );
    let text = std::fs::read_to_string(place.log("a")).unwrap();
    assert!(text.contains("some may have been written before"), "{text}");
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

#[test]
fn a_notice_says_what_was_recovered_and_of_whom() {
    let (place, moment) = three_records();
    place.lay_out(&moment);
    let recovery = place.recover();
    assert_eq!((recovery.records(), recovery.rings.len()), (3, 1));
    assert_eq!(recovery.rings[0].outcome, RingOutcome::Recovered);
    let text = std::fs::read_to_string(place.log("a")).unwrap();
    let last = text.lines().last().unwrap();
    let process = std::process::id();
    assert_eq!(
        last,
        format!(
            "recovered 3 records of process {process}, which ended without a shutdown after \
             1970-01-01T00:00:01.000Z"
        )
    );
    assert_eq!(place.recover(), Recovery::default(), "the ring is gone");
}

#[test]
fn a_living_process_keeps_its_ring() {
    let (place, moment) = three_records();
    place.lay_out(&moment);
    let directory = Directory::open(&place.rings(), false).unwrap();
    let recovery = recover_locked(&directory, &super::process::lives).unwrap();
    assert_eq!(recovery.rings[0].outcome, RingOutcome::Alive);
    assert_eq!(std::fs::read(place.log("a")).unwrap(), b"");
    assert_eq!(files(&place.rings()).count(), 1);
}

#[test]
fn a_ring_that_is_cut_anywhere_is_refused_and_left() {
    let (place, moment) = three_records();
    let (name, bytes) = moment.rings.first_key_value().unwrap();
    let mut cuts = vec![0, 1, 135, 136, 4095, 4096, bytes.len() / 2, bytes.len() - 1];
    cuts.extend((8192..bytes.len()).step_by(40_000));
    for cut in cuts {
        let mut torn = moment.clone();
        torn.rings.insert(name.clone(), bytes[..cut].to_vec());
        place.lay_out(&torn);
        let recovery = place.recover();
        assert!(matches!(recovery.rings[0].outcome, RingOutcome::Refused(_)), "{cut}");
        assert_eq!(recovery.problems().count(), 1);
        assert_eq!(std::fs::read(place.log("a")).unwrap(), b"");
        assert_eq!(files(&place.rings()).count(), 1, "what cannot be read is not thrown away");
    }
}

#[test]
fn a_damage_in_the_ring_costs_what_is_behind_it_and_the_file_is_kept() {
    let (place, mut moment) = three_records();
    let bytes = moment.rings.first_entry().unwrap().into_mut();
    let at = bytes.windows(6).position(|text| text == b"line 1").unwrap();
    // The word in front of the second record.
    let word = bytes[..at].windows(4).rposition(|word| word == b"\x02\x00\x62\x6c").unwrap();
    bytes[word] ^= 0x80;
    place.lay_out(&moment);
    let recovery = place.recover();
    assert_eq!(recovery.records(), 1);
    assert!(recovery.rings[0].damaged_at.is_some());
    assert_eq!(place.lines("a"), ["line 0"]);
    let kept: Vec<_> = files(&place.rings()).map(|(name, _)| name).collect();
    assert!(kept.len() == 1 && kept[0].ends_with(".damaged"), "{kept:?}");
    assert_eq!(place.recover(), Recovery::default(), "and not recovered again");
}

#[test]
fn whatever_bit_is_turned_nothing_but_the_log_is_touched() {
    let (place, moment) = three_records();
    let (name, bytes) = moment.rings.first_key_value().unwrap();
    let used: Vec<_> = (0..bytes.len()).filter(|&at| bytes[at] != 0).collect();
    for (turn, at) in used.into_iter().enumerate() {
        let mut turned = moment.clone();
        turned.rings.get_mut(name).unwrap()[at] ^= 1 << (turn % 8);
        place.lay_out(&turned);
        let recovery = place.recover();
        assert_eq!(recovery.rings.len(), 1);
        let logs: Vec<_> = files(&place.root.join("logs")).map(|(name, _)| name).collect();
        assert_eq!(logs, ["a"], "byte {at}");
        assert!(place.lines("a").len() <= 3, "byte {at}");
    }
}

#[test]
fn links_strangers_and_open_files_are_refused() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let (place, moment) = three_records();
    let (name, bytes) = moment.rings.first_key_value().unwrap();
    let ring = place.rings().join(name);
    let refused = |why: &str| {
        let recovery = place.recover();
        let told = recovery.problems().collect::<Vec<_>>().join("\n");
        assert!(told.contains(why), "{told:?}");
        assert_eq!(place.lines("a"), Vec::<String>::new());
    };
    place.lay_out(&moment);
    std::fs::set_permissions(&ring, std::fs::Permissions::from_mode(0o640)).unwrap();
    refused("0600");
    place.lay_out(&moment);
    std::fs::hard_link(&ring, place.root.join("other")).unwrap();
    refused("more names");
    std::fs::remove_file(&ring).unwrap();
    std::fs::write(place.root.join("elsewhere"), bytes).unwrap();
    symlink(place.root.join("elsewhere"), &ring).unwrap();
    refused("refused");
    std::fs::remove_file(&ring).unwrap();
    std::fs::create_dir(&ring).unwrap();
    refused("refused");
    std::fs::remove_dir(&ring).unwrap();
    let mut foreign = moment.clone();
    foreign.rings.insert(name.clone(), b"#!/bin/sh\n".repeat(100));
    place.lay_out(&foreign);
    refused("not the memory of a ring");
    // A link to the directory, and one that others may write to.
    let link = place.root.join("link");
    symlink(place.rings(), &link).unwrap();
    assert!(crate::durable::recover(&link).unwrap_err().to_string().contains("no link"));
    std::fs::set_permissions(place.rings(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let error = Engine::new(config(&place)).unwrap_err().to_string();
    assert!(error.contains("nobody else may write to"), "{error}");
}

#[test]
fn what_nobody_finished_making_is_removed_once_its_maker_is_gone() {
    let place = Place::new();
    let this = super::process::this(0, 0);
    let mine = format!("{}-{}-{}-7-1.new", this.process, this.started, this.space);
    let gone = format!("{}-{}-{}-7-1.new", this.process, this.started + 1, this.space);
    for name in [&mine, &gone, &"notes.txt".to_owned()] {
        let directory = Directory::open(&place.rings(), false).unwrap();
        drop(directory.make(name).unwrap());
    }
    assert_eq!(place.recover(), Recovery::default());
    let mut left: Vec<_> = files(&place.rings()).map(|(name, _)| name).collect();
    left.sort();
    assert_eq!(left, [mine, "notes.txt".into()]);
}
