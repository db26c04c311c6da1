//! A record as bytes: what one log call knew, laid out so that a stranger can read it.
//!
//! Invariants:
//! 1. [`Record::encode`] writes exactly [`Record::encoded_len`] bytes and allocates nothing.
//! 2. [`RecordView::parse`] accepts arbitrary bytes: it checks every length and tag once, and every
//!    accessor afterwards is infallible. It panics on nothing.
//! 3. The bytes hold no address. Texts are either in the record or named by the id they have in the
//!    ring's table, so a record can be read from a mapped file after its process has died.
//!
//! The way through: a producer fills a [`Record`] with borrowed values, the engine reserves
//! `encoded_len` bytes in the ring and encodes into them; the writer parses a [`RecordView`] out of
//! the ring and hands it to the filter and the formatter of each route in [`RecordView::routes`].
//!
//! Layout, little-endian, without padding:
//!
//! ```text
//! time_ns i64 | thread u64 | level i32 | logger u32 | site u32 | message u32
//! kind u8 | arguments u8 | fields u16 | attributes u8 | flags u8 | routes u16
//! route u32 …  [logger text]  [site text]  [message text]
//! argument …   field (text, value) …   attribute (tag u8, text) …
//! ```
//!
//! A text is `length u32, bytes`; a `0` in `logger` or `message` says that the text follows inline,
//! in `site` that there is none, unless bit 0 of `flags` says that it follows inline. A value is
//! `tag u8, payload`.
//!
//! What it does not do: decide where a record goes (`engine`), or make text of it (`format`).
//! Pinned by the tests below and the fuzz target `record`.

use crate::field::{Field, Value};
use crate::level::Level;
use std::fmt;

/// The longest record in bytes that the engine accepts, before the ring's own limit is asked.
pub const MAX_RECORD_BYTES: usize = 1 << 30;

const HEAD_BYTES: usize = 40;
const FLAG_INLINE_SITE: u8 = 1;

/// The id that a text has in the ring's table. Never zero.
pub type TextId = std::num::NonZeroU32;

/// The id of a route in its engine. Never reused within one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId(pub u32);

/// Where the texts lie that records name by id.
pub trait Texts {
    /// The text of this id, or `None` where the table has none.
    fn text(&self, id: TextId) -> Option<&[u8]>;
}

/// A table without texts.
impl Texts for () {
    fn text(&self, _: TextId) -> Option<&[u8]> {
        None
    }
}

/// A text that is either in the ring's table already or goes along with the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// The text with this id in the table.
    Id(TextId),
    /// This text, copied into the record.
    Inline(&'a [u8]),
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Text::Inline(text.as_bytes())
    }
}

/// The place in a program that made a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSite<'a> {
    /// The path of the source file, as the compiler was given it.
    pub path: &'a [u8],
    /// The function's name; empty where nothing tells it.
    pub function: &'a [u8],
    /// The line, counted from 1; 0 where nothing tells it.
    pub line: u32,
}

impl<'a> CallSite<'a> {
    /// The call site as the text that the table and records hold.
    pub fn to_text(self) -> Vec<u8> {
        let mut text = Vec::with_capacity(8 + self.function.len() + self.path.len());
        text.extend_from_slice(&self.line.to_le_bytes());
        text.extend_from_slice(&(self.function.len() as u32).to_le_bytes());
        text.extend_from_slice(self.function);
        text.extend_from_slice(self.path);
        text
    }

    /// The inverse of [`CallSite::to_text`]; `None` for bytes that no call site has.
    pub fn from_text(text: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(text);
        let line = reader.u32()?;
        let function_len = reader.u32()? as usize;
        let function = reader.take(function_len)?;
        Some(CallSite { path: reader.0, function, line })
    }
}

/// A call site that is in the table, goes along with the record, or was not captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site<'a> {
    /// No reached route asked for it.
    None,
    /// The table's text with this id, made by [`CallSite::to_text`].
    Id(TextId),
    /// The text made by [`CallSite::to_text`].
    Inline(&'a [u8]),
}

/// How a template marks the places of its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `%s`, `%d`, `%(key)s` …: Python's `%` operator.
    Percent,
    /// `{}`: Rust's positional placeholders, without a format specification.
    Brace,
}

