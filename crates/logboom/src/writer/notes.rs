//! What the writer notes beside a durable ring: how far each sink's file has got.
//!
//! Before a sink is written to for the first time since its ring began, and after each batch, before the
//! ring releases what the batch held; `durable` says what for. Where the ring is not durable nothing of
//! this costs anything.

use crate::durable::Book;
use crate::writer::routes::LiveRoutes;
use crate::writer::sink::LiveSink;
use std::sync::Arc;

/// Where to note, and what.
#[derive(Default)]
pub(super) struct Notes {
    book: Option<Arc<Book>>,
    /// Everything before it was given to the sinks, and noted.
    from: u64,
    /// Something that is not in the ring is being given to sinks.
    beside: bool,
}

/// What was noted of a sink last.
pub(super) struct Noted {
    book: u32,
    file: (u64, u64),
    len_bytes: u64,
    taken_bytes: u64,
    shared: bool,
}

impl LiveRoutes {
    /// Goes on with the ring of this book, from this position, and notes there what sinks kept.
    pub(super) fn keep_notes(&mut self, book: Option<&Arc<Book>>, from: u64) {
        self.notes = Notes { book: book.cloned(), from, beside: false };
        let Some(book) = book else { return };
        for sink in self.sinks.iter_mut() {
            if sink.place().is_some_and(|place| !place.rest.is_empty()) {
                note(sink, book, from);
            }
        }
    }

    /// A sink is about to be called.
    #[inline]
    pub(super) fn begin_note(&mut self, at: usize) {
        if let Some(book) = &self.notes.book {
            let sink = &mut self.sinks[at];
            sink.changed = true;
            if sink.noted.as_ref().is_none_or(|noted| noted.book != book.number()) {
                note(sink, book, self.notes.from);
            }
        }
    }

    /// Something that is not in the ring is about to be given to sinks.
    pub(super) fn note_beside(&mut self) {
        if let Some(book) = &self.notes.book {
            book.set_beside(true);
            self.notes.beside = true;
        }
    }

    /// Everything before `to` was given to the sinks.
    pub(super) fn note_until(&mut self, to: u64) {
        let Some(book) = &self.notes.book else { return };
        for &index in &self.touched {
            let sink = &mut self.sinks[self.routes[index].sink];
            if std::mem::take(&mut sink.changed) {
                note(sink, book, to);
            }
        }
        if std::mem::take(&mut self.notes.beside) {
            book.set_beside(false);
        }
        self.notes.from = to;
    }
}

/// Notes where a sink is, if it can tell.
fn note(sink: &mut LiveSink, book: &Book, position: u64) {
    let Some(place) = sink.place() else { return };
    let shared = sink.noted.as_ref().is_some_and(|noted| {
        // A sink that was opened anew counts from nothing, and tells nothing of what was before.
        let grown = place.taken_bytes.checked_sub(noted.taken_bytes);
        if noted.file == place.file {
            noted.shared || grown.is_some_and(|grown| place.len_bytes > noted.len_bytes + grown)
        } else {
            grown.is_some_and(|grown| place.len_bytes > grown)
        }
    });
    book.note(sink.key, position, &place, shared);
    let (file, len_bytes, taken_bytes) = (place.file, place.len_bytes, place.taken_bytes);
    sink.noted = Some(Noted { book: book.number(), file, len_bytes, taken_bytes, shared });
}
