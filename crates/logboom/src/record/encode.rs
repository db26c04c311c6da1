//! Writing a record: its length first, then its bytes, without an allocation.

use super::{
    FLAG_INLINE_SITE, HEAD_BYTES, KIND_BRACE, KIND_LINE, KIND_PERCENT, KIND_PLAIN,
    MAX_RECORD_BYTES, Message, Record, Site, Style, TAG_BIG_INT, TAG_F64, TAG_FALSE, TAG_I64,
    TAG_JSON, TAG_NONE, TAG_STR, TAG_TRUE, TAG_U64, Text,
};
use crate::field::Value;

impl Record<'_> {
    /// How many bytes [`Record::encode`] writes, or `None` where the record is beyond the format:
    /// more than 255 arguments or attributes, 65,535 fields or routes, or [`MAX_RECORD_BYTES`].
    #[inline(always)]
    pub fn encoded_len(&self) -> Option<usize> {
        let mut len = HEAD_BYTES + 4 * self.routes.len();
        if let Text::Inline(text) = self.logger {
            len += 4 + text.len();
        }
        if let Site::Inline(text) = self.site {
            len += 4 + text.len();
        }
        let mut arguments = 0;
        match self.message {
            Message::Plain(Text::Inline(text)) | Message::Line(text) => len += 4 + text.len(),
            Message::Plain(Text::Id(_)) => {}
            Message::Template(_, template, values) => {
                if let Text::Inline(text) = template {
                    len += 4 + text.len();
                }
                arguments = values.len();
                len += values.iter().map(value_len).sum::<usize>();
            }
        }
        for field in self.fields {
            len += 4 + field.key.len() + value_len(&field.value);
        }
        for (_, text) in self.attributes {
            len += 5 + text.len();
        }
        let fits = arguments <= usize::from(u8::MAX)
            && self.attributes.len() <= usize::from(u8::MAX)
            && self.fields.len() <= usize::from(u16::MAX)
            && self.routes.len() <= usize::from(u16::MAX)
            && len <= MAX_RECORD_BYTES;
        fits.then_some(len)
    }

    /// Writes the record into the first [`Record::encoded_len`] bytes of `out`.
    ///
    /// # Panics
    /// If `out` is shorter than that, or `encoded_len` is `None`.
    #[inline(always)]
    pub fn encode(&self, out: &mut [u8]) {
        let (kind, message, values): (u8, Text<'_>, &[Value<'_>]) = match self.message {
            Message::Plain(text) => (KIND_PLAIN, text, &[]),
            Message::Template(Style::Percent, text, values) => (KIND_PERCENT, text, values),
            Message::Template(Style::Brace, text, values) => (KIND_BRACE, text, values),
            Message::Line(text) => (KIND_LINE, Text::Inline(text), &[]),
        };
        let (site, flags) = match self.site {
            Site::None => (0, 0),
            Site::Id(id) => (id.get(), 0),
            Site::Inline(_) => (0, FLAG_INLINE_SITE),
        };
        let (head, rest) = out.split_first_chunk_mut::<HEAD_BYTES>().expect("as long as asked for");
        head[0..8].copy_from_slice(&self.time_ns.to_le_bytes());
        head[8..16].copy_from_slice(&self.thread.to_le_bytes());
        head[16..20].copy_from_slice(&self.level.0.to_le_bytes());
        head[20..24].copy_from_slice(&text_id(self.logger).to_le_bytes());
        head[24..28].copy_from_slice(&site.to_le_bytes());
        head[28..32].copy_from_slice(&text_id(message).to_le_bytes());
        head[32] = kind;
        head[33] = values.len() as u8;
        head[34..36].copy_from_slice(&(self.fields.len() as u16).to_le_bytes());
        head[36] = self.attributes.len() as u8;
        head[37] = flags;
        head[38..40].copy_from_slice(&(self.routes.len() as u16).to_le_bytes());
        let mut rest = Cursor(rest);
        for route in self.routes {
            rest.put(&route.0.to_le_bytes());
        }
        if let Text::Inline(text) = self.logger {
            rest.put_text(text);
        }
        if let Site::Inline(text) = self.site {
            rest.put_text(text);
        }
        if let Text::Inline(text) = message {
            rest.put_text(text);
        }
        for value in values {
            rest.put_value(value);
        }
        for field in self.fields {
            rest.put_text(field.key.as_bytes());
            rest.put_value(&field.value);
        }
        for (attribute, text) in self.attributes {
            rest.put(&[*attribute as u8]);
            rest.put_text(text.as_bytes());
        }
    }
}

#[inline(always)]
fn text_id(text: Text<'_>) -> u32 {
    match text {
        Text::Id(id) => id.get(),
        Text::Inline(_) => 0,
    }
}

#[inline(always)]
fn value_len(value: &Value<'_>) -> usize {
    match value {
        Value::None | Value::Bool(_) => 1,
        Value::I64(_) | Value::U64(_) | Value::F64(_) => 9,
        Value::Str(text) | Value::BigInt(text) | Value::Json(text) => 5 + text.len(),
    }
}

struct Cursor<'b>(&'b mut [u8]);

impl Cursor<'_> {
    #[inline(always)]
    fn put(&mut self, bytes: &[u8]) {
        let (here, rest) = std::mem::take(&mut self.0).split_at_mut(bytes.len());
        here.copy_from_slice(bytes);
        self.0 = rest;
    }

    #[inline(always)]
    fn put_text(&mut self, text: &[u8]) {
        self.put(&(text.len() as u32).to_le_bytes());
        self.put(text);
    }

    /// What `N` bytes are written to.
    #[inline(always)]
    fn next<const N: usize>(&mut self) -> &mut [u8; N] {
        let (here, rest) =
            std::mem::take(&mut self.0).split_first_chunk_mut().expect("as long as asked for");
        self.0 = rest;
        here
    }

    #[inline(always)]
    fn put_tagged(&mut self, tag: u8, payload: [u8; 8]) {
        let place: &mut [u8; 9] = self.next();
        place[0] = tag;
        place[1..].copy_from_slice(&payload);
    }

    #[inline(always)]
    fn put_tagged_text(&mut self, tag: u8, text: &str) {
        let place: &mut [u8; 5] = self.next();
        place[0] = tag;
        place[1..].copy_from_slice(&(text.len() as u32).to_le_bytes());
        self.put(text.as_bytes());
    }

    #[inline(always)]
    fn put_value(&mut self, value: &Value<'_>) {
        match *value {
            Value::None => self.put(&[TAG_NONE]),
            Value::Bool(value) => self.put(&[if value { TAG_TRUE } else { TAG_FALSE }]),
            Value::I64(value) => self.put_tagged(TAG_I64, value.to_le_bytes()),
            Value::U64(value) => self.put_tagged(TAG_U64, value.to_le_bytes()),
            Value::F64(value) => self.put_tagged(TAG_F64, value.to_le_bytes()),
            Value::BigInt(digits) => self.put_tagged_text(TAG_BIG_INT, digits),
            Value::Str(text) => self.put_tagged_text(TAG_STR, text),
            Value::Json(text) => self.put_tagged_text(TAG_JSON, text),
        }
    }
}