/// What the record says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Message<'a> {
    /// The message itself.
    Plain(Text<'a>),
    /// A template and the arguments to put into it, which the writer does.
    Template(Style, Text<'a>, &'a [Value<'a>]),
    /// A line that is formatted already: the sink gets these bytes and nothing else, terminator
    /// included, whatever the route's formatter.
    Line(&'a [u8]),
}

/// What only some formatters ask for, known at the call and not later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum Attribute {
    /// The name of the thread.
    ThreadName = 1,
    /// The name of the process, as `multiprocessing` gives it.
    ProcessName = 2,
    /// The name of the asyncio task.
    TaskName = 3,
    /// The level's name where it is not [`Level`]'s own.
    LevelName = 4,
    /// A traceback, formatted.
    Exception = 5,
    /// A stack, formatted.
    Stack = 6,
}

impl Attribute {
    fn from_tag(tag: u8) -> Option<Self> {
        Some(match tag {
            1 => Attribute::ThreadName,
            2 => Attribute::ProcessName,
            3 => Attribute::TaskName,
            4 => Attribute::LevelName,
            5 => Attribute::Exception,
            6 => Attribute::Stack,
            _ => return None,
        })
    }
}

/// One log call, borrowed from the caller's stack.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Nanoseconds since the Unix epoch.
    pub time_ns: i64,
    /// How grave it is.
    pub level: Level,
    /// The operating system's or the interpreter's number of the calling thread.
    pub thread: u64,
    /// The name of the logger.
    pub logger: Text<'a>,
    /// The place of the call.
    pub site: Site<'a>,
    /// What it says.
    pub message: Message<'a>,
    /// The keys and values on it, in order.
    pub fields: &'a [Field<'a>],
    /// What else some route asked for.
    pub attributes: &'a [(Attribute, &'a str)],
    /// Where it goes. Each route in it is one delivery in the accounting.
    pub routes: &'a [RouteId],
}

impl Record<'_> {
    /// How many bytes [`Record::encode`] writes, or `None` where the record is beyond the format:
    /// more than 255 arguments or attributes, 65,535 fields or routes, or [`MAX_RECORD_BYTES`].
    #[inline]
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
    #[inline]
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
        let (head, rest) = out.split_at_mut(HEAD_BYTES);
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

const KIND_PLAIN: u8 = 0;
const KIND_PERCENT: u8 = 1;
const KIND_BRACE: u8 = 2;
const KIND_LINE: u8 = 3;

const TAG_NONE: u8 = 0;
const TAG_FALSE: u8 = 1;
const TAG_TRUE: u8 = 2;
const TAG_I64: u8 = 3;
const TAG_U64: u8 = 4;
const TAG_BIG_INT: u8 = 5;
const TAG_F64: u8 = 6;
const TAG_STR: u8 = 7;

#[inline]
fn text_id(text: Text<'_>) -> u32 {
    match text {
        Text::Id(id) => id.get(),
        Text::Inline(_) => 0,
    }
}

#[inline]
fn value_len(value: &Value<'_>) -> usize {
    match value {
        Value::None | Value::Bool(_) => 1,
        Value::I64(_) | Value::U64(_) | Value::F64(_) => 9,
        Value::Str(text) | Value::BigInt(text) => 5 + text.len(),
    }
}

struct Cursor<'b>(&'b mut [u8]);

impl Cursor<'_> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        let (here, rest) = std::mem::take(&mut self.0).split_at_mut(bytes.len());
        here.copy_from_slice(bytes);
        self.0 = rest;
    }

    #[inline]
    fn put_text(&mut self, text: &[u8]) {
        self.put(&(text.len() as u32).to_le_bytes());
        self.put(text);
    }

    #[inline]
    fn put_tagged(&mut self, tag: u8, payload: [u8; 8]) {
        self.put(&[tag]);
        self.put(&payload);
    }

    #[inline]
    fn put_value(&mut self, value: &Value<'_>) {
        match *value {
            Value::None => self.put(&[TAG_NONE]),
            Value::Bool(value) => self.put(&[if value { TAG_TRUE } else { TAG_FALSE }]),
            Value::I64(value) => self.put_tagged(TAG_I64, value.to_le_bytes()),
            Value::U64(value) => self.put_tagged(TAG_U64, value.to_le_bytes()),
            Value::F64(value) => self.put_tagged(TAG_F64, value.to_le_bytes()),
            Value::BigInt(digits) => {
                self.put(&[TAG_BIG_INT]);
                self.put_text(digits.as_bytes());
            }
            Value::Str(text) => {
                self.put(&[TAG_STR]);
                self.put_text(text.as_bytes());
            }
        }
    }
}

/// Bytes that no record has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed record")
    }
}

impl std::error::Error for Malformed {}

