//! A route as a value that closes it.

use crate::barrier::{Flush, Wait};
use crate::engine::Engine;
use crate::format::Needs;
use crate::record::RouteId;
use std::time::Duration;

/// An open route, closed when dropped: what was submitted before is written by the writer in its
/// time, then the sink is closed. [`Route::close`] waits for that.
#[derive(Debug)]
pub struct Route {
    engine: Engine,
    id: RouteId,
    needs: Needs,
    closed: bool,
}

impl Route {
    pub(super) fn new(engine: Engine, id: RouteId, needs: Needs) -> Self {
        Route { engine, id, needs, closed: false }
    }

    /// The id to put into [`Record::routes`](crate::record::Record::routes).
    pub fn id(&self) -> RouteId {
        self.id
    }

    /// What its formatter asks to be captured with each record.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// As [`Engine::flush_route`].
    pub fn flush(&self, timeout: Option<Duration>) -> Flush {
        self.engine.flush_route(self.id, timeout)
    }

    /// As [`Engine::close_route`].
    pub fn close(mut self, wait: Wait) -> Flush {
        self.closed = true;
        self.engine.close_route(self.id, wait)
    }
}

impl Drop for Route {
    fn drop(&mut self) {
        if !self.closed {
            let _ = self.engine.close_route(self.id, Wait::No);
        }
    }
}
