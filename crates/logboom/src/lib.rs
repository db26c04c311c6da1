//! A logging engine with one writer thread, bounded memory and exact accounting.
#![deny(unsafe_code)]
#![deny(missing_docs)]

pub mod field;
pub mod format;
pub mod fs;
pub mod level;
pub mod record;
pub mod sink;
pub mod testing;
