//! A `LogRecord` as the library's `QueueHandler.prepare` leaves it, made in one go.
//!
//! What `LogRecord.__init__` sets, and in which order, is told by a record that the library itself makes
//! once per look at its settings; the values are those of its formulas. Where a record has other
//! attributes than those known here, none is made.

use super::parts::names;
use super::places::{Place, Same};
use crate::capture::Call;
use crate::convert;
use crate::ffi::made::{self, Held};
use crate::ffi::object::{GilSlot, own};
use crate::ffi::{self, Ref, Still, calls};
use crate::fields::Fields;
use crate::formatter::{self, Look};
use crate::logger;
use crate::state::State;
use logboom::format::TimeModel;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyString, PyType};
use std::sync::Arc;

static MAKER: GilSlot<Arc<Maker>> = GilSlot::empty();

/// The attributes of a record, in the library's order, and the one that formatting adds.
const ATTRIBUTES: &[&str] = &[
    "name",
    "msg",
    "args",
    "levelname",
    "levelno",
    "pathname",
    "filename",
    "module",
    "exc_info",
    "exc_text",
    "stack_info",
    "lineno",
    "funcName",
    "created",
    "msecs",
    "relativeCreated",
    "thread",
    "threadName",
    "processName",
    "process",
    #[cfg(Py_3_12)]
    "taskName",
];

/// What a record is made of.
pub(super) struct Draft<'d> {
    pub(super) state: &'d State,
    pub(super) call: &'d Call<'d>,
    pub(super) place: &'d Place,
    pub(super) fields: &'d Fields<'d>,
    /// Adds the bound context to the attributes of a record.
    pub(super) put_on: &'d Py<PyAny>,
}

/// Makes records under the settings of the library that it was made for.
pub(super) struct Maker {
    class: Py<PyType>,
    /// Attributes as they are before the first is known.
    attributes: Py<PyDict>,
    time: TimeModel,
    sys: Py<PyModule>,
    /// The default formatter, which has to make the message of a record and nothing else.
    formatter: Look,
    library: u64,
}

impl Maker {
    /// The one for the settings of now; `None` where only the library can make records. The last look at
    /// its settings has to hold.
    #[inline]
    pub(super) fn current(state: &State, still: &mut Still<'_>) -> Option<Arc<Maker>> {
        match MAKER.get(still) {
            Some(maker) if maker.holds(state, still) => Some(Arc::clone(maker)),
            _ => renew(state, still),
        }
    }

    /// Whether the settings are those that it was made for.
    #[inline]
    pub(super) fn holds(&self, state: &State, still: &Still<'_>) -> bool {
        self.library == state.looks_at_library(still) && self.formatter.holds_for_none(state, still)
    }

    fn new(state: &State, py: Python<'_>) -> PyResult<Option<Maker>> {
        let library = state.looks_at_library(&Still::new(py));
        let logging = state.logging.bind(py);
        let class = logging.getattr("LogRecord")?.cast_into::<PyType>()?;
        let Some(formatter) = formatter::look_at_default(py)? else { return Ok(None) };
        let none = py.None();
        let made = class.call1(("", 0, "", 0, "", &none, &none))?;
        let Some(attributes) = made::attributes(&made) else { return Ok(None) };
        let as_known = attributes.len() == ATTRIBUTES.len()
            && attributes.keys().iter().zip(ATTRIBUTES).all(|(key, known)| {
                key.cast::<PyString>().is_ok_and(|key| key.to_str().is_ok_and(|key| key == *known))
            });
        if !as_known || !made::is_made_plainly(&class) {
            return Ok(None);
        }
        let attributes = attributes.copy()?;
        attributes.set_item(names(py).stack_info.bind(py), &none)?;
        Ok(Some(Maker {
            class: class.unbind(),
            attributes: attributes.unbind(),
            time: formatter::time_model(logging)?,
            sys: py.import("sys")?.unbind(),
            formatter,
            library,
        }))
    }

