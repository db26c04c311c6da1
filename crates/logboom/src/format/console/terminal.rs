//! Whether lines go to a terminal, and how wide it is.
//!
//! Asked of the descriptor at most once for each second that records show, on the thread that formats:
//! a window whose size changes, and a descriptor that a program points elsewhere, are seen with the
//! next second.

use std::io::IsTerminal;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Where lines go, as far as that decides how they look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// To a file, or nobody knows where.
    #[default]
    Elsewhere,
    /// To standard output.
    Stdout,
    /// To standard error.
    Stderr,
}

/// What was seen of a place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    pub(super) is_terminal: bool,
    /// In columns.
    pub(super) width: Option<usize>,
}

/// The last look.
#[derive(Debug, Default)]
pub(super) struct Seen {
    at: Option<(Place, i64)>,
    look: Look,
}

impl Seen {
    /// What the place is like at the time of a record.
    pub(super) fn look(&mut self, place: Place, time_ns: i64) -> Look {
        let at = Some((place, time_ns.div_euclid(NANOS_PER_SECOND)));
        if self.at != at {
            self.look = match place {
                Place::Elsewhere => Look::default(),
                Place::Stdout => look(&std::io::stdout()),
                Place::Stderr => look(&std::io::stderr()),
            };
            self.at = at;
        }
        self.look
    }
}

#[cfg(unix)]
fn look(stream: &(impl IsTerminal + std::os::fd::AsFd)) -> Look {
    let size = rustix::termios::tcgetwinsize(stream).ok();
    let width = size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    Look { is_terminal: stream.is_terminal(), width }
}

#[cfg(not(unix))]
fn look(stream: &impl IsTerminal) -> Look {
    Look { is_terminal: stream.is_terminal(), width: None }
}
