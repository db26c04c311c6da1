//! The native part of `logboom.JsonFormatter`, `LogfmtFormatter` and `ConsoleFormatter`: the line of a
//! `LogRecord`, rendered by the engine's own formatter.
//!
//! Values that may change after the call are made text here, on the caller's thread: lists, tuples
//! and dicts become JSON up to [`MAX_DEPTH`] levels and [`MAX_ITEMS`] items a field; everything that
//! is no builtin type goes through the hook, if there is one, and then by `str`. A `str` or a hook
//! that raises an `Exception` leaves a marker; what is none (`KeyboardInterrupt`) is the caller's.

use crate::convert;
use crate::error::config_error;
use crate::ffi::Ref;
use crate::global;
use logboom::field::{Field, Value};
use logboom::format::console::{Colors, ConsoleOptions, Place, Width};
use logboom::format::structured::{Preset, StructuredOptions};
use logboom::format::{
    ConsoleFormatter, FormatCache, Formatter, JsonFormatter, LogfmtFormatter, Precision, Redactor,
    Zone, write_json_text, write_json_value,
};
use logboom::level::Level;
use logboom::record::{Attribute, CallSite, Message, Record, RecordView, Site};
use pyo3::exceptions::{PyException, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList, PyString, PyTuple};
use std::sync::Arc;

/// The deepest nesting of lists and dicts; what lies deeper is the text `<nested too deeply>`.
pub(crate) const MAX_DEPTH: usize = 16;
/// The most items of a field, in all its lists and dicts; the rest is the text `<cut>`.
pub(crate) const MAX_ITEMS: usize = 10_000;

/// A value that owns what it needs.
pub(crate) enum Kept {
    Plain(Value<'static>),
    Digits(String),
    Text(String),
    Json(String),
}

impl Kept {
    pub(crate) fn value(&self) -> Value<'_> {
        match self {
            Kept::Plain(value) => *value,
            Kept::Digits(text) => Value::BigInt(text),
            Kept::Text(text) => Value::Str(text),
            Kept::Json(text) => Value::Json(text),
        }
    }
}

/// The text of a str; lone surrogates as `backslashreplace` shows them.
pub(crate) fn text_of(text: &Bound<'_, PyString>) -> PyResult<String> {
    if let Ok(text) = text.to_str() {
        return Ok(text.to_owned());
    }
    let bytes = text.call_method1("encode", ("utf-8", "backslashreplace"))?;
    Ok(String::from_utf8_lossy(bytes.extract()?).into_owned())
}

/// `ask`, or a marker where it raises an `Exception`.
fn guarded<'py>(
    object: &Bound<'py, PyAny>,
    what: &str,
    ask: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    ask().or_else(|error| {
        if !error.is_instance_of::<PyException>(py) {
            return Err(error);
        }
        let marker = format!(
            "<{what} of {} raised {}>",
            object.get_type().name()?,
            error.get_type(py).name()?
        );
        Ok(PyString::new(py, &marker).into_any())
    })
}

/// The value of an object as of now.
///
/// # Errors
/// What the hook or `str` raises, if it is no `Exception`.
pub(crate) fn keep(object: &Bound<'_, PyAny>, hook: Option<&Bound<'_, PyAny>>) -> PyResult<Kept> {
    let mut items = MAX_ITEMS;
    if is_nested(object) {
        let mut json = Vec::new();
        write(object, hook, MAX_DEPTH, &mut items, &mut json)?;
        return Ok(Kept::Json(String::from_utf8(json).unwrap_or_default()));
    }
    if let Some(kept) = plain(object)? {
        return Ok(kept);
    }
    if let Some(hook) = hook {
        let given = guarded(object, "default()", || hook.call1((object,)))?;
        // What the hook gives is asked no second time.
        return keep(&given, None);
    }
    let text = guarded(object, "str()", || Ok(object.str()?.into_any()))?;
    Ok(Kept::Text(text_of(text.cast::<PyString>()?)?))
}

fn is_nested(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<PyDict>()
        || object.is_instance_of::<PyList>()
        || object.is_instance_of::<PyTuple>()
}

