//! Places that fail on purpose: for the tests of this crate, and of sinks that others write.
//!
//! Nothing in here is meant for a program that runs.

mod dump_formatter;
mod fault_fs;
#[cfg(test)]
mod kills;
mod memory_fs;

pub use dump_formatter::DumpFormatter;
pub use fault_fs::{Fault, FaultFs, Operation, When};
pub use memory_fs::MemoryFs;
