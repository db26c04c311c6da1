//! The macros over [`Logger`](crate::Logger).
//!
//! Each checks the level first, then captures its arguments as typed [`Value`](crate::field::Value)s,
//! which the writer formats. A template that does not match its arguments does not compile.

/// Logs at a level that is known at run time: a logger, a level, a template, its arguments, and after
/// a semicolon the fields.
///
/// - The template is a literal with one `{}` per argument; `{{` and `}}` are braces.
/// - Arguments and field values are whatever [`Value`](crate::field::Value) is made from: booleans,
///   numbers, `&str`, `&String`, and options of these. They are copied as they are, and made text by
///   the writer. For another type make the text first, `&value.to_string()`: it runs only where the
///   level is enabled.
/// - A key is a name, or several with dots between.
///
/// ```
/// # use logboom::{config::Config, engine::Engine, level::Level};
/// # let engine = Engine::new(Config::new())?;
/// # let logger = logboom::Logger::new(&engine, "shop", Level::INFO, []);
/// let address = std::net::Ipv4Addr::LOCALHOST;
/// logboom::log!(logger, Level(25), "{} came from {}", "ann", &address.to_string());
/// logboom::info!(logger, "served"; http.status = 200, took_ms = 1.25, user = None::<&str>);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```compile_fail
/// # let engine = logboom::engine::Engine::new(logboom::config::Config::new()).unwrap();
/// # let logger = logboom::Logger::new(&engine, "shop", logboom::level::Level::INFO, []);
/// logboom::info!(logger, "one place {}, two arguments", 1, 2);
/// ```
#[macro_export]
macro_rules! log {
    (
        $logger:expr, $level:expr, $template:literal $(, $argument:expr)* $(,)?
        $(; $($($key:ident).+ = $value:expr),* $(,)?)?
    ) => {{
        let logger: &$crate::Logger = &$logger;
        let level: $crate::level::Level = $level;
        if logger.enabled(level) {
            const ARGUMENTS: &[&str] = &[$(::core::stringify!($argument)),*];
            const _: () = $crate::facade::check_template($template, ARGUMENTS.len());
            static SITE: $crate::facade::StaticSite = $crate::facade::StaticSite::new(
                ::core::file!(),
                ::core::module_path!(),
                ::core::line!(),
                $template,
            );
            logger.submit(
                level,
                &SITE,
                &[$($crate::field::Value::from($argument)),*],
                &[$($($crate::field::Field {
                    key: ::core::stringify!($($key).+),
                    value: $crate::field::Value::from($value),
                }),*)?],
            );
        }
    }};
}

/// Logs at [`Level::TRACE`](crate::level::Level::TRACE); see [`log!`](crate::log!).
#[macro_export]
macro_rules! trace {
    ($logger:expr, $($rest:tt)+) => {
        $crate::log!($logger, $crate::level::Level::TRACE, $($rest)+)
    };
}

/// Logs at [`Level::DEBUG`](crate::level::Level::DEBUG); see [`log!`](crate::log!).
#[macro_export]
macro_rules! debug {
    ($logger:expr, $($rest:tt)+) => {
        $crate::log!($logger, $crate::level::Level::DEBUG, $($rest)+)
    };
}

/// Logs at [`Level::INFO`](crate::level::Level::INFO); see [`log!`](crate::log!).
#[macro_export]
macro_rules! info {
    ($logger:expr, $($rest:tt)+) => {
        $crate::log!($logger, $crate::level::Level::INFO, $($rest)+)
    };
}

/// Logs at [`Level::WARNING`](crate::level::Level::WARNING); see [`log!`](crate::log!).
#[macro_export]
macro_rules! warn {
    ($logger:expr, $($rest:tt)+) => {
        $crate::log!($logger, $crate::level::Level::WARNING, $($rest)+)
    };
}

/// Logs at [`Level::ERROR`](crate::level::Level::ERROR); see [`log!`](crate::log!).
#[macro_export]
macro_rules! error {
    ($logger:expr, $($rest:tt)+) => {
        $crate::log!($logger, $crate::level::Level::ERROR, $($rest)+)
    };
}

/// Logs at [`Level::CRITICAL`](crate::level::Level::CRITICAL); see [`log!`](crate::log!).
#[macro_export]
macro_rules! critical {
    ($logger:expr, $($rest:tt)+) => {
        $crate::log!($logger, $crate::level::Level::CRITICAL, $($rest)+)
    };
}
