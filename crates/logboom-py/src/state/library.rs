//! Whether the standard library's module is as it was found: its record factory, its level names, the
//! flags on what a record holds, and the clock it reads.

use super::State;
use crate::ffi::Still;
use crate::ffi::dict::Stamps;
use crate::ffi::guard::{ClassStamp, lookup};
use crate::global;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyString, PyType};
use std::ffi::OsString;
use std::sync::Mutex;
use std::time::Duration;

/// The library's modules at one moment.
pub(super) struct Library {
    stamps: Stamps<3>,
    /// The class of records, whose methods may be patched.
    record: (Py<PyType>, ClassStamp),
    as_found: bool,
}

impl Library {
    #[inline]
    fn holds(&self, still: &Still<'_>) -> bool {
        let (class, stamp) = &self.record;
        self.stamps.hold(still) && stamp.is(still, class)
    }
}

impl State {
    /// Whether the module's own settings are those under which the native way is exact: the record
    /// factory, the level names, the flags on what a record holds, and the clock. `None` where they
    /// have to be looked at.
    #[inline]
    pub(crate) fn library_is_as_found(&self, still: &Still<'_>) -> Option<bool> {
        let library = self.library.get(still)?;
        library.holds(still).then_some(library.as_found)
    }

    /// How often the library was looked at: what was found out from it in between still holds, if the
    /// last look does.
    #[inline]
    pub(crate) fn looks_at_library(&self, still: &Still<'_>) -> u64 {
        self.library_looks.get(still)
    }

    /// Looks at the library's settings; false where they cannot be.
    #[cold]
    pub(crate) fn look_at_library(&self, still: &mut Still<'_>) -> bool {
        let py = still.python();
        let look = || -> PyResult<Library> {
            let logging = self.logging.bind(py);
            let time = logging.getattr("time")?.cast_into::<PyModule>()?;
            let names = logging.getattr("_levelToName")?.cast_into::<PyDict>()?;
            let stamps = Stamps::of([&logging.dict(), &time.dict(), &names])?;
            let class = logging.getattr("LogRecord")?.cast_into::<PyType>()?;
            let no_stamp = || PyRuntimeError::new_err("the interpreter is out of version tags");
            let stamp = ClassStamp::of_class(&class).ok_or_else(no_stamp)?;
            let record = (class.unbind(), stamp);
            follow_zone(py);
            let as_found = self.is_library_plain(logging, &time, &names)?;
            Ok(Library { stamps, record, as_found })
        };
        let library = look().ok();
        self.library_looks.set(still, self.library_looks.get(still) + 1);
        let looked = library.is_some();
        self.library.set(still, library);
        looked
    }

    fn is_library_plain(
        &self,
        logging: &Bound<'_, PyModule>,
        time: &Bound<'_, PyModule>,
        names: &Bound<'_, PyDict>,
    ) -> PyResult<bool> {
        let py = logging.py();
        let factory = logging.getattr("_logRecordFactory")?;
        let record = logging.getattr("LogRecord")?.cast_into::<PyType>()?;
        let plain_record = factory.is(&record)
            && ["__init__", "getMessage"].iter().try_fold(true, |plain, name| {
                let name = PyString::intern(py, name);
                let method = lookup(&record, &name);
                Ok::<_, PyErr>(
                    plain
                        && method
                            .is_some_and(|m| self.is_library_function(&m, &name).unwrap_or(false)),
                )
            })?;
        for flag in ["logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks"] {
            match logging.getattr_opt(flag)? {
                Some(value) if !value.is_truthy()? => return Ok(false),
                _ => {}
            }
        }
        let source = logging.getattr("_srcfile")?;
        for clock in ["time", "time_ns"] {
            let function = time.getattr(clock)?;
            if !function.is_instance_of::<pyo3::types::PyCFunction>() {
                return Ok(false);
            }
        }
        for (level, name) in [
            (0, "NOTSET"),
            (10, "DEBUG"),
            (20, "INFO"),
            (30, "WARNING"),
            (40, "ERROR"),
            (50, "CRITICAL"),
        ] {
            if !names.get_item(level)?.is_some_and(|found| found.eq(name).unwrap_or(false)) {
                return Ok(false);
            }
        }
        Ok(plain_record && source.eq(self.classes.source_file.bind(py))?)
    }
}

/// Follows `time.tzset`, which puts new values into its module. What was logged before is formatted
/// in the zone of before.
fn follow_zone(py: Python<'_>) {
    static ZONE: Mutex<Option<Option<OsString>>> = Mutex::new(None);
    let zone = std::env::var_os("TZ");
    let Ok(mut known) = ZONE.lock() else { return };
    if known.replace(zone.clone()).is_some_and(|known| known != zone) {
        drop(known);
        let _ = py.detach(|| global::engine().flush(Some(PATIENCE)));
        logboom::format::reload_local_zone();
    }
}

/// How long a change of the zone waits for a sink that hangs.
const PATIENCE: Duration = Duration::from_secs(1);
