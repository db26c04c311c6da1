//! From the arguments of a log call to a record in the ring, on the caller's thread.
//!
//! Invariants:
//! 1. Everything that may run Python code (text of arguments, names of threads and tasks) is done
//!    before the ring is touched: a `__str__` that logs finds no half-written record.
//! 2. Arguments whose type is exactly `str`, `int`, `float`, `bool` or `NoneType` are copied typed
//!    and formatted by the writer, where that gives what Python gives. All others may change after
//!    the call, so the message is formatted at the call, by Python.
//! 3. What cannot be captured exactly is left to the library ([`Exit::Library`]); what must not be
//!    swallowed is raised ([`Exit::Raise`]).
//! 4. A full ring is waited for without the GIL, with nothing borrowed but the arguments, which the
//!    caller's stack holds, and texts held by references of their own.
//!
//! Pinned by `tests/python/test_capture.py`.

use crate::context;
use crate::convert::{self, FormatNow};
use crate::ffi::object::own;
use crate::ffi::{self, Ref, Still};
use crate::fields::Fields;
use crate::global;
use crate::lane;
use crate::logger::{self, Ask, Plan};
use crate::route::Wants;
use crate::sites::{self, CachedSite};
use crate::state::State;
use crate::templates::{self, Signature};
use crate::traceback::{self, Found};
use arrayvec::ArrayVec;
use logboom::clock::wall_ns;
use logboom::engine::Outcome;
use logboom::field::Value;
use logboom::level::Level;
use logboom::record::{Attribute, Message, Record, Site, Style, Text};
use pyo3::prelude::*;
use pyo3::types::PyString;

/// Why a call was not captured.
pub(crate) enum Exit {
    /// The library's way is the exact one.
    Library,
    /// An exception that belongs to the caller.
    Raise(Box<PyErr>),
}

impl Exit {
    pub(crate) fn raise(error: PyErr) -> Exit {
        Exit::Raise(Box::new(error))
    }
}

/// The most arguments that are copied typed.
const MOST_ARGUMENTS: usize = 15;
/// The most fields that are handed over without an allocation.
const MOST_FIELDS: usize = 16;
/// The most texts beside the message.
const MOST_ATTRIBUTES: usize = 5;

