//! Sinks told as blueprints, and read back.

use super::{Compression, Naming, Retention, Rotation, Sharing};
use crate::blueprint::{Blueprint, Parts};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A sink as its blueprint tells it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SinkPlan {
    /// Appends to the file of this absolute path.
    File(PathBuf),
    /// The same, and follows the name.
    Watched(PathBuf),
    /// The same, and makes room.
    Rotating(PathBuf, Rotation),
    /// The same, among other processes.
    Shared(PathBuf, Sharing),
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
            SinkPlan::Rotating(path, rotation) => {
                with_rotation(Blueprint::new("rotating").text(bytes(path)?), rotation)
            }
            SinkPlan::Shared(path, sharing) => shared(path, sharing)?,
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
                SinkPlan::Rotating(path, read_rotation(&mut parts)?)
            }
            "shared" => {
                let path = path(parts.bytes()?)?;
                SinkPlan::Shared(path, read_sharing(&mut parts)?)
            }
            "null" => SinkPlan::Null,
            "stream" => SinkPlan::Stream(parts.text()?.to_owned()),
            _ => return None,
        })
    }
}

fn with_rotation(made: Blueprint, rotation: &Rotation) -> Blueprint {
    made.number(rotation.max_bytes)
        .number(rotation.backup_count.into())
        .number(rotation.rotates_empty.into())
}

fn read_rotation(parts: &mut Parts<'_>) -> Option<Rotation> {
    let max_bytes = parts.number()?;
    let backup_count = u32::try_from(parts.number()?).ok()?;
    Some(Rotation { max_bytes, backup_count, rotates_empty: parts.truth()? })
}

fn shared(path: &Path, sharing: &Sharing) -> Option<Blueprint> {
    let made = with_rotation(Blueprint::new("shared").text(bytes(path)?), &sharing.rotation);
    let Retention { max_total_bytes, max_age } = sharing.retention;
    let naming = match sharing.naming {
        Naming::Numbers => 0,
        Naming::Dates => 1,
    };
    let compression = match sharing.compression {
        None => 0,
        Some(Compression::Gzip) => 1,
        Some(Compression::Zstd) => 2,
    };
    let made = made
        .number(max_total_bytes.is_some().into())
        .number(max_total_bytes.unwrap_or_default())
        .number(max_age.is_some().into())
        .number(max_age.unwrap_or_default().as_secs())
        .number(max_age.unwrap_or_default().subsec_nanos().into());
    Some(made.number(naming).number(compression))
}

fn read_sharing(parts: &mut Parts<'_>) -> Option<Sharing> {
    let rotation = read_rotation(parts)?;
    let (has_total, total) = (parts.truth()?, parts.number()?);
    let (has_age, secs) = (parts.truth()?, parts.number()?);
    let nanos = u32::try_from(parts.number()?).ok().filter(|&nanos| nanos < 1_000_000_000)?;
    let retention = Retention {
        max_total_bytes: has_total.then_some(total),
        max_age: has_age.then(|| Duration::new(secs, nanos)),
    };
    let naming = if parts.truth()? { Naming::Dates } else { Naming::Numbers };
    let compression = match parts.number()? {
        0 => None,
        1 => Some(Compression::Gzip),
        2 => Some(Compression::Zstd),
        _ => return None,
    };
    Some(Sharing { rotation, retention, naming, compression })
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
        let sharing = Sharing {
            rotation,
            retention: Retention {
                max_total_bytes: Some(5),
                max_age: Some(Duration::from_millis(1500)),
            },
            naming: Naming::Dates,
            compression: Some(Compression::Zstd),
        };
        for plan in [
            SinkPlan::File(path.clone()),
            SinkPlan::Watched(path.clone()),
            SinkPlan::Rotating(path.clone(), rotation),
            SinkPlan::Shared(path.clone(), sharing),
            SinkPlan::Shared(path, Sharing { retention: Retention::default(), ..sharing }),
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