/// The value of an object of exactly a builtin type.
fn plain(object: &Bound<'_, PyAny>) -> PyResult<Option<Kept>> {
    let exact = convert::exact(Ref::from_bound(object));
    Ok(Some(match exact.map(|(value, _)| value) {
        Some(Value::Str(text)) => Kept::Text(text.to_owned()),
        Some(Value::None) => Kept::Plain(Value::None),
        Some(Value::Bool(truth)) => Kept::Plain(Value::Bool(truth)),
        Some(Value::I64(number)) => Kept::Plain(Value::I64(number)),
        Some(Value::F64(number)) => Kept::Plain(Value::F64(number)),
        _ if object.is_exact_instance_of::<PyString>() => Kept::Text(text_of(object.cast()?)?),
        _ if object.is_exact_instance_of::<PyInt>() => match object.extract::<u64>() {
            Ok(number) => Kept::Plain(Value::U64(number)),
            Err(_) => {
                // The interpreter refuses to make decimal digits of very long ones.
                let digits = object.str().or_else(|_| {
                    object.call_method1("__format__", ("#x",))?.cast_into().map_err(PyErr::from)
                })?;
                Kept::Digits(text_of(&digits)?)
            }
        },
        _ => return Ok(None),
    }))
}

fn write(
    object: &Bound<'_, PyAny>,
    hook: Option<&Bound<'_, PyAny>>,
    depth: usize,
    items: &mut usize,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    if !is_nested(object) {
        match keep(object, hook)? {
            // A hook gave it; it counts from anew, once.
            Kept::Json(json) => out.extend_from_slice(json.as_bytes()),
            other => write_json_value(other.value(), out),
        }
        return Ok(());
    }
    let Some(depth) = depth.checked_sub(1) else {
        write_json_text(b"<nested too deeply>", out);
        return Ok(());
    };
    if let Ok(dict) = object.cast::<PyDict>() {
        out.push(b'{');
        // A copy, since Python code may run and change it.
        for (at, pair) in dict.items().iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            let Some(left) = items.checked_sub(1) else {
                out.extend_from_slice(b"\"<cut>\":true");
                break;
            };
            *items = left;
            let (key, value) = pair.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
            write_json_text(key_text(&key)?.as_bytes(), out);
            out.push(b':');
            write(&value, hook, depth, items, out)?;
        }
        out.push(b'}');
        return Ok(());
    }
    out.push(b'[');
    for (at, value) in object.try_iter()?.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let Some(left) = items.checked_sub(1) else {
            write_json_text(b"<cut>", out);
            break;
        };
        *items = left;
        write(&value?, hook, depth, items, out)?;
    }
    out.push(b']');
    Ok(())
}

/// A key as `json.dumps` makes it of builtin types; of others by `str`.
fn key_text(key: &Bound<'_, PyAny>) -> PyResult<String> {
    let mut text = Vec::new();
    if !is_nested(key)
        && let Some(kept) = plain(key)?
    {
        match kept {
            Kept::Text(text) | Kept::Digits(text) => return Ok(text),
            other => write_json_value(other.value(), &mut text),
        }
        return Ok(String::from_utf8(text).unwrap_or_default().trim_matches('"').to_owned());
    }
    text_of(guarded(key, "str()", || Ok(key.str()?.into_any()))?.cast()?)
}

/// What a `LogRecord` has by itself, and `Logger.makeRecord` refuses in `extra`.
pub(crate) fn is_of_record(name: &str) -> bool {
    matches!(
        name,
        "name"
            | "msg"
            | "args"
            | "levelname"
            | "levelno"
            | "pathname"
            | "filename"
            | "module"
            | "exc_info"
            | "exc_text"
            | "stack_info"
            | "lineno"
            | "funcName"
            | "created"
            | "msecs"
            | "relativeCreated"
            | "thread"
            | "threadName"
            | "processName"
            | "process"
            | "message"
            | "asctime"
    ) || (cfg!(Py_3_12) && name == "taskName")
}

/// Whether an attribute of this name stands on a record as one that the program put there, and
/// changes nothing else.
pub(crate) fn is_free(name: &str) -> bool {
    !is_of_record(name) && name != "getMessage" && !name.starts_with("__")
}

/// The formatter of the engine, with its hook. Immutable.
#[pyclass(frozen, module = "logboom._logboom")]
pub(crate) struct StructuredCore {
    /// By the place that lines go to: somewhere, standard output, standard error.
    formatters: [Arc<dyn Formatter>; 3],
    hook: Option<Py<PyAny>>,
}

impl StructuredCore {
    /// Whether the engine does all of it: there is no hook to be asked.
    pub(crate) fn is_native(&self) -> bool {
        self.hook.is_none()
    }