/// Captures and submits one call, if it is enabled: `arguments` are the message and what goes into it.
#[inline(always)]
pub(crate) fn submit(
    state: &State,
    still: &mut Still<'_>,
    logger: Ref<'_>,
    level: &logger::Level,
    arguments: &[Ref<'_>],
) -> Result<(), Exit> {
    let (&message, arguments) = arguments.split_first().ok_or(Exit::Library)?;
    match submit_again(state, still, logger, level, message, arguments) {
        Some(()) => Ok(()),
        None => submit_anew(state, still, logger, level, message, arguments),
    }
}

/// The usual case: another record from a known place, by a known way. `None` where that is not so, and
/// nothing was done.
#[inline(always)]
fn submit_again(
    state: &State,
    still: &Still<'_>,
    logger: Ref<'_>,
    level: &logger::Level,
    message: Ref<'_>,
    arguments: &[Ref<'_>],
) -> Option<()> {
    let trail = logger::known_way(state, still, logger, level)?;
    let Some(plan) = &trail.plan else { return Some(()) };
    if plan.routes.is_empty() {
        return Some(());
    }
    if !trail.asks_for_sites_only {
        return None;
    }
    let time_ns = wall_ns();
    if time_ns >= plan.deadline_ns {
        return None;
    }
    let mut values = ArrayVec::new();
    let message = typed(still, message, arguments, &mut values)?;
    let site = match plan.wants.site {
        true => Site::Id(sites::current_id(state, still)?),
        false => Site::None,
    };
    let outcome = global::engine().try_submit(&Record {
        time_ns,
        level: Level(level.number as i32),
        thread: ffi::thread_ident(),
        logger: Text::Id(plan.logger?),
        site,
        message: message.with(&values),
        fields: &[],
        attributes: &[],
        routes: &plan.routes,
    });
    // Nothing is counted of what has to wait.
    (!matches!(outcome, Outcome::Full | Outcome::TooLarge)).then_some(())
}

/// The same for a record that may be the first of its kind.
#[inline(never)]
fn submit_anew(
    state: &State,
    still: &mut Still<'_>,
    logger: Ref<'_>,
    level: &logger::Level,
    message: Ref<'_>,
    arguments: &[Ref<'_>],
) -> Result<(), Exit> {
    let context = context::current(state, still);
    let context = context.as_ref().map(|context| context.get());
    let mut fields = Fields::new(context);
    let mut plan = Plan::new();
    let ask = Ask::WhetherAndWhere;
    if !goes(state, still, logger, level, &fields, ask, &mut plan)? {
        return Ok(());
    }
    let time_ns = wall_ns();
    if time_ns >= plan.deadline_ns {
        return Err(Exit::Library);
    }
    let call = Call { logger, level, message, arguments, exc_info: None, frames_above: 0, time_ns };
    submit_more(state, still, &call, &mut fields, plan)
}

/// What a call has by keyword.
#[derive(Clone, Copy, Default)]
pub(crate) struct Keywords<'c> {
    pub(crate) exc_info: Option<Ref<'c>>,
    pub(crate) extra: Option<Ref<'c>>,
    /// How far above the caller the place is that the record names (`stacklevel`).
    pub(crate) frames_above: usize,
}

/// The same for a call with arguments by keyword, which is enabled.
pub(crate) fn submit_with(
    state: &State,
    still: &mut Still<'_>,
    logger: Ref<'_>,
    level: &logger::Level,
    arguments: &[Ref<'_>],
    keywords: &Keywords<'_>,
) -> Result<(), Exit> {
    let (&message, arguments) = arguments.split_first().ok_or(Exit::Library)?;
    let context = context::current(state, still);
    let mut fields = Fields::new(context.as_ref().map(|context| context.get()));
    if let Some(extra) = keywords.extra.filter(|extra| !extra.is_none()) {
        fields.add(still.python(), extra).ok_or(Exit::Library)?;
    }
    let time_ns = wall_ns();
    let exc_info = keywords.exc_info.filter(|given| given.plain_truth() != Some(false));
    let exc_info = exc_info.filter(|given| !given.is_none());
    let frames_above = keywords.frames_above;
    let call = Call { logger, level, message, arguments, exc_info, frames_above, time_ns };
    let mut plan = Plan::new();
    if !plan_anew(state, still, &call, &fields, &mut plan)? {
        return Ok(());
    }
    submit_more(state, still, &call, &mut fields, plan)
}

/// A call that is to be captured.
pub(crate) struct Call<'c> {
    pub(crate) logger: Ref<'c>,
    pub(crate) level: &'c logger::Level,
    pub(crate) message: Ref<'c>,
    pub(crate) arguments: &'c [Ref<'c>],
    /// The exception, in any form that `Logger._log` takes.
    pub(crate) exc_info: Option<Ref<'c>>,
    pub(crate) frames_above: usize,
    pub(crate) time_ns: i64,
}

/// The same for whatever a record may have.
#[inline(never)]
fn submit_more(
    state: &State,
    still: &mut Still<'_>,
    call: &Call<'_>,
    fields: &mut Fields<'_>,
    mut plan: Plan,
) -> Result<(), Exit> {
    if plan.wants.record {
        // What goes to both the library takes to both.
        return match plan.routes.is_empty() && call.frames_above == 0 {
            true => lane::submit(state, still, call, fields),
            false => Err(Exit::Library),
        };
    }
    let &Call { logger, level, message, arguments, exc_info, frames_above, time_ns } = call;
    let asked = attributes(state, still, &plan.wants, level.number)?;

    let mut values = ArrayVec::new();
    let formatted;
    if let Some(Ok(text)) = message.exact_str()
        && !arguments.is_empty()
    {
        templates::meet(still, message, text);
    }
    let captured = match typed(still, message, arguments, &mut values) {
        Some(captured) => captured,
        // The library asks the message for its text before the exception.
        None if exc_info.is_some() => return Err(Exit::Library),
        None => {
            // With a lone surrogate the text is the library's to write, so it should be its to make:
            // what `__str__` does besides is then done once.
            if [message].iter().chain(arguments).any(|one| one.exact_str() == Some(Err(()))) {
                return Err(Exit::Library);
            }
            formatted = convert::format_now(still.python(), message, arguments).map_err(exit)?;
            if !plan_anew(state, still, call, fields, &mut plan)? {
                return Ok(());
            }
            Captured::Plain(formatted.to_str().map_err(|_| Exit::Library)?)
        }
    };
    let message = captured.with(&values);
    let mut exception = None;
    if let Some(exc_info) = exc_info {
        let py = still.python();
        match traceback::text(py, &exc_info.bound(py)).map_err(Exit::raise)? {
            Found::Library => return Err(Exit::Library),
            Found::Text(text) => exception = Some(text),
            Found::None => {}
        }
        if !plan_anew(state, still, call, fields, &mut plan)? {
            return Ok(());
        }
    }
    // As the library does it: the formatter asks for the text of fields last.
    if plan.wants.all_fields && fields.has_objects(still) {
        fields.keep(still.python()).map_err(Exit::raise)?;
        if !plan_anew(state, still, call, fields, &mut plan)? {
            return Ok(());
        }
    }
    let number = i32::try_from(level.number).map_err(|_| Exit::Library)?;
    let site = match plan.wants.site {
        true => sites::above(state, still, frames_above).ok_or(Exit::Library)?,
        false => CachedSite::None,
    };
    let mut texts = ArrayVec::<_, MOST_ATTRIBUTES>::new();
    for (attribute, text) in &asked {
        texts.push((*attribute, text.to_str().map_err(|_| Exit::Library)?));
    }
    texts.extend(exception.as_deref().map(|text| (Attribute::Exception, text)));
    // References of their own, so that the fields outlast a wait without the GIL.
    let py = still.python();
    let held = Still::new(py);
    let mut few = ArrayVec::<_, MOST_FIELDS>::new();
    let mut many = Vec::new();
    if plan.wants.fields || plan.wants.all_fields {
        for field in fields.all(&held) {
            if few.is_full() {
                many.extend(few.drain(..));
            }
            few.push(field);
        }
    }
    let fields = if many.is_empty() {
        few.as_slice()
    } else {
        many.extend(few.drain(..));
        many.as_slice()
    };
    let draft = Record {
        time_ns,
        level: Level(number),
        thread: ffi::thread_ident(),
        logger: plan.logger.map_or("".into(), Text::Id),
        site: site.as_site(),
        message,
        fields,
        attributes: &texts,
        routes: &plan.routes,
    };
    match draft.logger {
        Text::Id(_) => hand_over(still, &draft),
        Text::Inline(_) => hand_over_with_name(still, logger, &draft),
    }
}

/// Where the record goes, which Python code may have changed; false if it goes nowhere.
fn plan_anew(
    state: &State,
    still: &mut Still<'_>,
    call: &Call<'_>,
    fields: &Fields<'_>,
    plan: &mut Plan,
) -> Result<bool, Exit> {
    let Call { logger, level, time_ns, .. } = *call;
    if !goes(state, still, logger, level, fields, Ask::Where, plan)? {
        return Ok(false);
    }
    if time_ns >= plan.deadline_ns { Err(Exit::Library) } else { Ok(true) }
}

/// Makes the plan of a record; false for one that is not enabled, or reaches nothing.
#[inline]
fn goes(
    state: &State,
    still: &mut Still<'_>,
    logger: Ref<'_>,
    level: &logger::Level,
    fields: &Fields<'_>,
    ask: Ask,
    plan: &mut Plan,
) -> Result<bool, Exit> {
    let enabled = logger::plan(state, still, logger, level, fields, ask, plan);
    let enabled = enabled.map_err(|_| Exit::Library)?;
    Ok(enabled && (!plan.routes.is_empty() || plan.wants.record))
}

/// Submits; waits without the GIL where the ring is full.
#[inline]
fn hand_over(still: &mut Still<'_>, record: &Record<'_>) -> Result<(), Exit> {
    match global::engine().try_submit(record) {
        Outcome::Full | Outcome::TooLarge => wait(still, record),
        _ => Ok(()),
    }
}

#[cold]
fn wait(still: &mut Still<'_>, record: &Record<'_>) -> Result<(), Exit> {
    global::submit_waiting(still.python(), record).map_err(Exit::raise)
}

/// The same with the logger's name, where that has no id.
#[cold]
fn hand_over_with_name(
    still: &mut Still<'_>,
    logger: Ref<'_>,
    draft: &Record<'_>,
) -> Result<(), Exit> {
    // Other threads may run from here on: the name is held by a reference of its own.
    let name = own(logger::name(still, logger).ok_or(Exit::Library)?);
    let py = still.python();
    let name = name.bind(py).cast_exact::<PyString>().map_err(|_| Exit::Library)?;
    let record = Record { logger: name.to_str().map_err(|_| Exit::Library)?.into(), ..*draft };
    hand_over(&mut Still::new(py), &record)
}

enum Captured<'c> {
    Plain(&'c str),
    Template(Text<'c>),
}

impl<'c> Captured<'c> {
    #[inline]
    fn with(self, values: &'c [Value<'c>]) -> Message<'c> {
        match self {
            Captured::Plain(text) => Message::Plain(text.into()),
            Captured::Template(text) => Message::Template(Style::Percent, text, values),
        }
    }
}

