//! The memory of a ring in a model check: the same interface over loom's atomics.
//!
//! A payload's bytes are plain memory here too; beside each word of the ring and each byte of
//! the table lies a cell that loom watches, touched whenever the bytes are, so that unordered accesses
//! are found.

use crate::error::RingError;
use crate::layout::{HEADER_BYTES, Header, offset, ring_offset};
use crate::moment::AtomicU64;
use crate::sync::Ordering::Relaxed;
use loom::cell::UnsafeCell;

pub(crate) struct Memory {
    header: Header,
    words: Box<[AtomicU64]>,
    cells: Box<[UnsafeCell<()>]>,
    bytes: Bytes,
    table_words: Box<[AtomicU64]>,
    table: Bytes,
    table_cells: Box<[UnsafeCell<()>]>,
    mask: usize,
}

/// Bytes that are written through a shared reference.
struct Bytes(Box<[std::cell::UnsafeCell<u8>]>);

impl Bytes {
    fn zeroed(len: usize) -> Self {
        Bytes((0..len).map(|_| std::cell::UnsafeCell::new(0)).collect())
    }

    fn at(&self, offset: usize, len: usize) -> *mut u8 {
        std::cell::UnsafeCell::raw_get(self.0[offset..offset + len].as_ptr())
    }
}

// SAFETY: accessed as `memory.rs` lays down; loom checks it through `cells`.
unsafe impl Send for Memory {}
// SAFETY: as for `Send`.
unsafe impl Sync for Memory {}

impl Memory {
    pub(crate) fn anonymous(capacity: usize, table_bytes: usize) -> Result<Self, RingError> {
        let mut header = Header::default();
        header.describe(capacity, table_bytes);
        let words = |bytes: usize| (0..bytes / 8).map(|_| AtomicU64::new(0)).collect();
        Ok(Memory {
            header,
            words: words(capacity),
            cells: (0..capacity / 8).map(|_| UnsafeCell::new(())).collect(),
            bytes: Bytes::zeroed(capacity),
            table_words: words(table_bytes),
            table: Bytes::zeroed(table_bytes),
            table_cells: (0..table_bytes).map(|_| UnsafeCell::new(())).collect(),
            mask: capacity - 1,
        })
    }

    pub(crate) fn populate(&self, _: usize) {}

    pub(crate) fn capacity(&self) -> usize {
        self.mask + 1
    }

    pub(crate) fn table_bytes(&self) -> usize {
        self.table_words.len() * 8
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn offset(&self, position: u64) -> usize {
        position as usize & self.mask
    }

    pub(crate) fn word(&self, position: u64) -> &AtomicU64 {
        &self.words[self.offset(position) / 8]
    }

    fn touched(&self, position: u64, len: usize) -> &[UnsafeCell<()>] {
        let start = self.offset(position);
        &self.cells[start / 8..(start + len).div_ceil(8)]
    }

    /// # Safety
    /// As in `memory.rs`.
    pub(crate) unsafe fn slice(&self, position: u64, len: usize) -> &[u8] {
        for cell in self.touched(position, len) {
            cell.with(|_| ());
        }
        // SAFETY: inside; unshared with writers, by the caller's promise.
        unsafe { std::slice::from_raw_parts(self.bytes.at(self.offset(position), len), len) }
    }

    /// # Safety
    /// As in `memory.rs`.
    #[expect(clippy::mut_from_ref, reason = "exclusiveness is the caller's promise")]
    pub(crate) unsafe fn slice_mut(&self, position: u64, len: usize) -> &mut [u8] {
        for cell in self.touched(position, len) {
            cell.with_mut(|_| ());
        }
        // SAFETY: inside; unshared, by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.bytes.at(self.offset(position), len), len) }
    }

    /// # Safety
    /// As in `memory.rs`.
    pub(crate) unsafe fn zero(&self, from: u64, to: u64) {
        for position in (from..to).step_by(8) {
            self.word(position).store(0, Relaxed);
            // SAFETY: one word; nobody else accesses it, by the caller's promise.
            unsafe { self.slice_mut(position, 8) }.fill(0);
        }
    }

    pub(crate) fn table_word(&self, index: usize) -> &AtomicU64 {
        &self.table_words[index]
    }

    /// # Safety
    /// As in `memory.rs`.
    pub(crate) unsafe fn table_slice(&self, offset: usize, len: usize) -> &[u8] {
        for cell in &self.table_cells[offset..offset + len] {
            cell.with(|_| ());
        }
        // SAFETY: inside; immutable, by the caller's promise.
        unsafe { std::slice::from_raw_parts(self.table.at(offset, len), len) }
    }

    /// # Safety
    /// As in `memory.rs`.
    #[expect(clippy::mut_from_ref, reason = "exclusiveness is the caller's promise")]
    pub(crate) unsafe fn table_slice_mut(&self, offset: usize, len: usize) -> &mut [u8] {
        for cell in &self.table_cells[offset..offset + len] {
            cell.with_mut(|_| ());
        }
        // SAFETY: inside; unshared, by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.table.at(offset, len), len) }
    }

    /// The bytes that a real ring's memory would have now. The table's texts are left out.
    pub(crate) fn image(&self) -> Vec<u8> {
        let fixed = &self.header.fixed;
        let ring = ring_offset(self.table_bytes());
        let mut image = vec![0; ring + self.capacity()];
        let mut put = |at: usize, bytes: &[u8]| image[at..at + bytes.len()].copy_from_slice(bytes);
        put(offset::MAGIC, &fixed.magic.to_ne_bytes());
        put(offset::VERSION, &fixed.version.to_ne_bytes());
        put(offset::HEADER_BYTES, &(HEADER_BYTES as u32).to_ne_bytes());
        put(offset::CAPACITY, &fixed.capacity.to_ne_bytes());
        put(offset::RING_OFFSET, &fixed.ring_offset.to_ne_bytes());
        put(offset::TABLE_BYTES, &fixed.table_bytes.to_ne_bytes());
        put(offset::TABLE_OFFSET, &fixed.table_offset.to_ne_bytes());
        put(offset::HEAD, &self.header.producers.head.newest().to_ne_bytes());
        put(offset::TAIL, &self.header.consumer.tail.newest().to_ne_bytes());
        put(offset::CONSUMED, &self.header.consumer.consumed.newest().to_ne_bytes());
        for (index, word) in self.words.iter().enumerate() {
            // SAFETY: inside. Loom runs no other thread until this one comes to a primitive of its own,
            // and nobody keeps a slice over one of those but to read it.
            let bytes = unsafe { *self.bytes.at(8 * index, 8).cast::<[u8; 8]>() };
            // In a real ring both are the same eight bytes: of a frame's word or of a payload.
            let word = word.newest();
            assert!(word == 0 || bytes == [0; 8], "a word and a payload at one place");
            put(ring + 8 * index, &(word | u64::from_ne_bytes(bytes)).to_ne_bytes());
        }
        image
    }
}
