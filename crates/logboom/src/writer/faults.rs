//! What went wrong since the last report: the first fault's words and how many there were.
//!
//! A fault is counted where it happens (`failed`, `rejected`); this is only about telling. One
//! report stands for all faults since the last, and reports keep the interval's distance
//! ([`Pace`](crate::report::Pace)), so a full disk writes one line a second, not one a record.

/// Faults that were not told yet.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    first: Option<String>,
    others: u64,
}

impl Faults {
    /// Notes a fault. `text` is asked only for the first since the last report.
    pub(crate) fn note(&mut self, text: impl FnOnce() -> String) {
        match self.first {
            None => self.first = Some(text()),
            Some(_) => self.others += 1,
        }
    }

    /// Whether there is something to tell.
    pub(crate) fn is_untold(&self) -> bool {
        self.first.is_some()
    }

    /// The report, if there is one.
    pub(crate) fn take(&mut self) -> Option<String> {
        let mut text = self.first.take()?;
        let others = std::mem::take(&mut self.others);
        if others > 0 {
            text.push_str(&format!(" (and {others} more faults since the last report)"));
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_report_stands_for_all_faults_since_the_last() {
        let mut faults = Faults::default();
        assert_eq!(faults.take(), None);
        faults.note(|| "a".into());
        assert_eq!(faults.take().as_deref(), Some("a"));
        faults.note(|| "b".into());
        faults.note(|| unreachable!("only the first is put into words"));
        let report = faults.take();
        assert_eq!(report.as_deref(), Some("b (and 1 more faults since the last report)"));
        faults.note(|| "c".into());
        assert_eq!(faults.take().as_deref(), Some("c"));
    }
}
