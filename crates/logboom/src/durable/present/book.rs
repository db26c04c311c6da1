//! What is kept beside a durable ring while its process lives.
//!
//! Invariants:
//! 1. A route is told before its first record and forgotten after its last one was released; who
//!    enters one, or has one leave, holds the engine's gate, but for the making of a child's.
//! 2. A sink's slot is the same for all routes that share the sink, and is not given to another before
//!    the last of them has left.
//! 3. The file has its final name only once its head is whole and its owner's lock holds. It is removed
//!    when the ring is drained for good, and by nobody else while this process lives.

use super::directory::Directory;
use super::{note, plan, process};
use crate::blueprint::{Blueprint, Parts};
use crate::config::Config;
use crate::error::{ConfigError, Error};
use crate::record::{RouteId, TextId};
use crate::route::RouteSpec;
use crate::sink::Place;
use logboom_ring::{CellGroup, Cells, FileRing, Owner, Ring, Room, Table, lock_as_owner};
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The groups of cells, in their order in the file.
pub(super) const ROUTES: usize = 0;
pub(super) const SINKS: usize = 1;
pub(super) const STATE: usize = 2;

const GROUPS: [CellGroup; 3] = [
    CellGroup { count: 1024, value_bytes: 24 },
    CellGroup { count: 128, value_bytes: note::NOTE_BYTES },
    CellGroup { count: 1, value_bytes: 16 },
];

/// What a route's cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RouteCell {
    pub(super) route: RouteId,
    /// The text that tells it; `None` where the table had no room.
    pub(super) text: Option<TextId>,
    /// Where its sink's note is; `None` where there was no place.
    pub(super) slot: Option<usize>,
}

impl RouteCell {
    fn encode(self) -> Blueprint {
        Blueprint::default()
            .number(self.route.0.into())
            .number(self.text.map_or(0, |text| text.get().into()))
            .number(self.slot.map_or(u64::MAX, |slot| slot as u64))
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<RouteCell> {
        let mut parts = Parts::of(bytes);
        let route = RouteId(u32::try_from(parts.number()?).ok()?);
        let text = TextId::new(u32::try_from(parts.number()?).ok()?);
        let slot = usize::try_from(parts.number()?).ok();
        let slot = slot.filter(|&slot| slot < GROUPS[SINKS].count as usize);
        Some(RouteCell { route, text, slot })
    }
}

/// What holds for the ring as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// The writer is giving something to sinks that is not in the ring.
    pub(super) beside: bool,
    /// Some route found no place.
    pub(super) unplaced: bool,
}

