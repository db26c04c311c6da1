//! A sink as the writer has it, with its buffer; and all of them.
//!
//! Invariants:
//! 1. Routes whose specs hold the same `Arc` of a sink's spec share one live sink and one buffer. It
//!    lives until the last of them is closed.
//! 2. A panic of the sink ends here. A sink that panicked is never called again; a new one is opened
//!    from the spec at the next need.
//! 3. A place in [`LiveSinks`] stays the same while its sink lives.
//!
//! What it does not do: count. Whose the frames are that a call was about, `routes` settles.

use crate::route::registry::Entry;
use crate::sink::{Place, Sink, SinkSpec, Written};
use crate::writer::notes::Noted;
use crate::writer::settle::Origin;
use crate::writer::staging::{Pool, Staging};
use crate::writer::words;
use std::collections::HashMap;
use std::io;
use std::ops::{Index, IndexMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A sink in the writer's hands. The default is a place without one.
#[derive(Default)]
pub(super) struct LiveSink {
    spec: Option<Arc<dyn SinkSpec>>,
    /// `None` between a panic, or a failed opening, and the next attempt.
    sink: Option<Box<dyn Sink>>,
    pub(super) staging: Option<Staging>,
    /// Whose frame the sink keeps the rest of.
    pub(super) kept: Option<Origin>,
    /// How many open routes lead here.
    pub(super) routes: usize,
    /// The last flush that came here, so that each comes once, however many routes lead here.
    pub(super) round: u64,
    /// [`RouteSpec::sink_key`](crate::route::RouteSpec::sink_key).
    pub(super) key: usize,
    /// What was noted of it beside a durable ring, and whether it was called since.
    pub(super) noted: Option<Noted>,
    pub(super) changed: bool,
    /// What the last sync said; `None` if there was no sink to ask.
    pub(super) synced: Option<bool>,
}

impl LiveSink {
    /// The buffer, a fresh one where there is none.
    #[inline]
    pub(super) fn staging(&mut self, pool: &mut Pool) -> &mut Staging {
        self.staging.get_or_insert_with(|| pool.take())
    }

    /// Whether there is something for [`LiveSink::call`] to call without opening anything.
    pub(super) fn is_open(&self) -> bool {
        self.sink.is_some()
    }

    /// Calls the sink, opened again if there is none.
    pub(super) fn call(&mut self, call: impl FnOnce(&mut dyn Sink) -> Written) -> Written {
        let error = match self.opened() {
            Err(error) => error,
            Ok(sink) => match catch_unwind(AssertUnwindSafe(|| call(&mut **sink))) {
                Ok(written) => return written,
                Err(panic) => {
                    let text = format!("sink panicked: {}", words(&*panic));
                    self.discard();
                    io::Error::other(text)
                }
            },
        };
        Written { frames: 0, kept: false, error: Some(error) }
    }

    /// Has the sink put everything onto its device; `None` if there is no sink. One that panics is
    /// gone afterwards.
    pub(super) fn sync(&mut self) -> Option<Result<(), String>> {
        let sink = self.sink.as_mut()?;
        Some(match catch_unwind(AssertUnwindSafe(|| sink.sync())) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(panic) => {
                self.discard();
                Err(format!("sink panicked: {}", words(&*panic)))
            }
        })
    }

    fn opened(&mut self) -> io::Result<&mut Box<dyn Sink>> {
        let missing = || io::Error::other("no sink");
        if self.sink.is_none() {
            let spec = self.spec.as_ref().ok_or_else(missing)?;
            let opened = catch_unwind(AssertUnwindSafe(|| spec.open()));
            self.sink = Some(opened.unwrap_or_else(|panic| {
                Err(io::Error::other(format!("opening panicked: {}", words(&*panic))))
            })?);
        }
        self.sink.as_mut().ok_or_else(missing)
    }

    /// Drops the sink; its own drop may panic as well.
    pub(super) fn discard(&mut self) {
        let sink = self.sink.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(sink)));
    }

    /// Where it is in its file, if it can tell.
    pub(super) fn place(&self) -> Option<Place<'_>> {
        let sink = self.sink.as_ref()?;
        catch_unwind(AssertUnwindSafe(|| sink.place())).ok()?
    }

    /// What it calls itself.
    pub(super) fn describe(&self) -> String {
        let Some(spec) = &self.spec else { return String::new() };
        catch_unwind(AssertUnwindSafe(|| spec.describe())).unwrap_or_default()
    }
}

/// The live sinks, each at its place.
#[derive(Default)]
pub(super) struct LiveSinks {
    places: Vec<LiveSink>,
    free: Vec<usize>,
    /// Where the sink of a spec is, by [`RouteSpec::sink_key`](crate::route::RouteSpec::sink_key).
    by_spec: HashMap<usize, usize>,
}

impl LiveSinks {
    /// Adds a route; returns the place of its sink, which is the one its caller opened unless there
    /// is one.
    pub(super) fn join(&mut self, entry: &Entry) -> usize {
        let at = *self.by_spec.entry(entry.spec.sink_key()).or_insert_with(|| {
            self.free.pop().unwrap_or_else(|| {
                self.places.push(LiveSink::default());
                self.places.len() - 1
            })
        });
        let place = &mut self.places[at];
        place.routes += 1;
        place.key = entry.spec.sink_key();
        place.spec.get_or_insert_with(|| Arc::clone(&entry.spec.sink));
        let opened = entry.take_sink();
        if place.sink.is_none() {
            place.sink = opened;
        } else {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(opened)));
        }
        at
    }

    /// All of them, and places that are free.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut LiveSink> {
        self.places.iter_mut()
    }

    /// Takes a route away; with the last one the sink, whose drop may panic.
    pub(super) fn leave(&mut self, at: usize, entry: &Entry) -> Option<LiveSink> {
        let place = &mut self.places[at];
        place.routes -= 1;
        if place.routes > 0 {
            return None;
        }
        self.by_spec.remove(&entry.spec.sink_key());
        self.free.push(at);
        Some(std::mem::take(place))
    }
}

impl Index<usize> for LiveSinks {
    type Output = LiveSink;

    #[inline]
    fn index(&self, at: usize) -> &LiveSink {
        &self.places[at]
    }
}

impl IndexMut<usize> for LiveSinks {
    #[inline]
    fn index_mut(&mut self, at: usize) -> &mut LiveSink {
        &mut self.places[at]
    }
}
