//! The durable ring: what a process leaves behind that is killed, and how that is written after all.
//!
//! With [`Config::durable`](crate::config::Config::durable) the ring lies in a file that is mapped, in a
//! directory that is best on a memory file system. A call costs what it costs otherwise, since it is
//! the same ring; the kernel keeps what was stored in the file whatever becomes of the process. The
//! next start with the same directory, or [`recover`], reads the file and writes what the dead process
//! had accepted and not written.
//!
//! ```text
//! PID-START-SPACE-IMAGE-N.ring  the N-th ring of a process: head, cells, ring, table (`logboom_ring`)
//! ….new                         one that is being made
//! ….damaged                     one that was recovered as far as it could be read
//! recovered-PID.log             what was meant for places that ended with the process: its streams, its memory
//! ```
//!
//! Invariants:
//! 1. Beside the ring lies what a stranger needs: for each open route its blueprint (`book.rs`), for
//!    each sink how far its file had got (`note.rs`).
//! 2. A record is in the ring, or in its file, or both, at every moment between its call's return and
//!    the end of time: a sink's note comes after its write and before the ring's release.
//! 3. Where one process writes a file, each record is in it exactly once after recovery, however often
//!    that is interrupted, and no line is torn. Where several do, at least once (`resume.rs`).
//! 4. The ring of a living process is not touched: its owner holds a lock on it, and who finds none
//!    looks whether that process lives (`process.rs`). One recovers a directory at a time.
//! 5. A directory that others may write to, a file that is not ours alone, a link, a ring that is cut,
//!    damaged or of another make is refused, or read up to its last whole record. No length, number or
//!    path is believed unless it makes sense; a path, and all that says where a record goes, only with
//!    its checksum. That is against damage: who can write files as this user can write this user's logs.
//!
//! Bounds: 1,024 open routes are told, and notes kept of 128 sinks; a route's text takes room in the table
//! of texts. What has no place there goes to `recovered-PID.log` in a plain format, or is written at least
//! once.
//!
//! What it does not do: survive the machine. On a memory file system the ring ends with it, and on a
//! disk nothing orders what reaches the device. For that there is
//! [`Config::sync_every`](crate::config::Config::sync_every) and
//! [`Config::sync_level`](crate::config::Config::sync_level). A record that is too long for the ring,
//! whose caller waits, is not in it; nor is a notice.
//!
//! Where: Linux. Elsewhere asking for it is an error.
//!
//! Pinned by `testing/kills`, which kills at each step of the writer, by the fuzz targets `ring_file` and
//! `recovery`, and by `tests/python/test_durable.py` and `test_durable_torture.py`, which kill.

#[cfg(not(all(target_os = "linux", not(loom))))]
#[path = "absent.rs"]
mod present;
#[cfg(all(target_os = "linux", not(loom)))]
mod present;
mod report;

#[cfg(all(target_os = "linux", not(loom)))]
#[doc(hidden)]
pub use present::read_as_recovery;
pub(crate) use present::{Book, recover_at_start, recover_in_child};
#[cfg(all(test, target_os = "linux", not(loom)))]
pub(crate) use present::{Directory, lives, recover_locked, this};
pub use present::{default_directory, recover, recover_redacted};
pub use report::{RecoveredPlace, RecoveredRing, Recovery, RingOutcome};
