//! What can go wrong: a ring that cannot be made, and a reservation that is refused.

use std::{error, fmt, io};

/// Why a ring could not be made.
#[derive(Debug)]
pub struct RingError(Kind);

#[derive(Debug)]
enum Kind {
    Bounds {
        option: &'static str,
        got: usize,
        min: usize,
        max: usize,
    },
    #[cfg(all(target_os = "linux", not(loom)))]
    File {
        bytes: usize,
        source: io::Error,
    },
    #[cfg_attr(loom, expect(dead_code, reason = "a model's memory is never refused"))]
    Memory {
        bytes: usize,
        source: io::Error,
    },
}

impl RingError {
    #[cold]
    pub(crate) fn bounds(option: &'static str, got: usize, min: usize, max: usize) -> Self {
        RingError(Kind::Bounds { option, got, min, max })
    }

    #[cfg(not(loom))]
    #[cold]
    pub(crate) fn memory(bytes: usize, source: io::Error) -> Self {
        RingError(Kind::Memory { bytes, source })
    }

    #[cfg(all(target_os = "linux", not(loom)))]
    #[cold]
    pub(crate) fn file(bytes: usize, source: io::Error) -> Self {
        RingError(Kind::File { bytes, source })
    }

    /// Whether an argument was out of its bounds, rather than the system out of memory.
    pub fn is_invalid_argument(&self) -> bool {
        matches!(self.0, Kind::Bounds { .. })
    }
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Bounds { option, got, min, max } => {
                write!(f, "invalid `{option}`: got {got}, expected {min} to {max}")
            }
            #[cfg(all(target_os = "linux", not(loom)))]
            Kind::File { bytes, source } => {
                write!(f, "cannot make a file for the ring of {bytes} bytes: {source}")
            }
            Kind::Memory { bytes, .. } => write!(f, "cannot map {bytes} bytes for the ring"),
        }
    }
}

impl error::Error for RingError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.0 {
            Kind::Bounds { .. } => None,
            #[cfg(all(target_os = "linux", not(loom)))]
            Kind::File { source, .. } => Some(source),
            Kind::Memory { source, .. } => Some(source),
        }
    }
}

/// Why nothing was reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No room now, or producers that block are in line for it.
    Full,
    /// More than [`max_frame_bytes`](crate::Ring::max_frame_bytes): there will never be room.
    TooLarge,
    /// The ring was closed.
    Closed,
    /// No room until the deadline.
    TimedOut,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Full => "the ring is full",
            Refusal::TooLarge => "the frame is larger than the ring accepts",
            Refusal::Closed => "the ring is closed",
            Refusal::TimedOut => "the ring had no room until the deadline",
        })
    }
}

impl error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::RingError;

    #[test]
    fn an_argument_out_of_bounds_is_told_with_its_bounds() {
        let error = RingError::bounds("capacity_bytes", 0, 65536, 17179869184);
        assert_eq!(
            error.to_string(),
            "invalid `capacity_bytes`: got 0, expected 65536 to 17179869184"
        );
    }
}
