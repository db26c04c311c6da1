//! Shapes: a pattern with everything put in that records of one place share.
//!
//! Of what a pattern shows most is the same for each record of one logger, level, call site and template:
//! only the time and the arguments differ. A [`Shape`] is the text of such records with holes, so that a
//! record is a few copies and what goes into the holes. It is made of the operations themselves, when a
//! place has been met often enough, and gives what they give.
//!
//! Shapes lie in the route's cache, in a fixed number of places, none longer than [`LONGEST`].
//!
//! Pinned by `shape_tests.rs`.

use super::source::Source;
use super::{Op, PatternFormatter};
use crate::format::percent::{Spec, Template, write_argument};
use crate::format::{FormatCache, FormatError, write_message};
use crate::record::{Ids, MessageView, RecordView, Style};

/// How many shapes a route remembers.
pub(super) const PLACES: usize = 128;
/// How many bytes of text and how many holes a shape has at most.
const LONGEST: usize = 1024;
const MOST_HOLES: usize = 32;
/// So many records in turn have to miss a place before what is there goes.
const PATIENCE: u8 = 4;

/// What the records of a shape have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    /// The formatter that made it.
    formatter: u64,
    ids: Ids,
}

/// What stands in a hole.
#[derive(Clone, Copy, Debug)]
enum Hole {
    Date,
    /// The next argument of the message.
    Argument(Spec),
    /// The first one, as a pattern may show the message more than once.
    FirstArgument(Spec),
    /// The whole message.
    Message,
    /// What an operation shows.
    Op(u8),
}

/// See the module.
#[derive(Debug)]
struct Shape {
    text: Vec<u8>,
    /// Each with the end of the text before it.
    holes: Vec<(usize, Hole)>,
}

/// A place for a shape.
#[derive(Debug, Default)]
struct Place {
    shape: Option<(Key, Shape)>,
    missed: u8,
}

/// The shapes of a route.
#[derive(Debug, Default)]
pub(in crate::format) struct Shapes(Vec<Place>);

impl Shapes {
    /// How many there are.
    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.0.iter().filter(|place| place.shape.is_some()).count()
    }

    #[inline]
    fn place(&mut self, key: &Key) -> &mut Place {
        if self.0.is_empty() {
            self.0.resize_with(PLACES, Place::default);
        }
        &mut self.0[key.ids.hash() as usize % PLACES]
    }
}

impl PatternFormatter {
    /// Formats a record by its shape; false where it has none, and nothing was appended.
    ///
    /// # Errors
    /// As the operations would.
    #[inline]
    pub(super) fn format_by_shape(
        &self,
        record: &RecordView<'_>,
        cache: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<bool, FormatError> {
        let Some(ids) = record.ids() else { return Ok(false) };
        let key = Key { formatter: self.id, ids };
        // Out of the cache for as long as the rest of it is lent out; one who panics loses them all.
        let mut shapes = std::mem::take(&mut cache.shapes);
        let place = shapes.place(&key);
        let done = match &place.shape {
            Some((known, shape)) if *known == key => {
                place.missed = 0;
                self.fill(shape, record, cache, out).map(|()| true)
            }
            _ => {
                self.miss(place, key, record, cache);
                Ok(false)
            }
        };
        cache.shapes = shapes;
        done
    }

    #[inline]
    fn fill(
        &self,
        shape: &Shape,
        record: &RecordView<'_>,
        cache: &mut FormatCache,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let mut arguments = record.arguments();
        let mut from = 0;
        for (end, hole) in &shape.holes {
            out.extend_from_slice(&shape.text[from..*end]);
            from = *end;
            match hole {
                Hole::Date => self.write_date(record, cache, out)?,
                Hole::Argument(spec) | Hole::FirstArgument(spec) => {
                    if matches!(hole, Hole::FirstArgument(_)) {
                        arguments = record.arguments();
                    }
                    if let Some(argument) = arguments.argument() {
                        write_argument(spec, argument, out)?;
                    }
                }
                Hole::Message => write_message(&record.message, out)?,
                Hole::Op(at) => {
                    self.write_place(&self.program.ops[usize::from(*at)], record, cache, out)?;
                }
            }
        }
        out.extend_from_slice(&shape.text[from..]);
        Ok(())
    }

    #[cold]
    fn miss(&self, place: &mut Place, key: Key, record: &RecordView<'_>, cache: &mut FormatCache) {
        place.missed += 1;
        if place.missed < PATIENCE {
            return;
        }
        place.missed = 0;
        place.shape = self.shape(record, cache).map(|shape| (key, shape));
    }

    /// The shape of records like this one; `None` where it would be too long, or fail.
    fn shape(&self, record: &RecordView<'_>, cache: &mut FormatCache) -> Option<Shape> {
        let mut shape = Shape { text: Vec::new(), holes: Vec::new() };
        for (at, op) in self.program.ops.iter().enumerate() {
            shape.text.extend_from_slice(op.before.as_bytes());
            match hole(op, u8::try_from(at).ok()?) {
                Some(Hole::Message) => shape.message(record)?,
                Some(hole) => shape.hole(hole),
                None => self.write_place(op, record, cache, &mut shape.text).ok()?,
            }
        }
        shape.text.extend_from_slice(self.program.after.as_bytes());
        (shape.text.len() <= LONGEST && shape.holes.len() <= MOST_HOLES).then_some(shape)
    }
}

/// The hole that an operation leaves; `None` for one that shows the same of all records that have the same
/// ids and no attributes.
fn hole(op: &Op, at: u8) -> Option<Hole> {
    match op.source {
        Source::AscTime if op.plain => Some(Hole::Date),
        Source::Message if op.plain => Some(Hole::Message),
        Source::AscTime
        | Source::Message
        | Source::Created
        | Source::Msecs
        | Source::RelativeCreated
        | Source::Thread
        | Source::Field(_) => Some(Hole::Op(at)),
        _ => None,
    }
}

impl Shape {
    fn hole(&mut self, hole: Hole) {
        self.holes.push((self.text.len(), hole));
    }

    /// Puts the record's message in, with holes for its arguments.
    fn message(&mut self, record: &RecordView<'_>) -> Option<()> {
        match record.message {
            MessageView::Template(Style::Percent, template, values)
                if record.message_id.is_some() =>
            {
                let template = Template::parse(template).ok()?;
                (template.arguments() == values.count()).then_some(())?;
                let mut hole = Hole::FirstArgument as fn(Spec) -> Hole;
                for piece in template.pieces() {
                    self.text.extend_from_slice(piece.before);
                    if let Some(spec) = piece.spec {
                        self.hole(hole(spec));
                        hole = Hole::Argument;
                    }
                }
            }
            MessageView::Plain(text) if record.message_id.is_some() => {
                self.text.extend_from_slice(text);
            }
            _ => self.hole(Hole::Message),
        }
        Some(())
    }
}
