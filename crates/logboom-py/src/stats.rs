//! Snapshots of the engine as Python objects.

use logboom::metrics::{Counts, RouteStats};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// PyO3 takes one block of methods a class: the getters of the counts and the `others`.
macro_rules! methods_with_counts {
    ($class:ident, $counts:ident, { $($others:tt)* }) => {
        methods_with_counts! { @ $class, $counts, { $($others)* }
            /// All deliveries asked for: the sum of the others.
            submitted
            /// Given to the operating system whole.
            written
            /// Refused by the overflow policy.
            dropped
            /// Too large, or after shutdown.
            rejected
            /// A formatter or a sink refused.
            failed
            /// Refused by a filter of the route.
            filtered
            /// Not yet given to the operating system.
            pending
        }
    };
    (@ $class:ident, $counts:ident, { $($others:tt)* } $(#[doc = $doc:literal] $name:ident)*) => {
        #[pymethods]
        impl $class {
            $(#[doc = $doc]
            #[getter]
            fn $name(&self) -> u64 {
                self.inner.$counts.$name
            })*
            $($others)*
        }
    };
}

fn put_counts(dict: &Bound<'_, PyDict>, counts: &Counts) -> PyResult<()> {
    counts.iter().try_for_each(|(name, value)| dict.set_item(name, value))
}

/// What `logboom.stats()` gives: a snapshot of the engine.
///
/// The unit is a delivery: one record going to one handler. Always
/// `submitted == written + dropped + rejected + failed + filtered + pending`.
#[pyclass(frozen, module = "logboom")]
pub(crate) struct Stats {
    inner: logboom::metrics::Stats,
}

impl Stats {
    pub(crate) fn new(inner: logboom::metrics::Stats) -> Self {
        Stats { inner }
    }
}

fn route_dict<'py>(py: Python<'py>, route: &RouteStats) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("id", route.id.0)?;
    dict.set_item("name", &route.name)?;
    dict.set_item("sink", &route.sink)?;
    put_counts(&dict, &route.counts)?;
    Ok(dict)
}

methods_with_counts! { Stats, totals, {
    /// The engine's own threads that exist now: 0 or 1.
    #[getter]
    fn native_threads(&self) -> usize {
        self.inner.native_threads
    }

    /// Drop notices written.
    #[getter]
    fn notices_total(&self) -> u64 {
        self.inner.notices_total
    }

    /// The open routes, a dict each: `id`, `name`, `sink` and the seven counts.
    #[getter]
    fn routes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let routes: PyResult<Vec<_>> = self.inner.routes.iter().map(|r| route_dict(py, r)).collect();
        PyList::new(py, routes?)
    }

    /// Everything as a dict that `json.dumps` takes.
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        put_counts(&dict, &self.inner.totals)?;
        let ring = PyDict::new(py);
        ring.set_item("capacity_bytes", self.inner.ring.capacity_bytes)?;
        ring.set_item("max_frame_bytes", self.inner.ring.max_frame_bytes)?;
        ring.set_item("used_bytes", self.inner.ring.used_bytes)?;
        ring.set_item("waiting_callers", self.inner.ring.waiting_callers)?;
        ring.set_item("table_capacity_bytes", self.inner.ring.table_capacity_bytes)?;
        ring.set_item("table_used_bytes", self.inner.ring.table_used_bytes)?;
        dict.set_item("ring", ring)?;
        dict.set_item("native_threads", self.inner.native_threads)?;
        dict.set_item("batches_total", self.inner.batches_total)?;
        dict.set_item("wakeups_total", self.inner.wakeups_total)?;
        dict.set_item("notices_total", self.inner.notices_total)?;
        dict.set_item("reports_total", self.inner.reports_total)?;
        dict.set_item("routes", self.routes(py)?)?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        let counts: Vec<String> =
            self.inner.totals.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("Stats({}, native_threads={})", counts.join(", "), self.inner.native_threads)
    }
} }

/// What `logboom.shutdown()` gives: what became of everything.
#[pyclass(frozen, module = "logboom")]
pub(crate) struct Report {
    inner: logboom::engine::Report,
}

impl Report {
    pub(crate) fn new(inner: logboom::engine::Report) -> Self {
        Report { inner }
    }
}

methods_with_counts! { Report, counts, {
    /// Whether nothing is pending any more.
    #[getter]
    fn completed(&self) -> bool {
        self.inner.completed
    }

    /// Everything as a dict that `json.dumps` takes.
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("completed", self.inner.completed)?;
        put_counts(&dict, &self.inner.counts)?;
        Ok(dict)
    }

    fn __str__(&self) -> String {
        self.inner.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Report: {}>", self.inner)
    }
} }
