//! A bounded ring of bytes for many producers and one consumer, with an append-only table of texts
//! beside it.
//!
//! ```
//! # use std::sync::Arc;
//! use logboom_ring::{Park, Ring};
//!
//! let ring = Arc::new(Ring::anonymous(64 << 10, 4 << 10)?);
//! let mut consumer = ring.consumer().expect("nobody else consumes");
//!
//! let mut frame = ring.try_reserve(5)?;
//! frame.copy_from_slice(b"hello");
//! frame.commit();
//!
//! while !consumer.has_frames() {
//!     consumer.park(Park::Sleep);
//! }
//! let mut frames = consumer.frames(ring.released(), 256 << 10);
//! for frame in frames.by_ref() {
//!     assert_eq!(frame.bytes, b"hello");
//! }
//! let position = frames.position();
//! consumer.release(position, || ());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants:
//! 1. Frames come out in the order in which they were reserved, whole, each once; the positions behind
//!    them ascend. A producer that panics or gives up costs its own frame only.
//! 2. No more than the capacity is used, and no more memory than the capacity and the table is held.
//! 3. To reserve and to commit is one compare-and-swap and two stores: no lock, no system call, no
//!    allocation, as long as there is room and the consumer does not sleep.
//! 4. Room is reserved again only after the consumer has zeroed it (see `consumer.rs` for why).
//! 5. No wake-up is lost: not between a commit and a consumer that goes to sleep, nor between a release
//!    and a producer that waits for room.
//! 6. After the ring is closed nothing is reserved; what was reserved before can still be committed.
//! 7. All that says what the ring holds lies in its memory, without an address in it, in such an order
//!    that [`read`](read()) finds every committed frame after the process has died at any point.
//!
//! The way of a frame: a producer moves `head` over it by compare-and-swap, writes its word as
//! *reserved* with its length, copies the payload, and stores the word as *committed*, which publishes
//! it. The consumer walks from `tail` from word to word until one is not decided, shows the payloads in
//! place, and when they are released moves `consumed`, zeroes them and moves `tail`. A producer learns
//! the tail from a copy on its own cache line and looks at the consumer's only when that copy says that
//! the ring is full. A frame never wraps: a *pad* fills the ring's end.
//!
//! Who waits for whom: producers for room in a line (`queue.rs`), the consumer for frames in a nap or
//! asleep (`signal.rs`). Both are local to the process and lie outside of the ring's memory.
//!
//! What it does not do: it knows no record and no policy. To block is [`Ring::reserve`], or a [`Place`]
//! in the line for who looks after something else meanwhile; to drop the newest is a [`Ring::try_reserve`] that was
//! refused; to drop the oldest is [`Ring::reserve_over_oldest`] in a ring that was made for it (see
//! `oldest.rs`); to keep room for what is more important is [`Ring::keep_back`].
//!
//! After a fork the child has a copy of the ring, and perhaps of a lock in it that nobody will ever
//! unlock. It makes a new one with [`Ring::anonymous_with_table`], which takes none, and leaves the old
//! one alone; to drop that is safe. Nothing here may be called from a signal handler that can interrupt
//! a blocked [`Ring::reserve`] or a release on the same thread.
//!
//! Where: Linux as described. Elsewhere producers run a fence after each commit, no ring lies in a file,
//! and on Windows the memory comes from the allocator.
//!
//! Pinned by the tests of this crate, one contract a file; by `tests/loom*.rs`, which run small models
//! through every order of their steps; and by the fuzz target `ring_reader`.
#![deny(missing_docs)]

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the ring addresses up to 16 GiB");

#[cfg(all(target_os = "linux", not(loom)))]
mod cells;
mod consumer;
#[cfg(not(loom))]
mod crc;
mod error;
#[cfg(all(target_os = "linux", not(loom)))]
mod file;
mod held;
mod layout;
#[cfg(all(target_os = "linux", not(loom)))]
mod lock;
mod membarrier;
#[cfg_attr(loom, path = "memory_loom.rs")]
mod memory;
#[cfg(loom)]
mod moment;
mod oldest;
mod place;
mod queue;
mod read;
mod reservation;
mod ring;
mod signal;
mod sync;
mod table;
mod ticks;
mod walk;

#[cfg(all(target_os = "linux", not(loom)))]
pub use cells::{CellGroup, Cells};
pub use consumer::{Consumer, Frame, Frames};
#[cfg(not(loom))]
pub use crc::crc32;
pub use error::{Refusal, RingError};
#[cfg(all(target_os = "linux", not(loom)))]
pub use file::{FileContents, FileRing, Owner, Room, load_file, read_file, read_owner};
pub use held::Held;
#[cfg(all(target_os = "linux", not(loom)))]
pub use lock::{lock_as_owner, lock_as_recoverer};
#[cfg(loom)]
pub use moment::Moment;
pub use oldest::Front;
pub use place::Place;
pub use read::{Contents, ReadError, Remains, read};
pub use reservation::{Committed, Reservation};
pub use ring::Ring;
pub use signal::Park;
pub use table::Table;
pub use ticks::{ticks, ticks_are_steady};
