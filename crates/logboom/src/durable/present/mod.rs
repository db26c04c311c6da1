//! The durable ring where there is one; see the module above.

mod book;
mod directory;
mod note;
mod plan;
mod process;
mod recover;
mod replay;
mod resume;
#[cfg(test)]
mod tests;

pub(crate) use book::Book;
pub use directory::default_directory;
pub use recover::{read_as_recovery, recover};
pub(crate) use recover::{recover_at_start, recover_in_child};
