//! One sink of a dead process: where its file stands, and what is still to be written.
//!
//! The *stream* of a sink is what it would have written behind the noted length of its file: the rest of
//! a torn line, then the frames behind the noted position. What the file has there is its *tail*.
//!
//! ```text
//! tail                                   then
//! a beginning of the stream              the rest of the stream, from the very byte
//! the stream, and more                   nothing: it was recovered, or others wrote since
//! a beginning of it, then other bytes    the frames that it has not as a whole
//! others were seen to write there, or    all frames: at least once
//! share it by a lock
//! ```
//!
//! The files are those that `traces.rs` finds. Where the noted one is gone, because rotation removed it,
//! everything that is left of the name's files was written since, and is looked up in the stream.
//!
//! What it does not do: truncate what others may have written. It takes away one thing, a last line
//! without an end, behind the noted length of a file that nobody else was seen to write to, when the
//! writer was giving it something that is not in the ring (a notice, a record too long for it).

use super::directory::Directory;
use super::note;
use super::replay::Outlet;
use super::traces::{find, newer_than, read, tail_of_all};
use crate::clock::{Clock as _, SystemClock};
use crate::durable::RecoveredPlace;
use crate::fs::SystemFs;
use crate::sink::again::SinkPlan;
use crate::sink::{
    FileSinkSpec, Frames, Place, RotatingFileSinkSpec, SharedFileSinkSpec, Sink, SinkSpec,
    WatchedFileSinkSpec,
};
use crate::spawn::ThreadSpawner;
use logboom_ring::Owner;
use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How much is given to a sink at once.
const WRITE_BYTES: usize = 1 << 20;

/// Writes what the sink does not have, and behind it a notice. `None` where it has everything.
///
/// # Errors
/// What cannot be written anywhere, in words.
pub(super) fn write(
    outlet: &Outlet,
    directory: &Directory,
    owner: &Owner,
    keep: &dyn Fn(usize, &[u8]) -> io::Result<()>,
) -> Result<Option<RecoveredPlace>, String> {
    let told = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
    match &outlet.sink {
        Some(SinkPlan::Null) => return Ok(None),
        Some(
            plan @ (SinkPlan::File(path)
            | SinkPlan::Watched(path)
            | SinkPlan::Rotating(path, _)
            | SinkPlan::Shared(path, _)),
        ) => {
            let mut stand = Stand::of(outlet, plan, path).map_err(|error| told(path, error))?;
            if matches!(plan, SinkPlan::Shared(..)) {
                // Its sink notes nothing, and cuts a torn line off by itself.
                (stand.exactly_once, stand.has_lines) = (false, false);
            }
            let there = stand.path.clone();
            if stand.is_over() {
                return stand.clean_up().map_err(|error| told(&there, error));
            }
            // Who may not write there, or finds the directory gone, writes beside the ring.
            if let Ok(sink) = open(plan, &there) {
                return stand
                    .go_on(outlet, sink, owner, &there, keep)
                    .map_err(|error| told(&there, error));
            }
        }
        Some(SinkPlan::Stream(_)) | None => {}
    }
    let name = format!("recovered-{}.log", owner.process);
    let path = directory.path().join(&name);
    let file = directory.append(&name).map_err(|error| told(&path, error))?;
    let sink = FileSinkSpec::from_file(&path, file).open().map_err(|error| told(&path, error))?;
    // What a stream had taken is not known; what an earlier recovery wrote here is.
    let plan = SinkPlan::File(path.clone());
    let mut stand = match outlet.sink {
        Some(SinkPlan::Stream(_)) => Stand::of(outlet, &plan, &path),
        _ => Ok(Stand::at_the_beginning(outlet, &path)),
    }
    .map_err(|error| told(&path, error))?;
    stand.exactly_once = false;
    if stand.is_over() {
        return Ok(None);
    }
    let place =
        stand.go_on(outlet, sink, owner, &path, keep).map_err(|error| told(&path, error))?;
    Ok(place.map(|place| RecoveredPlace { instead_of: Some(outlet.sink_name.clone()), ..place }))
}

fn open(plan: &SinkPlan, there: &Path) -> io::Result<Box<dyn Sink>> {
    match plan {
        SinkPlan::Watched(path) => WatchedFileSinkSpec::open(path, SystemFs)?.open(),
        SinkPlan::Rotating(path, rotation) => {
            RotatingFileSinkSpec::open(path, *rotation, SystemFs)?.open()
        }
        SinkPlan::Shared(path, sharing) => {
            let spawner = Arc::new(ThreadSpawner);
            SharedFileSinkSpec::open(path, *sharing, SystemFs, spawner)?.open()
        }
        _ => FileSinkSpec::append(there)?.open(),
    }
}

