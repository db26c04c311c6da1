//! The sink that takes everything and keeps nothing: for measuring what comes before a sink.

use super::again::SinkPlan;
use super::{Frames, Sink, SinkSpec, Written};
use crate::blueprint::Blueprint;
use std::io;

/// Takes every frame and forgets it; each counts as written.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullSink;

impl Sink for NullSink {
    fn write(&mut self, batch: &Frames<'_>) -> Written {
        Written { frames: batch.ends.len(), ..Written::default() }
    }

    fn flush(&mut self) -> Written {
        Written::default()
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens [`NullSink`]s.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullSinkSpec;

impl SinkSpec for NullSinkSpec {
    fn open(&self) -> io::Result<Box<dyn Sink>> {
        Ok(Box::new(NullSink))
    }

    fn blueprint(&self) -> Option<Blueprint> {
        SinkPlan::Null.blueprint()
    }

    fn describe(&self) -> String {
        "null".to_owned()
    }
}
