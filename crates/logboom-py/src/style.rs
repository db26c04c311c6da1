//! The style of a formatter: its pattern, how that marks its places, and the defaults for fields.
//!
//! Native are the library's own three styles as it defines them. A style's template (`$`) and its
//! defaults are objects of their own, which the program may change; a [`More`] vouches for them.

use crate::convert::{self, Owned};
use crate::ffi::dict::{self, Stamps};
use crate::ffi::guard::{ClassStamp, lookup};
use crate::ffi::{Ref, Still};
use crate::state::State;
use logboom::field::Field;
use logboom::format::pattern::PatternStyle;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyString, PyType};

/// A style at one moment, as far as it is native.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) pattern: String,
    pub(crate) style: PatternStyle,
    pub(crate) defaults: Defaults,
}

/// Values for fields that a record does not have. Those that only Python can show are left out, and
/// with them the records that would show them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defaults(Vec<(String, Owned)>);

impl Style {
    /// Whether it shows the message of a record, and nothing else.
    pub(crate) fn is_message(&self) -> bool {
        self.style == PatternStyle::Percent && self.pattern == "%(message)s"
    }
}

impl Defaults {
    pub(crate) fn fields(&self) -> Vec<Field<'_>> {
        self.0.iter().map(|(key, value)| Field { key, value: value.value() }).collect()
    }
}

impl PartialEq for Defaults {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&(String, Owned), &(String, Owned))| {
            a.0 == b.0
                && match (&a.1, &b.1) {
                    // By what they show: zeros have a sign, and what is no number is like itself.
                    (Owned::F64(a), Owned::F64(b)) => a.to_bits() == b.to_bits(),
                    (a, b) => a == b,
                }
        };
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same)
    }
}

impl Eq for Defaults {}

/// What vouches for the objects that only some styles have.
pub(crate) struct More {
    /// Of the defaults, and of the template's attributes; both of one where there is one.
    stamps: Stamps<2>,
    template: Option<(Py<PyAny>, ClassStamp)>,
}

impl More {
    /// Whether they are as they were.
    pub(crate) fn holds(&self, still: &Still<'_>) -> bool {
        self.stamps.hold(still)
            && self
                .template
                .as_ref()
                .is_none_or(|(template, stamp)| stamp.is_of(Ref::from_py(still, template)))
    }
}

/// One of the library's styles.
struct Known {
    class: &'static str,
    style: PatternStyle,
    /// `asctime_search`.
    time: &'static str,
    /// The qualified names of the methods that make the text.
    methods: [(&'static str, &'static str); 3],
    attributes: &'static [&'static str],
}

const KNOWN: [Known; 3] = [
    Known {
        class: "PercentStyle",
        style: PatternStyle::Percent,
        time: "%(asctime)",
        methods: [
            ("format", "PercentStyle.format"),
            ("_format", "PercentStyle._format"),
            ("usesTime", "PercentStyle.usesTime"),
        ],
        attributes: &["_fmt", "_defaults"],
    },
    Known {
        class: "StrFormatStyle",
        style: PatternStyle::Brace,
        time: "{asctime",
        methods: [
            ("format", "PercentStyle.format"),
            ("_format", "StrFormatStyle._format"),
            ("usesTime", "PercentStyle.usesTime"),
        ],
        attributes: &["_fmt", "_defaults"],
    },
    Known {
        class: "StringTemplateStyle",
        style: PatternStyle::Dollar,
        time: "${asctime}",
        methods: [
            ("format", "PercentStyle.format"),
            ("_format", "StringTemplateStyle._format"),
            ("usesTime", "StringTemplateStyle.usesTime"),
        ],
        attributes: &["_fmt", "_defaults", "_tpl"],
    },
];

/// The style that this object, with these attributes, is; `None` where only Python can tell. Its
/// class and its attributes are vouched for by the caller.
///
/// # Errors
/// None of its own; what Python raises while attributes are read.
pub(crate) fn look(
    state: &State,
    logging: &Bound<'_, PyModule>,
    class: &Bound<'_, PyType>,
    own: &Bound<'_, PyDict>,
) -> PyResult<Option<(Style, Option<Box<More>>)>> {
    let mut known = None;
    for one in &KNOWN {
        if class.is(logging.getattr(one.class)?) {
            known = Some(one);
        }
    }
    let Some(known) = known else { return Ok(None) };
    if !only_has(own, known.attributes)? || !is_as_defined(state, class, known)? {
        return Ok(None);
    }
    let (Some(fmt), Some(given)) = (own.get_item("_fmt")?, own.get_item("_defaults")?) else {
        return Ok(None);
    };
    // An empty one is put there after the formatter was made, and means what it says.
    let Some(pattern) = text(&fmt).filter(|pattern| !pattern.is_empty()) else { return Ok(None) };
    let given = match (given.is_none(), given.cast_exact::<PyDict>()) {
        (true, _) => None,
        (_, Ok(given)) => Some(given),
        _ => return Ok(None),
    };
    let mut template = None;
    if known.style == PatternStyle::Dollar {
        let Some(object) = own.get_item("_tpl")? else { return Ok(None) };
        template = Some((dict::of_attributes(&object)?, object));
    }
    let template_own = template.as_ref().map(|(own, _)| own);
    // Stamps come before what they vouch for.
    let stamps = match (given.or(template_own), template_own.or(given)) {
        (Some(first), Some(second)) => Some(Stamps::of([first, second])?),
        _ => None,
    };
    let mut template_stamp = None;
    if let Some((own, object)) = &template {
        let Some(stamp) = template_class(logging, object)? else { return Ok(None) };
        let same =
            own.get_item("template")?.is_some_and(|own| text(&own).as_ref() == Some(&pattern));
        if !same || !only_has(own, &["template"])? {
            return Ok(None);
        }
        template_stamp = Some((object.clone().unbind(), stamp));
    }
    let Some(defaults) = given.map_or(Some(Defaults::default()), defaults) else { return Ok(None) };
    let more = stamps.map(|stamps| Box::new(More { stamps, template: template_stamp }));
    Ok(Some((Style { pattern, style: known.style, defaults }, more)))
}