impl State {
    fn encode(self) -> Blueprint {
        Blueprint::default().number(self.beside.into()).number(self.unplaced.into())
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<State> {
        let mut parts = Parts::of(bytes);
        Some(State { beside: parts.truth()?, unplaced: parts.truth()? })
    }
}

/// The file of a ring, and what is told in it.
pub(crate) struct Book {
    number: u32,
    name: String,
    file: Mutex<Option<Kept>>,
    room: Room,
    /// The file is gone; nothing more is told.
    removed: AtomicBool,
    cells: [Cells; 3],
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    /// The cell of each route, and the key of its sink.
    routes: HashMap<RouteId, (usize, usize)>,
    free_routes: Vec<usize>,
    /// The slot of each sink, by [`RouteSpec::sink_key`], and how many routes lead there.
    sinks: HashMap<usize, (usize, usize)>,
    free_sinks: Vec<usize>,
    state: State,
}

/// Where the file is, and the file, which holds the owner's lock.
struct Kept {
    directory: Directory,
    file: File,
    identity: Option<(u64, u64)>,
}

/// Which file a descriptor leads to.
fn identity(file: &File) -> Option<(u64, u64)> {
    file.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

impl Kept {
    fn remove(self, name: &str) {
        // Somebody may have removed the file already, or the whole directory.
        if self.is_there() {
            let _ = self.directory.remove(name);
        } else if let Ok(directory) = Directory::open(self.directory.path(), false) {
            let _ = directory.remove(name);
        }
        self.close();
    }

    /// Whether the descriptors are what they were: a daemon closes all that it does not know, and their
    /// numbers are given to other files then.
    fn is_there(&self) -> bool {
        self.identity.is_some()
            && identity(&self.file) == self.identity
            && self.directory.is_there()
    }

    fn close(self) {
        if !self.is_there() {
            std::mem::forget(self);
        }
    }
}

impl Drop for Book {
    fn drop(&mut self) {
        if let Some(kept) = self.file().take() {
            kept.close();
        }
    }
}

impl Book {
    /// Makes a ring in a file of its own in `directory`, which is made where there is none; with the
    /// texts of `table`, if there is one. On the caller's thread.
    pub(crate) fn make(
        directory: &Path,
        config: &Config,
        table: Option<&Table>,
    ) -> Result<(Ring, Book), Error> {
        static NUMBERS: AtomicU32 = AtomicU32::new(1);
        let path = directory;
        let directory = Directory::open(path, true)?;
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let owner = process::this(config.clock.now_ns(), number);
        if owner.started == 0 {
            let why = "nothing: `/proc` does not tell when this process was started";
            return Err(ConfigError::new("durable", path, why.into()).into());
        }
        let Owner { process: pid, started, space, .. } = owner;
        let stem = format!("{pid}-{started}-{space}-{}-{number}", process::image());
        let (made, name) = (format!("{stem}.new"), format!("{stem}.ring"));
        let refused = |what: &str, error: &dyn fmt::Display| {
            Error::from(ConfigError::new("durable", path, format!("{what}: {error}")))
        };
        let file = directory
            .make(&made)
            .map_err(|error| refused("a directory where files can be made", &error))?;
        let filled = fill(&file, &owner, config, table).and_then(|ring| {
            directory.rename(&made, &name)?;
            Ok(ring)
        });
        let ring = filled.map_err(|error| {
            let _ = directory.remove(&made);
            refused("a directory with room for the ring", &error)
        })?;
        let FileRing { ring, cells, room } = ring;
        let Ok(cells) = <[Cells; 3]>::try_from(cells) else { unreachable!("as many as asked for") };
        let places = Places {
            free_routes: (0..cells[ROUTES].count()).rev().collect(),
            free_sinks: (0..cells[SINKS].count()).rev().collect(),
            ..Places::default()
        };
        let book = Book {
            number,
            name,
            file: Mutex::new(Some(Kept { identity: identity(&file), directory, file })),
            room,
            removed: AtomicBool::new(false),
            cells,
            places: Mutex::new(places),
        };
        Ok((ring, book))
    }

    /// Tells this book from every other of the process.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Tells a route. `intern` gives the id of a text in the ring's table.
    pub(crate) fn enter(
        &self,
        route: RouteId,
        spec: &RouteSpec,
        intern: impl FnOnce(&[u8]) -> Option<TextId>,
    ) {
        if self.is_removed() {
            return;
        }
        let text = intern(&plan::encode(spec));
        let mut places = self.places();
        let key = spec.sink_key();
        let places = &mut *places;
        let Some(cell) = places.free_routes.pop() else {
            places.state.unplaced = true;
            return self.show(places.state);
        };
        if !places.sinks.contains_key(&key)
            && let Some(slot) = places.free_sinks.pop()
        {
            self.cells[SINKS].store(slot, &[]);
            places.sinks.insert(key, (slot, 0));
        }
        let slot = places.sinks.get_mut(&key).map(|(slot, routes)| {
            *routes += 1;
            *slot
        });
        places.routes.insert(route, (cell, key));
        self.cells[ROUTES].store(cell, RouteCell { route, text, slot }.encode().as_bytes());
    }

    /// Forgets a route, all of whose records are released.
    pub(crate) fn leave(&self, route: RouteId) {
        let mut places = self.places();
        let Some((cell, key)) = places.routes.remove(&route) else { return };
        if self.is_removed() {
            return;
        }
        self.cells[ROUTES].store(cell, &[]);
        places.free_routes.push(cell);
        if let Some((slot, routes)) = places.sinks.get_mut(&key) {
            *routes -= 1;
            if *routes == 0 {
                let slot = *slot;
                places.sinks.remove(&key);
                places.free_sinks.push(slot);
            }
        }
    }

    /// Notes where the sink of this key is, with everything before `position` of the ring given to it.
    pub(crate) fn note(&self, key: usize, position: u64, place: &Place<'_>, shared: bool) {
        let slot = self.places().sinks.get(&key).map(|(slot, _)| *slot);
        if let Some(slot) = slot.filter(|_| !self.is_removed()) {
            self.cells[SINKS].store(slot, note::encode(position, place, shared).as_bytes());
        }
    }

    /// Says whether the writer is giving something to sinks that is not in the ring.
    pub(crate) fn set_beside(&self, beside: bool) {
        let mut places = self.places();
        if places.state.beside != beside && !self.is_removed() {
            places.state.beside = beside;
            self.show(places.state);
        }
    }

    fn show(&self, state: State) {
        self.cells[STATE].store(0, state.encode().as_bytes());
    }

    /// Removes the file: the ring is drained for good.
    pub(crate) fn remove(&self) {
        self.removed.store(true, Ordering::Release);
        if let Some(kept) = self.file().take() {
            kept.remove(&self.name);
            // A handle that somebody keeps keeps the mapping, and with it the file's memory.
            self.room.give_back();
        }
    }

    fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }

    /// Closes what a forked child has of its parent's file. Waits for no lock.
    pub(crate) fn forget_in_child(&self) {
        if let Ok(mut file) = self.file.try_lock()
            && let Some(kept) = file.take()
        {
            kept.close();
        }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self) -> MutexGuard<'_, Option<Kept>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Makes the ring in a new file, and the file this process' own.
fn fill(
    file: &File,
    owner: &Owner,
    config: &Config,
    table: Option<&Table>,
) -> io::Result<FileRing> {
    if !lock_as_owner(file)? {
        return Err(io::Error::other("somebody else has locked the new file"));
    }
    let capacity = config.capacity_bytes;
    match table {
        None => Ring::in_file(file, owner, &GROUPS, capacity, config.table_bytes),
        Some(table) => Ring::in_file_with_table(file, owner, &GROUPS, capacity, table),
    }
    .map_err(io::Error::other)
}
