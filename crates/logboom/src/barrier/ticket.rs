//! Where one caller waits for one answer of the writer.

use crate::barrier::Flush;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Where a caller waits for the outcome.
#[derive(Debug, Default)]
pub(crate) struct Ticket {
    outcome: Mutex<Option<Flush>>,
    settled: Condvar,
}

impl Ticket {
    /// Gives the outcome to whoever waits.
    pub(crate) fn settle(&self, outcome: Flush) {
        *self.lock() = Some(outcome);
        self.settled.notify_all();
    }

    /// Waits for the outcome, at most until `deadline`.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> Option<Flush> {
        let mut outcome = self.lock();
        while outcome.is_none() {
            let Some(deadline) = deadline else {
                outcome = self.settled.wait(outcome).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.checked_duration_since(Instant::now())?;
            outcome =
                self.settled.wait_timeout(outcome, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *outcome
    }

    fn lock(&self) -> MutexGuard<'_, Option<Flush>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_ticket_waits_for_its_outcome_and_no_longer_than_the_deadline() {
        let ticket = Arc::new(Ticket::default());
        assert_eq!(ticket.wait(Some(Instant::now())), None);
        let waiter = std::thread::spawn({
            let ticket = Arc::clone(&ticket);
            move || ticket.wait(None)
        });
        ticket.settle(Flush::Failed { records: 3 });
        assert_eq!(waiter.join().unwrap(), Some(Flush::Failed { records: 3 }));
    }
}
