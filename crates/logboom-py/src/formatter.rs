//! Whether a handler's formatter is one whose work the engine can do, exactly.
//!
//! Native is an instance of exactly `logging.Formatter` with one of the library's styles, and every
//! method as the library defines it; and one of our own, of exactly its class. All of that can be changed behind our back — a `converter`
//! assigned, `datefmt` replaced, a method patched — so a [`Look`] keeps stamps of everything it was
//! drawn from, and is good while they hold.

use crate::ffi::paving::Paving;
use crate::ffi::stamp::ObjectStamp;
use crate::ffi::{Ref, Still};
use crate::state::{State, state};
use crate::structured::StructuredCore;
use crate::style::{self, More, Style, only_has, text};
use arrayvec::ArrayVec;
use logboom::format::console::Place;
use logboom::format::pattern::{PatternFormatter, PatternOptions};
use logboom::format::{Formatter, Needs, TimeModel, Zone};
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyModule, PyType};
use std::sync::Arc;

/// What a formatter does, as far as it is native.
pub(crate) enum Work {
    /// What `logging.Formatter` does with a pattern.
    Pattern(Box<Pattern>),
    /// What one of our own does.
    Structured(Py<StructuredCore>),
}

impl PartialEq for Work {
    fn eq(&self, other: &Work) -> bool {
        match (self, other) {
            (Work::Pattern(own), Work::Pattern(other)) => own == other,
            (Work::Structured(own), Work::Structured(other)) => own.is(other),
            _ => false,
        }
    }
}

/// A pattern and how it is to be formatted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    style: Style,
    datefmt: Option<String>,
    time_format: String,
    msec_format: Option<String>,
    utc: bool,
    start: Start,
}

/// A formatter at one moment.
pub(crate) struct Look {
    /// What the handler's attribute was: a formatter, or `None` for the library's default one.
    given: Py<PyAny>,
    /// The formatter itself, and its style if that matters.
    stamps: ArrayVec<(Py<PyAny>, ObjectStamp), 2>,
    more: Option<Box<More>>,
    /// Which look at the library's settings it goes with.
    library: u64,
}

impl Look {
    /// The same for a look at `None`, the library's default one.
    #[inline]
    pub(crate) fn holds_for_none(&self, state: &State, still: &Still<'_>) -> bool {
        self.holds(state, still, Ref::from_py(still, &self.given))
    }

    /// Whether `formatter` is the one looked at, and as it was; to be asked where the last look at
    /// the library's settings holds.
    #[inline]
    pub(crate) fn holds(&self, state: &State, still: &Still<'_>, formatter: Ref<'_>) -> bool {
        formatter.is(&self.given)
            && self.library == state.looks_at_library(still)
            && self
                .stamps
                .iter()
                .all(|(object, stamp)| stamp.holds(still, Ref::from_py(still, object)))
            && self.more.as_ref().is_none_or(|more| more.holds(still))
    }
}

impl Look {
    /// Shows the objects that it holds.
    pub(crate) fn held<'a>(&'a self, show: &mut dyn FnMut(&'a Py<PyAny>)) {
        show(&self.given);
        self.stamps.iter().for_each(|(object, _)| show(object));
    }

    /// Guards that all is as it was, of one that is held.
    pub(crate) fn guard(&self, paving: &mut Paving<'_>) -> Option<()> {
        // Styles with more are rare.
        self.more.is_none().then_some(())?;
        self.stamps.iter().try_for_each(|(_, stamp)| stamp.guard(paving))
    }
}

/// A cheap question before [`look`]: `false` for a formatter of another class.
pub(crate) fn may_be_native(formatter: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = formatter.py();
    let Some(state) = state(py) else { return Ok(false) };
    Ok(formatter.is_none()
        || formatter.get_type().is(state.logging.bind(py).getattr("Formatter")?)
        || core_of(formatter)?.is_some())
}

/// The native part of a formatter of ours.
fn core_of<'py>(formatter: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, StructuredCore>>> {
    if formatter.get_type().module()?.to_str()? != "logboom._formatters" {
        return Ok(None);
    }
    let core = formatter.getattr_opt("_core")?;
    Ok(core.and_then(|core| core.cast_into_exact().ok()))
}

const FORMATTER_METHODS: [&str; 6] =
    ["format", "formatTime", "formatException", "formatMessage", "formatStack", "usesTime"];
/// The look at the library's default formatter, if that makes of a record its message and nothing else.
/// The last look at the library's settings has to hold.
///
/// # Errors
/// None of its own; what Python raises while attributes are read.
pub(crate) fn look_at_default(py: Python<'_>) -> PyResult<Option<Look>> {
    let looked = look(py, &py.None().into_bound(py))?;
    Ok(looked.and_then(|(work, look)| match work {
        Work::Pattern(pattern) if pattern.style.is_message() => Some(look),
        _ => None,
    }))
}

