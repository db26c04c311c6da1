//! The durable ring where there is one; see the module above.

mod book;
mod directory;
mod note;
mod plan;
mod process;
mod recover;
mod replay;
mod resume;
mod traces;

pub(crate) use book::Book;
#[cfg(test)]
pub(crate) use directory::Directory;
pub use directory::default_directory;
#[cfg(test)]
pub(crate) use process::{lives, this};
#[cfg(test)]
pub(crate) use recover::recover_locked;
pub use recover::{read_as_recovery, recover, recover_redacted};
pub(crate) use recover::{recover_at_start, recover_in_child};
