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
//! Pinned by the tests beside it and the fuzz target `record`.

mod encode;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use view::{Argument, Ids};
pub use view::{Malformed, MessageView, RecordView, Values};

use crate::field::{Field, Value};
use crate::level::Level;
use view::Reader;

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

pub(super) const KIND_PLAIN: u8 = 0;
pub(super) const KIND_PERCENT: u8 = 1;
pub(super) const KIND_BRACE: u8 = 2;
pub(super) const KIND_LINE: u8 = 3;

pub(super) const TAG_NONE: u8 = 0;
pub(super) const TAG_FALSE: u8 = 1;
pub(super) const TAG_TRUE: u8 = 2;
pub(super) const TAG_I64: u8 = 3;
pub(super) const TAG_U64: u8 = 4;
pub(super) const TAG_BIG_INT: u8 = 5;
pub(super) const TAG_F64: u8 = 6;
pub(super) const TAG_STR: u8 = 7;
pub(super) const TAG_JSON: u8 = 8;