/// Where a file stands in the stream.
struct Stand {
    /// The stream.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// How much of it is written.
    written: usize,
    exactly_once: bool,
    /// The file that is written to.
    path: PathBuf,
    /// Whether a line without an end behind this length is to be taken away.
    cut_behind: Option<u64>,
    /// Whether the stream begins with the rest of a frame.
    has_rest: bool,
    /// Whether frames are lines.
    has_lines: bool,
}

impl Stand {
    fn at_the_beginning(outlet: &Outlet, path: &Path) -> Stand {
        let rest = outlet.note.as_ref().and_then(|note| note.rest.clone()).unwrap_or_default();
        let shift = rest.len();
        let mut ends: Vec<_> = outlet.ends.iter().map(|end| end + shift).collect();
        if shift > 0 {
            ends.insert(0, shift);
        }
        let mut bytes = rest;
        bytes.extend_from_slice(&outlet.bytes);
        let has_lines = outlet.terminator.last() == Some(&b'\n');
        let (path, written, cut_behind, has_rest) = (path.to_owned(), 0, None, shift > 0);
        Stand { bytes, ends, written, exactly_once: true, path, cut_behind, has_rest, has_lines }
    }

    fn of(outlet: &Outlet, plan: &SinkPlan, path: &Path) -> io::Result<Stand> {
        let mut stand = Stand::at_the_beginning(outlet, path);
        let Some(note) = &outlet.note else {
            // A sink without a note was never written to from this ring, if it had a place for one.
            stand.exactly_once = outlet.slot.is_some();
            return Ok(stand);
        };
        if note.shared || note.rest.is_none() {
            stand.exactly_once = false;
            let len = std::fs::metadata(path).map_or(0, |found| found.len());
            if stand.has_rest && len != note.len_bytes {
                // Its beginning is not the last that is there any more.
                stand.written = stand.ends[0];
            }
            return Ok(stand);
        }
        match find(note, path)? {
            Some(found) => {
                let newer = newer_than(&found, plan, path);
                // The last of them is where the dead process wrote.
                let last = newer.last().unwrap_or(&found).clone();
                let parts = std::iter::once((found, note.len_bytes))
                    .chain(newer.into_iter().map(|path| (path, 0)));
                let Some(tail) = read(parts, stand.bytes.len())? else {
                    // Shorter than it was: somebody emptied it.
                    stand.exactly_once = false;
                    return Ok(stand);
                };
                if !stand.compare(&tail) && matches!(plan, SinkPlan::Rotating(..)) {
                    // Its number may have been given to another file since.
                    stand.look_up(&tail_of_all(plan, path, stand.bytes.len())?);
                }
                if outlet.beside && stand.written < tail.len() {
                    stand.cut_behind = Some(note.len_bytes);
                }
                if !matches!(plan, SinkPlan::Rotating(..) | SinkPlan::Watched(_)) || stand.is_torn()
                {
                    stand.path = last;
                }
            }
            None => {
                let tail = tail_of_all(plan, path, stand.bytes.len())?;
                stand.exactly_once = stand.look_up(&tail);
            }
        }
        Ok(stand)
    }

    /// How far the tail goes along with the stream. False if it then goes another way.
    fn compare(&mut self, tail: &[u8]) -> bool {
        let common = self.bytes.iter().zip(tail).take_while(|(a, b)| a == b).count();
        self.written = common;
        if common == tail.len() || common == self.bytes.len() {
            return true;
        }
        // Others wrote behind it: what is there in part is written anew.
        self.written = self.frame_start(common);
        false
    }

    /// Finds the tail in the stream, where it begins with some frame; false if it is not there.
    fn look_up(&mut self, tail: &[u8]) -> bool {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let goes_along = |stream: &[u8]| {
            let common = stream.len().min(tail.len());
            common > 0 && stream[..common] == tail[..common]
        };
        match starts.into_iter().find(|&start| goes_along(&self.bytes[start..])) {
            Some(start) => {
                self.written = (start + tail.len()).min(self.bytes.len());
                true
            }
            None => false,
        }
    }

    /// Where the frame begins that holds this place, or that begins there.
    fn frame_start(&self, place: usize) -> usize {
        let whole = self.ends.partition_point(|&end| end <= place);
        whole.checked_sub(1).map_or(0, |last| self.ends[last])
    }

