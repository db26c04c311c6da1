//! A bounded ring of bytes for many producers and one consumer.

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the ring addresses up to 16 GiB");

mod consumer;
mod error;
mod held;
mod layout;
mod membarrier;
#[cfg_attr(loom, path = "memory_loom.rs")]
mod memory;
mod queue;
#[cfg(not(loom))]
mod read;
mod reservation;
mod ring;
mod signal;
mod sync;
mod table;
mod walk;

pub use consumer::{Consumer, Frame, Frames};
pub use error::{Refusal, RingError};
pub use held::Held;
#[cfg(not(loom))]
pub use read::{Contents, ReadError, Remains, read};
pub use reservation::{Committed, Reservation};
pub use ring::Ring;
pub use signal::Park;
pub use table::Table;
