//! The files that a dead process wrote to, as they are found afterwards.
//!
//! A file is found by device and inode: under its name, else under any name of the same directory, since
//! files are moved. Where a sink rotates, what it wrote goes on in the newer files. Nothing is changed here.

use super::note::Note;
use crate::fs::beside;
use crate::sink::again::SinkPlan;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The noted file: under its name, or under another one of the same directory.
pub(super) fn find(note: &Note, path: &Path) -> io::Result<Option<PathBuf>> {
    let is_it = |path: &Path| {
        // Not through a link: what is looked for is the file's own name.
        let metadata = std::fs::symlink_metadata(path);
        metadata.is_ok_and(|found| found.is_file() && (found.dev(), found.ino()) == note.file)
    };
    // A name that is a link is the program's own choice.
    let named = std::fs::metadata(path);
    if named.is_ok_and(|found| (found.dev(), found.ino()) == note.file) {
        return Ok(Some(path.to_owned()));
    }
    let Some(parent) = path.parent() else { return Ok(None) };
    let entries = match std::fs::read_dir(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        entries => entries?,
    };
    for entry in entries {
        let found = entry?.path();
        if is_it(&found) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The files that a sink went on to after this one, in order.
pub(super) fn newer_than(found: &Path, plan: &SinkPlan, path: &Path) -> Vec<PathBuf> {
    if found == path || matches!(plan, SinkPlan::File(_)) {
        return Vec::new();
    }
    let all = numbered(plan, path);
    let at =
        all.iter().position(|one| one == found).map_or(all.len().saturating_sub(1), |at| at + 1);
    all[at..].to_vec()
}

/// The files of a name that there are, the oldest first.
fn numbered(plan: &SinkPlan, path: &Path) -> Vec<PathBuf> {
    let count = match plan {
        SinkPlan::Rotating(_, rotation) => rotation.backup_count,
        _ => 0,
    };
    let mut all = Vec::new();
    let (mut number, mut missing) = (1, 0);
    // One number may be missing, where a rotation was cut short.
    while number <= count && missing < 2 {
        let name = beside(path, &format!(".{number}"));
        if name.exists() {
            all.push(name);
            missing = 0;
        } else {
            missing += 1;
        }
        number += 1;
    }
    all.reverse();
    all.extend(path.exists().then(|| path.to_owned()));
    all
}

/// What all files of a name hold.
pub(super) fn tail_of_all(plan: &SinkPlan, path: &Path, wanted: usize) -> io::Result<Vec<u8>> {
    let all = numbered(plan, path).into_iter().map(|path| (path, 0));
    Ok(read(all, wanted)?.unwrap_or_default())
}

/// What files hold, each from a length on, one behind the other: a byte more than `wanted` at the most.
/// `None` if one is shorter than that length.
pub(super) fn read(
    parts: impl Iterator<Item = (PathBuf, u64)>,
    wanted: usize,
) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    for (path, from) in parts {
        let mut file = File::open(path)?;
        if file.metadata()?.len() < from {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(from))?;
        let left = (wanted + 1).saturating_sub(bytes.len()) as u64;
        file.take(left).read_to_end(&mut bytes)?;
    }
    Ok(Some(bytes))
}
