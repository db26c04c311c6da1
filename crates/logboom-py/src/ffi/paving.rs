//! What was looked at on a way through objects, as words of memory that are compared one by one.
//!
//! To look at an object again takes a dozen steps for each thing it has. What they come to is that some
//! words of memory still hold what they held: a class, its version tag, the version of a dictionary, the
//! size of a list, the value of a slot. [`Guards`] are these words, in an order in which each vouches for
//! the memory of those behind it. A [`Paving`] collects them on a way that was just gone, and refuses what
//! no word before it vouches for, so that no caller can make guards that would follow a stale address.
//!
//! Guards hold no object but small numbers. They are asked about an object that is alive, the *root*.
//! What keeps the rest alive: an object keeps what lies in its dictionary, a list or a slot, while that
//! lies there; a [`Numbered`] keeps what it holds, while it has that number.
//!
//! To be the *same* object as at the paving is more than to be *there* at its address: the same is what an
//! unchanged dictionary or a [`Numbered`] holds. Another object may come to be there, so whatever is
//! asked of one that is only there begins with its class.

use super::dict::Version;
use super::guard::ClassStamp;
use super::object::{GilCell, GilSlot, NativeClass, Ref, Still, own};
use super::slots::{Shape, Slot};
use pyo3::PyClass;
use pyo3::ffi;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// A word of memory, and what it held.
#[derive(Clone, Copy)]
struct Word {
    at: *const AtomicU64,
    held: u64,
}

/// See the module.
pub(crate) struct Guards {
    root: usize,
    /// By fours, the last ones filled up: compared so it takes half the steps.
    words: Box<[[Word; 4]]>,
    /// Numbers that lie in slots: no other one comes to lie at their addresses.
    _numbers: Box<[Py<PyAny>]>,
    /// What counts the changes of dictionaries, where the interpreter does not.
    _versions: Box<[Version]>,
}

// SAFETY: addresses are followed only with the proof that this thread is attached.
unsafe impl Send for Guards {}
// SAFETY: as above.
unsafe impl Sync for Guards {}

impl Guards {
    /// Whether everything is as it was, on the way from this object.
    #[inline(always)]
    pub(crate) fn hold(&self, _: &Still<'_>, root: Ref<'_>) -> bool {
        // SAFETY: asked in this order, so the root is alive, and every word before this one is as it was; by
        // them this one lies in memory of an object, or of a count that is held here. It is aligned.
        // Atomic, since flags that share a word with what is asked for may be anyone's.
        let holds = |word: &Word| unsafe { (*word.at).load(Ordering::Relaxed) == word.held };
        root.address() == self.root
            && self.words.iter().all(|[a, b, c, d]| holds(a) && holds(b) && holds(c) && holds(d))
    }
}

/// Collects guards on a way that was just gone: nothing changes meanwhile.
pub(crate) struct Paving<'s> {
    still: &'s Still<'s>,
    root: usize,
    words: Vec<Word>,
    numbers: Vec<Py<PyAny>>,
    versions: Vec<Version>,
    /// Objects that are alive while the guards so far hold.
    there: Vec<usize>,
    /// Those of them that are the same ones then.
    same: Vec<usize>,
    /// Those of them whose class is guarded.
    classed: Vec<usize>,
    classes: Vec<ClassStamp>,
}

/// A native object that is guarded to be one, at the same address.
pub(crate) struct Inside<'s, T>(&'s T);

impl<'s, T> Inside<'s, T> {
    pub(crate) fn get(&self) -> &'s T {
        self.0
    }
}

impl<'s> Paving<'s> {
    /// One that begins at this object.
    pub(crate) fn from(still: &'s Still<'_>, root: Ref<'_>) -> Self {
        Paving {
            still,
            root: root.address(),
            words: Vec::with_capacity(48),
            numbers: Vec::new(),
            versions: Vec::new(),
            there: vec![root.address()],
            same: Vec::new(),
            classed: Vec::new(),
            classes: Vec::new(),
        }
    }

    pub(crate) fn finish(self) -> Guards {
        let fours = self.words.chunks(4).map(|few| {
            let last = few[few.len() - 1];
            std::array::from_fn(|at| *few.get(at).unwrap_or(&last))
        });
        Guards {
            root: self.root,
            words: fours.collect(),
            _numbers: self.numbers.into(),
            _versions: self.versions.into(),
        }
    }

    /// Guards a word of memory.
    ///
    /// # Safety
    /// While the guards so far hold, eight bytes can be read there.
    unsafe fn word<T>(&mut self, at: *const T) -> Option<()> {
        let at = at.cast::<AtomicU64>();
        if !at.is_aligned() {
            return None;
        }
        // SAFETY: by the caller, and nothing changed since the guards so far were collected.
        let held = unsafe { (*at).load(Ordering::Relaxed) };
        self.words.push(Word { at, held });
        Some(())
    }

    /// Guards that what is there is of this class, as that was.
    pub(super) fn class(&mut self, object: usize, stamp: ClassStamp) -> Option<()> {
        self.kind(object)?;
        if !self.classes.contains(&stamp) {
            self.classes.push(stamp);
            for at in stamp.words() {
                // SAFETY: the class of an object that is alive is alive, and this is it.
                unsafe { self.word(at) }?;
            }
        }
        Some(())
    }

    /// Guards which class what is there has.
    fn kind(&mut self, object: usize) -> Option<()> {
        self.there.contains(&object).then_some(())?;
        if !self.classed.contains(&object) {
            // SAFETY: the object is alive while the guards so far hold.
            unsafe { self.word(&raw const (*(object as *const ffi::PyObject)).ob_type) }?;
            self.classed.push(object);
        }
        Some(())
    }

