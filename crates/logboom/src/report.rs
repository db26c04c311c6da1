//! Where faults are told: an error of a sink, a formatter that panics, a thread that cannot start.
//!
//! The engine tells at most one fault per interval and counts all of them; the text of one report
//! says how many it stands for.

/// Is told of faults. Called on the writer's thread, and on a caller's where the writer's thread
/// cannot be started. A panic in it is swallowed.
pub trait Reporter: Send + Sync + 'static {
    /// Takes one report: a line without its terminator.
    fn report(&self, text: &str);
}

impl<F: Fn(&str) + Send + Sync + 'static> Reporter for F {
    fn report(&self, text: &str) {
        self(text);
    }
}

/// One line to the standard error stream, in one write; errors are ignored, for there is nobody
/// left to tell.
#[derive(Clone, Copy, Debug)]
pub struct StderrReporter;

impl Reporter for StderrReporter {
    fn report(&self, text: &str) {
        let line = format!("logboom: {}\n", text.replace(['\n', '\r'], " "));
        // Not through `std::io::stderr`: its lock may be held for ever by a thread that a fork
        // left behind.
        #[cfg(unix)]
        let _ = rustix::io::write(rustix::stdio::stderr(), line.as_bytes());
        #[cfg(not(unix))]
        let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
    }
}
