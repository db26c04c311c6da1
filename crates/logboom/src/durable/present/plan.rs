//! A route as it is told beside the ring: its parts' blueprints, in one text with a checksum.

use crate::blueprint::{Blueprint, Parts};
use crate::filter::LevelFilter;
use crate::format::{Formatter, PatternFormatter, again};
use crate::level::Level;
use crate::route::RouteSpec;
use crate::sink::again::SinkPlan;
use logboom_ring::crc32;
use std::sync::Arc;

/// How a record is written whose route's formatter cannot be made again.
const PLAIN: &str = "%(asctime)s %(levelname)s %(name)s %(message)s";

/// A route, read back.
#[derive(Clone)]
pub(super) struct RoutePlan {
    /// What its sink was called.
    pub(super) sink_name: String,
    pub(super) formatter: Arc<dyn Formatter>,
    pub(super) filter: Option<LevelFilter>,
    pub(super) terminator: Vec<u8>,
    /// `None` where it cannot be made again.
    pub(super) sink: Option<SinkPlan>,
}

/// The text that tells a route.
pub(super) fn encode(spec: &RouteSpec) -> Vec<u8> {
    let level = spec.filter.as_ref().and_then(|filter| filter.level());
    let part = |blueprint: Option<Blueprint>| blueprint.unwrap_or_default();
    let told = Blueprint::new("route")
        .text(spec.sink.describe())
        .text(&spec.terminator)
        .number(level.is_some().into())
        .number(level.map_or(0, |level| i64::from(level.0) as u64))
        .text(part(spec.formatter.blueprint()).as_bytes())
        .text(part(spec.sink.blueprint()).as_bytes());
    let mut text = crc32(told.as_bytes()).to_ne_bytes().to_vec();
    text.extend_from_slice(told.as_bytes());
    text
}

/// A route from its text; `None` for what is damaged or of another version.
pub(super) fn decode(text: &[u8]) -> Option<RoutePlan> {
    let (sum, told) = text.split_first_chunk()?;
    if crc32(told) != u32::from_ne_bytes(*sum) {
        return None;
    }
    let mut parts = Parts::of(told);
    if parts.text()? != "route" {
        return None;
    }
    let sink_name = String::from_utf8_lossy(parts.bytes()?).into_owned();
    let terminator = parts.bytes()?.to_vec();
    let (has_level, level) = (parts.truth()?, parts.number()? as i64);
    let level = Level(i32::try_from(level).ok()?);
    let formatter = again::formatter(parts.bytes()?).or_else(plain)?;
    let sink = SinkPlan::read(parts.bytes()?);
    let filter = has_level.then_some(LevelFilter(level));
    Some(RoutePlan { sink_name, formatter, filter, terminator, sink })
}

/// What stands for a route of which nothing is known.
pub(super) fn unknown() -> Option<RoutePlan> {
    let sink_name = "a route that had no place beside the ring".into();
    let (formatter, terminator) = (plain()?, b"\n".to_vec());
    Some(RoutePlan { sink_name, formatter, filter: None, terminator, sink: None })
}

fn plain() -> Option<Arc<dyn Formatter>> {
    let formatter = PatternFormatter::new(PLAIN, &Default::default()).ok()?;
    Some(Arc::new(formatter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::StdioSinkSpec;

    #[test]
    fn a_route_comes_back_and_a_bit_that_was_turned_is_told() {
        let formatter = PatternFormatter::new("%(message)s", &Default::default()).unwrap();
        let spec = RouteSpec::new("out", formatter, StdioSinkSpec::stdout())
            .filter(LevelFilter(Level(-7)))
            .terminator(";");
        let text = encode(&spec);
        let plan = decode(&text).unwrap();
        assert_eq!(plan.sink, Some(SinkPlan::Stream("stdout".into())));
        assert_eq!((plan.terminator, plan.filter), (b";".to_vec(), Some(LevelFilter(Level(-7)))));
        assert_eq!(plan.formatter.blueprint(), spec.formatter.blueprint());
        for bit in 0..8 * text.len() {
            let mut turned = text.clone();
            turned[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&turned).is_none(), "bit {bit}");
        }
    }
}
