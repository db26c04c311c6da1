//! The memory of a ring: the only place that turns offsets into pointers.
//!
//! Invariants:
//! 1. The memory is zeroed when it is made, and its pages cost nothing before they are touched.
//! 2. Sizes are kept here, outside of the memory: nothing written into it moves an access out of it.
//! 3. [`Memory::word`] is in bounds and aligned for every position.
//!
//! There are two forms, anonymous pages and those of a file, which `file.rs` maps; nothing else in this
//! crate knows where the bytes lie.

use crate::error::RingError;
#[cfg(target_os = "linux")]
use crate::file::Map;
use crate::layout::{HEADER_BYTES, Header, ring_offset};
use crate::sync::AtomicU64;
use std::io;
use std::ptr::NonNull;
#[cfg(target_os = "linux")]
use std::sync::Arc;

pub(crate) struct Memory {
    base: NonNull<u8>,
    /// Where the ring begins, a copy of what `base` and `table_bytes` say: one addition less.
    ring: NonNull<u8>,
    /// Capacity in bytes less one; the capacity is a power of two.
    mask: usize,
    table_bytes: usize,
    #[expect(dead_code, reason = "owns the bytes that `base` points to")]
    backing: Backing,
}

// SAFETY: the memory is owned by this value, is not bound to a thread, and is accessed through
// atomics or under the contracts of the unsafe functions below.
unsafe impl Send for Memory {}
// SAFETY: as for `Send`.
unsafe impl Sync for Memory {}

impl Memory {
    /// Anonymous memory for a ring of `capacity` bytes, a power of two of at least 64, and a table
    /// of `table_bytes`, a multiple of 8.
    pub(crate) fn anonymous(capacity: usize, table_bytes: usize) -> Result<Self, RingError> {
        assert!(capacity.is_power_of_two() && capacity >= 64 && table_bytes.is_multiple_of(8));
        let bytes = ring_offset(table_bytes) + capacity;
        let backing = Pages::zeroed(bytes).map_err(|error| RingError::memory(bytes, error))?;
        let base = backing.base;
        let backing = Backing::Anonymous(backing);
        // SAFETY: these pages are as many, zeroed and new.
        Ok(unsafe { Memory::over(base, backing, capacity, table_bytes) })
    }

    /// The same in a file that was made for it, all zero from `offset`, a multiple of 4096, on.
    #[cfg(target_os = "linux")]
    pub(crate) fn mapped(
        map: Arc<Map>,
        offset: usize,
        capacity: usize,
        table_bytes: usize,
    ) -> Self {
        assert!(capacity.is_power_of_two() && capacity >= 64 && table_bytes.is_multiple_of(8));
        assert!(
            offset.is_multiple_of(4096)
                && map.len() - offset >= ring_offset(table_bytes) + capacity
        );
        let base = map.at(offset);
        // SAFETY: there are as many bytes, as just asserted, zeroed and not yet known to anybody.
        unsafe { Memory::over(base, Backing::Mapped(map), capacity, table_bytes) }
    }

