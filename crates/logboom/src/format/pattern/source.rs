//! What the key of a place stands for: an attribute of Python's `LogRecord`, or a field.

use super::show::Show;
use crate::format::Needs;
use crate::format::percent::Kind;

/// Where the value of a place in a pattern comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Name,
    LevelNo,
    LevelName,
    PathName,
    FileName,
    Module,
    LineNo,
    FuncName,
    Created,
    AscTime,
    Msecs,
    RelativeCreated,
    Thread,
    ThreadName,
    TaskName,
    Process,
    ProcessName,
    Message,
    Field(Box<str>),
}

impl Source {
    /// The source that `key` names, or `None` for an attribute that only a real `LogRecord` has.
    pub(super) fn of(key: &str, has_task_name: bool) -> Option<Source> {
        Some(match key {
            "name" => Source::Name,
            "levelno" => Source::LevelNo,
            "levelname" => Source::LevelName,
            "pathname" => Source::PathName,
            "filename" => Source::FileName,
            "module" => Source::Module,
            "lineno" => Source::LineNo,
            "funcName" => Source::FuncName,
            "created" => Source::Created,
            "asctime" => Source::AscTime,
            "msecs" => Source::Msecs,
            "relativeCreated" => Source::RelativeCreated,
            "thread" => Source::Thread,
            "threadName" => Source::ThreadName,
            "taskName" if has_task_name => Source::TaskName,
            "process" => Source::Process,
            "processName" => Source::ProcessName,
            "message" => Source::Message,
            "msg" | "args" | "exc_info" | "exc_text" | "stack_info" => return None,
            // What its class has stands before a field of that name.
            "getMessage" => return None,
            _ if key.starts_with("__") && key.ends_with("__") => return None,
            _ => Source::Field(key.into()),
        })
    }

    /// Whether every value that may come from here can be shown so. Fields are asked at the call.
    pub(super) fn accepts(&self, show: &Show) -> bool {
        match self {
            Source::LevelNo | Source::LineNo | Source::Thread | Source::Process => {
                show.accepts(Kind::Int)
            }
            Source::Created | Source::Msecs | Source::RelativeCreated => show.accepts(Kind::Float),
            // Often `None`, of which only the `str` is that of the text `None`.
            Source::TaskName => show.accepts(Kind::Text) && show.shows_none_as_text(),
            Source::Field(_) => Kind::ALL.iter().any(|kind| show.accepts(*kind)),
            _ => show.accepts(Kind::Text),
        }
    }

    /// Adds what has to be captured for it.
    pub(super) fn add_needs(&self, needs: &mut Needs) {
        match self {
            Source::PathName
            | Source::FileName
            | Source::Module
            | Source::LineNo
            | Source::FuncName => needs.site = true,
            Source::ThreadName => needs.thread_name = true,
            Source::TaskName => needs.task_name = true,
            Source::ProcessName => needs.process_name = true,
            _ => {}
        }
    }
}

/// `os.path.basename(path)`.
#[inline]
pub(in crate::format) fn file_name(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|byte| is_separator(*byte)) {
        Some(at) => &path[at + 1..],
        None => path,
    }
}

/// `os.path.splitext(name)[0]` of a name without directories.
#[inline]
pub(in crate::format) fn module(name: &[u8]) -> &[u8] {
    match memchr::memrchr(b'.', name) {
        Some(dot) if name[..dot].iter().any(|byte| *byte != b'.') => &name[..dot],
        _ => name,
    }
}

fn is_separator(byte: u8) -> bool {
    byte == b'/' || (cfg!(windows) && (byte == b'\\' || byte == b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_and_module_are_those_of_os_path() {
        for (path, file, stem) in [
            ("/srv/app/main.py", "main.py", "main"),
            ("main.py", "main.py", "main"),
            ("/a.b/c", "c", "c"),
            ("/a/.hidden", ".hidden", ".hidden"),
            ("/a/..x.py", "..x.py", "..x"),
            ("/a/...", "...", "..."),
            ("/a/", "", ""),
            ("", "", ""),
            ("<stdin>", "<stdin>", "<stdin>"),
            ("x.tar.gz", "x.tar.gz", "x.tar"),
        ] {
            assert_eq!(file_name(path.as_bytes()), file.as_bytes(), "{path}");
            assert_eq!(module(file.as_bytes()), stem.as_bytes(), "{path}");
        }
    }
}
