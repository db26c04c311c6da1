//! The lines of a traceback, a frame at a time, and what is kept of them.
//!
//! The text of a frame depends on its code object, its instruction, its line, and the source. It is
//! made by the library, of a traceback with this one frame, and kept in a table of a fixed number of
//! places. Each place holds its code object, so that no other comes to lie at its address; a
//! newcomer takes the place of another. A program that makes code without end therefore costs time,
//! not memory.

use super::Leave;
use super::library::Parts;
use super::sources::{self, Source};
use crate::ffi::object::{GilCell, GilSlot};
use crate::ffi::{Ref, Still, traceback as raw};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use std::fmt::Write;
use std::sync::Arc;

const WAYS: usize = 4;
const SETS: usize = 256;
/// The longest text of a frame that is kept, in bytes; a longer one is made each time.
const LONGEST: usize = 4096;
/// How often the same line is shown before the rest of its repeats is counted.
pub(super) const REPEATS: usize = 3;

const HEADER: &str = "Traceback (most recent call last):\n";

/// A code object and a place in it. Equal keys are the same place while the code object lives.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    code: usize,
    instruction: i32,
    line: i32,
}

impl Key {
    fn set(self) -> usize {
        let place = (self.instruction as usize) ^ (self.line as usize).rotate_left(16);
        let mixed = (self.code >> 4) ^ place.wrapping_mul(0x9E37_79B1);
        (mixed ^ (mixed >> 15)) % SETS
    }
}

/// The text of one frame.
struct Frame {
    key: Key,
    /// Held, so that the key stays its own.
    #[allow(dead_code, reason = "held, not read")]
    code: Py<PyAny>,
    text: Box<str>,
    /// The function and line that it shows; no line, and it repeats nothing.
    function: Box<str>,
    line: Option<i64>,
    source: Arc<Source>,
}

impl Frame {
    /// Whether the library takes both for the same line.
    fn repeats(&self, other: &Frame) -> bool {
        self.line.is_some()
            && self.line == other.line
            && self.function == other.function
            && self.source.file == other.source.file
    }
}

static FRAMES: [[GilSlot<Arc<Frame>>; WAYS]; SETS] =
    [const { [const { GilSlot::empty() }; WAYS] }; SETS];
/// Which way of a full set goes next.
static TURN: GilCell<usize> = GilCell::new(0);

/// How many frames `sys.tracebacklimit` lets through.
pub(super) fn limit(still: &mut Still<'_>, parts: &Parts) -> Result<usize, Leave> {
    let py = still.python();
    let found = parts.system.bind(py).get_item(&parts.limit_name);
    let Some(limit) = found.map_err(|_| Leave::Library)? else { return Ok(usize::MAX) };
    if limit.is_none() {
        return Ok(usize::MAX);
    }
    let limit = Ref::from_bound(&limit).exact_i64().ok_or(Leave::Library)?;
    Ok(usize::try_from(limit).unwrap_or(0))
}

/// Adds the header and the frames of a traceback.
pub(super) fn append(
    still: &mut Still<'_>,
    parts: &Arc<Parts>,
    traceback: &Bound<'_, PyAny>,
    limit: usize,
    out: &mut String,
) -> Result<(), Leave> {
    let py = still.python();
    let now_ms = sources::now_ms();
    let mut repeats = Repeats { last: None, count: 0 };
    let mut at = Some(traceback.clone());
    for _ in 0..limit {
        let Some(entry) = at else { break };
        if repeats.last.is_none() {
            out.push_str(HEADER);
        }
        repeats.add(frame(still, parts, &entry, now_ms)?, out);
        let step = raw::step(still, Ref::from_bound(&entry)).ok_or(Leave::Library)?;
        at = step.next.map(|next| next.bound(py));
    }
    repeats.end(out);
    Ok(())
}

/// Shows a line a few times, and counts the rest.
struct Repeats {
    last: Option<Arc<Frame>>,
    count: usize,
}

impl Repeats {
    fn add(&mut self, frame: Arc<Frame>, out: &mut String) {
        if !self.last.as_ref().is_some_and(|last| last.repeats(&frame)) {
            self.end(out);
            self.count = 0;
        }
        self.count += 1;
        if self.count <= REPEATS {
            out.push_str(&frame.text);
        }
        self.last = Some(frame);
    }

    fn end(&mut self, out: &mut String) {
        if self.count > REPEATS {
            let more = self.count - REPEATS;
            let times = if more > 1 { "times" } else { "time" };
            // Writing to a `String` cannot fail.
            let _ = writeln!(out, "  [Previous line repeated {more} more {times}]");
        }
    }
}

