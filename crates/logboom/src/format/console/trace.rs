//! Tracebacks for people: the program's own frames, and of the libraries' how many there were.
//!
//! Invariants:
//! 1. Nothing is left out but whole frames of libraries that stand right behind the header of a
//!    traceback or another frame; their number and whose they are stands in their place. The frame that
//!    raised is always shown, and so is everything that is no frame: messages, notes, chains, groups.
//! 2. Every line is indented, whatever an exception's message says.
//!
//! It reads the text that the standard library makes (`traceback.print_exception` and `print_stack`),
//! as that is what a record has; so the short form costs the caller nothing, and other formatters of the
//! same record show the whole. A message that looks like a traceback is folded like one.

use super::paint::{self, Paint};
use super::plain;
use std::borrow::Cow;

const INDENT: &[u8] = b"  ";
/// Of whose libraries frames are folded, by name at most.
const MOST_NAMES: usize = 4;
const HEADERS: [&str; 3] = [
    "Traceback (most recent call last):",
    "Exception Group Traceback (most recent call last):",
    "Stack (most recent call last):",
];
/// What libraries that were installed lie in.
const INSTALLED: [&str; 2] = ["site-packages", "dist-packages"];

/// Writes tracebacks in one way.
#[derive(Debug)]
pub(super) struct Traces {
    full: bool,
    library: Box<[Box<str>]>,
    own: Box<[Box<str>]>,
}

/// A frame: its lines, and whose it is if it is a library's.
struct Frame<'a> {
    lines: &'a str,
    owner: Option<&'a str>,
}

/// Frames that are not shown.
#[derive(Default)]
struct Folded<'a> {
    count: usize,
    owners: Vec<&'a str>,
}

/// A text that is being written.
struct Writing<'t, 'o> {
    traces: &'t Traces,
    paint: Paint,
    out: &'o mut Vec<u8>,
    /// What stands before the lines of the traceback that is being read, in a group.
    margin: Cow<'t, str>,
    frame: Option<Frame<'t>>,
    folded: Folded<'t>,
}

impl Traces {
    pub(super) fn new(full: bool, library: &[&str], own: &[&str]) -> Traces {
        let boxed = |texts: &[&str]| texts.iter().map(|text| (*text).into()).collect();
        Traces { full, library: boxed(library), own: boxed(own) }
    }

    /// Appends a traceback or a stack, each line behind a line end.
    pub(super) fn write(&self, text: &str, paint: Paint, out: &mut Vec<u8>) {
        let margin = Cow::Borrowed("");
        let folded = Folded::default();
        let mut writing = Writing { traces: self, paint, out, margin, frame: None, folded };
        let (mut at, mut in_frames, mut says) = (0, false, false);
        for line in text.split('\n') {
            let begin = at;
            at += line.len() + 1;
            if in_frames && writing.takes(text, line, begin) {
                continue;
            }
            if std::mem::take(&mut in_frames) {
                writing.end_frames();
                // Behind the frames stands what was raised.
                says = true;
            }
            if let Some(margin) = margin_of(line) {
                writing.margin = margin;
                in_frames = true;
                writing.line(line, Some(paint::DIM));
            } else {
                writing.line(line, std::mem::take(&mut says).then_some(paint::ERROR));
            }
        }
        writing.end_frames();
    }

    /// Whose library a source file is of; `None` for one of the program's own.
    fn owner<'a>(&self, path: &'a str) -> Option<&'a str> {
        let mut parts = path.split(['/', '\\']);
        while let Some(part) = parts.next() {
            if INSTALLED.contains(&part) {
                let name = parts.next()?;
                let name = name.strip_suffix(".py").unwrap_or(name);
                return Some(name).filter(|name| !self.own.iter().any(|own| **own == **name));
            }
        }
        let is_library = path.starts_with("<frozen ")
            || self.library.iter().any(|begin| path.starts_with(&**begin));
        is_library.then_some("python")
    }
}

/// What stands before the lines below a header; `None` where the line is none.
fn margin_of(line: &str) -> Option<Cow<'_, str>> {
    let header = line.trim_start_matches([' ', '|', '+']);
    if !HEADERS.contains(&header) {
        return None;
    }
    let margin = &line[..line.len() - header.len()];
    Some(match margin.contains('+') {
        true => margin.replace('+', "|").into(),
        false => margin.into(),
    })
}

/// The path of the line that begins a frame.
fn path_of(body: &str) -> Option<&str> {
    let (path, _) = body.strip_prefix("  File \"")?.split_once("\", line ")?;
    Some(path)
}

/// How often a frame is repeated, by a line that says so.
fn repeats(line: &str) -> usize {
    let number = line.trim_start().strip_prefix("[Previous line repeated ");
    number.and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or(0)
}

impl<'t> Writing<'t, '_> {
    /// Takes a line that belongs to a frame; false for any other.
    fn takes(&mut self, text: &'t str, line: &'t str, begin: usize) -> bool {
        let Some(body) = line.strip_prefix(&*self.margin) else { return false };
        if let Some(path) = path_of(body) {
            self.end_frame(false);
            self.frame = Some(Frame { lines: line, owner: self.traces.owner(path) });
            return true;
        }
        let Some(frame) = &mut self.frame else { return false };
        let belongs = body.starts_with("    ") || body.starts_with("  [Previous line repeated ");
        if belongs {
            let start = begin - frame.lines.len() - 1;
            frame.lines = &text[start..begin + line.len()];
        }
        belongs
    }

    /// Shows or folds the frame that was read; the last one is shown in any case.
    fn end_frame(&mut self, last: bool) {
        let Some(frame) = self.frame.take() else { return };
        if let Some(owner) = frame.owner.filter(|_| !last && !self.traces.full) {
            self.folded.count += 1 + frame.lines.lines().map(repeats).sum::<usize>();
            if !self.folded.owners.contains(&owner) {
                self.folded.owners.push(owner);
            }
            return;
        }
        self.end_folded();
        for (number, line) in frame.lines.split('\n').enumerate() {
            let own = (number == 0).then_some(paint::BOLD);
            self.line(line, if frame.owner.is_some() { Some(paint::DIM) } else { own });
        }
    }

    fn end_folded(&mut self) {
        let Folded { count, owners } = std::mem::take(&mut self.folded);
        if count == 0 {
            return;
        }
        let frames = if count == 1 { "frame" } else { "frames" };
        let named = &owners[..owners.len().min(MOST_NAMES)];
        let more = if owners.len() > MOST_NAMES { ", ..." } else { "" };
        let margin = &self.margin;
        let line = format!("{margin}  ... {count} {frames} in {}{more}", named.join(", "));
        self.line(&line, Some(paint::DIM));
    }

    fn end_frames(&mut self) {
        self.end_frame(true);
        self.end_folded();
    }

    fn line(&mut self, line: &str, color: Option<paint::Code>) {
        self.out.push(b'\n');
        self.out.extend_from_slice(INDENT);
        match color {
            Some(code) => {
                self.paint.begin(code, self.out);
                plain::write_line(line.as_bytes(), self.out);
                self.paint.end(self.out);
            }
            None => plain::write_line(line.as_bytes(), self.out),
        }
    }
}
