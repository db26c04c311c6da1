//! The Python binding of logboom: the native module `logboom._logboom`.
//!
//! It captures log calls on the caller's thread ([`logger`], [`capture`]) and hands them to the one
//! engine of the process ([`global`]). Everything that needs no speed is Python, in `python/logboom`.
#![deny(unsafe_code)]

mod capture;
mod context;
mod convert;
mod durable;
mod error;
mod ffi;
mod fields;
mod filters;
mod formatter;
mod global;
mod lane;
mod lifecycle;
mod logger;
mod names;
mod places;
mod redaction;
mod request_scope;
mod route;
mod sharing;
mod sites;
mod state;
mod stats;
mod structured;
mod style;
mod templates;
mod traceback;
mod waiting;

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

#[pymodule]
fn _logboom(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    // PyO3 asks once, at the first attaching, whether the interpreter is initialised; what logs while
    // it is finalised would be told no, and panic.
    py.detach(|| Python::attach(|_| ()));
    global::start().map_err(error::to_python)?;
    if !lifecycle::register_end() {
        return Err(PyImportError::new_err("too many functions are registered with Py_AtExit"));
    }
    if !lifecycle::register_forks() {
        return Err(PyImportError::new_err("no memory is left to be told of forks"));
    }
    route::ROUTE.learn(py);
    lane::MARKING_PUT.learn(py);
    traceback::make_ready(py)?;
    module.add_class::<route::Route>()?;
    module.add_class::<lane::MarkingPut>()?;
    module.add_class::<context::Context>()?;
    module.add_class::<request_scope::RequestScope>()?;
    module.add_class::<stats::Stats>()?;
    module.add_class::<stats::Report>()?;
    module.add_class::<structured::StructuredCore>()?;
    module.add_class::<redaction::RedactionCore>()?;
    module.add_class::<filters::NativeFilter>()?;
    module.add_class::<filters::RateLimitFilter>()?;
    module.add_class::<filters::FoldFilter>()?;
    module.add_class::<filters::OnceFilter>()?;
    module.add_class::<filters::SampleFilter>()?;
    module.add("LogboomError", py.get_type::<error::LogboomError>())?;
    module.add("ConfigError", error::config_error_class(py)?)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(state::setup, module)?)?;
    module.add_function(wrap_pyfunction!(state::class_stamp, module)?)?;
    module.add_function(wrap_pyfunction!(lane::setup_lane, module)?)?;
    module.add_function(wrap_pyfunction!(lane::deliver, module)?)?;
    module.add_function(wrap_pyfunction!(logger::logger_methods, module)?)?;
    module.add_function(wrap_pyfunction!(logger::library_obstacle, module)?)?;
    module.add_function(wrap_pyfunction!(logger::way_obstacle, module)?)?;
    module.add_function(wrap_pyfunction!(logger::logger_obstacle, module)?)?;
    module.add_function(wrap_pyfunction!(logger::handler_obstacle, module)?)?;
    module.add_function(wrap_pyfunction!(route::open_route, module)?)?;
    module.add_function(wrap_pyfunction!(sharing::compress_shared_file, module)?)?;
    module.add_function(wrap_pyfunction!(sharing::rotate_shared_file, module)?)?;
    module.add_function(wrap_pyfunction!(traceback::format_exception, module)?)?;
    module.add_function(wrap_pyfunction!(context::extend_context, module)?)?;
    module.add_function(wrap_pyfunction!(context::shrink_context, module)?)?;
    module.add_function(wrap_pyfunction!(lifecycle::configure, module)?)?;
    module.add_function(wrap_pyfunction!(lifecycle::options, module)?)?;
    module.add_function(wrap_pyfunction!(redaction::is_secret, module)?)?;
    module.add_function(wrap_pyfunction!(redaction::redact_text, module)?)?;
    module.add_function(wrap_pyfunction!(redaction::redact_value, module)?)?;
    module.add_function(wrap_pyfunction!(durable::recover, module)?)?;
    module.add_function(wrap_pyfunction!(durable::default_durable_directory, module)?)?;
    module.add_function(wrap_pyfunction!(lifecycle::flush, module)?)?;
    module.add_function(wrap_pyfunction!(lifecycle::sync, module)?)?;
    module.add_function(wrap_pyfunction!(lifecycle::shutdown, module)?)?;
    module.add_function(wrap_pyfunction!(lifecycle::stats, module)?)?;
    module.add_function(wrap_pyfunction!(lifecycle::before_fork, module)?)?;
    module.add_function(wrap_pyfunction!(lifecycle::after_fork_in_parent, module)?)?;
    module.add_function(wrap_pyfunction!(lifecycle::after_fork_in_child, module)?)?;
    Ok(())
}
