//! Facades: how Rust programs hand records to an engine.
//!
//! ```text
//! logboom::info! ─► Logger ──────────┐
//! log::info! ─────► log::LogFacade ──┼─► Destination ─► Engine::submit
//! tracing::info! ─► TracingLayer ────┘   (engine, routes, what they need)
//! ```
//!
//! Invariants:
//! 1. The level is checked before anything else is done: no argument is evaluated, no time read.
//! 2. A usual call allocates nothing: typed values go into the ring as they are; texts that have to
//!    be made first are made in memory the thread uses again, which is safe against a `Display` that
//!    logs.
//! 3. A call site's texts are put into the ring's table once per engine; later records name an id.
//! 4. What is logged on the writer's own thread (by a sink, a filter or a formatter of the user's)
//!    is not submitted: it would be written by the sink that caused it, which would cause it again.
//!
//! What it does not do: decide what happens to a full ring, or wait; that is the engine's.
//!
//! Pinned by `tests/facade_*.rs`, the doc tests, and `examples/quickstart.rs`.

mod destination;
#[cfg(feature = "log")]
pub mod log;
mod logger;
#[cfg(any(feature = "log", feature = "tracing"))]
mod scratch;
#[cfg(any(feature = "log", feature = "tracing"))]
mod sites;
#[cfg(feature = "tracing")]
pub mod tracing;

pub use logger::Logger;
#[doc(hidden)]
pub use logger::{StaticSite, check_template};