    /// The engine's formatter for lines that go there.
    pub(crate) fn formatter(&self, place: Place) -> &Arc<dyn Formatter> {
        let [elsewhere, stdout, stderr] = &self.formatters;
        match place {
            Place::Elsewhere => elsewhere,
            Place::Stdout => stdout,
            Place::Stderr => stderr,
        }
    }
}

/// The place of this name, as handlers call the standard streams.
pub(crate) fn place(name: Option<&str>) -> Place {
    match name {
        Some("stdout") => Place::Stdout,
        Some("stderr") => Place::Stderr,
        _ => Place::Elsewhere,
    }
}

/// What `logboom.ConsoleFormatter` gives, which checked it.
pub(crate) struct ConsoleSettings {
    /// `None`: where the place is a terminal.
    colors: Option<bool>,
    /// Where lines go that no handler of ours writes.
    place: Option<String>,
    /// `None`: as wide as the terminal; 0: without limit.
    width: Option<u16>,
    full_traceback: bool,
    datefmt: Option<String>,
    utc: bool,
    logger_width: u16,
    drop: Vec<String>,
    library: Vec<String>,
    own: Vec<String>,
}

impl<'py> FromPyObject<'_, 'py> for ConsoleSettings {
    type Error = PyErr;

    fn extract(given: pyo3::Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        // Not derived: that makes the names at their first use, without the GIL, and a process could
        // fork then.
        let item = |name| given.get_item(name);
        Ok(ConsoleSettings {
            colors: item("colors")?.extract()?,
            place: item("place")?.extract()?,
            width: item("width")?.extract()?,
            full_traceback: item("full_traceback")?.extract()?,
            datefmt: item("datefmt")?.extract()?,
            utc: item("utc")?.extract()?,
            logger_width: item("logger_width")?.extract()?,
            drop: item("drop")?.extract()?,
            library: item("library")?.extract()?,
            own: item("own")?.extract()?,
        })
    }
}