    /// Guards what an object that is stamped has at a place inside it.
    ///
    /// # Safety
    /// Objects of the class that the object has now have a place for a pointer there.
    pub(super) unsafe fn place(
        &mut self,
        object: usize,
        at: *const *mut ffi::PyObject,
    ) -> Option<()> {
        self.classed.contains(&object).then_some(())?;
        // SAFETY: the object is alive and of that class while the guards so far hold.
        unsafe { self.word(at) }
    }

    /// Guards the version of a dictionary.
    ///
    /// # Safety
    /// While the guards so far hold, this is a dictionary, and alive.
    pub(super) unsafe fn version(
        &mut self,
        version: &Version,
        dict: *mut ffi::PyObject,
    ) -> Option<()> {
        // SAFETY: by the caller; what counts is held.
        unsafe { self.word(version.place(dict)) }?;
        self.versions.push(version.clone());
        Some(())
    }

    /// Says what an unchanged dictionary holds.
    ///
    /// # Safety
    /// While the guards so far hold, this very object is alive.
    pub(super) unsafe fn is_same(&mut self, object: *mut ffi::PyObject) {
        if !object.is_null() {
            self.there.push(object as usize);
            self.same.push(object as usize);
        }
    }

    /// Whether this very object is alive while the guards so far hold.
    pub(super) fn has_same(&self, object: *mut ffi::PyObject) -> Option<()> {
        self.same.contains(&(object as usize)).then_some(())
    }

    /// Guards that a list is one, and its items.
    pub(crate) fn list(&mut self, list: Ref<'_>) -> Option<()> {
        let items = list.exact_list()?;
        if self.has_same(list.as_ptr()).is_none() {
            self.kind(list.address())?;
        }
        let object = list.as_ptr().cast::<ffi::PyListObject>();
        // SAFETY: alive while the guards so far hold, and a list: the same one, which stays a list, or one
        // that is guarded to be.
        unsafe { self.word(&raw const (*object).ob_base.ob_size) }?;
        if items.is_empty() {
            return Some(());
        }
        // SAFETY: as above.
        unsafe { self.word(&raw const (*object).ob_item) }?;
        for item in items {
            // SAFETY: a list of that size has this place among its items, as they lie where they lay.
            unsafe { self.word(&raw const *item) }?;
            self.there.push(item.address());
        }
        Some(())
    }

    /// Guards what a slot holds, and returns that.
    pub(crate) fn slot(&mut self, slot: Slot, shape: Shape<'s>) -> Option<Ref<'s>> {
        let held = slot.read(self.still, shape)?;
        let (object, at) = slot.place(shape);
        // SAFETY: the slot could be read of the object, so its class has it.
        unsafe { self.place(object, at) }?;
        self.there.push(held.address());
        Some(held)
    }

    /// Guards that a slot holds a number, and which, and returns that.
    pub(crate) fn number(&mut self, slot: Slot, shape: Shape<'s>) -> Option<i64> {
        let number = self.slot(slot, shape)?;
        self.numbers.push(own(number));
        number.exact_i64()
    }

    /// Guards that what is there is a native object of this class.
    pub(crate) fn native<T>(
        &mut self,
        object: Ref<'s>,
        class: &'static NativeClass<T>,
    ) -> Option<Inside<'s, T>>
    where
        T: PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Sync,
    {
        let native = object.native(class)?;
        self.kind(object.address())?;
        Some(Inside(native))
    }

    /// Guards that a native object's part has what it has now, and returns that. `held` shows the objects
    /// that it holds.
    pub(crate) fn numbered<P, T>(
        &mut self,
        inside: &Inside<'s, P>,
        part: for<'a> fn(&'a P) -> &'a Numbered<T>,
        held: for<'a> fn(&'a T, &mut dyn FnMut(&'a Py<PyAny>)),
    ) -> Option<&'s T> {
        let part = part(inside.0);
        // SAFETY: it lies in the object, or for ever: nothing else has such a lifetime. The object is
        // guarded to be of a class that has it there.
        unsafe { self.word(&raw const part.number) }?;
        let value = part.get(self.still)?;
        let mut objects = Vec::new();
        held(value, &mut |object| objects.push(object.as_ptr()));
        for object in objects {
            // SAFETY: the value holds it, or it is for ever: nothing else has such a lifetime. The value is
            // there as long as its number.
            unsafe { self.is_same(object) };
        }
        Some(value)
    }

    /// Guards a word of an object that is the same.
    ///
    /// # Safety
    /// Objects of its class have eight bytes there, and what is the same does not change its class.
    pub(super) unsafe fn part<T>(&mut self, object: &Py<PyAny>, at: *const T) -> Option<()> {
        self.has_same(object.as_ptr())?;
        // SAFETY: by the caller.
        unsafe { self.word(at) }
    }
}

/// A value with a number that no other one has had. Only the thread with the GIL touches it.
pub(crate) struct Numbered<T> {
    number: GilCell<u64>,
    value: GilSlot<T>,
}

impl<T> Numbered<T> {
    pub(crate) fn empty() -> Self {
        Numbered { number: GilCell::new(next()), value: GilSlot::empty() }
    }

    #[inline]
    pub(crate) fn get<'s>(&'s self, still: &'s Still<'_>) -> Option<&'s T> {
        self.value.get(still)
    }

    pub(crate) fn set(&self, still: &mut Still<'_>, value: Option<T>) {
        self.number.set(still, next());
        self.value.set(still, value);
    }
}

fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
