//! A ring in a file: what lies around the ring's memory, and the reader of the whole.
//!
//! ```text
//! Head     4096 bytes, written once, with a checksum: whose it is, and where the rest lies
//! Cells    groups of cells, see `cells.rs`
//! Memory   header, table, ring, see `layout.rs`; begins at a multiple of 4096
//! ```
//!
//! Invariants:
//! 1. The file has its full length, and room on its file system, before it is mapped: no access ends in
//!    SIGBUS for want of either.
//! 2. It is mapped shared, so that what was stored is in the file whenever the process is killed.
//! 3. [`read_file`] reads any bytes without a panic or an access out of bounds. It believes the head
//!    and the cells with their checksums only, and of the ring what [`read`](crate::read()) says.
//!
//! Records have no checksum of their own, which each call would pay for. Nothing tears them: memory
//! does not lose stores when a process is killed. A machine that loses power is another matter, and
//! nothing is promised for it.
//!
//! What it does not do: choose a place for the file, or say whether its owner lives.
//! Pinned by `file/tests.rs` and the fuzz target `ring_file`.

use crate::cells::{self, CellGroup, Cells};
use crate::crc::crc32;
use crate::error::RingError;
use crate::layout::{CLOSED, HEADER_BYTES, offset, ring_offset};
use crate::memory::Memory;
use crate::read::{Contents, ReadError, read, u32_at, u64_at};
use crate::ring::Ring;
use crate::sync::AtomicU64;
use crate::table::{Table, halves};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::ptr::NonNull;
use std::sync::Arc;

/// The first word of the file.
const MAGIC: u64 = u64::from_le_bytes(*b"logboom\r");
/// Changes with every change of what lies around the ring's memory.
const VERSION: u32 = 1;
const PAGE_BYTES: usize = 4096;
/// The part of the head that has a checksum, which follows it.
const SUMMED_BYTES: usize = 128;
/// How many groups of cells the head has room for.
const MAX_GROUPS: usize = 4;
/// The most cells of a group, and the most bytes of a value: far beyond what is made, and far from an
/// overflow.
const MAX_CELLS: u32 = 1 << 20;

/// Whose a ring's file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The number of the process.
    pub process: u32,
    /// When it was started, in ticks since the machine was; 0 where the system does not tell.
    pub started: u64,
    /// Which start of the machine that was; zeros where the system does not tell.
    pub boot: [u8; 16],
    /// In which space process numbers are to be looked up; 0 where the system does not tell.
    pub space: u64,
    /// When the file was made, in nanoseconds since the Unix epoch.
    pub created_ns: i64,
    /// The how many-th ring of the process it is.
    pub number: u32,
}

/// A ring whose memory is a file, and the cells beside it.
pub struct FileRing {
    /// The ring.
    pub ring: Ring,
    /// The cells, in the order of the groups that were asked for.
    pub cells: Vec<Cells>,
    /// The file's room, to be given back when the ring is drained for good.
    pub room: Room,
}

/// The room that a ring's file takes, on its file system and in memory.
pub struct Room {
    map: Arc<Map>,
    memory_offset: usize,
}

impl Room {
    /// Gives everything back but the page with the ring's header, which says that the ring is closed; what
    /// was there reads as zeros from then on. An unlinked file that is still mapped, because somebody
    /// keeps a handle, takes no more room then. Does not need the file's descriptor, which the program may
    /// have closed.
    ///
    /// To be called once the ring is closed and drained, its table is read no more, and nothing is stored
    /// in its cells.
    pub fn give_back(&self) {
        let header_end = self.memory_offset + PAGE_BYTES;
        for (start, end) in [(0, self.memory_offset), (header_end, self.map.len())] {
            let (start, len) = (self.map.at(start), end.saturating_sub(start));
            // SAFETY: inside the mapping, at the beginning of a page. What others might read there,
            // against what is said above, are zeros: atomics and texts in bounds.
            unsafe { libc::madvise(start.as_ptr().cast(), len, libc::MADV_REMOVE) };
        }
    }
}