    /// # Safety
    /// At `base`, aligned for a header, lie as many zeroed bytes as header, table and ring take, which
    /// belong to `backing` and which nobody else knows yet. The sizes are as for `anonymous`.
    unsafe fn over(
        base: NonNull<u8>,
        backing: Backing,
        capacity: usize,
        table_bytes: usize,
    ) -> Self {
        // SAFETY: the ring begins inside, by the caller's promise.
        let ring = unsafe { base.add(ring_offset(table_bytes)) };
        // SAFETY: by the caller's promise; zero is a valid value of each of its fields.
        let header = unsafe { base.cast::<Header>().as_mut() };
        header.describe(capacity, table_bytes);
        Memory { base, ring, mask: capacity - 1, table_bytes, backing }
    }

    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.mask + 1
    }

    #[inline]
    pub(crate) fn table_bytes(&self) -> usize {
        self.table_bytes
    }

    #[inline]
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: `over` put a header there; its fields that change are atomics.
        unsafe { self.base.cast().as_ref() }
    }

    /// How far behind the ring's first byte `position` lies.
    #[inline]
    pub(crate) fn offset(&self, position: u64) -> usize {
        position as usize & self.mask
    }

    /// The word in front of the frame at `position`. Meaningful where a frame begins.
    #[inline]
    pub(crate) fn word(&self, position: u64) -> &AtomicU64 {
        // SAFETY: the mask keeps the offset below the capacity; cleared of its low bits it is a
        // multiple of 8, as the capacity is, so the whole word is inside.
        let word = unsafe { self.ring.add(self.offset(position) & !7) };
        // SAFETY: aligned and inside. Whoever writes words other than through atomics is excluded
        // by the contracts of `slice_mut` and `zero`.
        unsafe { word.cast().as_ref() }
    }

    /// The bytes of a payload.
    ///
    /// # Safety
    /// They lie inside the ring without wrapping, and nobody writes to them while the slice lives.
    #[inline]
    pub(crate) unsafe fn slice(&self, position: u64, len: usize) -> &[u8] {
        debug_assert!(self.offset(position) + len <= self.capacity());
        // SAFETY: the offset is inside the ring.
        let start = unsafe { self.ring.add(self.offset(position)) };
        // SAFETY: inside and unshared with writers, by the caller's promise; never uninitialised.
        unsafe { std::slice::from_raw_parts(start.as_ptr(), len) }
    }

    /// The bytes of a payload, to write into.
    ///
    /// # Safety
    /// They lie inside the ring without wrapping, and nobody else accesses them while the slice
    /// lives.
    #[inline]
    #[expect(clippy::mut_from_ref, reason = "exclusiveness is the caller's promise")]
    pub(crate) unsafe fn slice_mut(&self, position: u64, len: usize) -> &mut [u8] {
        debug_assert!(self.offset(position) + len <= self.capacity());
        // SAFETY: the offset is inside the ring.
        let start = unsafe { self.ring.add(self.offset(position)) };
        // SAFETY: inside and unshared, by the caller's promise; never uninitialised.
        unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), len) }
    }

    /// Zeroes the bytes from one position to another, at most one capacity on.
    ///
    /// # Safety
    /// Nobody else accesses these bytes, words included, during the call.
    pub(crate) unsafe fn zero(&self, from: u64, to: u64) {
        let (start, len) = (self.offset(from), (to - from) as usize);
        assert!(len <= self.capacity(), "more than the whole ring");
        let first = len.min(self.capacity() - start);
        // SAFETY: the offset is inside the ring.
        let behind = unsafe { self.ring.add(start) };
        // SAFETY: `first` bytes fit between `start` and the end of the ring; nobody else accesses
        // them, by the caller's promise.
        unsafe { behind.write_bytes(0, first) };
        // SAFETY: the rest fits before `start`, since all of it fits into the ring.
        unsafe { self.ring.write_bytes(0, len - first) };
    }

    /// Has the system give the first `bytes` of the ring their pages now, and not one by one when they are
    /// first touched. What is in them stays.
    pub(crate) fn populate(&self, bytes: usize) {
        #[cfg(all(target_os = "linux", not(miri)))]
        {
            // SAFETY: asks for a number.
            let page =
                usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
            let skipped = self.ring.as_ptr().align_offset(page);
            let len = bytes.min(self.capacity()).saturating_sub(skipped);
            let start = self.ring.as_ptr().wrapping_add(skipped).cast();
            // SAFETY: the bytes are inside the mapping, and none of them is changed. Where the system does
            // not know the advice, they are touched one by one as ever.
            unsafe { libc::madvise(start, len, libc::MADV_POPULATE_WRITE) };
        }
        #[cfg(not(all(target_os = "linux", not(miri))))]
        let _ = bytes;
    }

    /// The `index`th word from the back of the table.
    ///
    /// # Panics
    /// If the table is not as long as that.
    #[inline]
    pub(crate) fn table_word(&self, index: usize) -> &AtomicU64 {
        assert!((index + 1) * 8 <= self.table_bytes, "beyond the table");
        let offset = self.table_bytes - (index + 1) * 8;
        // SAFETY: inside the table, as just asserted.
        let word = unsafe { self.base.add(HEADER_BYTES + offset) };
        // SAFETY: aligned, since the header's and the table's size are multiples of 8. Words are
        // only accessed as atomics: texts end before them, by the contract of `table_slice_mut`.
        unsafe { word.cast().as_ref() }
    }

    /// A text in the table.
    ///
    /// # Safety
    /// It was published: it lies inside the table and nobody writes to it any more.
    #[inline]
    pub(crate) unsafe fn table_slice(&self, offset: usize, len: usize) -> &[u8] {
        debug_assert!(offset + len <= self.table_bytes);
        // SAFETY: inside the table, by the caller's promise.
        let start = unsafe { self.base.add(HEADER_BYTES + offset) };
        // SAFETY: inside and immutable, by the caller's promise; never uninitialised.
        unsafe { std::slice::from_raw_parts(start.as_ptr(), len) }
    }

    /// Room for a text in the table.
    ///
    /// # Safety
    /// It lies inside the table and before its words, and nobody else accesses it while the slice
    /// lives.
    #[expect(clippy::mut_from_ref, reason = "exclusiveness is the caller's promise")]
    pub(crate) unsafe fn table_slice_mut(&self, offset: usize, len: usize) -> &mut [u8] {
        debug_assert!(offset + len <= self.table_bytes);
        // SAFETY: inside the table, by the caller's promise.
        let start = unsafe { self.base.add(HEADER_BYTES + offset) };
        // SAFETY: inside and unshared, by the caller's promise; never uninitialised.
        unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), len) }
    }

    /// A copy of all of it.
    pub(crate) fn image(&mut self) -> Vec<u8> {
        let len = ring_offset(self.table_bytes) + self.capacity();
        // SAFETY: that many bytes belong to this memory, and `&mut self` excludes everybody else.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), len) }.to_vec()
    }
}

