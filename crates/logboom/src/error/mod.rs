//! The one error of the engine. Opaque; the reasons are private, one module for each part that
//! can refuse something.
//!
//! Messages are lower case, without a full stop, and say what was given and what is expected:
//! ``invalid `capacity_bytes`: got 0, expected 65536 to 17179869184``.

mod config;
mod engine;
mod route;

pub(crate) use self::config::ConfigError;
pub(crate) use self::engine::EngineError;
pub(crate) use self::route::RouteError;

use std::fmt;
use std::io;

/// Why the engine refused to be built, changed or given a route.
///
/// Submitting never returns it: what becomes of a record is an
/// [`Outcome`](crate::engine::Outcome).
pub struct Error(Box<Reason>);

#[derive(Debug)]
enum Reason {
    Config(ConfigError),
    Route(RouteError),
    Engine(EngineError),
}

/// What kind of mistake it is, for whoever maps it to an error of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value that was given is out of its bounds.
    Invalid,
    /// The system refused: a sink cannot be opened, memory cannot be had.
    Io,
    /// The engine is in a state in which this cannot be done.
    State,
}

impl Error {
    /// What kind of mistake it is.
    pub fn kind(&self) -> ErrorKind {
        match &*self.0 {
            Reason::Config(_) => ErrorKind::Invalid,
            Reason::Route(RouteError::Open { .. }) => ErrorKind::Io,
            Reason::Route(RouteError::TooMany) => ErrorKind::State,
            Reason::Engine(EngineError::Memory(_)) => ErrorKind::Io,
            Reason::Engine(_) => ErrorKind::State,
        }
    }

    /// The system's error behind it, where there is one.
    pub fn io_error(&self) -> Option<&io::Error> {
        match &*self.0 {
            Reason::Route(RouteError::Open { error, .. }) => Some(error),
            _ => None,
        }
    }
}

impl From<ConfigError> for Error {
    #[cold]
    fn from(error: ConfigError) -> Self {
        Error(Box::new(Reason::Config(error)))
    }
}

impl From<RouteError> for Error {
    #[cold]
    fn from(error: RouteError) -> Self {
        Error(Box::new(Reason::Route(error)))
    }
}

impl From<EngineError> for Error {
    #[cold]
    fn from(error: EngineError) -> Self {
        Error(Box::new(Reason::Engine(error)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Reason::Config(error) => error.fmt(f),
            Reason::Route(error) => error.fmt(f),
            Reason::Engine(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.io_error().map(|error| error as _)
    }
}
