//! A logging engine with one writer thread, bounded memory and exact accounting.
#![deny(unsafe_code)]
#![deny(missing_docs)]

pub mod clock;
pub mod config;
pub mod engine;
pub mod error;
pub mod facade;
pub mod field;
pub mod filter;
pub mod format;
pub mod fs;
pub mod level;
pub mod metrics;
pub mod overflow;
pub mod record;
pub mod report;
pub mod route;
pub mod sink;
pub mod spawn;
pub mod testing;

mod barrier;
mod fork;
mod generation;
mod intern;
mod macros;
mod notice;
mod writer;

pub use facade::Logger;

/// Makes the Rust blocks of the README doctests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