impl Ring {
    /// A ring in `file`, open and empty, with cells beside it. Gives the file its length and has the
    /// file system reserve the room, then maps it.
    ///
    /// The file is to be empty and the caller's alone: made by the caller, in a place where nobody else
    /// may write to it. Whoever shortens it makes this process crash.
    ///
    /// # Errors
    /// As [`Ring::anonymous`], and if the file cannot be given its length or mapped.
    pub fn in_file(
        file: &File,
        owner: &Owner,
        groups: &[CellGroup],
        capacity_bytes: usize,
        table_bytes: usize,
    ) -> Result<FileRing, RingError> {
        assert!(groups.len() <= MAX_GROUPS, "more groups of cells than the head has room for");
        assert!(groups.iter().all(|group| group.count.max(group.value_bytes) <= MAX_CELLS));
        let (capacity, table_bytes) = Ring::check(capacity_bytes, table_bytes)?;
        let plan = Plan::of(groups, ring_offset(table_bytes) + capacity);
        let map = reserve(file, plan.file_bytes)
            .and_then(|()| Map::shared(file, plan.file_bytes))
            .map_err(|error| RingError::file(plan.file_bytes, error))?;
        let map = Arc::new(map);
        let mut cells = Vec::new();
        let mut offset = PAGE_BYTES;
        for group in groups {
            cells.push(Cells::new(Arc::clone(&map), offset, *group));
            offset += group.bytes();
        }
        let memory = Memory::mapped(Arc::clone(&map), plan.memory_offset, capacity, table_bytes);
        map.write_head(&head(owner, groups, &plan));
        let room = Room { map, memory_offset: plan.memory_offset };
        Ok(FileRing { ring: Ring::over(memory), cells, room })
    }

    /// The same with a table as large as `table` that starts as its copy, see
    /// [`Ring::anonymous_with_table`].
    ///
    /// # Errors
    /// As [`Ring::in_file`].
    pub fn in_file_with_table(
        file: &File,
        owner: &Owner,
        groups: &[CellGroup],
        capacity_bytes: usize,
        table: &Table,
    ) -> Result<FileRing, RingError> {
        let mut made = Ring::in_file(file, owner, groups, capacity_bytes, table.capacity_bytes())?;
        made.ring.copy_table(table);
        Ok(made)
    }
}

/// Where things lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    memory_offset: usize,
    memory_bytes: usize,
    file_bytes: usize,
}

impl Plan {
    fn of(groups: &[CellGroup], memory_bytes: usize) -> Plan {
        let cells: usize = groups.iter().map(|group| group.bytes()).sum();
        let memory_offset = (PAGE_BYTES + cells).next_multiple_of(PAGE_BYTES);
        Plan { memory_offset, memory_bytes, file_bytes: memory_offset + memory_bytes }
    }
}

/// Where the head's fields lie.
mod at {
    pub(super) const MAGIC: usize = 0;
    pub(super) const VERSION: usize = 8;
    pub(super) const GROUPS: usize = 12;
    pub(super) const FILE_BYTES: usize = 16;
    pub(super) const MEMORY_OFFSET: usize = 24;
    pub(super) const MEMORY_BYTES: usize = 32;
    pub(super) const STARTED: usize = 40;
    pub(super) const BOOT: usize = 48;
    pub(super) const SPACE: usize = 64;
    pub(super) const CREATED_NS: usize = 72;
    pub(super) const PROCESS: usize = 80;
    pub(super) const NUMBER: usize = 84;
    pub(super) const GROUP: usize = 88;
}

