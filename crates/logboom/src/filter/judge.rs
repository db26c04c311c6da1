//! Filters that remember: what they look at in a record, and what they have to tell about those refused.
//!
//! The same filter may be asked on the writer's thread and, with the same meaning, on a caller's about a
//! record that takes another way; so a [`Judge`] is given a [`Subject`] and keeps its state behind a lock.

use super::Filter;
use crate::field::Value;
use crate::format::write_message;
use crate::level::Level;
use crate::record::{MessageView, RecordView};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

/// What a judge sees of a record.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Nanoseconds since the Unix epoch.
    pub time_ns: i64,
    /// How grave it is.
    pub level: Level,
    /// The name of the logger.
    pub logger: &'a [u8],
    /// The path of the file that it was called in; empty where nothing tells it.
    pub path: &'a [u8],
    /// The line there, or 0.
    pub line: u32,
    /// The message, for a judge that asks for it.
    pub text: &'a [u8],
    /// The text of the field that a judge asks for, if it is there.
    pub value: Option<&'a [u8]>,
}

/// What a judge asks for beyond time, level and logger.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asks<'a> {
    /// The call site.
    pub site: bool,
    /// The message.
    pub text: bool,
    /// A field.
    pub field: Option<&'a str>,
}

/// When something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A record was asked about: what has to stand before the next one.
    Passing,
    /// Time goes by.
    Now,
    /// A flush, a close or the end: everything.
    AtOnce,
}

/// A notice about records that were refused: a line of the route's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its level.
    pub level: Level,
    /// Its logger.
    pub logger: String,
    /// Its message.
    pub text: String,
}

/// A filter with a memory.
pub trait Judge: Send + Sync + 'static {
    /// Whether a record passes.
    fn passes(&self, subject: &Subject<'_>) -> bool;

    /// What it asks for.
    fn asks(&self) -> Asks<'_>;

    /// Whether something was refused and not told.
    fn is_owing(&self) -> bool {
        false
    }

    /// What is to be told, which it then has been.
    fn tell(&self, _now_ns: i64, _due: Due) -> Vec<Told> {
        Vec::new()
    }
}

/// Judges one behind the other, as the filter of a route: a record that passes all of them is taken. Lines
/// that are formatted already were asked about by whoever formatted them.
pub struct Judges(Vec<Arc<dyn Judge>>);

impl Judges {
    /// These, in order.
    pub fn new(judges: Vec<Arc<dyn Judge>>) -> Judges {
        Judges(judges)
    }
}

impl Filter for Judges {
    fn accept(&self, record: &RecordView<'_>) -> bool {
        if let MessageView::Line(_) = record.message {
            return true;
        }
        self.0.iter().all(|judge| {
            let asks = judge.asks();
            let mut text = Vec::new();
            if asks.text {
                // One that cannot be made is told apart by what there is of it.
                let _ = write_message(&record.message, &mut text);
            }
            let value = asks.field.and_then(|key| {
                let field = record.fields().filter(|field| field.key == key).last()?;
                text_of(field.value)
            });
            judge.passes(&Subject {
                time_ns: record.time_ns,
                level: record.level,
                logger: record.logger,
                path: record.site.map_or(b"", |site| site.path),
                line: record.site.map_or(0, |site| site.line),
                text: &text,
                value: value.as_deref(),
            })
        })
    }

    fn is_owing(&self) -> bool {
        self.0.iter().any(|judge| judge.is_owing())
    }

    fn tell(&self, now_ns: i64, due: Due) -> Vec<Told> {
        self.0.iter().flat_map(|judge| judge.tell(now_ns, due)).collect()
    }
}

/// A field's value as text; `None` for none.
fn text_of(value: Value<'_>) -> Option<Vec<u8>> {
    Some(match value {
        Value::None => return None,
        Value::Str(text) | Value::BigInt(text) | Value::Json(text) => text.into(),
        Value::I64(number) => number.to_string().into(),
        Value::U64(number) => number.to_string().into(),
        Value::Bool(truth) => truth.to_string().into(),
        Value::F64(number) => number.to_string().into(),
    })
}

/// A number for bytes, the same in every process (FNV-1a).
pub(super) fn fingerprint(parts: &[&[u8]]) -> u64 {
    parts
        .iter()
        .flat_map(|part| part.iter().chain(&[0xFF]))
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

/// The last part of a path.
pub(super) fn file_name(path: &[u8]) -> String {
    let name = path.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or(path);
    String::from_utf8_lossy(name).into_owned()
}

/// How often a lock that is held is asked for again. It is held for a look at a table; only in a process
/// that was forked at that moment it is held for ever, and everything passes there.
const PATIENCE: u32 = 1000;

pub(super) fn lock<T>(state: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    for _ in 0..PATIENCE {
        match state.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
    None
}
