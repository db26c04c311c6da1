//! Sinks by the place they lead to, so that handlers on one place share one.
//!
//! The engine keeps the order of lines within a sink. Two handlers on the standard output, or on one
//! file that both append to, are given the same sink, so that their lines come in the order of the
//! calls, as the standard library would write them.

use crate::ffi;
use crate::ffi::signals::QuietSpawner;
use logboom::fs::Metadata;
use logboom::sink::{
    FileSinkSpec, RotatingFileSinkSpec, Rotation, SharedFileSinkSpec, Sharing, SinkSpec,
    StdioSinkSpec, Turns, WatchedFileSinkSpec,
};
use pyo3::prelude::*;
use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

/// A device and an inode.
type Identity = (u64, u64);

static FILES: LazyLock<Mutex<HashMap<Identity, Weak<FileSinkSpec>>>> =
    LazyLock::new(Mutex::default);
static STDOUT: LazyLock<Arc<StdioSinkSpec>> = LazyLock::new(|| Arc::new(StdioSinkSpec::stdout()));
static STDERR: LazyLock<Arc<StdioSinkSpec>> = LazyLock::new(|| Arc::new(StdioSinkSpec::stderr()));

/// The sink on descriptor 1.
pub(crate) fn stdout() -> Arc<dyn SinkSpec> {
    STDOUT.clone()
}

/// The sink on descriptor 2.
pub(crate) fn stderr() -> Arc<dyn SinkSpec> {
    STDERR.clone()
}

/// The sink on the file that this descriptor, which is given up to it, leads to: the one there is, if
/// both append, or a new one.
///
/// # Errors
/// `ValueError` for a negative number.
pub(crate) fn file(name: &str, descriptor: i32) -> PyResult<Arc<dyn SinkSpec>> {
    let file = ffi::adopt_descriptor(descriptor)?;
    let Some(identity) = appended(&file) else {
        return Ok(Arc::new(FileSinkSpec::from_file(name, file)));
    };
    let spec = shared(&FILES, identity, |_| true, || FileSinkSpec::from_file(name, file));
    Ok(spec)
}

/// What a sink on a file of this name was made for.
type Purpose = (PathBuf, Rotation);

static ROTATING: LazyLock<Mutex<HashMap<Purpose, Weak<RotatingFileSinkSpec>>>> =
    LazyLock::new(Mutex::default);
static WATCHED: LazyLock<Mutex<HashMap<PathBuf, Weak<WatchedFileSinkSpec>>>> =
    LazyLock::new(Mutex::default);

/// A sink that may go on to another file, how often it did, and the count at which it was at the file
/// that the descriptor leads to.
pub(crate) type Moving = (Arc<dyn SinkSpec>, Turns, u64);

/// The sink that rotates the file of this name, which the descriptor leads to: the one there is, if
/// it writes to that very file by the same rules, or a new one. The descriptor is given up.
///
/// # Errors
/// `ValueError` for a negative number.
pub(crate) fn rotating(path: PathBuf, rotation: Rotation, descriptor: i32) -> PyResult<Moving> {
    let file = ffi::adopt_descriptor(descriptor)?;
    let metadata = file.metadata().map(Metadata::from)?;
    let is_at = |spec: &RotatingFileSinkSpec| spec.is_at(&metadata);
    let spec = shared(&ROTATING, (path.clone(), rotation), is_at, || {
        RotatingFileSinkSpec::from_file(path, rotation, file)
    });
    let (turns, then) = count(spec.turns(), || is_at(&spec));
    Ok((spec, turns, then))
}

/// What a sink on a file that processes share was made for.
type Agreement = (PathBuf, Sharing);

static SHARED: LazyLock<Mutex<HashMap<Agreement, Weak<SharedFileSinkSpec>>>> =
    LazyLock::new(Mutex::default);

/// The sink that writes to the file of this name in turns with other processes, in the same way.
///
/// # Errors
/// `ValueError` for a negative number.
pub(crate) fn shared_with_others(
    path: PathBuf,
    sharing: Sharing,
    descriptor: i32,
) -> PyResult<Moving> {
    let file = ffi::adopt_descriptor(descriptor)?;
    let metadata = file.metadata().map(Metadata::from)?;
    let is_at = |spec: &SharedFileSinkSpec| spec.is_at(&metadata);
    let spec = shared(&SHARED, (path.clone(), sharing), is_at, || {
        SharedFileSinkSpec::from_file(path, sharing, file, Arc::new(QuietSpawner))
    });
    let (turns, then) = count(spec.turns(), || is_at(&spec));
    Ok((spec, turns, then))
}

/// The sink that follows the file of this name, in the same way.
///
/// # Errors
/// `ValueError` for a negative number.
pub(crate) fn watched(path: PathBuf, descriptor: i32) -> PyResult<Moving> {
    let file = ffi::adopt_descriptor(descriptor)?;
    let metadata = file.metadata().map(Metadata::from)?;
    let is_at = |spec: &WatchedFileSinkSpec| spec.is_at(&metadata);
    let spec = shared(&WATCHED, path.clone(), is_at, || WatchedFileSinkSpec::from_file(path, file));
    let (turns, then) = count(spec.turns(), || is_at(&spec));
    Ok((spec, turns, then))
}

/// The count now if the sink is still there; else one that no longer holds.
fn count(turns: Turns, is_there: impl FnOnce() -> bool) -> (Turns, u64) {
    let now = turns.get();
    (turns, if is_there() { now } else { now.wrapping_sub(1) })
}

/// The spec of this purpose, if there is one that `fits`, or a new one.
fn shared<K: std::hash::Hash + Eq, S>(
    specs: &Mutex<HashMap<K, Weak<S>>>,
    purpose: K,
    fits: impl Fn(&S) -> bool,
    make: impl FnOnce() -> S,
) -> Arc<S> {
    let mut specs = specs.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(spec) = specs.get(&purpose).and_then(Weak::upgrade).filter(|spec| fits(spec)) {
        return spec;
    }
    specs.retain(|_, spec| spec.strong_count() > 0);
    let spec = Arc::new(make());
    specs.insert(purpose, Arc::downgrade(&spec));
    spec
}

/// Which file it is, if it is one that everything written to is appended to.
#[cfg(unix)]
fn appended(file: &File) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = file.metadata().ok()?;
    (metadata.is_file() && ffi::appends(file)).then(|| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn appended(_: &File) -> Option<Identity> {
    None
}