fn head(owner: &Owner, groups: &[CellGroup], plan: &Plan) -> [u8; SUMMED_BYTES + 8] {
    let mut head = [0; SUMMED_BYTES + 8];
    let mut put = |at: usize, bytes: &[u8]| head[at..at + bytes.len()].copy_from_slice(bytes);
    put(at::MAGIC, &MAGIC.to_ne_bytes());
    put(at::VERSION, &VERSION.to_ne_bytes());
    put(at::GROUPS, &(groups.len() as u32).to_ne_bytes());
    put(at::FILE_BYTES, &(plan.file_bytes as u64).to_ne_bytes());
    put(at::MEMORY_OFFSET, &(plan.memory_offset as u64).to_ne_bytes());
    put(at::MEMORY_BYTES, &(plan.memory_bytes as u64).to_ne_bytes());
    put(at::STARTED, &owner.started.to_ne_bytes());
    put(at::BOOT, &owner.boot);
    put(at::SPACE, &owner.space.to_ne_bytes());
    put(at::CREATED_NS, &owner.created_ns.to_ne_bytes());
    put(at::PROCESS, &owner.process.to_ne_bytes());
    put(at::NUMBER, &owner.number.to_ne_bytes());
    for (index, group) in groups.iter().enumerate() {
        put(at::GROUP + 8 * index, &group.count.to_ne_bytes());
        put(at::GROUP + 8 * index + 4, &group.value_bytes.to_ne_bytes());
    }
    let sum = crc32(&head[..SUMMED_BYTES]);
    head[SUMMED_BYTES..SUMMED_BYTES + 4].copy_from_slice(&sum.to_ne_bytes());
    head
}

/// What a ring's file says. Made by [`read_file`].
#[derive(Clone, Debug)]
pub struct FileContents<'a> {
    /// Whose it is.
    pub owner: Owner,
    /// What the ring says.
    pub ring: Contents<'a>,
    groups: Vec<(CellGroup, &'a [u8])>,
}

impl<'a> FileContents<'a> {
    /// The value of a cell of the `group`th group; `None` where nothing whole was stored.
    pub fn cell(&self, group: usize, index: usize) -> Option<&'a [u8]> {
        let (group, bytes) = self.groups.get(group)?;
        cells::value(bytes, *group, index)
    }

    /// Replaces the value of a cell in the file that these contents were read from, as its owner would;
    /// for who recovers it, and has its lock. What was read stays as it is, so this can be done once for
    /// a cell.
    ///
    /// # Errors
    /// The system's, and `InvalidInput` if there is no such cell or the value is too long.
    pub fn replace_cell(
        &self,
        file: &File,
        group: usize,
        index: usize,
        value: &[u8],
    ) -> io::Result<()> {
        use std::os::unix::fs::FileExt as _;
        let (kind, bytes) = self.groups.get(group).ok_or(io::ErrorKind::InvalidInput)?;
        let before: usize = self.groups[..group].iter().map(|(group, _)| group.bytes()).sum();
        let (at, copy) =
            cells::replacement(bytes, *kind, index, value).ok_or(io::ErrorKind::InvalidInput)?;
        let at = (PAGE_BYTES + before + at) as u64;
        file.write_all_at(&copy[8..], at + 8)?;
        file.write_all_at(&copy[..8], at)
    }

    /// The values of a group's cells that have one, with their indexes.
    pub fn cells(&self, group: usize) -> impl Iterator<Item = (usize, &'a [u8])> + use<'a> {
        let found = self.groups.get(group).copied();
        let count = found.map_or(0, |(group, _)| group.count as usize);
        (0..count).filter_map(move |index| {
            let (group, bytes) = found?;
            Some((index, cells::value(bytes, group, index)?))
        })
    }
}