/// What a record says, as the writer sees it. Texts are bytes: whoever wrote them vouched for
/// UTF-8, nobody checks it again.
#[derive(Clone, Copy, Debug)]
pub enum MessageView<'a> {
    /// The message.
    Plain(&'a [u8]),
    /// A template and its arguments.
    Template(Style, &'a [u8], Values<'a>),
    /// A finished line.
    Line(&'a [u8]),
}

/// A record read back from its bytes.
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'a> {
    /// Nanoseconds since the Unix epoch.
    pub time_ns: i64,
    /// How grave it is.
    pub level: Level,
    /// The number of the calling thread.
    pub thread: u64,
    /// The name of the logger.
    pub logger: &'a [u8],
    /// The place of the call, where it was captured.
    pub site: Option<CallSite<'a>>,
    /// The table's id of the call site, where it has one: a key for what is derived from it.
    pub site_id: Option<TextId>,
    /// What it says.
    pub message: MessageView<'a>,
    routes: &'a [u8],
    fields: &'a [u8],
    attributes: &'a [u8],
}

impl<'a> RecordView<'a> {
    /// Reads a record.
    ///
    /// # Errors
    /// [`Malformed`] for bytes that [`Record::encode`] does not write, or ids that `texts` lacks.
    pub fn parse<T: Texts + ?Sized>(bytes: &'a [u8], texts: &'a T) -> Result<Self, Malformed> {
        Self::parse_checked(bytes, texts).ok_or(Malformed)
    }

    fn parse_checked<T: Texts + ?Sized>(bytes: &'a [u8], texts: &'a T) -> Option<Self> {
        let mut reader = Reader(bytes);
        let time_ns = reader.u64()? as i64;
        let thread = reader.u64()?;
        let level = Level(reader.u32()? as i32);
        let logger_id = TextId::new(reader.u32()?);
        let site_id = TextId::new(reader.u32()?);
        let message_id = TextId::new(reader.u32()?);
        let &[kind, n_values, f0, f1, n_attributes, flags, r0, r1] = reader.take(8)? else {
            return None;
        };
        let routes = reader.take(4 * usize::from(u16::from_le_bytes([r0, r1])))?;
        let mut text = |id: Option<TextId>| match id {
            Some(id) => texts.text(id),
            None => reader.text(),
        };
        let logger = text(logger_id)?;
        let site = match (site_id, flags & FLAG_INLINE_SITE != 0) {
            (None, false) => None,
            (id, _) => Some(CallSite::from_text(text(id)?)?),
        };
        let message = text(message_id)?;
        let values = Values(
            reader.measure(|reader| (0..n_values).try_for_each(|_| reader.value().map(drop)))?,
        );
        let fields = reader.measure(|reader| {
            (0..u16::from_le_bytes([f0, f1])).try_for_each(|_| {
                std::str::from_utf8(reader.text()?).ok()?;
                reader.value().map(drop)
            })
        })?;
        let attributes = reader.measure(|reader| {
            (0..n_attributes).try_for_each(|_| {
                Attribute::from_tag(reader.u8()?)?;
                std::str::from_utf8(reader.text()?).ok().map(drop)
            })
        })?;
        let message = match kind {
            KIND_PLAIN => MessageView::Plain(message),
            KIND_PERCENT => MessageView::Template(Style::Percent, message, values),
            KIND_BRACE => MessageView::Template(Style::Brace, message, values),
            KIND_LINE => MessageView::Line(message),
            _ => return None,
        };
        Some(RecordView {
            time_ns,
            level,
            thread,
            logger,
            site,
            site_id,
            message,
            routes,
            fields,
            attributes,
        })
    }

    /// The routes it goes to.
    #[inline]
    pub fn routes(&self) -> impl ExactSizeIterator<Item = RouteId> + use<'a> {
        self.routes
            .chunks_exact(4)
            .map(|id| RouteId(u32::from_le_bytes([id[0], id[1], id[2], id[3]])))
    }

    /// The keys and values on it, in order.
    #[inline]
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let mut reader = Reader(self.fields);
        std::iter::from_fn(move || {
            let key = std::str::from_utf8(reader.text()?).ok()?;
            Some(Field { key, value: reader.value()? })
        })
    }

    /// What was captured of `attribute`.
    #[inline]
    pub fn attribute(&self, attribute: Attribute) -> Option<&'a str> {
        let mut reader = Reader(self.attributes);
        while let Some(tag) = reader.u8() {
            let text = reader.text()?;
            if tag == attribute as u8 {
                return std::str::from_utf8(text).ok();
            }
        }
        None
    }
}

