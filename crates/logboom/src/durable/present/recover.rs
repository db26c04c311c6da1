//! Recovering a directory: which rings there are, whose, and what is done with each.
//!
//! Invariants:
//! 1. One recovers a directory at a time, within a process too. Who comes second waits.
//! 2. A ring is read only with its lock, after its owner was found dead, and is removed only by who
//!    holds the lock and still finds the file under its name.
//! 3. Rings are recovered in the order in which they were made, so that those of one process come in
//!    the order of its records.
//! 4. A ring whose records cannot all be written stays. What of them stands in files is found there the
//!    next time.

use super::book::{ROUTES, SINKS, STATE};
use super::directory::Directory;
use super::{process, replay};
use crate::config::Config;
use crate::durable::{RecoveredRing, Recovery, RingOutcome};
use crate::error::{ConfigError, Error};
use crate::redact::Redaction;
use logboom_ring::{FileContents, Owner, load_file, lock_as_recoverer, read_file, read_owner};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for another that recovers the same directory.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes what dead processes left in the rings of a directory: to the files it was meant for, in
/// order, with the original times, and behind it a notice. Nothing is done with rings of processes that
/// live. On the caller's thread; waits up to a minute while another process recovers the directory.
///
/// # Errors
/// If the directory is missing, or is not this user's alone. What is wrong with a single ring is in the
/// report.
pub fn recover(directory: &Path) -> Result<Recovery, Error> {
    recover_redacted(directory, &Arc::default())
}

/// The same, with what the engines of the directory redacted. A recovery that redacts otherwise than the
/// dead process did does not find the end of what that had written, and writes a line a second time.
///
/// # Errors
/// As above.
pub fn recover_redacted(directory: &Path, redaction: &Arc<Redaction>) -> Result<Recovery, Error> {
    let refused = |why: &str| Error::from(ConfigError::new("durable", directory, why.to_owned()));
    let open = Directory::open(directory, false)?;
    match open.lock(PATIENCE) {
        Ok(true) => {}
        Ok(false) => return Err(refused("a directory that nobody else recovers")),
        Err(error) => return Err(refused(&format!("a directory that can be locked: {error}"))),
    }
    let recovery = recover_locked(&open, &process::lives, redaction);
    open.unlock();
    recovery.map_err(|error| refused(&format!("a directory that can be read: {error}")))
}

/// The same in a forked child, which is a start like any other, but waits for nobody: who recovers the
/// directory at this moment does it. So a server that gets new workers from its parent recovers what the
/// old ones left, and what short-lived children leave does not pile up.
pub(crate) fn recover_in_child(config: &Config) {
    let Some(directory) = &config.durable else { return };
    let Ok(open) = Directory::open(directory, false) else { return };
    if !open.lock(Duration::ZERO).unwrap_or(false) {
        return;
    }
    let recovery = recover_locked(&open, &process::lives, &config.redaction);
    open.unlock();
    for problem in recovery.unwrap_or_default().problems() {
        config.reporter.report(&problem);
    }
}

/// A ring that was found.
struct Found {
    name: String,
    state: State,
}

enum State {
    Dead(File, Owner),
    Alive(u32),
    Refused(String),
}

/// With the directory locked.
pub(crate) fn recover_locked(
    directory: &Directory,
    lives: &dyn Fn(&Owner) -> bool,
    redaction: &Arc<Redaction>,
) -> io::Result<Recovery> {
    let rings =
        find(directory, lives)?.into_iter().map(|found| one(directory, found, redaction)).collect();
    Ok(Recovery { rings })
}

/// The rings of a directory, the oldest first. Removes what nobody finished making.
fn find(directory: &Directory, lives: &dyn Fn(&Owner) -> bool) -> io::Result<Vec<Found>> {
    let mut rings = Vec::new();
    for name in directory.names()? {
        if directory.is_anothers(&name) {
            // Theirs to recover, and not ours to complain about.
            continue;
        }
        if name.ends_with(".new") {
            discard_unfinished(directory, &name);
        } else if name.ends_with(".ring") {
            let state = match look(directory, &name, lives) {
                Ok(state) => state,
                // Somebody removed it since it was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => State::Refused(error.to_string()),
            };
            rings.push(Found { name, state });
        }
    }
    rings.sort_by_key(|found| match &found.state {
        State::Dead(_, owner) => (owner.created_ns, owner.number),
        _ => (i64::MAX, 0),
    });
    Ok(rings)
}

/// The process that a name tells, with its start and the space of its number, and its image.
fn named(name: &str) -> Option<((u32, u64, u64), u64)> {
    let mut parts = name.split_once('.')?.0.split('-');
    let mut next = || parts.next()?.parse().ok();
    Some(((u32::try_from(next()?).ok()?, next()?, next()?), next()?))
}