    /// The record of a call with this message, prepared for a queue.
    ///
    /// # Errors
    /// What Python raises when asked for names.
    pub(super) fn prepared<'py>(
        &self,
        still: &mut Still<'py>,
        draft: &Draft<'_>,
        message: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = still.python();
        let attributes = self.attributes(still, draft)?;
        attributes.set_item(names(py).msg.bind(py), message)?;
        attributes.set_item(names(py).message.bind(py), message)?;
        made::with_attributes(self.class.bind(py), &attributes)
    }

    /// The record of a call without an exception, prepared for a queue by what `formatter` makes of it.
    ///
    /// # Errors
    /// What formatting raises.
    pub(super) fn formatted<'py>(
        &self,
        still: &mut Still<'py>,
        draft: &Draft<'_>,
        formatter: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = still.python();
        let attributes = self.attributes(still, draft)?;
        if draft.fields.is_empty() {
            attributes.del_item(names(py).message.bind(py))?;
        }
        attributes.set_item(names(py).msg.bind(py), draft.call.message.bound(py))?;
        let arguments = convert::operand(py, draft.call.arguments)?;
        attributes.set_item(names(py).args.bind(py), arguments)?;
        let record = made::with_attributes(self.class.bind(py), &attributes)?;
        let text = calls::method_with(formatter, names(py).format.bind(py), &record)?;
        // As the library leaves a copy, which shares no attribute with what the formatter has seen.
        let prepared = attributes.copy()?;
        prepared.set_item(names(py).message.bind(py), &text)?;
        prepared.set_item(names(py).msg.bind(py), text)?;
        for name in [
            names(py).args.bind(py),
            names(py).exc_info.bind(py),
            names(py).exc_text.bind(py),
            names(py).stack_info.bind(py),
        ] {
            prepared.set_item(name, py.None())?;
        }
        made::with_attributes(self.class.bind(py), &prepared)
    }

    /// All attributes but the message, which has its place where there are no fields.
    fn attributes<'py>(
        &self,
        still: &mut Still<'py>,
        draft: &Draft<'_>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let py = still.python();
        let helpers = &draft.state.helpers;
        let attributes = self.begun(still, draft)?;
        let time_ns = draft.call.time_ns;
        let created = self.time.created(time_ns);
        attributes.set_item(names(py).created.bind(py), created)?;
        attributes.set_item(names(py).msecs.bind(py), self.time.msecs(time_ns, created))?;
        let relative = self.time.relative_created(time_ns, created);
        attributes.set_item(names(py).relative_created.bind(py), relative)?;
        attributes.set_item(names(py).thread.bind(py), ffi::thread_ident())?;
        attributes
            .set_item(names(py).thread_name.bind(py), calls::call(helpers.thread_name.bind(py))?)?;
        let modules =
            self.sys.bind(py).getattr(names(py).modules.bind(py))?.cast_into::<PyDict>()?;
        if modules.contains(names(py).multiprocessing.bind(py))? {
            let name = calls::call(helpers.process_name.bind(py))?;
            attributes.set_item(names(py).process_name.bind(py), name)?;
        }
        if cfg!(Py_3_12) && modules.contains(names(py).asyncio.bind(py))? {
            attributes
                .set_item(names(py).task_name.bind(py), calls::call(helpers.task_name.bind(py))?)?;
        }
        if !draft.fields.is_empty() {
            draft.fields.put_on(&attributes, draft.put_on)?;
        }
        Ok(attributes)
    }

    /// New attributes, with all that is the same for the records of this place, logger and level.
    fn begun<'py>(
        &self,
        still: &mut Still<'py>,
        draft: &Draft<'_>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let py = still.python();
        let Draft { state, call, place, fields, .. } = draft;
        let process = ffi::process_id();
        let name = logger::name(still, call.logger).map(own);
        let name = Held::new(name.unwrap_or_else(|| py.None()));
        let level = call.level.number;
        let kept = match place.same.get(still) {
            Some(same)
                if fields.is_empty()
                    && same.name.is(&*name)
                    && (same.level, same.process, same.library)
                        == (level, process, self.library) =>
            {
                // A reference of its own: the collector may run, and a finaliser log from here.
                Some(Held::new(own(Ref::from_py(still, same.attributes.as_any()))))
            }
            _ => None,
        };
        if let Some(kept) = kept {
            return kept.bind(py).cast::<PyDict>()?.copy();
        }
        let attributes = self.attributes.bind(py).copy()?;
        attributes.set_item(names(py).name.bind(py), &*name)?;
        let level_name = state.helpers.level_name.bind(py).call1((level,))?;
        attributes.set_item(names(py).levelname.bind(py), level_name)?;
        attributes.set_item(names(py).levelno.bind(py), level)?;
        attributes.set_item(names(py).pathname.bind(py), &place.pathname)?;
        attributes.set_item(names(py).filename.bind(py), &place.filename)?;
        attributes.set_item(names(py).module.bind(py), &place.module)?;
        attributes.set_item(names(py).lineno.bind(py), place.line)?;
        attributes.set_item(names(py).func_name.bind(py), &place.function)?;
        attributes.set_item(names(py).process_name.bind(py), names(py).main_process.bind(py))?;
        attributes.set_item(names(py).process.bind(py), process)?;
        if cfg!(Py_3_12) {
            attributes.set_item(names(py).task_name.bind(py), py.None())?;
        }
        if fields.is_empty() {
            // It comes last; the fields of a call that has some come before it.
            attributes.set_item(names(py).message.bind(py), "")?;
            let (library, kept) = (self.library, attributes.copy()?.unbind());
            let name = name.clone_ref(py);
            place.same.set(still, Some(Same { name, level, process, library, attributes: kept }));
        }
        Ok(attributes)
    }
}

#[cold]
fn renew(state: &State, still: &mut Still<'_>) -> Option<Arc<Maker>> {
    let py = still.python();
    let maker = Arc::new(Maker::new(state, py).ok()??);
    MAKER.set(still, Some(Arc::clone(&maker)));
    maker.holds(state, &Still::new(py)).then_some(maker)
}