/// The message and its arguments, copied typed; `None` where Python has to format them now.
#[inline(always)]
fn typed<'c>(
    still: &Still<'_>,
    message: Ref<'c>,
    arguments: &[Ref<'c>],
    values: &mut ArrayVec<Value<'c>, MOST_ARGUMENTS>,
) -> Option<Captured<'c>> {
    let text = match message.ascii_str() {
        Some(text) => text,
        None => message.exact_str()?.ok()?,
    };
    if arguments.is_empty() {
        return Some(Captured::Plain(text));
    }
    if arguments.len() > MOST_ARGUMENTS {
        return None;
    }
    let mut signature = Signature::EMPTY;
    for &argument in arguments {
        let (value, kind) = convert::exact(argument)?;
        values.push(value);
        signature = signature.and(kind);
    }
    templates::accepted(still, message, text, values, signature).map(Captured::Template)
}

/// What else some route asked for; runs Python code for each.
#[inline]
fn attributes<'py>(
    state: &State,
    still: &mut Still<'py>,
    wants: &Wants,
    level: i64,
) -> Result<Attributes<'py>, Exit> {
    let mut found = Attributes::new();
    if wants.none_of_these() && Level(level as i32).name().is_some() {
        return Ok(found);
    }
    let py = still.python();
    let mut ask = |attribute, function: &Py<PyAny>, argument: Option<i64>| -> Result<(), Exit> {
        let function = function.bind(py);
        let text = match argument {
            Some(level) => function.call1((level,)),
            None => function.call0(),
        };
        let text = text.map_err(Exit::raise)?;
        if !text.is_none() {
            found.push((attribute, text.cast_into().map_err(|_| Exit::Library)?));
        }
        Ok(())
    };
    let helpers = &state.helpers;
    if wants.thread_name {
        ask(Attribute::ThreadName, &helpers.thread_name, None)?;
    }
    if wants.process_name {
        ask(Attribute::ProcessName, &helpers.process_name, None)?;
    }
    if wants.task_name {
        ask(Attribute::TaskName, &helpers.task_name, None)?;
    }
    if Level(level as i32).name().is_none() {
        ask(Attribute::LevelName, &helpers.level_name, Some(level))?;
    }
    Ok(found)
}

/// A few texts with their meaning.
type Attributes<'py> = ArrayVec<(Attribute, Bound<'py, PyString>), MOST_ATTRIBUTES>;

/// `logging` swallows and reports an `Exception` while formatting, so the library must see it again;
/// anything else belongs to the caller.
pub(crate) fn exit(error: FormatNow) -> Exit {
    match error {
        FormatNow::Library => Exit::Library,
        FormatNow::Raise(error) => Exit::raise(error),
    }
}
