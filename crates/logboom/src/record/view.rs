//! Reading a record back: every length and tag is checked once, when it is parsed.

use super::{
    Attribute, CallSite, FLAG_INLINE_SITE, HEAD_BYTES, KIND_BRACE, KIND_LINE, KIND_PERCENT,
    KIND_PLAIN, RouteId, Style, TAG_BIG_INT, TAG_F64, TAG_FALSE, TAG_I64, TAG_JSON, TAG_NONE,
    TAG_STR, TAG_TRUE, TAG_U64, TextId, Texts,
};
use crate::field::{Field, Value};
use crate::level::Level;
use std::fmt;

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
    /// The table's id of that, where it has one.
    logger_id: Option<TextId>,
    /// The place of the call, where it was captured.
    pub site: Option<CallSite<'a>>,
    /// The table's id of the call site, where it has one: a key for what is derived from it.
    pub site_id: Option<TextId>,
    /// What it says.
    pub message: MessageView<'a>,
    /// The table's id of its text or template, where it has one.
    pub(crate) message_id: Option<TextId>,
    kind: u8,
    n_values: u8,
    routes: &'a [u8],
    fields: &'a [u8],
    attributes: &'a [u8],
}

impl<'a> RecordView<'a> {
    /// Reads a record.
    ///
    /// # Errors
    /// [`Malformed`] for bytes that [`Record::encode`](super::Record::encode) does not write, or ids that `texts` lacks.
    pub fn parse<T: Texts + ?Sized>(bytes: &'a [u8], texts: &'a T) -> Result<Self, Malformed> {
        Self::parse_checked(bytes, texts).ok_or(Malformed)
    }

    fn parse_checked<T: Texts + ?Sized>(bytes: &'a [u8], texts: &'a T) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
        let mut reader = Reader(rest);
        let u64_at = |at: usize| u64::from_le_bytes(std::array::from_fn(|n| head[at + n]));
        let u32_at = |at: usize| u32::from_le_bytes(std::array::from_fn(|n| head[at + n]));
        let u16_at = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let (time_ns, thread) = (u64_at(0) as i64, u64_at(8));
        let level = Level(u32_at(16) as i32);
        let [logger_id, site_id, message_id] = [20, 24, 28].map(|at| TextId::new(u32_at(at)));
        let [kind, n_values, n_attributes, flags] = [head[32], head[33], head[36], head[37]];
        let (n_fields, n_routes) = (u16_at(34), u16_at(38));
        let routes = reader.take(4 * usize::from(n_routes))?;
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
        let values =
            Values(reader.measure(|reader| (0..n_values).try_for_each(|_| reader.skip_value()))?);
        let fields = reader.measure(|reader| {
            (0..n_fields).try_for_each(|_| {
                reader.text()?;
                reader.skip_value()
            })
        })?;
        let attributes = reader.measure(|reader| {
            (0..n_attributes).try_for_each(|_| {
                Attribute::from_tag(reader.u8()?)?;
                reader.text().map(drop)
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
            logger_id,
            site,
            site_id,
            message,
            message_id,
            kind,
            n_values,
            routes,
            fields,
            attributes,
        })
    }

    /// What it has in common with records of one place, where all of that is in the table and it has no
    /// attributes.
    #[inline]
    pub(crate) fn ids(&self) -> Option<Ids> {
        let id = |id: Option<TextId>| id.map_or(0, TextId::get);
        let known = self.attributes.is_empty() && self.site.is_some() == self.site_id.is_some();
        known.then_some(Ids {
            logger: self.logger_id?.get(),
            site: id(self.site_id),
            message: id(self.message_id),
            level: self.level,
            kind: self.kind,
            n_values: self.n_values,
        })
    }

    /// The arguments of the message.
    #[inline]
    pub(crate) fn arguments(&self) -> Values<'a> {
        match self.message {
            MessageView::Template(_, _, values) => values,
            _ => Values(&[]),
        }
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
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> + Clone + use<'a> {
        let mut reader = Reader(self.fields);
        std::iter::from_fn(move || Some(Field { key: reader.str()?, value: reader.value()? }))
    }

    /// What was captured of `attribute`.
    #[inline]
    pub fn attribute(&self, attribute: Attribute) -> Option<&'a str> {
        let mut reader = Reader(self.attributes);
        while let Some(tag) = reader.u8() {
            if tag == attribute as u8 {
                return reader.str();
            }
            reader.text()?;
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

impl<'a> Values<'a> {
    /// The next one, a text as its bytes.
    #[inline]
    pub(crate) fn argument(&mut self) -> Option<Argument<'a>> {
        let mut reader = Reader(self.0);
        let argument = match self.0.first()? {
            &TAG_STR => {
                reader.u8()?;
                Argument::Text(reader.text()?)
            }
            _ => Argument::Value(reader.value()?),
        };
        self.0 = reader.0;
        Some(argument)
    }
}

/// An argument of a template.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument<'a> {
    /// The bytes of a [`Value::Str`].
    Text(&'a [u8]),
    /// Any other.
    Value(Value<'a>),
}

impl<'a> Argument<'a> {
    /// As a value.
    pub(crate) fn value(self) -> Value<'a> {
        match self {
            Argument::Text(text) => Value::Str(valid(text)),
            Argument::Value(value) => value,
        }
    }
}

/// What the records of one place have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ids {
    logger: u32,
    /// 0 for none.
    site: u32,
    /// 0 where the text goes along with each record.
    message: u32,
    level: Level,
    kind: u8,
    n_values: u8,
}

impl Ids {
    /// A number that differs between places.
    #[inline]
    pub(crate) fn hash(&self) -> u32 {
        (self.site.wrapping_mul(31) ^ self.message.wrapping_mul(7) ^ self.logger)
            .wrapping_add(self.level.0 as u32)
    }
}

#[derive(Clone)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    #[inline]
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
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
    pub(super) fn u32(&mut self) -> Option<u32> {
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
        self.text().map(valid)
    }

    /// Goes over a value without looking into it.
    #[inline]
    fn skip_value(&mut self) -> Option<()> {
        match self.u8()? {
            TAG_NONE | TAG_FALSE | TAG_TRUE => Some(()),
            TAG_I64 | TAG_U64 | TAG_F64 => self.u64().map(drop),
            TAG_BIG_INT | TAG_STR | TAG_JSON => self.text().map(drop),
            _ => None,
        }
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
            TAG_JSON => Value::Json(self.str()?),
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

/// A text that whoever wrote it vouched for. Where a stranger wrote it and it is none, what is shown says
/// so.
#[inline]
fn valid(text: &[u8]) -> &str {
    std::str::from_utf8(text).unwrap_or("\u{FFFD}")
}