/// What a formatter may have of its own; anything else may be a method of the user's.
const FORMATTER_ATTRIBUTES: [&str; 6] =
    ["_style", "_fmt", "datefmt", "converter", "default_time_format", "default_msec_format"];

/// What `formatter` does and a look at it; `None` where only Python can do it. The last look at the
/// library's settings has to hold.
///
/// # Errors
/// None of its own; what Python raises while attributes are read.
pub(crate) fn look(py: Python<'_>, formatter: &Bound<'_, PyAny>) -> PyResult<Option<(Work, Look)>> {
    let Some(state) = state(py) else { return Ok(None) };
    let logging = state.logging.bind(py);
    let given = formatter.clone().unbind();
    let formatter = match formatter.is_none() {
        true => logging.getattr("_defaultFormatter")?,
        false => formatter.clone(),
    };
    let class = formatter.get_type();
    if let Some(core) = core_of(&formatter)? {
        return look_at_structured(state, given, &formatter, core);
    }
    if !class.is(logging.getattr("Formatter")?) {
        return Ok(None);
    }
    // Stamps come before what they vouch for.
    let library = state.looks_at_library(&Still::new(py));
    let (stamp, own) = ObjectStamp::of(&formatter, [])?;
    let Some(style) = own.get_item("_style")? else { return Ok(None) };
    let style_class = style.get_type();
    let (style_stamp, style_own) = ObjectStamp::of(&style, [])?;
    if !state.has_library_methods(&class, &FORMATTER_METHODS)?
        || !only_has(&own, &FORMATTER_ATTRIBUTES)?
    {
        return Ok(None);
    }
    let Some((its, more)) = style::look(state, logging, &style_class, &style_own)? else {
        return Ok(None);
    };
    let Some(pattern) = read(logging, &class, &own, its)? else { return Ok(None) };
    if compile(py, &pattern)?.is_none() {
        return Ok(None);
    }
    let stamps = ArrayVec::from([(formatter.unbind(), stamp), (style.unbind(), style_stamp)]);
    let look = Look { given, stamps, more, library };
    Ok(Some((Work::Pattern(Box::new(pattern)), look)))
}

/// What a formatter of ours may have of its own.
const STRUCTURED_ATTRIBUTES: [&str; 4] = ["_style", "_fmt", "datefmt", "_core"];

fn look_at_structured(
    state: &State,
    given: Py<PyAny>,
    formatter: &Bound<'_, PyAny>,
    core: Bound<'_, StructuredCore>,
) -> PyResult<Option<(Work, Look)>> {
    let py = formatter.py();
    let library = state.looks_at_library(&Still::new(py));
    // The stamp comes before what it vouches for.
    let (stamp, own) = ObjectStamp::of(formatter, [])?;
    let class = formatter.get_type();
    let same = own.get_item("_core")?.is_some_and(|own| own.is(&core));
    if !same
        || !only_has(&own, &STRUCTURED_ATTRIBUTES)?
        || !state.is_ours_on(&class, "format")?
        || !state.has_library_methods(&class, &["formatException", "formatStack"])?
        || !core.get().is_native()
    {
        return Ok(None);
    }
    let stamps = [(formatter.clone().unbind(), stamp)].into_iter().collect();
    let look = Look { given, stamps, more: None, library };
    Ok(Some((Work::Structured(core.unbind()), look)))
}

/// The settings of a formatter, where they are of the types the library expects.
fn read(
    logging: &Bound<'_, PyModule>,
    class: &Bound<'_, PyType>,
    own: &Bound<'_, PyDict>,
    style: Style,
) -> PyResult<Option<Pattern>> {
    // Not imported: nothing can be while the interpreter is finalised, and records come even then.
    let time = logging.getattr("time")?;
    for function in ["strftime", "localtime", "gmtime"] {
        if !time.getattr(function)?.is_instance_of::<PyCFunction>() {
            return Ok(None);
        }
    }
    let (local, utc) = (time.getattr("localtime")?, time.getattr("gmtime")?);
    let converter = setting(class, own, "converter", |converter| {
        (converter.is(&local) || converter.is(&utc)).then(|| converter.is(&utc))
    })?;
    let start = time_model(logging).ok().map(Start);
    let datefmt = own.get_item("datefmt")?.and_then(|datefmt| text_or_none(&datefmt));
    let time_format = setting(class, own, "default_time_format", text)?;
    let msec_format = setting(class, own, "default_msec_format", text_or_none)?;
    Ok(match (datefmt, time_format, msec_format, converter, start) {
        (Some(datefmt), Some(time_format), Some(msec_format), Some(utc), Some(start)) => {
            Some(Pattern { style, datefmt, time_format, msec_format, utc, start })
        }
        _ => None,
    })
}

