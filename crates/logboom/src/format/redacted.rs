//! A record without its secrets, before any formatter sees it.
//!
//! Fields are looked at by their keys, nested ones at any depth; with patterns also the message with its
//! arguments put in, the texts of fields, tracebacks and stacks. Where nothing is found, which is nearly
//! always, nothing is copied. Formats that the standard library defines show a record as it is unless there
//! are patterns: then the finished line is gone through as well.

use super::{FormatCache, FormatError, Formatter, write_message};
use crate::field::{Field, Value};
use crate::record::{Attribute, Message, MessageView, Record, RecordView, Site, Text};
use crate::redact::{Redaction, Verdicts};
use std::sync::Arc;

const KEPT: [Attribute; 6] = [
    Attribute::ThreadName,
    Attribute::ProcessName,
    Attribute::TaskName,
    Attribute::LevelName,
    Attribute::Exception,
    Attribute::Stack,
];

/// Takes secrets out of records and lines. For one thread; what it allocates is kept for the next.
#[derive(Debug, Default)]
pub struct Redactor {
    redaction: Arc<Redaction>,
    verdicts: Verdicts,
    message: Vec<u8>,
    record: Vec<u8>,
}

impl Redactor {
    /// One that redacts as described.
    pub fn new(redaction: Arc<Redaction>) -> Redactor {
        Redactor { redaction, ..Redactor::default() }
    }

    /// Formats a record without its secrets: what [`Formatter::format`] does, with what is found taken out.
    ///
    /// # Errors
    /// Those of the formatter.
    #[inline]
    pub fn format(
        &mut self,
        formatter: &dyn Formatter,
        record: &RecordView<'_>,
        cache: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let (patterns, verbatim) = (self.redaction.has_patterns(), formatter.is_verbatim());
        if verbatim && !patterns {
            return formatter.format(record, cache, out);
        }
        let start = out.len();
        if self.finds(record, patterns && !verbatim)
            && self.rewrite(record, patterns && !verbatim).is_some()
            && let Ok(clean) = RecordView::parse(&self.record, &())
        {
            formatter.format(&clean, cache, out)?;
        } else {
            formatter.format(record, cache, out)?;
        }
        if verbatim && let Some(clean) = self.redaction.text(&out[start..]) {
            out.truncate(start);
            out.extend_from_slice(&clean);
        }
        Ok(())
    }

    /// Appends a line that is formatted already, without what the patterns find.
    #[inline]
    pub fn line(&mut self, line: &[u8], out: &mut Vec<u8>) {
        match self.redaction.has_patterns().then(|| self.redaction.line(line, &mut self.verdicts)) {
            Some(Some(clean)) => out.extend_from_slice(&clean),
            _ => out.extend_from_slice(line),
        }
    }

    /// Whether there is something to be taken out of a record.
    #[inline]
    fn finds(&mut self, record: &RecordView<'_>, texts: bool) -> bool {
        record.fields().any(|field| self.field(&field, texts).is_some())
            || (texts && self.finds_in_texts(record))
    }

    fn finds_in_texts(&mut self, record: &RecordView<'_>) -> bool {
        self.message(record).is_some()
            || [Attribute::Exception, Attribute::Stack].into_iter().any(|attribute| {
                record.attribute(attribute).is_some_and(|text| self.text(text).is_some())
            })
    }

    /// What a field's value is to be; `None` where it stays.
    #[inline]
    fn field(&mut self, field: &Field<'_>, texts: bool) -> Option<Shown> {
        if self.verdicts.is_secret(&self.redaction, field.key) {
            let plain = matches!(field.value, Value::None | Value::Bool(_) | Value::Str(""));
            return (!plain).then_some(Shown::Replaced);
        }
        match field.value {
            Value::Json(json) => self.redaction.json(json, &mut self.verdicts).map(Shown::Json),
            Value::Str(text) if texts => self.redaction.text(text.as_bytes()).map(Shown::Text),
            _ => None,
        }
    }

    fn text(&self, text: &str) -> Option<Vec<u8>> {
        self.redaction.text(text.as_bytes())
    }

    fn message(&mut self, record: &RecordView<'_>) -> Option<Vec<u8>> {
        self.message.clear();
        // One that cannot be made says so when it is formatted.
        write_message(&record.message, &mut self.message).ok()?;
        self.redaction.text(&self.message)
    }

    /// Writes the record anew, without what is found.
    #[cold]
    fn rewrite(&mut self, record: &RecordView<'_>, texts: bool) -> Option<()> {
        let given: Vec<Field<'_>> = record.fields().collect();
        let shown: Vec<_> = given.iter().map(|field| self.field(field, texts)).collect();
        let message = if texts { self.message(record) } else { None };
        let mut owned: Vec<String> = Vec::new();
        let attributes: Vec<(Attribute, &str)> =
            KEPT.iter().filter_map(|kind| Some((*kind, record.attribute(*kind)?))).collect();
        let clean: Vec<Option<Vec<u8>>> = attributes
            .iter()
            .map(|(kind, text)| match kind {
                Attribute::Exception | Attribute::Stack if texts => self.text(text),
                _ => None,
            })
            .collect();
        for bytes in shown
            .iter()
            .map(|one| one.as_ref().and_then(Shown::bytes))
            .chain(clean.iter().map(Option::as_deref))
        {
            owned.push(
                bytes.map_or_else(String::new, |bytes| String::from_utf8_lossy(bytes).into_owned()),
            );
        }
        let replacement = self.redaction.replacement();
        let fields: Vec<Field<'_>> = (given.iter().zip(&shown).zip(&owned))
            .map(|((field, shown), text)| match shown {
                None => *field,
                Some(Shown::Replaced) => Field { key: field.key, value: Value::Str(replacement) },
                Some(Shown::Text(_)) => Field { key: field.key, value: Value::Str(text) },
                Some(Shown::Json(_)) => Field { key: field.key, value: Value::Json(text) },
            })
            .collect();
        let attributes: Vec<(Attribute, &str)> = (attributes
            .iter()
            .zip(&clean)
            .zip(&owned[given.len()..]))
        .map(|(((kind, text), clean), own)| (*kind, if clean.is_some() { own } else { *text }))
        .collect();
        let values: Vec<Value<'_>> = match record.message {
            MessageView::Template(_, _, values) => values.collect(),
            _ => Vec::new(),
        };
        let site = record.site.map(|site| site.to_text());
        let made = Record {
            time_ns: record.time_ns,
            level: record.level,
            thread: record.thread,
            logger: Text::Inline(record.logger),
            site: site.as_deref().map_or(Site::None, Site::Inline),
            message: match (&message, record.message) {
                (Some(clean), _) => Message::Plain(Text::Inline(clean)),
                (None, MessageView::Template(style, template, _)) => {
                    Message::Template(style, Text::Inline(template), &values)
                }
                (None, MessageView::Plain(text)) => Message::Plain(Text::Inline(text)),
                (None, MessageView::Line(line)) => Message::Line(line),
            },
            fields: &fields,
            attributes: &attributes,
            routes: &[],
        };
        self.record.clear();
        self.record.resize(made.encoded_len()?, 0);
        made.encode(&mut self.record);
        Some(())
    }
}

/// What stands in the place of a value.
enum Shown {
    Replaced,
    Text(Vec<u8>),
    Json(Vec<u8>),
}

impl Shown {
    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Shown::Replaced => None,
            Shown::Text(bytes) | Shown::Json(bytes) => Some(bytes),
        }
    }
}