/// Where the bytes lie.
enum Backing {
    /// In pages that end with the process.
    Anonymous(#[expect(dead_code, reason = "freed on drop")] Pages),
    /// In a file, which may outlive the process.
    #[cfg(target_os = "linux")]
    Mapped(#[expect(dead_code, reason = "unmapped on drop")] Arc<Map>),
}

/// Zeroed pages that belong to this process alone.
struct Pages {
    base: NonNull<u8>,
    bytes: usize,
}

#[cfg(all(unix, not(miri)))]
impl Pages {
    fn zeroed(bytes: usize) -> io::Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // Without a reservation of swap, so that a large ring costs what is touched of it.
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping at an address of the system's choice touches no existing one.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Pages { base, bytes })
    }
}

#[cfg(all(unix, not(miri)))]
impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping that `zeroed` made; nothing borrows from it any more.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.bytes) };
    }
}

#[cfg(not(all(unix, not(miri))))]
impl Pages {
    fn layout(bytes: usize) -> std::alloc::Layout {
        std::alloc::Layout::from_size_align(bytes, 128).expect("far below isize::MAX")
    }

    fn zeroed(bytes: usize) -> io::Result<Self> {
        // SAFETY: the size is not zero.
        let base = unsafe { std::alloc::alloc_zeroed(Self::layout(bytes)) };
        let base = NonNull::new(base).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Pages { base, bytes })
    }
}

#[cfg(not(all(unix, not(miri))))]
impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: allocated by `zeroed` with this layout; nothing borrows from it any more.
        unsafe { std::alloc::dealloc(self.base.as_ptr(), Self::layout(self.bytes)) };
    }
}
