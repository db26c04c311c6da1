//! Sinks told as blueprints, and read back.

use super::Rotation;
use crate::blueprint::{Blueprint, Parts};
use std::path::{Path, PathBuf};

/// A sink as its blueprint tells it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SinkPlan {
    /// Appends to the file of this absolute path.
    File(PathBuf),
    /// The same, and follows the name.
    Watched(PathBuf),
    /// The same, and makes room.
    Rotating(PathBuf, Rotation),
    /// Takes everything and keeps nothing.
    Null,
    /// A stream of the process of this name, which ended with it.
    Stream(String),
}

impl SinkPlan {
    /// The plan as a blueprint; `None` for a path that the system does not give as bytes.
    pub(crate) fn blueprint(&self) -> Option<Blueprint> {
        Some(match self {
            SinkPlan::File(path) => Blueprint::new("file").text(bytes(path)?),
            SinkPlan::Watched(path) => Blueprint::new("watched").text(bytes(path)?),
            SinkPlan::Rotating(path, rotation) => Blueprint::new("rotating")
                .text(bytes(path)?)
                .number(rotation.max_bytes)
                .number(rotation.backup_count.into())
                .number(rotation.rotates_empty.into()),
            SinkPlan::Null => Blueprint::new("null"),
            SinkPlan::Stream(name) => Blueprint::new("stream").text(name),
        })
    }

    /// The plan of a blueprint; `None` for one that this version does not know.
    pub(crate) fn read(blueprint: &[u8]) -> Option<SinkPlan> {
        let mut parts = Parts::of(blueprint);
        Some(match parts.text()? {
            "file" => SinkPlan::File(path(parts.bytes()?)?),
            "watched" => SinkPlan::Watched(path(parts.bytes()?)?),
            "rotating" => {
                let path = path(parts.bytes()?)?;
                let max_bytes = parts.number()?;
                let backup_count = u32::try_from(parts.number()?).ok()?;
                let rotates_empty = parts.truth()?;
                SinkPlan::Rotating(path, Rotation { max_bytes, backup_count, rotates_empty })
            }
            "null" => SinkPlan::Null,
            "stream" => SinkPlan::Stream(parts.text()?.to_owned()),
            _ => return None,
        })
    }
}

#[cfg(unix)]
fn bytes(path: &Path) -> Option<&[u8]> {
    use std::os::unix::ffi::OsStrExt as _;
    Some(path.as_os_str().as_bytes())
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(bytes));
    (path.is_absolute() && !bytes.contains(&0)).then_some(path)
}

#[cfg(not(unix))]
fn bytes(path: &Path) -> Option<&[u8]> {
    path.to_str().map(str::as_bytes)
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> Option<PathBuf> {
    let path = PathBuf::from(std::str::from_utf8(bytes).ok()?);
    path.is_absolute().then_some(path)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_plan_comes_back_as_it_was_and_a_relative_path_is_refused() {
        let path = PathBuf::from("/var/log/app.log");
        let rotation = Rotation { max_bytes: 1 << 40, backup_count: 7, rotates_empty: true };
        for plan in [
            SinkPlan::File(path.clone()),
            SinkPlan::Watched(path.clone()),
            SinkPlan::Rotating(path, rotation),
            SinkPlan::Null,
            SinkPlan::Stream("stderr".into()),
        ] {
            let blueprint = plan.blueprint().unwrap();
            assert_eq!(SinkPlan::read(blueprint.as_bytes()), Some(plan));
            for cut in 0..blueprint.as_bytes().len() {
                assert_eq!(SinkPlan::read(&blueprint.as_bytes()[..cut]), None);
            }
        }
        let relative = SinkPlan::File("app.log".into()).blueprint().unwrap();
        assert_eq!(SinkPlan::read(relative.as_bytes()), None);
    }
}
