//! A formatter that shows all of a record, for tests that look at what a facade or a filter made.

use crate::format::{FormatCache, FormatError, Formatter, Needs, write_message};
use crate::record::{Attribute, RecordView};
use std::io::Write as _;

/// Shows a record as `20 logger "message" file.rs:module [thread] {key: value, …}`, with only the
/// file's name of its path, and the parts that were not captured left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct DumpFormatter {
    /// What it asks to be captured.
    pub needs: Needs,
}

impl Formatter for DumpFormatter {
    fn format(
        &self,
        record: &RecordView<'_>,
        _: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let mut message = Vec::new();
        write_message(&record.message, &mut message)?;
        let mut text = format!("{} {}", record.level.0, String::from_utf8_lossy(record.logger));
        text += &format!(" {:?}", String::from_utf8_lossy(&message));
        if let Some(site) = record.site {
            let path = String::from_utf8_lossy(site.path);
            let file = path.rsplit(['/', '\\']).next().unwrap_or_default();
            text += &format!(" {file}:{}", String::from_utf8_lossy(site.function));
        }
        if let Some(thread) = record.attribute(Attribute::ThreadName) {
            text += &format!(" [{thread}]");
        }
        if let Some(name) = record.attribute(Attribute::LevelName) {
            text += &format!(" ({name})");
        }
        let fields: Vec<String> =
            record.fields().map(|field| format!("{}: {:?}", field.key, field.value)).collect();
        if !fields.is_empty() {
            text += &format!(" {{{}}}", fields.join(", "));
        }
        // Writing to a vector cannot fail.
        let _ = out.write_all(text.as_bytes());
        Ok(())
    }

    fn needs(&self) -> Needs {
        self.needs
    }
}