#[pymethods]
impl StructuredCore {
    #[new]
    #[pyo3(signature = (notation, preset, keys, rename, drop, fixed, precision, hook))]
    #[allow(clippy::too_many_arguments, reason = "called in one place, which checks them")]
    fn new(
        notation: &str,
        preset: Option<&str>,
        keys: Option<Vec<String>>,
        rename: Vec<(String, String)>,
        drop: Vec<String>,
        fixed: Vec<(String, Bound<'_, PyAny>)>,
        precision: &str,
        hook: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let keys: Option<Vec<&str>> =
            keys.as_ref().map(|keys| keys.iter().map(String::as_str).collect());
        let rename: Vec<_> = rename.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let drop: Vec<&str> = drop.iter().map(String::as_str).collect();
        let kept: Vec<Kept> =
            fixed.iter().map(|(_, value)| keep(value, hook.as_ref())).collect::<PyResult<_>>()?;
        let fixed: Vec<Field<'_>> = (fixed.iter().zip(&kept))
            .map(|((key, _), value)| Field { key, value: value.value() })
            .collect();
        let options = StructuredOptions {
            preset: preset.and_then(Preset::of).unwrap_or_default(),
            keys: keys.as_deref(),
            rename: &rename,
            drop: &drop,
            fixed: &fixed,
            precision: match precision {
                "s" => Precision::Seconds,
                "ms" => Precision::Millis,
                "ns" => Precision::Nanos,
                _ => Precision::Micros,
            },
        };
        let formatter: Result<Arc<dyn Formatter>, _> = match notation {
            "logfmt" => LogfmtFormatter::new(&options).map(|f| Arc::new(f) as _),
            _ => JsonFormatter::new(&options).map(|f| Arc::new(f) as _),
        };
        let formatter = formatter.map_err(|error| config_error(error.to_string()))?;
        let formatters = std::array::from_fn(|_| Arc::clone(&formatter));
        Ok(StructuredCore { formatters, hook: hook.map(Bound::unbind) })
    }

    /// One that makes lines for people.
    #[staticmethod]
    fn console(settings: ConsoleSettings) -> PyResult<Self> {
        let drop: Vec<&str> = settings.drop.iter().map(String::as_str).collect();
        let library: Vec<&str> = settings.library.iter().map(String::as_str).collect();
        let own: Vec<&str> = settings.own.iter().map(String::as_str).collect();
        let made = |place| -> PyResult<Arc<dyn Formatter>> {
            let options = ConsoleOptions {
                colors: match settings.colors {
                    None => Colors::Auto,
                    Some(true) => Colors::Always,
                    Some(false) => Colors::Never,
                },
                place,
                width: match settings.width {
                    None => Width::Terminal,
                    Some(0) => Width::Unlimited,
                    Some(columns) => Width::Columns(columns),
                },
                full_traceback: settings.full_traceback,
                datefmt: settings.datefmt.as_deref(),
                zone: if settings.utc { Zone::Utc } else { Zone::Local },
                logger_width: settings.logger_width,
                drop: &drop,
                library: &library,
                own: &own,
            };
            let formatter = ConsoleFormatter::new(&options);
            Ok(Arc::new(formatter.map_err(|error| config_error(error.to_string()))?))
        };
        let elsewhere = place(settings.place.as_deref());
        let formatters = [made(elsewhere)?, made(Place::Stdout)?, made(Place::Stderr)?];
        Ok(StructuredCore { formatters, hook: None })
    }

    /// The line of a record with these attributes, for a place by its name.
    #[pyo3(signature = (attributes, exception, stack, at=None))]
    fn format(
        &self,
        attributes: &Bound<'_, PyDict>,
        exception: Option<&Bound<'_, PyAny>>,
        stack: Option<&Bound<'_, PyAny>>,
        at: Option<&str>,
    ) -> PyResult<String> {
        let py = attributes.py();
        let hook = self.hook.as_ref().map(|hook| hook.bind(py));
        let text = |object: &Bound<'_, PyAny>| text_of(&object.str()?);
        let get = |name: &str| -> PyResult<Option<String>> {
            match attributes.get_item(name)?.filter(|value| !value.is_none()) {
                Some(value) => text(&value).map(Some),
                None => Ok(None),
            }
        };
        let number = |name: &str| -> PyResult<i64> {
            Ok(attributes.get_item(name)?.and_then(|v| v.extract().ok()).unwrap_or_default())
        };
        let mut fields = Vec::new();
        for pair in attributes.items() {
            let (key, value) = pair.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
            let key = key_text(&key)?;
            if !is_of_record(&key) {
                fields.push((key, keep(&value, hook)?));
            }
        }
        let fields: Vec<Field<'_>> =
            fields.iter().map(|(key, value)| Field { key, value: value.value() }).collect();
        let (name, message) =
            (get("name")?.unwrap_or_default(), get("message")?.unwrap_or_default());
        let (path, function) =
            (get("pathname")?.unwrap_or_default(), get("funcName")?.unwrap_or_default());
        let line = u32::try_from(number("lineno")?).unwrap_or_default();
        let site =
            CallSite { path: path.as_bytes(), function: function.as_bytes(), line }.to_text();
        let mut texts = Vec::new();
        for (attribute, name) in [
            (Attribute::LevelName, "levelname"),
            (Attribute::ThreadName, "threadName"),
            (Attribute::ProcessName, "processName"),
            (Attribute::TaskName, "taskName"),
        ] {
            texts.extend(get(name)?.map(|text| (attribute, text)));
        }
        for (attribute, object) in [(Attribute::Exception, exception), (Attribute::Stack, stack)] {
            texts.extend(object.map(text).transpose()?.map(|text| (attribute, text)));
        }
        let texts: Vec<_> = texts.iter().map(|(kind, text)| (*kind, text.as_str())).collect();
        let created = attributes.get_item("created")?.and_then(|v| v.extract::<f64>().ok());
        let record = Record {
            // A float of this size is good to a quarter of a microsecond.
            time_ns: ((created.unwrap_or_default() * 1e6).round() as i64).saturating_mul(1000),
            level: Level(i32::try_from(number("levelno")?).unwrap_or_default()),
            thread: number("thread")? as u64,
            logger: name.as_str().into(),
            site: Site::Inline(&site),
            message: Message::Plain(message.as_str().into()),
            fields: &fields,
            attributes: &texts,
            routes: &[],
        };
        let failed = || PyRuntimeError::new_err("the record is too large to be formatted");
        let mut bytes = vec![0; record.encoded_len().ok_or_else(failed)?];
        record.encode(&mut bytes);
        let view = RecordView::parse(&bytes, &()).map_err(|_| failed())?;
        let process = u32::try_from(number("process")?).unwrap_or_default();
        let mut out = Vec::new();
        let formatter = self.formatter(place(at));
        Redactor::new(global::engine().redaction())
            .format(&**formatter, &view, &mut FormatCache::for_process(process), &mut out)
            .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        String::from_utf8(out).map_err(|_| failed())
    }
}
