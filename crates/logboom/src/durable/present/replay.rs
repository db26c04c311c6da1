//! One ring of a dead process: its records made text again, by sink.
//!
//! Everything here comes out of a file that somebody else wrote. A record that does not parse, a route
//! that is not told, a text that is not UTF-8 costs that record; nothing is looked up by a number that
//! was not checked.

use super::book::{ROUTES, RouteCell, SINKS, STATE, State};
use super::directory::Directory;
use super::note::{self, Note};
use super::plan::{self, RoutePlan};
use super::resume;
use crate::durable::RecoveredPlace;
use crate::filter::Filter as _;
use crate::format::{FormatCache, Formatter, Redactor};
use crate::notice;
use crate::record::{MessageView, RecordView, RouteId, TextId, Texts};
use crate::redact::Redaction;
use crate::sink::again::SinkPlan;
use logboom_ring::{Contents, FileContents, Owner};
use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

impl Texts for Contents<'_> {
    fn text(&self, id: TextId) -> Option<&[u8]> {
        Contents::text(self, id)
    }
}

/// A route, with what it remembers.
struct Route {
    plan: RoutePlan,
    outlet: usize,
    cache: FormatCache,
}

/// What goes to one sink.
pub(super) struct Outlet {
    /// Where; `None` where it cannot be made again.
    pub(super) sink: Option<SinkPlan>,
    pub(super) sink_name: String,
    /// Where its note is, if it has a place for one.
    pub(super) slot: Option<usize>,
    /// How far its file had got, if it was written to.
    pub(super) note: Option<Note>,
    /// The frames behind the note's position, one behind the other.
    pub(super) bytes: Vec<u8>,
    /// Where each ends, there and in the ring.
    pub(super) ends: Vec<usize>,
    pub(super) positions: Vec<u64>,
    /// Whether the writer may have been giving it something that is not in the ring.
    pub(super) beside: bool,
    /// What makes the text of a notice, and what follows it.
    formatter: Arc<dyn Formatter>,
    pub(super) terminator: Vec<u8>,
    last_ns: i64,
}

/// What a ring holds for sinks.
pub(super) struct Replay {
    outlets: Vec<Outlet>,
    /// Records behind what was released, whether or not their sinks have them.
    pub(super) records: u64,
    pub(super) failed: u64,
    pub(super) unfinished: u64,
    pub(super) damaged_at: Option<u64>,
}

/// Reads a ring and formats its records.
pub(super) fn read(contents: &FileContents<'_>, redaction: &Arc<Redaction>) -> Replay {
    let mut redactor = Redactor::new(Arc::clone(redaction));
    let state = contents.cell(STATE, 0).and_then(State::decode).unwrap_or_default();
    let mut outlets = Outlets { all: Vec::new(), by_sink: HashMap::new(), beside: state.beside };
    let mut routes = told(contents, &mut outlets);
    let mut frames = contents.ring.frames();
    let (mut records, mut failed) = (0, 0);
    while let Some(frame) = frames.next() {
        records += 1;
        let end = frames.position();
        let Ok(record) = RecordView::parse(frame, &contents.ring) else {
            failed += 1;
            continue;
        };
        for id in record.routes() {
            if !routes.contains_key(&id)
                && state.unplaced
                && let Some(plan) = plan::unknown()
            {
                let outlet = outlets.of(&plan, None, None);
                let cache = FormatCache::for_process(contents.owner.process);
                routes.insert(id, Route { plan, outlet, cache });
            }
            // One that is not told was closed before the record came: the engine rejects that, too.
            let Some(route) = routes.get_mut(&id) else {
                failed += 1;
                continue;
            };
            if !outlets.all[route.outlet].take(route_parts(route), &record, end, &mut redactor) {
                failed += 1;
            }
        }
    }
    let (unfinished, damaged_at) = (frames.unfinished(), frames.damaged_at());
    Replay { outlets: outlets.all, records, failed, unfinished, damaged_at }
}

fn route_parts(route: &mut Route) -> (&RoutePlan, &mut FormatCache) {
    (&route.plan, &mut route.cache)
}

/// The routes that the file tells.
fn told(contents: &FileContents<'_>, outlets: &mut Outlets) -> HashMap<RouteId, Route> {
    let mut routes = HashMap::new();
    for (_, cell) in contents.cells(ROUTES) {
        let Some(RouteCell { route, text, slot }) = RouteCell::decode(cell) else { continue };
        let plan = text.and_then(|text| plan::decode(contents.ring.text(text)?));
        let Some(plan) = plan.or_else(plan::unknown) else { continue };
        let note = slot.and_then(|slot| note::decode(contents.cell(SINKS, slot)?));
        let outlet = outlets.of(&plan, slot, note);
        let cache = FormatCache::for_process(contents.owner.process);
        routes.insert(route, Route { plan, outlet, cache });
    }
    routes
}

