//! What can go wrong when a route is opened.

use std::fmt;
use std::io;

/// Why there is no route.
#[derive(Debug)]
pub(crate) enum RouteError {
    /// The sink cannot be opened.
    Open { route: String, sink: String, error: io::Error },
    /// All ids are used up.
    TooMany,
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RouteError::Open { route, sink, error } => {
                write!(f, "cannot open sink `{sink}` of route `{route}`: {error}")
            }
            RouteError::TooMany => write!(f, "cannot open a route: all {} ids are used", u32::MAX),
        }
    }
}