/// Whether the class makes its text as the library's source says.
fn is_as_defined(state: &State, class: &Bound<'_, PyType>, known: &Known) -> PyResult<bool> {
    let py = class.py();
    for (name, qualified) in known.methods {
        let found = lookup(class, &PyString::intern(py, name));
        if !state.has_library_methods(class, &[name])?
            || !found.is_some_and(|found| is_named(&found, qualified))
        {
            return Ok(false);
        }
    }
    let search = lookup(class, &PyString::intern(py, "asctime_search"));
    Ok(search.is_some_and(|search| text(&search).as_deref() == Some(known.time)))
}

fn is_named(function: &Bound<'_, PyAny>, qualified: &str) -> bool {
    function.getattr("__qualname__").is_ok_and(|name| text(&name).as_deref() == Some(qualified))
}

/// The class of a style's template, if that is `string.Template` and finds places as ever.
fn template_class(
    logging: &Bound<'_, PyModule>,
    template: &Bound<'_, PyAny>,
) -> PyResult<Option<ClassStamp>> {
    let class = template.get_type();
    // Not imported: nothing can be while the interpreter is finalised.
    let modules = logging.getattr("sys")?.getattr("modules")?.cast_into::<PyDict>()?;
    let Some(module) = modules.get_item("string")? else { return Ok(None) };
    if !class.is(module.getattr("Template")?) {
        return Ok(None);
    }
    // Since 3.14 it is made when it is first asked for.
    class.getattr("pattern")?;
    let Some(stamp) = ClassStamp::of_class(&class) else { return Ok(None) };
    let pattern = class.getattr("pattern")?;
    let (Some(source), flags) =
        (text(&pattern.getattr("pattern")?), pattern.getattr("flags")?.extract::<u32>()?)
    else {
        return Ok(None);
    };
    let bare =
        |line: &str| line.split(" #").next().unwrap_or_default().split_whitespace().collect();
    let source: String = source.lines().map(bare).collect::<Vec<String>>().concat();
    let delimiter = class.getattr("delimiter")?;
    let substitute = class.getattr("substitute")?;
    let is_library = is_named(&substitute, "Template.substitute")
        && substitute.getattr("__globals__")?.is(module.getattr("__dict__")?);
    let plain = source == PLACES && flags == FLAGS && is_library;
    Ok((plain && text(&delimiter).as_deref() == Some("$")).then_some(stamp))
}

/// `string.Template.pattern` without spaces and comments.
const PLACES: &str = r"\$(?:(?P<escaped>\$)|(?P<named>(?a:[_a-z][_a-z0-9]*))|{(?P<braced>(?a:[_a-z][_a-z0-9]*))}|(?P<invalid>))";
/// `re.IGNORECASE | re.UNICODE | re.VERBOSE`.
const FLAGS: u32 = 2 | 32 | 64;

/// The values of a dictionary of defaults; `None` where a key is not what `logging` can look up.
fn defaults(given: &Bound<'_, PyDict>) -> Option<Defaults> {
    let mut found = Vec::with_capacity(given.len());
    for (key, value) in given {
        let key = text(&key)?;
        if let Some(kept) =
            convert::exact(Ref::from_bound(&value)).and_then(|(value, _)| Owned::kept(value))
        {
            found.push((key, kept));
        }
    }
    Some(Defaults(found))
}

/// The text of an object of exactly `str`, without lone surrogates.
pub(crate) fn text(object: &Bound<'_, PyAny>) -> Option<String> {
    Ref::from_bound(object).exact_str()?.ok().map(str::to_owned)
}

/// Whether every key is one of `names`.
pub(crate) fn only_has(dict: &Bound<'_, PyDict>, names: &[&str]) -> PyResult<bool> {
    for key in dict.keys() {
        let key = key.cast_into::<PyString>()?;
        if !names.contains(&key.to_str()?) {
            return Ok(false);
        }
    }
    Ok(true)
}
