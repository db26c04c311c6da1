//! Sinks by the place they lead to, so that handlers on one place share one.
//!
//! The engine keeps the order of lines within a sink. Two handlers on the standard output, or on one
//! file that both append to, are given the same sink, so that their lines come in the order of the
//! calls, as the standard library would write them.

use crate::ffi;
use logboom::sink::{FileSinkSpec, SinkSpec, StdioSinkSpec};
use pyo3::prelude::*;
use std::collections::HashMap;
use std::fs::File;
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
    let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(shared) = files.get(&identity).and_then(Weak::upgrade) {
        return Ok(shared);
    }
    files.retain(|_, spec| spec.strong_count() > 0);
    let spec = Arc::new(FileSinkSpec::from_file(name, file));
    files.insert(identity, Arc::downgrade(&spec));
    Ok(spec)
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