    /// Whether a frame is there in part.
    fn is_torn(&self) -> bool {
        // Of the first one the file may have had the beginning before the stream.
        let continues = self.has_rest && self.ends.first().is_some_and(|&end| self.written < end);
        continues || self.frame_start(self.written) < self.written
    }

    /// Whether there is nothing left to write.
    fn is_over(&self) -> bool {
        self.written == self.bytes.len()
    }

    /// Takes away what the writer had begun beside the ring.
    fn clean_up(self) -> io::Result<Option<RecoveredPlace>> {
        if self.cut_behind.is_some() {
            self.begin_a_line()?;
        }
        Ok(None)
    }

    /// Notes how far the file has got, between two frames, before it is written to: should this recovery be killed, the next
    /// one goes on from here, whatever was there before.
    fn note(
        &self,
        outlet: &Outlet,
        path: &Path,
        keep: &dyn Fn(usize, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(slot) = outlet.slot else { return Ok(()) };
        let whole = self.ends.partition_point(|&end| end <= self.written);
        let done = whole.saturating_sub(self.has_rest.into());
        let before = outlet.note.as_ref().map_or(0, |note| note.position);
        let position = done.checked_sub(1).map_or(before, |last| outlet.positions[last]);
        let found = std::fs::metadata(path)?;
        let (file, len_bytes) = ((found.dev(), found.ino()), found.len());
        let place = Place { file, len_bytes, taken_bytes: 0, rest: &[] };
        keep(slot, note::encode(position, &place, false).as_bytes())
    }

    /// Writes the rest of the stream.
    fn go_on(
        mut self,
        outlet: &Outlet,
        mut sink: Box<dyn Sink>,
        owner: &Owner,
        path: &Path,
        keep: &dyn Fn(usize, &[u8]) -> io::Result<()>,
    ) -> io::Result<Option<RecoveredPlace>> {
        let whole = self.ends.partition_point(|&end| end <= self.written);
        let records = (self.ends.len() - whole) as u64;
        if self.is_torn() {
            let end = self.ends[whole];
            append(&self.path, &self.bytes[self.written..end])?;
            self.written = end;
        } else {
            self.begin_a_line()?;
        }
        self.note(outlet, path, keep)?;
        self.give(&mut *sink)?;
        let place = RecoveredPlace {
            path: path.display().to_string(),
            instead_of: outlet
                .sink
                .as_ref()
                .is_none_or(|plan| matches!(plan, SinkPlan::Stream(_)))
                .then(|| outlet.sink_name.clone()),
            records,
            exactly_once: self.exactly_once,
        };
        let notice = outlet.notice(owner, &place, SystemClock::new().now_ns());
        give(&mut *sink, &Frames { bytes: &notice, ends: &[notice.len()] })?;
        Ok(Some(place))
    }

    /// Sees to it that what is written next begins a line of its own.
    fn begin_a_line(&self) -> io::Result<()> {
        if !self.has_lines {
            return Ok(());
        }
        let mut file = match OpenOptions::new().read(true).append(true).open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        let len = file.metadata()?.len();
        if !file.metadata()?.is_file() || len == 0 {
            return Ok(());
        }
        let mut last = [0];
        file.seek(SeekFrom::Start(len - 1))?;
        file.read_exact(&mut last)?;
        if last == *b"\n" {
            return Ok(());
        }
        if let Some(start) = self.cut_behind.filter(|&start| start < len) {
            let mut tail = Vec::new();
            file.seek(SeekFrom::Start(start))?;
            file.read_to_end(&mut tail)?;
            let kept = tail.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            return file.set_len(start + kept as u64);
        }
        file.write_all(b"\n")
    }

    /// Gives what is not written to the sink.
    fn give(&self, sink: &mut dyn Sink) -> io::Result<()> {
        let mut start = self.written;
        let mut from = self.ends.partition_point(|&end| end <= start);
        while from < self.ends.len() {
            let until = self.ends.partition_point(|&end| end <= start + WRITE_BYTES).max(from + 1);
            let ends: Vec<_> = self.ends[from..until].iter().map(|end| end - start).collect();
            let end = self.ends[until - 1];
            give(sink, &Frames { bytes: &self.bytes[start..end], ends: &ends })?;
            (from, start) = (until, end);
        }
        Ok(())
    }
}

/// Gives frames to a sink, all or an error.
fn give(sink: &mut dyn Sink, frames: &Frames<'_>) -> io::Result<()> {
    let written = sink.write(frames);
    if written.frames == frames.ends.len() {
        return Ok(());
    }
    Err(written.error.unwrap_or_else(|| io::ErrorKind::WriteZero.into()))
}

fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().append(true).open(path)?.write_all(bytes)
}