/// Reads a ring's file.
///
/// # Errors
/// If the bytes are no such file, of this version, on a machine of this byte order, or cut off.
pub fn read_file(bytes: &[u8]) -> Result<FileContents<'_>, ReadError> {
    let owner = read_owner(bytes)?;
    let number = |at| u64_at(bytes, at).and_then(|n| usize::try_from(n).ok());
    let short = ReadError::short;
    let groups = u32_at(bytes, at::GROUPS).ok_or_else(short)? as usize;
    if groups > MAX_GROUPS {
        return Err(ReadError::damaged());
    }
    let mut found = Vec::new();
    let mut offset = PAGE_BYTES;
    for index in 0..groups {
        let at = at::GROUP + 8 * index;
        let (count, value_bytes) = (u32_at(bytes, at), u32_at(bytes, at + 4));
        let (Some(count), Some(value_bytes)) = (count, value_bytes) else { return Err(short()) };
        if count.max(value_bytes) > MAX_CELLS {
            return Err(ReadError::damaged());
        }
        let group = CellGroup { count, value_bytes };
        let end = offset.checked_add(group.bytes()).ok_or_else(ReadError::damaged)?;
        found.push((group, bytes.get(offset..end).ok_or_else(short)?));
        offset = end;
    }
    let (start, len) = (number(at::MEMORY_OFFSET), number(at::MEMORY_BYTES));
    let (Some(start), Some(len)) = (start, len) else { return Err(ReadError::damaged()) };
    let memory = bytes.get(start..).and_then(|rest| rest.get(..len)).ok_or_else(short)?;
    Ok(FileContents { owner, ring: read(memory)?, groups: found })
}

/// Reads from a file what [`read_file`] looks at: the head, the cells, the texts, and of the ring what is
/// not released. The rest is zeros that were never touched, so that a large ring that is nearly empty
/// costs little. Of what is no whole file of a ring only the beginning is read, enough to say so.
///
/// # Errors
/// The system's.
pub fn load_file(file: &File) -> io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt as _;
    let len = file.metadata()?.len();
    let mut head = vec![0; len.min(PAGE_BYTES as u64) as usize];
    file.read_exact_at(&mut head, 0)?;
    let number = |at| u64_at(&head, at).and_then(|n| usize::try_from(n).ok());
    let (Ok(_), Some(bytes), Some(memory)) =
        (read_owner(&head), number(at::FILE_BYTES), number(at::MEMORY_OFFSET))
    else {
        return Ok(head);
    };
    let most = Ring::MAX_CAPACITY_BYTES + Table::MAX_BYTES + (1 << 30);
    let header_end = memory.saturating_add(HEADER_BYTES);
    if bytes as u64 > len || bytes > most || header_end > bytes {
        return Ok(head);
    }
    let mut loaded = vec![0; bytes];
    file.read_exact_at(&mut loaded[..header_end], 0)?;
    for (start, end) in used(&loaded[memory..], bytes - memory) {
        let (start, end) = (memory + start, memory + end);
        file.read_exact_at(&mut loaded[start..end], start as u64)?;
    }
    Ok(loaded)
}

/// The parts of a ring's memory of this size that its header says are used; all of it where the header
/// makes no sense.
fn used(header: &[u8], len: usize) -> Vec<(usize, usize)> {
    let parts = || -> Option<Vec<(usize, usize)>> {
        let number = |at| u64_at(header, at).and_then(|n| usize::try_from(n).ok());
        let (table, table_bytes) = (number(offset::TABLE_OFFSET)?, number(offset::TABLE_BYTES)?);
        let (texts, text_bytes) = halves(u64_at(header, offset::TABLE_USED)?);
        let (ring, capacity) = (number(offset::RING_OFFSET)?, number(offset::CAPACITY)?);
        let head = u64_at(header, offset::HEAD)? & !CLOSED;
        let left = head.checked_sub(u64_at(header, offset::CONSUMED)?)?;
        let left = usize::try_from(left).ok().filter(|&left| left <= capacity)?;
        if !capacity.is_power_of_two() {
            return None;
        }
        let table_end = table.checked_add(table_bytes)?;
        let end = (head & (capacity as u64 - 1)) as usize;
        let mut parts = vec![
            (table, table.checked_add(text_bytes)?),
            (table_end.checked_sub(texts.checked_mul(8)?)?, table_end),
            (ring.checked_add(end.saturating_sub(left))?, ring.checked_add(end)?),
        ];
        if left > end {
            // It goes over the ring's end.
            let ring_end = ring.checked_add(capacity)?;
            parts.push((ring_end - (left - end), ring_end));
        }
        parts.iter().all(|&(start, end)| start <= end && end <= len).then_some(parts)
    };
    parts().unwrap_or_else(|| vec![(0, len)])
}