struct Outlets {
    all: Vec<Outlet>,
    /// By slot and sink; those without a slot by their sink alone.
    by_sink: HashMap<(Option<usize>, Option<SinkPlan>, String), usize>,
    beside: bool,
}

impl Outlets {
    fn of(&mut self, plan: &RoutePlan, slot: Option<usize>, note: Option<Note>) -> usize {
        let key = (slot, plan.sink.clone(), plan.sink_name.clone());
        *self.by_sink.entry(key).or_insert_with(|| {
            self.all.push(Outlet {
                sink: plan.sink.clone(),
                sink_name: plan.sink_name.clone(),
                slot,
                note,
                bytes: Vec::new(),
                ends: Vec::new(),
                positions: Vec::new(),
                beside: self.beside,
                formatter: Arc::clone(&plan.formatter),
                terminator: plan.terminator.clone(),
                last_ns: i64::MIN,
            });
            self.all.len() - 1
        })
    }
}

impl Outlet {
    /// Appends a record that ends at this position, unless the sink has it. False where it cannot be
    /// formatted.
    fn take(
        &mut self,
        (plan, cache): (&RoutePlan, &mut FormatCache),
        record: &RecordView<'_>,
        end: u64,
        redactor: &mut Redactor,
    ) -> bool {
        if self.note.as_ref().is_some_and(|note| end <= note.position)
            || plan.filter.is_some_and(|filter| !filter.accept(record))
        {
            return true;
        }
        let start = self.bytes.len();
        if let MessageView::Line(line) = record.message {
            redactor.line(line, &mut self.bytes);
        } else if append(redactor, &*plan.formatter, record, cache, &mut self.bytes) {
            self.bytes.extend_from_slice(&plan.terminator);
        } else {
            self.bytes.truncate(start);
            return false;
        }
        self.ends.push(self.bytes.len());
        self.positions.push(end);
        self.last_ns = self.last_ns.max(record.time_ns);
        true
    }

    /// The line that says what was recovered.
    pub(super) fn notice(&self, owner: &Owner, place: &RecoveredPlace, now_ns: i64) -> Vec<u8> {
        let text = notice::recovered(
            place.records,
            owner.process,
            self.last_ns,
            place.instead_of.as_deref(),
            place.exactly_once,
        );
        let mut bytes = Vec::new();
        notice::encode(&text, now_ns, &mut bytes);
        let mut line = Vec::new();
        let formatted = RecordView::parse(&bytes, &()).is_ok_and(|record| {
            append(
                &mut Redactor::default(),
                &*self.formatter,
                &record,
                &mut FormatCache::default(),
                &mut line,
            )
        });
        if !formatted {
            line = format!("logboom: {text}").into_bytes();
        }
        line.extend_from_slice(&self.terminator);
        line
    }
}

/// Appends the text of a record; false where the formatter refuses or panics.
fn append(
    redactor: &mut Redactor,
    formatter: &dyn Formatter,
    record: &RecordView<'_>,
    cache: &mut FormatCache,
    out: &mut Vec<u8>,
) -> bool {
    matches!(
        catch_unwind(AssertUnwindSafe(|| redactor.format(formatter, record, cache, out))),
        Ok(Ok(()))
    )
}

impl Replay {
    /// How many frames there are for sinks.
    pub(super) fn frames(&self) -> usize {
        self.outlets.iter().map(|outlet| outlet.ends.len()).sum()
    }

    /// Writes what the sinks do not have; `keep` stores a note, with the slot where it belongs. What went wrong first, if something did; the other sinks are
    /// written all the same.
    pub(super) fn write(
        &self,
        directory: &Directory,
        owner: &Owner,
        keep: &dyn Fn(usize, &[u8]) -> io::Result<()>,
        places: &mut Vec<RecoveredPlace>,
    ) -> Result<(), String> {
        let mut outcome = Ok(());
        for outlet in &self.outlets {
            if outlet.ends.is_empty() && outlet.note.is_none() {
                continue;
            }
            match resume::write(outlet, directory, owner, keep) {
                Ok(Some(place)) => places.push(place),
                Ok(None) => {}
                Err(why) => outcome = outcome.and(Err(why)),
            }
        }
        outcome
    }
}
