//! A logging engine with one writer thread, bounded memory and exact accounting.
//!
//! A record goes from its caller into a ring of a fixed size, by a copy: no lock, no allocation, no
//! system call. One thread takes records out in batches and gives each to its routes; a route is a
//! filter, a formatter and a sink. The thread starts with the first record, naps while there is
//! traffic and sleeps when there is none.
//!
//! ```
//! use logboom::Logger;
//! use logboom::config::Config;
//! use logboom::engine::Engine;
//! use logboom::format::PatternFormatter;
//! use logboom::level::Level;
//! use logboom::route::RouteSpec;
//! use logboom::sink::MemorySinkSpec;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new(Config::new())?;
//! let memory = MemorySinkSpec::default();
//! let format = PatternFormatter::new("%(levelname)s %(name)s: %(message)s", &Default::default())?;
//! let route = engine.route(RouteSpec::new("memory", format, memory.clone()))?;
//!
//! let shop = Logger::new(&engine, "shop", Level::INFO, [&route]);
//! logboom::info!(shop, "{} buys {} apples", "ann", 3);
//!
//! assert!(engine.flush(None).is_done());
//! assert_eq!(memory.lines(), ["INFO shop: ann buys 3 apples"]);
//!
//! let report = engine.shutdown(None);
//! assert_eq!(report.to_string(), "shutdown complete: 1 submitted, 1 written");
//! # Ok(())
//! # }
//! ```
//!
//! What holds at every moment, whatever fails:
//!
//! - `submitted = written + dropped + rejected + failed + filtered + pending`, per route and in all
//!   ([`metrics`]).
//! - All sinks see records in one order, which agrees with what happened before what.
//! - [`Engine::flush`](engine::Engine::flush) is a barrier with an outcome, and never dropped.
//! - A full ring blocks or drops, as told ([`overflow`]); what was dropped is written into the log
//!   itself.
//! - A panic or an error in one route touches no other, and no caller.
//!
//! Where to look: [`engine`] for what a program calls, [`route`] and [`config`] for what it
//! describes, [`record`] for what goes through the ring, [`format`](mod@format) and [`sink`] for
//! making one's own, [`facade`] for [`Logger`] and the crates `log` and `tracing`.
#![deny(unsafe_code)]
#![deny(missing_docs)]

pub mod blueprint;
pub mod clock;
pub mod config;
pub mod durable;
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
pub mod redact;
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
