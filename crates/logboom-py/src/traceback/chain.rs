//! From an exception through its causes and contexts, the last first.
//!
//! Which of them is shown is decided as `traceback.TracebackException` does with `compact=True`,
//! which is how `print_exception` makes it: the cause, or else the context unless it is suppressed,
//! each exception once.

use super::library::Parts;
use super::tail::{self, Kind};
use super::{Leave, frames};
use crate::ffi::{Ref, Still, traceback as raw};
use arrayvec::ArrayVec;
use pyo3::prelude::*;
use std::sync::Arc;

/// The most exceptions of one chain; a longer one is the library's.
pub(super) const MOST: usize = 32;

/// How an exception hangs on the one that is shown below it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    Cause,
    Context,
}

/// An exception of a chain, and how the one that is shown above it hangs on it.
struct Member<'s> {
    exception: Ref<'s>,
    kind: Kind,
    traceback: Option<Ref<'s>>,
    above: Option<Link>,
}

type Members<'s> = ArrayVec<Member<'s>, MOST>;

/// The text of `value` with all that hangs on it; `traceback` is the one to show of `value` itself.
pub(super) fn text<'py>(
    still: &mut Still<'py>,
    parts: &Arc<Parts>,
    value: Bound<'py, PyAny>,
    traceback: Option<Bound<'py, PyAny>>,
) -> Result<String, Leave> {
    let limit = frames::limit(still, parts)?;
    let py = still.python();
    // Python code runs below, so each is held.
    let mut held = ArrayVec::<_, MOST>::new();
    for member in members(py, still, &value)? {
        let own = member.traceback.map(|traceback| traceback.bound(py));
        held.push((member.exception.bound(py), member.kind, own, member.above));
    }
    held[0].2 = traceback;
    let mut blocks = ArrayVec::<String, MOST>::new();
    for (exception, kind, traceback, _) in &held {
        let mut block = String::with_capacity(TYPICAL);
        if let Some(traceback) = traceback {
            frames::append(still, parts, traceback, limit, &mut block)?;
        }
        tail::append(py, parts, exception, *kind, traceback.as_ref(), &mut block)?;
        blocks.push(block);
    }
    // A `__str__` may have put another cause in place: then what was read is not what is there.
    let now = members(py, still, &value)?;
    let same = now.len() == held.len()
        && now.iter().zip(&held).all(|(now, (exception, _, _, above))| {
            now.exception.address() == Ref::from_bound(exception).address() && now.above == *above
        });
    if !same {
        return Err(Leave::Library);
    }
    let mut text = blocks.pop().unwrap_or_default();
    for (block, (_, _, _, above)) in blocks.iter().zip(held.iter().skip(1)).rev() {
        text.push_str(match above {
            Some(Link::Cause) => &parts.cause_message,
            _ => &parts.context_message,
        });
        text.push_str(block);
    }
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// What a text of a few frames takes.
const TYPICAL: usize = 1024;

/// The exceptions to show, the one that was given first.
fn members<'s>(
    py: Python<'_>,
    still: &'s Still<'_>,
    value: &'s Bound<'_, PyAny>,
) -> Result<Members<'s>, Leave> {
    let mut found = Members::new();
    let mut next = Some((Ref::from_bound(value), None));
    while let Some((exception, above)) = next {
        let kind = tail::kind(py, still, exception).ok_or(Leave::Library)?;
        let links = raw::links(still, exception).ok_or(Leave::Library)?;
        let member = Member {
            exception,
            kind,
            traceback: links.traceback.filter(|one| !one.is_none()),
            above,
        };
        found.try_push(member).map_err(|_| Leave::Library)?;
        let is_new = |one: &Ref<'_>| {
            !one.is_none() && !found.iter().any(|seen| seen.exception.address() == one.address())
        };
        let cause = links.cause.filter(is_new).map(|cause| (cause, Some(Link::Cause)));
        next = cause.or_else(|| {
            let context = links.context.filter(|_| !links.suppresses_context).filter(is_new);
            context.map(|context| (context, Some(Link::Context)))
        });
    }
    Ok(found)
}