/// Whose file it is, from its first 136 bytes; the rest may be missing.
///
/// # Errors
/// As [`read_file`].
pub fn read_owner(bytes: &[u8]) -> Result<Owner, ReadError> {
    let magic = u64_at(bytes, at::MAGIC).ok_or_else(ReadError::short)?;
    let version = u32_at(bytes, at::VERSION).ok_or_else(ReadError::short)?;
    if magic != MAGIC {
        let swapped = magic == MAGIC.swap_bytes();
        return Err(if swapped { ReadError::byte_order() } else { ReadError::no_ring() });
    }
    if version != VERSION {
        return Err(ReadError::version(version));
    }
    let head = bytes.get(..SUMMED_BYTES).ok_or_else(ReadError::short)?;
    let sum = u32_at(bytes, SUMMED_BYTES).ok_or_else(ReadError::short)?;
    if crc32(head) != sum {
        return Err(ReadError::damaged());
    }
    let u64_of = |at| u64_at(head, at).unwrap_or_default();
    let u32_of = |at| u32_at(head, at).unwrap_or_default();
    let mut boot = [0; 16];
    boot.copy_from_slice(&head[at::BOOT..at::BOOT + 16]);
    Ok(Owner {
        process: u32_of(at::PROCESS),
        started: u64_of(at::STARTED),
        boot,
        space: u64_of(at::SPACE),
        created_ns: u64_of(at::CREATED_NS) as i64,
        number: u32_of(at::NUMBER),
    })
}

/// Gives a file its length, and has the file system keep the room for it.
fn reserve(file: &File, bytes: usize) -> io::Result<()> {
    let len = libc::off_t::try_from(bytes).map_err(|_| io::ErrorKind::InvalidInput)?;
    loop {
        // SAFETY: takes numbers only; the descriptor is open.
        match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, len) } {
            0 => return Ok(()),
            libc::EINTR => {}
            error => return Err(io::Error::from_raw_os_error(error)),
        }
    }
}

/// Pages of a file.
pub(crate) struct Map {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the pages belong to this value, are bound to no thread, and are accessed through atomics or
// as `memory.rs` lays down.
unsafe impl Send for Map {}
// SAFETY: as for `Send`.
unsafe impl Sync for Map {}

impl Map {
    fn shared(file: &File, bytes: usize) -> io::Result<Map> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let (flags, fd) = (libc::MAP_SHARED, file.as_raw_fd());
        // SAFETY: a new mapping at an address of the system's choice touches no existing one.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, flags, fd, 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Map { base, bytes })
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// Where the byte at `offset` lies.
    pub(crate) fn at(&self, offset: usize) -> NonNull<u8> {
        assert!(offset <= self.bytes, "beyond the file");
        // SAFETY: inside the mapping, or just behind it.
        unsafe { self.base.add(offset) }
    }

    /// The word at `offset`, a multiple of 8, which is accessed as such only.
    pub(crate) fn word(&self, offset: usize) -> &AtomicU64 {
        assert!(offset.is_multiple_of(8) && offset + 8 <= self.bytes, "no word of the file");
        // SAFETY: aligned, since a mapping begins at a page; inside, as just asserted.
        unsafe { self.at(offset).cast().as_ref() }
    }

    /// Writes the head, its first word last: a file with a magic has a whole head.
    fn write_head(&self, head: &[u8]) {
        for (index, bytes) in head.chunks_exact(8).enumerate().skip(1).chain([(0, &head[..8])]) {
            let word = u64::from_ne_bytes(bytes.try_into().unwrap_or_default());
            self.word(8 * index).store(word, crate::sync::Ordering::Release);
        }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping that `shared` made; nothing borrows from it any more.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.bytes) };
    }
}

#[cfg(test)]
pub(crate) mod tests;
