//! Attributes read straight from the slots of an object.
//!
//! A class with `__slots__` has a member descriptor per name, and that descriptor tells the offset
//! of the slot in the object (CPython `Include/structmember.h`). Subclasses keep the layout of their
//! base, so one offset serves them all.

use super::guard::ClassStamp;
use super::object::{GilCell, Ref, Still};
use super::paving::Paving;
use super::stamp::ObjectStamp;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// The place of one slot in the objects of a class and its subclasses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    class: usize,
    offset: isize,
}

/// An object of which it is known that its class is, or inherits from, a class with slots.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'s> {
    object: Ref<'s>,
    class: usize,
}

/// An object at one moment, and its shape.
pub(crate) struct Shaped {
    stamp: ObjectStamp,
    class: usize,
}

impl Shaped {
    /// `shape` is of the object that the stamp was made of before.
    pub(crate) fn new(still: &Still<'_>, stamp: ObjectStamp, shape: Shape<'_>) -> Shaped {
        let class = if stamp.holds(still, shape.object) { shape.class } else { 0 };
        Shaped { class, stamp }
    }

    /// Guards that nothing of it has changed, and returns its shape.
    pub(crate) fn guard<'s>(
        &self,
        paving: &mut Paving<'s>,
        still: &'s Still<'_>,
        object: Ref<'s>,
    ) -> Option<Shape<'s>> {
        let shape = self.shape(still, object)?;
        self.stamp.guard(paving)?;
        Some(shape)
    }

    /// The shape of this object, if it is the same one and nothing of it has changed.
    #[inline]
    pub(crate) fn shape<'s>(&self, still: &'s Still<'_>, object: Ref<'s>) -> Option<Shape<'s>> {
        self.stamp.holds(still, object).then_some(Shape { object, class: self.class })
    }
}

/// How many classes that fall to one place of a [`ClassTable`] are known at a time: those of a logger and
/// of its handlers are asked for in turns, and must not push each other out.
const WAYS: usize = 4;

/// What is known of a class under its stamp, and the class with slots that it inherits from.
type Known<K> = (ClassStamp, K, usize);

/// What is known of classes, by stamp. A full place forgets what it learnt first.
pub(crate) struct ClassTable<K, const N: usize>([[GilCell<Known<K>>; WAYS]; N]);

impl<K: Copy, const N: usize> ClassTable<K, N> {
    pub(crate) fn new(nothing: K) -> Self {
        let empty = || GilCell::new((ClassStamp::NEVER, nothing, 0));
        ClassTable(std::array::from_fn(|_| std::array::from_fn(|_| empty())))
    }

    /// What is known of the class of `object`, and its shape.
    #[inline]
    pub(crate) fn get<'s>(&self, still: &'s Still<'_>, object: Ref<'s>) -> Option<(K, Shape<'s>)> {
        let stamp = ClassStamp::of(object)?;
        let place = &self.0[stamp.index() % N];
        let (_, known, class) =
            place.iter().map(|cell| cell.get(still)).find(|(kept, ..)| *kept == stamp)?;
        Some((known, Shape { object, class }))
    }

    /// Keeps what is known of a class, and the class with slots that it inherits from, if any.
    pub(crate) fn put(
        &self,
        still: &Still<'_>,
        stamp: ClassStamp,
        known: K,
        class: &Bound<'_, PyType>,
        slots_of: Option<&Bound<'_, PyType>>,
    ) {
        let inherits = |base: &&Bound<'_, PyType>| {
            // SAFETY: both classes are alive.
            unsafe { ffi::PyType_IsSubtype(class.as_type_ptr(), base.as_type_ptr()) != 0 }
        };
        let base = slots_of.filter(inherits).map_or(0, |base| base.as_ptr() as usize);
        let place = &self.0[stamp.index() % N];
        // An older stamp of the class goes, or else what was learnt first.
        let same = place.iter().position(|cell| cell.get(still).0.is_of_same_class(stamp));
        for at in (1..=same.unwrap_or(WAYS - 1)).rev() {
            place[at].set(still, place[at - 1].get(still));
        }
        place[0].set(still, (stamp, known, base));
    }
}

/// `T_OBJECT_EX`: what `__slots__` makes; an empty slot reads as null.
const OBJECT_EX: i32 = 16;

impl Slot {
    /// The slot `name` that `class` defines.
    ///
    /// # Errors
    /// `TypeError` if `class` defines no such slot itself.
    pub(crate) fn of(class: &Bound<'_, PyType>, name: &str) -> PyResult<Slot> {
        let wrong = || PyTypeError::new_err(format!("{class} has no slot `{name}`"));
        let member = class.getattr("__dict__")?.get_item(name).map_err(|_| wrong())?;
        let expected = &raw mut ffi::PyMemberDescr_Type;
        if member.get_type_ptr() != expected {
            return Err(wrong());
        }
        let descriptor = member.as_ptr().cast::<ffi::PyMemberDescrObject>();
        // SAFETY: an object of exactly that type has this layout and a member definition that
        // lives as long as its class does.
        let member = unsafe { *(*descriptor).d_member.cast::<ffi::PyMemberDef>() };
        if member.type_code != OBJECT_EX || member.offset <= 0 {
            return Err(wrong());
        }
        // The offset is good for as long as the class is this one: for ever.
        std::mem::forget(class.clone());
        Ok(Slot { class: class.as_ptr() as usize, offset: member.offset })
    }

    /// The address of the object, and of the slot in it.
    pub(super) fn place(self, shape: Shape<'_>) -> (usize, *const *mut ffi::PyObject) {
        (shape.object.address(), shape.object.as_ptr().wrapping_byte_offset(self.offset).cast())
    }

    /// What the slot holds; `None` where it was never set or was deleted, and for objects that have
    /// no such slot.
    #[inline]
    pub(crate) fn read<'s>(self, _: &'s Still<'_>, shape: Shape<'s>) -> Option<Ref<'s>> {
        if shape.class != self.class {
            return None;
        }
        // SAFETY: the object's class inherits from the slot's, so the object is larger than the
        // offset and has an object or null there; the slot keeps it alive while no Python code runs.
        unsafe {
            let place = shape.object.as_ptr().byte_offset(self.offset).cast::<*mut ffi::PyObject>();
            Ref::from_ptr(*place)
        }
    }
}