/// The arguments of a template, in order.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a>(&'a [u8]);

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    #[inline]
    fn next(&mut self) -> Option<Value<'a>> {
        let mut reader = Reader(self.0);
        let value = reader.value()?;
        self.0 = reader.0;
        Some(value)
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    #[inline]
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    #[inline]
    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    #[inline]
    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    #[inline]
    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    #[inline]
    fn text(&mut self) -> Option<&'a [u8]> {
        let len = self.u32()? as usize;
        self.take(len)
    }

    #[inline]
    fn str(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.text()?).ok()
    }

    #[inline]
    fn value(&mut self) -> Option<Value<'a>> {
        Some(match self.u8()? {
            TAG_NONE => Value::None,
            TAG_FALSE => Value::Bool(false),
            TAG_TRUE => Value::Bool(true),
            TAG_I64 => Value::I64(self.u64()? as i64),
            TAG_U64 => Value::U64(self.u64()?),
            TAG_F64 => Value::F64(f64::from_bits(self.u64()?)),
            TAG_BIG_INT => Value::BigInt(self.str()?),
            TAG_STR => Value::Str(self.str()?),
            _ => return None,
        })
    }

    /// Runs `read` and returns the bytes it went over.
    #[inline]
    fn measure(&mut self, read: impl FnOnce(&mut Self) -> Option<()>) -> Option<&'a [u8]> {
        let before = self.0;
        read(self)?;
        Some(&before[..before.len() - self.0.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One(&'static [u8]);

    impl Texts for One {
        fn text(&self, id: TextId) -> Option<&[u8]> {
            (id.get() == 8).then_some(self.0)
        }
    }

    fn encode(record: &Record<'_>) -> Vec<u8> {
        let mut bytes = vec![0xAA; record.encoded_len().unwrap()];
        record.encode(&mut bytes);
        bytes
    }

    const VALUES: [Value<'static>; 8] = [
        Value::None,
        Value::Bool(true),
        Value::Bool(false),
        Value::I64(-3),
        Value::U64(u64::MAX),
        Value::BigInt("-123456789012345678901234567890"),
        Value::F64(-0.5),
        Value::Str("größe"),
    ];

    fn full<'a>(site: &'a [u8]) -> Record<'a> {
        Record {
            time_ns: -1,
            level: Level::ERROR,
            thread: u64::MAX,
            logger: "app.db".into(),
            site: Site::Inline(site),
            message: Message::Template(Style::Percent, "a %s".into(), &VALUES),
            fields: &[Field { key: "user", value: Value::Str("ann") }],
            attributes: &[(Attribute::ThreadName, "MainThread"), (Attribute::Stack, "")],
            routes: &[RouteId(1), RouteId(7)],
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        let site = CallSite { path: b"/app/a.py", function: b"main", line: 12 };
        let text = site.to_text();
        let bytes = encode(&full(&text));
        let view = RecordView::parse(&bytes, &()).unwrap();
        assert_eq!((view.time_ns, view.level, view.thread), (-1, Level::ERROR, u64::MAX));
        assert_eq!(view.logger, b"app.db");
        assert_eq!(view.site, Some(site));
        let MessageView::Template(Style::Percent, template, values) = view.message else {
            panic!("{:?}", view.message)
        };
        assert_eq!(template, b"a %s");
        assert_eq!(values.collect::<Vec<_>>(), VALUES);
        assert_eq!(
            view.fields().collect::<Vec<_>>(),
            [Field { key: "user", value: Value::Str("ann") }]
        );
        assert_eq!(view.attribute(Attribute::ThreadName), Some("MainThread"));
        assert_eq!(view.attribute(Attribute::Stack), Some(""));
        assert_eq!(view.attribute(Attribute::TaskName), None);
        assert_eq!(view.routes().collect::<Vec<_>>(), [RouteId(1), RouteId(7)]);
    }

    #[test]
    fn texts_named_by_id_come_from_the_table() {
        let id = TextId::new(8).unwrap();
        let record = Record {
            logger: Text::Id(id),
            site: Site::None,
            message: Message::Plain(Text::Id(id)),
            ..full(b"")
        };
        let bytes = encode(&record);
        let view = RecordView::parse(&bytes, &One(b"hello")).unwrap();
        assert_eq!(view.logger, b"hello");
        assert!(matches!(view.message, MessageView::Plain(b"hello")));
        assert_eq!(view.site, None);
        assert!(RecordView::parse(&bytes, &()).is_err(), "an unknown id is malformed");
    }

    #[test]
    fn every_truncation_and_every_flipped_byte_is_refused_or_read() {
        let site = CallSite { path: b"p", function: b"f", line: 1 }.to_text();
        let bytes = encode(&full(&site));
        for len in 0..bytes.len() {
            assert!(RecordView::parse(&bytes[..len], &()).is_err(), "{len} of {}", bytes.len());
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                if let Ok(view) = RecordView::parse(&bytes, &()) {
                    view.fields().for_each(drop);
                    view.routes().for_each(drop);
                }
            }
        }
    }

    #[test]
    fn what_the_counts_cannot_hold_is_refused() {
        let values = vec![Value::None; 256];
        let record =
            Record { message: Message::Template(Style::Brace, "".into(), &values), ..full(b"") };
        assert_eq!(record.encoded_len(), None);
    }
}
