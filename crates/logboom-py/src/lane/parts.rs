//! What `logboom._queues` tells of its classes, and the names that are looked up.

use super::hand_on::Role;
use crate::ffi::dict::Key;
use crate::ffi::guard::ClassStamp;
use crate::ffi::made;
use crate::ffi::object::GilCell;
use crate::ffi::slots::ClassTable;
use crate::ffi::{Ref, Still};
use crate::logger::Target;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyType};

static PARTS: PyOnceLock<Parts> = PyOnceLock::new();

/// Tells the binding of the classes of `logboom._queues`. Called once by it.
#[pyfunction]
pub(crate) fn setup_lane(py: Python<'_>, given: Given) -> PyResult<()> {
    names(py);
    made::make_ready(py);
    let parts = Parts {
        keys: HandlerKeys::new(py)?,
        queue: GilCell::new(ClassStamp::NEVER),
        roles: ClassTable::new(Role::Other),
        given,
    };
    PARTS.set(py, parts).map_err(|_| PyRuntimeError::new_err("the lane is set up already"))
}

/// What was told; `None` while there is no handler that puts records into a queue.
#[inline]
pub(crate) fn parts(py: Python<'_>) -> Option<&'static Parts> {
    PARTS.get(py)
}

/// Whether `class` is one of our handlers that put records into a queue, and nobody changed how.
pub(crate) fn is_plain_handler(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    match parts(py) {
        Some(parts) => parts.given.is_plain_handler.bind(py).call1((class,))?.is_truthy(),
        None => Ok(false),
    }
}

/// See [`setup_lane`].
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Given {
    /// Whether a class is our handler's, and does what that does.
    is_plain_handler: Py<PyAny>,
    /// Whether nobody changed how `queue.Queue` takes what is put into it.
    is_plain_queue: Py<PyAny>,
    queue_class: Py<PyType>,
    listener_class: Py<PyType>,
    pub(super) deque_class: Py<PyType>,
    pub(super) lock_class: Py<PyType>,
    pub(super) rlock_class: Py<PyType>,
    pub(super) condition_class: Py<PyType>,
    /// Whether a class of listeners hands on as the library's does.
    pub(super) is_plain_listener: Py<PyAny>,
    put_on: Py<PyAny>,
    pub(super) simple_queue_class: Py<PyType>,
    /// Seats of queues that tell nobody of their records, by the queue's address.
    pub(super) silent: Py<PyDict>,
    pub(super) formatter_class: Py<PyType>,
}

/// See the module.
pub(crate) struct Parts {
    keys: HandlerKeys,
    /// `queue.Queue` as it was found to be plain.
    queue: GilCell<ClassStamp>,
    /// What the classes of listeners and handlers are.
    pub(super) roles: ClassTable<Role, 16>,
    pub(super) given: Given,
}

/// Declares a struct with an interned text for each name.
macro_rules! names {
    ($($field:ident $text:literal)*) => {
        /// Names that are looked up, made once before the first record: what PyO3's `intern!` makes at its
        /// first use it makes without the GIL, and a process could fork in the middle of it.
        pub(super) struct Names {
            $(pub(super) $field: Py<PyString>,)*
        }

        impl Names {
            fn new(py: Python<'_>) -> Names {
                Names { $($field: PyString::intern(py, $text).unbind(),)* }
            }
        }
    };
}

names! {
    main_process "MainProcess"
    begun "_begun"
    own_put "_put"
    waiters "_waiters"
    acquire "acquire"
    append "append"
    args "args"
    asleep "asleep"
    asyncio "asyncio"
    created "created"
    emit "emit"
    exc_info "exc_info"
    exc_text "exc_text"
    filename "filename"
    filter "filter"
    filters "filters"
    format "format"
    func_name "funcName"
    handed_on "handed_on"
    handle "handle"
    handlers "handlers"
    is_shutdown "is_shutdown"
    level "level"
    levelname "levelname"
    levelno "levelno"
    lineno "lineno"
    lock "lock"
    locked "locked"
    mark "mark"
    mark_for_put "mark_for_put"
    marked "marked"
    maxsize "maxsize"
    message "message"
    module "module"
    modules "modules"
    msecs "msecs"
    msg "msg"
    multiprocessing "multiprocessing"
    mutex "mutex"
    name "name"
    not_empty "not_empty"
    notify "notify"
    pathname "pathname"
    prepare "prepare"
    process "process"
    process_name "processName"
    put "put"
    put_nowait "put_nowait"
    queue "queue"
    relative_created "relativeCreated"
    release "release"
    respect_handler_level "respect_handler_level"
    stack_info "stack_info"
    task_name "taskName"
    task_done "task_done"
    thread "thread"
    thread_name "threadName"
    unfinished_tasks "unfinished_tasks"
}

static NAMES: PyOnceLock<Names> = PyOnceLock::new();

/// The names, which are there before [`parts`] are.
#[inline]
pub(super) fn names(py: Python<'_>) -> &'static Names {
    NAMES.get_or_init(py, || Names::new(py))
}

/// Names of the attributes of a handler.
pub(crate) struct HandlerKeys {
    pub(crate) level: Key,
    pub(crate) filters: Key,
    pub(crate) formatter: Key,
    pub(crate) lock: Key,
    pub(crate) queue: Key,
    pub(crate) listener: Key,
    pub(crate) make_listener: Key,
    /// Methods that, set on the handler itself, put something of the program's in the way.
    pub(crate) overrides: Vec<Key>,
}

const METHODS: [&str; 8] =
    ["handle", "emit", "prepare", "enqueue", "format", "filter", "acquire", "release"];

impl HandlerKeys {
    fn new(py: Python<'_>) -> PyResult<HandlerKeys> {
        Ok(HandlerKeys {
            level: Key::text(py, "level")?,
            filters: Key::text(py, "filters")?,
            formatter: Key::text(py, "formatter")?,
            lock: Key::text(py, "lock")?,
            queue: Key::text(py, "queue")?,
            listener: Key::text(py, "listener")?,
            make_listener: Key::text(py, "_make_listener")?,
            overrides: METHODS.iter().map(|name| Key::text(py, name)).collect::<PyResult<_>>()?,
        })
    }
}

impl Parts {
    /// What adds the bound context to the attributes of a record.
    pub(super) fn put_on(&self) -> &Py<PyAny> {
        &self.given.put_on
    }

    pub(crate) fn handler_keys(&self) -> &HandlerKeys {
        &self.keys
    }

    /// Whether a formatter is of the library's own class.
    pub(crate) fn is_plain_formatter(&self, formatter: Ref<'_>) -> bool {
        formatter.type_ptr().cast() == self.given.formatter_class.as_ptr()
    }

    /// Whether the handler's listener hands on already, if it is one of ours, which begins by itself.
    pub(super) fn has_begun(&self, py: Python<'_>, target: &Target) -> PyResult<bool> {
        let Some(listener) = &target.listener else { return Ok(true) };
        let listener = listener.bind(py);
        if !listener.is_instance(self.given.listener_class.bind(py))? {
            return Ok(true);
        }
        listener.getattr(names(py).begun.bind(py))?.is_truthy()
    }

    /// Whether a queue is of the library's own class, as the library defines it.
    #[inline]
    pub(super) fn is_plain_queue(&self, queue: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = queue.py();
        if self.queue.get(&Still::new(py)).is_of(Ref::from_bound(queue)) {
            return Ok(true);
        }
        let class = self.given.queue_class.bind(py);
        if !queue.get_type().is(class) {
            return Ok(false);
        }
        // The stamp comes before what it vouches for.
        let Some(stamp) = ClassStamp::of_class(class) else { return Ok(false) };
        let plain = self.given.is_plain_queue.bind(py).call0()?.is_truthy()?;
        if plain {
            self.queue.set(&Still::new(py), stamp);
        }
        Ok(plain)
    }
}
