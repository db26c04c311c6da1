//! How the writer's thread comes into being: injected, so that a host can prepare the thread (block
//! its signals, say) and a test can refuse it.

use std::fmt;
use std::io;
use std::thread::JoinHandle;

/// Starts threads.
pub trait Spawner: Send + Sync + 'static {
    /// Starts one thread of this name that runs `body` and ends with it. `body` does not panic.
    ///
    /// # Errors
    /// The system's. The engine then works on callers' threads and tries again after a second.
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>>;
}

/// Starts threads as [`std::thread::Builder`] does.
#[derive(Clone, Copy, Debug)]
pub struct ThreadSpawner;

impl Spawner for ThreadSpawner {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name(name.to_owned()).spawn(body)
    }
}

impl fmt::Debug for dyn Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spawner")
    }
}
