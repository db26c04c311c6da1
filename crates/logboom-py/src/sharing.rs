//! Files that several processes write to: what a handler says of one, and rotation at its request.

use crate::ffi::signals::QuietSpawner;
use logboom::fs::SystemFs;
use logboom::sink::{
    Compression, Naming, Retention, Rotation, Sharing, compress_shared, rotate_shared,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A dictionary with these keys, as `_shared.py` makes it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Shares {
    max_bytes: u64,
    backup_count: u32,
    rotates_empty: bool,
    dated: bool,
    max_total_bytes: Option<u64>,
    max_age: Option<f64>,
    compress: Option<String>,
}

impl Shares {
    /// # Errors
    /// `ValueError` for what the handler should have refused.
    pub(crate) fn sharing(self) -> PyResult<Sharing> {
        let wrong = |what: String| PyValueError::new_err(what);
        let max_age = self.max_age.map(Duration::try_from_secs_f64).transpose();
        let compression = match self.compress.as_deref() {
            None => None,
            Some("gzip") => Some(Compression::Gzip),
            Some("zstd") => Some(Compression::Zstd),
            Some(other) => {
                return Err(wrong(format!(
                    "invalid `compress`: got {other:?}, expected `gzip` or `zstd`"
                )));
            }
        };
        Ok(Sharing {
            rotation: Rotation {
                max_bytes: self.max_bytes,
                backup_count: self.backup_count,
                rotates_empty: self.rotates_empty,
            },
            retention: Retention {
                max_total_bytes: self.max_total_bytes,
                max_age: max_age.map_err(|error| wrong(format!("invalid `max_age`: {error}")))?,
            },
            naming: if self.dated { Naming::Dates } else { Naming::Numbers },
            compression,
        })
    }
}

/// Rotates a shared file now, on this thread; the caller holds its lock.
#[pyfunction]
pub(crate) fn rotate_shared_file(py: Python<'_>, path: PathBuf, shares: Shares) -> PyResult<()> {
    let sharing = shares.sharing()?;
    Ok(py.detach(|| rotate_shared(path, &sharing, SystemFs))?)
}

/// Has the old files of a shared file compressed; does not wait for it.
#[pyfunction]
pub(crate) fn compress_shared_file(path: PathBuf, shares: Shares) -> PyResult<()> {
    Ok(compress_shared(path, &shares.sharing()?, SystemFs, Arc::new(QuietSpawner))?)
}
