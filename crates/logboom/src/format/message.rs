//! The message of a record: its template with the arguments put in.

use super::{FormatError, brace, percent};
use crate::record::{MessageView, Style};

/// Appends what the record says. Every formatter calls this for its message.
///
/// A finished line gives its bytes, terminator included; the writer hands those to the sink itself
/// and asks no formatter.
///
/// # Errors
/// [`FormatError`] where a `%` template and its arguments do not match. A `{}` template never fails.
#[inline]
pub fn write_message(message: &MessageView<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
    match *message {
        MessageView::Plain(text) | MessageView::Line(text) => out.extend_from_slice(text),
        MessageView::Template(Style::Percent, template, values) => {
            percent::render(template, values, out)?;
        }
        MessageView::Template(Style::Brace, template, values) => {
            brace::render(template, values, out);
        }
    }
    Ok(())
}
