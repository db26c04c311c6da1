//! A part of the records, by chance or by what stands in a field.

use super::judge::{Asks, Judge, Subject, fingerprint};
use crate::error::{ConfigError, Error};
use crate::level::Level;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Lets a part of the records pass: by the level of each, and where a field is named, all or none of those
/// with the same text there, in every process alike.
pub struct Sample {
    /// From which level on which part; ascending.
    rates: Vec<(Level, f64)>,
    field: Option<String>,
    count: AtomicU64,
}

impl Sample {
    /// `rates`: for records of a level and those above it, up to the next one in the list, the part that
    /// passes, 0 to 1; below the first all pass. `field`: what decides, if the record has it.
    ///
    /// # Errors
    /// If a part is out of its bounds.
    pub fn new(mut rates: Vec<(Level, f64)>, field: Option<String>) -> Result<Sample, Error> {
        if let Some((_, rate)) = rates.iter().find(|(_, rate)| !(0.0..=1.0).contains(rate)) {
            return Err(ConfigError::new("rate", rate, "0 to 1".into()).into());
        }
        rates.sort_by_key(|(level, _)| *level);
        // Processes that begin at the same time do not take the same ones.
        let count = AtomicU64::new(u64::from(std::process::id()) << 32);
        Ok(Sample { rates, field, count })
    }
}

/// Spreads a number over all numbers (the finaliser of SplitMix64).
fn spread(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

impl Judge for Sample {
    fn passes(&self, subject: &Subject<'_>) -> bool {
        let rate = self.rates.iter().rev().find(|(level, _)| subject.level >= *level);
        let Some((_, rate)) = rate else { return true };
        let number = match subject.value {
            Some(value) => fingerprint(&[value]),
            None => self.count.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed),
        };
        // 53 bits are what a float holds.
        ((spread(number) >> 11) as f64 / (1_u64 << 53) as f64) < *rate
    }

    fn asks(&self) -> Asks<'_> {
        Asks { field: self.field.as_deref(), ..Asks::default() }
    }
}