/// The text of the first frame of a traceback.
fn frame(
    still: &mut Still<'_>,
    parts: &Arc<Parts>,
    traceback: &Bound<'_, PyAny>,
    now_ms: u64,
) -> Result<Arc<Frame>, Leave> {
    let py = still.python();
    let step = raw::step(still, Ref::from_bound(traceback)).ok_or(Leave::Library)?;
    let key = Key { code: step.code.address(), instruction: step.instruction, line: step.line };
    let owner = step.frame.bound(py);
    let known = FRAMES[key.set()]
        .iter()
        .find_map(|place| place.get(still).filter(|frame| frame.key == key).cloned());
    if let Some(known) = known {
        let is_good = known.source.is_good(py, parts, &owner, now_ms);
        if is_good.map_err(|error| Leave::of(py, error))? {
            return Ok(known);
        }
    }
    make(still, parts, traceback, key, now_ms)
}

/// Has the library make the text, and keeps it if it can be known to be good later.
#[cold]
fn make(
    still: &mut Still<'_>,
    parts: &Arc<Parts>,
    traceback: &Bound<'_, PyAny>,
    key: Key,
    now_ms: u64,
) -> Result<Arc<Frame>, Leave> {
    let py = still.python();
    let made = made(py, parts, traceback, key).map_err(|error| Leave::of(py, error))?;
    let name = made.file.cast_into_exact::<PyString>().map_err(|_| Leave::Library)?;
    let text = made.text.to_str().map_err(|_| Leave::Library)?;
    let source = match made.entry {
        Some(entry) => sources::source(still, &name, entry.as_ref(), now_ms)?,
        None => None,
    };
    let is_kept = source.is_some() && text.len() <= LONGEST;
    let source = match source {
        Some(source) => source,
        None => Source::unknown(&name)?,
    };
    let frame = Arc::new(Frame {
        key,
        code: made.code.unbind(),
        text: text.into(),
        function: made.function.to_str().map_err(|_| Leave::Library)?.into(),
        line: made.line,
        source,
    });
    if is_kept {
        keep(still, frame.clone());
    }
    Ok(frame)
}

/// What the library made of one frame.
struct Made<'py> {
    code: Bound<'py, PyAny>,
    file: Bound<'py, PyAny>,
    function: Bound<'py, PyString>,
    line: Option<i64>,
    text: Bound<'py, PyString>,
    /// What `linecache` had for the file before and after alike; `None` where it changed.
    entry: Option<Option<Bound<'py, PyAny>>>,
}

fn made<'py>(
    py: Python<'py>,
    parts: &Parts,
    traceback: &Bound<'py, PyAny>,
    key: Key,
) -> PyResult<Made<'py>> {
    let frame = traceback.getattr("tb_frame")?;
    let code = frame.getattr("f_code")?;
    let file = code.getattr("co_filename")?;
    let name = file.cast::<PyString>()?;
    let alone = (py.None(), frame, key.instruction, key.line);
    let alone = parts.traceback.bind(py).call1(alone)?;
    let first = PyDict::new(py);
    first.set_item("limit", 1)?;
    // The first time reads the file. The text is good for the entry that was there all the while.
    let mut before = sources::entry(py, parts, name)?;
    for last in [false, true] {
        let summary = parts.extract.bind(py).call((&alone,), Some(&first))?;
        let texts = summary.call_method0("format")?.cast_into::<PyList>()?;
        let text = match texts.len() {
            1 => texts.get_item(0)?.cast_into_exact::<PyString>()?,
            _ => return Err(pyo3::exceptions::PyValueError::new_err("not one text")),
        };
        let after = sources::entry(py, parts, name)?;
        let is_same = before.as_ref().map(Bound::as_ptr) == after.as_ref().map(Bound::as_ptr);
        if is_same || last {
            let summary = summary.get_item(0)?;
            return Ok(Made {
                file: summary.getattr("filename")?,
                function: summary.getattr("name")?.cast_into_exact::<PyString>()?,
                line: summary.getattr("lineno")?.extract()?,
                code,
                text,
                entry: is_same.then_some(after),
            });
        }
        before = after;
    }
    unreachable!("the last round returns")
}

fn keep(still: &mut Still<'_>, frame: Arc<Frame>) {
    if sources::are_too_many() {
        FRAMES.iter().flatten().for_each(|place| place.set(still, None));
        sources::forget(still);
    }
    let set = &FRAMES[frame.key.set()];
    let same = set.iter().position(|place| place.get(still).is_none_or(|at| at.key == frame.key));
    let turn = TURN.get(still);
    TURN.set(still, turn.wrapping_add(1));
    set[same.unwrap_or(turn % WAYS)].set(still, Some(frame));
}
