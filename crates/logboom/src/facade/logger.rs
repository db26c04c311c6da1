//! The crate's own way to log: a [`Logger`] and the macros over it.
//!
//! A call site is a static that remembers the ids which its texts have in the table of the engine that
//! used it last. Where two engines of a process share a call site they ask their tables each time they
//! take turns, and get the same ids again.

use super::destination::Destination;
use crate::engine::{Engine, Route};
use crate::field::{Field, Value};
use crate::level::Level;
use crate::record::{CallSite, Message, Site, Style, Text, TextId};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

/// A name, a level, and the routes that records go to. Cheap to clone; all clones share the level.
///
/// ```
/// use logboom::config::Config;
/// use logboom::engine::Engine;
/// use logboom::format::PatternFormatter;
/// use logboom::level::Level;
/// use logboom::route::RouteSpec;
/// use logboom::sink::MemorySinkSpec;
///
/// let engine = Engine::new(Config::new())?;
/// let memory = MemorySinkSpec::default();
/// let format = PatternFormatter::new("%(levelname)s %(name)s: %(message)s", &Default::default())?;
/// let route = engine.route(RouteSpec::new("memory", format, memory.clone()))?;
///
/// let logger = logboom::Logger::new(&engine, "shop", Level::INFO, [&route]);
/// logboom::info!(logger, "{} bought {} apples", "ann", 3; order = 17);
/// logboom::debug!(logger, "not looked at: {}", unreachable());
/// # fn unreachable() -> u32 { unreachable!() }
/// engine.flush(None);
/// assert_eq!(memory.text(), "INFO shop: ann bought 3 apples\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Logger(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    level: AtomicI32,
    destination: Arc<Destination>,
}

impl Logger {
    /// A logger that hands records of at least `level` to `routes`, which are routes of `engine`.
    ///
    /// It does not keep the routes open: what is logged after a [`Route`] is gone is counted as
    /// rejected.
    pub fn new<'r>(
        engine: &Engine,
        name: impl Into<String>,
        level: Level,
        routes: impl IntoIterator<Item = &'r Route>,
    ) -> Logger {
        let destination = Arc::new(Destination::new(engine, routes));
        Logger::with_destination(name.into(), level, destination)
    }

    /// A logger named `<this one's name>.<name>`, with the same routes and, until either is set
    /// anew, the same level.
    pub fn child(&self, name: &str) -> Logger {
        let name = match &*self.0.name {
            "" => name.to_owned(),
            parent => format!("{parent}.{name}"),
        };
        Logger::with_destination(name, self.level(), Arc::clone(&self.0.destination))
    }

    fn with_destination(name: String, level: Level, destination: Arc<Destination>) -> Logger {
        Logger(Arc::new(Inner { name, level: AtomicI32::new(level.0), destination }))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The least grave level that it takes.
    #[inline]
    pub fn level(&self) -> Level {
        Level(self.0.level.load(Ordering::Relaxed))
    }

    /// Sets the level, for all clones and from now on.
    pub fn set_level(&self, level: Level) {
        self.0.level.store(level.0, Ordering::Relaxed);
    }

    /// Whether it takes records of this level. The macros ask before they evaluate anything.
    #[inline]
    pub fn enabled(&self, level: Level) -> bool {
        level >= self.level()
    }

    /// What the macros call.
    #[doc(hidden)]
    #[inline]
    pub fn submit(
        &self,
        level: Level,
        site: &StaticSite,
        arguments: &[Value<'_>],
        fields: &[Field<'_>],
    ) {
        let Inner { name, destination, .. } = &*self.0;
        if destination.is_cut() {
            return;
        }
        let engine = destination.engine();
        let template = site.template.as_bytes();
        let text = match site.template_id.get(engine, || engine.intern(template)) {
            Some(id) => Text::Id(id),
            None => Text::Inline(template),
        };
        let message = Message::Template(Style::Brace, text, arguments);
        if !destination.needs_site() {
            return destination.submit(level, name, Site::None, message, fields);
        }
        match site.site_id.get(engine, || engine.intern(&site.call_site().to_text())) {
            Some(id) => destination.submit(level, name, Site::Id(id), message, fields),
            None => {
                let text = site.call_site().to_text();
                destination.submit(level, name, Site::Inline(&text), message, fields);
            }
        }
    }
}

/// The static that a macro makes for its call site.
#[doc(hidden)]
#[derive(Debug)]
pub struct StaticSite {
    path: &'static str,
    module: &'static str,
    line: u32,
    template: &'static str,
    site_id: Interned,
    template_id: Interned,
}

impl StaticSite {
    #[doc(hidden)]
    pub const fn new(
        path: &'static str,
        module: &'static str,
        line: u32,
        template: &'static str,
    ) -> Self {
        let (site_id, template_id) = (Interned::new(), Interned::new());
        StaticSite { path, module, line, template, site_id, template_id }
    }

    fn call_site(&self) -> CallSite<'static> {
        // Rust tells no function's name at compile time; the module is the nearest it has.
        let (path, function) = (self.path.as_bytes(), self.module.as_bytes());
        CallSite { path, function, line: self.line }
    }
}

/// The id that a static text has in the table of one engine: its number above, the id below.
#[derive(Debug)]
struct Interned(AtomicU64);

impl Interned {
    const fn new() -> Self {
        Interned(AtomicU64::new(0))
    }

    #[inline]
    fn get(&self, engine: &Engine, intern: impl FnOnce() -> Option<TextId>) -> Option<TextId> {
        let known = self.0.load(Ordering::Relaxed);
        let number = engine.number();
        if (known >> 32) as u32 == number {
            return TextId::new(known as u32);
        }
        self.intern(number, intern)
    }

    #[cold]
    fn intern(&self, number: u32, intern: impl FnOnce() -> Option<TextId>) -> Option<TextId> {
        // An id of 0 says that the table had no room, so that it is not asked again.
        let id = intern();
        let found = u64::from(number) << 32 | u64::from(id.map_or(0, TextId::get));
        self.0.store(found, Ordering::Relaxed);
        id
    }
}

/// Fails to compile where a template and its arguments do not match.
#[doc(hidden)]
pub const fn check_template(template: &str, arguments: usize) {
    let bytes = template.as_bytes();
    let (mut at, mut places) = (0, 0);
    while at < bytes.len() {
        let next = if at + 1 < bytes.len() { bytes[at + 1] } else { 0 };
        match bytes[at] {
            b'{' if next == b'}' => {
                places += 1;
                at += 1;
            }
            b'{' | b'}' if next == bytes[at] => at += 1,
            b'{' => panic!("a brace in a template is `{{}}` for an argument, or doubled"),
            b'}' => panic!("a closing brace in a template has to be doubled"),
            _ => {}
        }
        at += 1;
    }
    assert!(places == arguments, "the template has another number of `{{}}` than arguments follow");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_and_arguments_have_to_match() {
        let fits = |template, arguments| {
            std::panic::catch_unwind(|| check_template(template, arguments)).is_ok()
        };
        assert!(fits("", 0) && fits("a {} b {}", 2) && fits("{{}} {}", 1) && fits("{{{}}}", 1));
        for (template, arguments) in [("{}", 0), ("", 1), ("{:?}", 1), ("{name}", 1), ("}", 0)] {
            assert!(!fits(template, arguments), "{template}");
        }
    }
}