/// Looks whose a ring is. One of our own is not opened: to close it again would give our lock up. One
/// that this process made before it became another program, by `exec`, has lost its owner.
fn look(directory: &Directory, name: &str, lives: &dyn Fn(&Owner) -> bool) -> io::Result<State> {
    let this = process::this(0, 0);
    let named = named(name);
    let is_this = named.is_some_and(|named| named.0 == (this.process, this.started, this.space));
    if is_this && named.is_some_and(|named| named.1 == process::image()) && lives(&this) {
        return Ok(State::Alive(this.process));
    }
    let file = directory.open_file(name)?;
    let owner = read_owner(&head(&file)?).map_err(io::Error::other)?;
    let is_before = is_this && (owner.process, owner.started) == (this.process, this.started);
    if !lock_as_recoverer(&file)? || (!is_before && lives(&owner)) {
        return Ok(State::Alive(owner.process));
    }
    Ok(State::Dead(file, owner))
}

fn discard_unfinished(directory: &Directory, name: &str) {
    let this = process::this(0, 0);
    let Some(((process, started, space), _)) = named(name) else { return };
    if process::lives(&Owner { process, started, space, ..this }) {
        return;
    }
    let Ok(file) = directory.open_file(name) else { return };
    if lock_as_recoverer(&file).unwrap_or(false) && directory.leads_to(name, &file) {
        let _ = directory.remove(name);
    }
}

/// Recovers one ring.
fn one(directory: &Directory, found: Found, redaction: &Arc<Redaction>) -> RecoveredRing {
    let mut report = RecoveredRing {
        file: found.name,
        process: 0,
        outcome: RingOutcome::Empty,
        places: Vec::new(),
        failed: 0,
        unfinished: 0,
        damaged_at: None,
    };
    let (file, owner) = match found.state {
        State::Dead(file, owner) => (file, owner),
        State::Alive(process) => {
            report.process = process;
            report.outcome = RingOutcome::Alive;
            return report;
        }
        State::Refused(why) => {
            report.outcome = RingOutcome::Refused(why);
            return report;
        }
    };
    report.process = owner.process;
    let bytes = match load_file(&file) {
        Ok(bytes) => bytes,
        Err(error) => {
            report.outcome = RingOutcome::Failed(error.to_string());
            return report;
        }
    };
    let contents = match read_file(&bytes) {
        Ok(contents) => contents,
        Err(error) => {
            report.outcome = RingOutcome::Refused(error.to_string());
            return report;
        }
    };
    let replayed = replay::read(&contents, redaction);
    report.failed = replayed.failed;
    report.unfinished = replayed.unfinished;
    report.damaged_at = replayed.damaged_at;
    let keep = |slot: usize, note: &[u8]| contents.replace_cell(&file, SINKS, slot, note);
    match replayed.write(directory, &owner, &keep, &mut report.places) {
        Err(why) => report.outcome = RingOutcome::Failed(why),
        Ok(()) => {
            if replayed.records > 0 || report.damaged_at.is_some() {
                report.outcome = RingOutcome::Recovered;
            }
            if let Err(error) = finish(directory, &report, &file) {
                report.outcome = RingOutcome::Failed(error.to_string());
            }
        }
    }
    report
}

/// Has the file gone, or kept under another name where a part of it could not be read.
fn finish(directory: &Directory, report: &RecoveredRing, file: &File) -> io::Result<()> {
    if !directory.leads_to(&report.file, file) {
        return Ok(());
    }
    if report.damaged_at.is_none() {
        return directory.remove(&report.file);
    }
    let kept = format!("{}.damaged", report.file.trim_end_matches(".ring"));
    directory.rename(&report.file, &kept)
}

fn head(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(4096).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads these bytes as recovery would, and writes nothing; gives how many frames it would write. For
/// fuzzing.
#[doc(hidden)]
pub fn read_as_recovery(bytes: &[u8]) -> Option<usize> {
    let contents: FileContents<'_> = read_file(bytes).ok()?;
    for group in [ROUTES, SINKS, STATE] {
        contents.cells(group).for_each(drop);
    }
    Some(replay::read(&contents, &Arc::default()).frames())
}

/// What a start does with the directory that its ring will lie in. Tells the reporter what it could not
/// recover.
pub(crate) fn recover_at_start(config: &Config) -> Result<(), Error> {
    let Some(directory) = &config.durable else { return Ok(()) };
    // Made here, so that who may not have it learns so before anything is changed.
    Directory::open(directory, true)?;
    for problem in recover_redacted(directory, &config.redaction)?.problems() {
        config.reporter.report(&problem);
    }
    Ok(())
}
