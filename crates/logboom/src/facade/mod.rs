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
//! 4. What is logged on a writer's thread (by a sink, a filter or a formatter of the user's) is not
//!    submitted and not counted: it would be written by the sink that caused it, which would cause it
//!    again. A sink has its [`Written::error`](crate::sink::Written::error) to speak with.
//!
//! What it does not do: decide what happens to a full ring, or wait, which is the engine's; or follow
//! a fork without exec. A child makes its own engine ([`Engine::child`](crate::engine::Engine::child))
//! and its own loggers over that; a logger set for `log` or `tracing` stays the parent's.
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
