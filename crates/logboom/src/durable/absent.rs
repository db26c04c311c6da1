//! What stands for the durable ring where there is none.

use super::Recovery;
use crate::config::Config;
use crate::error::{ConfigError, Error};
use crate::record::RouteId;
use crate::route::RouteSpec;
use crate::sink::Place;
use logboom_ring::{Ring, Table};
use std::path::{Path, PathBuf};

/// There is none.
#[derive(Debug)]
pub(crate) enum Book {}

impl Book {
    pub(crate) fn make(
        directory: &Path,
        _: &Config,
        _: Option<&Table>,
    ) -> Result<(Ring, Book), Error> {
        Err(refusal(directory))
    }

    pub(crate) fn number(&self) -> u32 {
        match *self {}
    }

    pub(crate) fn enter(
        &self,
        _: RouteId,
        _: &RouteSpec,
        _: impl FnOnce(&[u8]) -> Option<crate::record::TextId>,
    ) {
        match *self {}
    }

    pub(crate) fn leave(&self, _: RouteId) {
        match *self {}
    }

    pub(crate) fn note(&self, _: usize, _: u64, _: &Place<'_>, _: bool) {
        match *self {}
    }

    pub(crate) fn set_beside(&self, _: bool) {
        match *self {}
    }

    pub(crate) fn remove(&self) {
        match *self {}
    }

    pub(crate) fn forget_in_child(&self) {
        match *self {}
    }
}

/// See the module of the same name on Linux: there is none here.
pub fn default_directory() -> Option<PathBuf> {
    None
}

/// See the module of the same name on Linux.
///
/// # Errors
/// Always.
pub fn recover(directory: &Path) -> Result<Recovery, Error> {
    Err(refusal(directory))
}

/// The same.
///
/// # Errors
/// Always.
pub fn recover_redacted(
    directory: &Path,
    _: &std::sync::Arc<crate::redact::Redaction>,
) -> Result<Recovery, Error> {
    recover(directory)
}

/// Refuses a directory that was asked for.
pub(crate) fn recover_at_start(config: &Config) -> Result<(), Error> {
    config.durable.as_deref().map_or(Ok(()), |directory| Err(refusal(directory)))
}

pub(crate) fn recover_in_child(_: &Config) {}

fn refusal(directory: &Path) -> Error {
    ConfigError::new("durable", &directory, "nothing: rings lie in files on Linux only".into())
        .into()
}