/// What `read` makes of an attribute that the class has, and may have in its place the instance.
fn setting<T>(
    class: &Bound<'_, PyType>,
    own: &Bound<'_, PyDict>,
    name: &str,
    read: impl Fn(&Bound<'_, PyAny>) -> Option<T>,
) -> PyResult<Option<T>> {
    // The class's has to be good too: one that is a property would stand before the instance's.
    let of_class = class.getattr_opt(name)?.and_then(|of_class| read(&of_class));
    Ok(match own.get_item(name)? {
        Some(own) => of_class.and_then(|_| read(&own)),
        None => of_class,
    })
}

fn text_or_none(object: &Bound<'_, PyAny>) -> Option<Option<String>> {
    if object.is_none() { Some(None) } else { text(object).map(Some) }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Start(TimeModel);

// Compared by value, and `logging._startTime` is never NaN.
impl Eq for Start {}

/// How the library computes the times of a record, from `logging._startTime`: nanoseconds from 3.13 on,
/// seconds before.
///
/// # Errors
/// Where that is no such number.
pub(crate) fn time_model(logging: &Bound<'_, PyModule>) -> PyResult<TimeModel> {
    let start = logging.getattr("_startTime")?;
    Ok(match cfg!(Py_3_13) {
        true => TimeModel::Nanoseconds { start_ns: start.extract()? },
        false => TimeModel::Float { start: start.extract()? },
    })
}

/// The engine's formatter for a pattern; `None` for one it cannot do exactly. It need not be valid:
/// `logging` looks at that when it makes a formatter.
fn compile(py: Python<'_>, pattern: &Pattern) -> PyResult<Option<PatternFormatter>> {
    let defaults = pattern.style.defaults.fields();
    let options = PatternOptions {
        style: pattern.style.style,
        datefmt: pattern.datefmt.as_deref(),
        time_format: &pattern.time_format,
        msec_format: pattern.msec_format.as_deref(),
        zone: if pattern.utc { Zone::Utc } else { Zone::Local },
        time: pattern.start.0,
        task_name: cfg!(Py_3_12),
        knows_z: cfg!(Py_3_11),
        defaults: &defaults,
        validate: false,
    };
    let Ok(formatter) = PatternFormatter::new(&pattern.style.pattern, &options) else {
        return Ok(None);
    };
    if formatter.assumes_c_locale() {
        let locale = py.import("locale")?;
        let category = locale.getattr("LC_TIME")?;
        let name = locale.call_method1("setlocale", (category,))?.extract::<String>()?;
        if name != "C" && name != "POSIX" {
            return Ok(None);
        }
    }
    Ok(Some(formatter))
}

/// What a route formats with, and what it asks of the capture.
#[derive(Default)]
pub(crate) struct Compiled {
    /// `None` where the handler hands over finished lines.
    formatter: Option<Arc<dyn Formatter>>,
    /// The same, where it is one of a pattern.
    pub(crate) pattern: Option<Arc<PatternFormatter>>,
}

impl Compiled {
    /// The engine's formatter for some work, where that is native; `place`: where lines go.
    pub(crate) fn new(py: Python<'_>, work: Option<&Work>, place: Place) -> PyResult<Compiled> {
        Ok(match work {
            Some(Work::Pattern(pattern)) => match compile(py, pattern)?.map(Arc::new) {
                Some(pattern) => {
                    Compiled { formatter: Some(pattern.clone()), pattern: Some(pattern) }
                }
                None => Compiled::default(),
            },
            Some(Work::Structured(core)) => {
                let formatter = Arc::clone(core.get().formatter(place));
                Compiled { formatter: Some(formatter), pattern: None }
            }
            None => Compiled::default(),
        })
    }

    /// What has to be captured.
    pub(crate) fn needs(&self) -> Needs {
        self.formatter.as_ref().map(|formatter| formatter.needs()).unwrap_or_default()
    }

    /// Whether lines show every field that a record has.
    pub(crate) fn shows_all_fields(&self) -> bool {
        self.formatter.is_some() && self.pattern.is_none()
    }

    /// What the engine formats with: that, or, where the handler hands over finished lines,
    /// something for the notices of the engine itself.
    pub(crate) fn for_route(&self) -> PyResult<Arc<dyn Formatter>> {
        match &self.formatter {
            Some(formatter) => Ok(Arc::clone(formatter)),
            None => PatternFormatter::new(NOTICES, &PatternOptions::default())
                .map(|formatter| Arc::new(formatter) as Arc<dyn Formatter>)
                .map_err(crate::error::pattern_to_python),
        }
    }
}

const NOTICES: &str = "%(levelname)s:%(name)s:%(message)s";
