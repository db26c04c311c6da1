//! Colours: the sixteen that every terminal has, by ECMA-48's `SGR`.

/// Parameters of `SGR`.
pub(super) type Code = &'static [u8];

pub(super) const DIM: Code = b"2";
pub(super) const BOLD: Code = b"1";
pub(super) const LOGGER: Code = b"36";
pub(super) const DEBUG: Code = b"34";
pub(super) const INFO: Code = b"32";
pub(super) const WARNING: Code = b"33";
pub(super) const ERROR: Code = b"1;31";
pub(super) const CRITICAL: Code = b"1;37;41";

/// Writes colours, or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    on: bool,
}

impl Paint {
    pub(super) fn new(on: bool) -> Paint {
        Paint { on }
    }

    /// Begins a colour; where the text in it begins.
    #[inline]
    pub(super) fn begin(self, code: Code, out: &mut Vec<u8>) -> usize {
        if self.on {
            out.extend_from_slice(b"\x1b[");
            out.extend_from_slice(code);
            out.push(b'm');
        }
        out.len()
    }

    /// Ends it.
    #[inline]
    pub(super) fn end(self, out: &mut Vec<u8>) {
        if self.on {
            out.extend_from_slice(b"\x1b[0m");
        }
    }
}
