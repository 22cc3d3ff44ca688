//! How soon a batch may follow another.
//!
//! A batch costs two changes of threads and a flush of the disk, whatever is in it. On a disk that flushes fast, many callers
//! at once would get one batch for every two or three of them, and the processor would go into that. So while batches
//! are crowded, one begins every [`PACE`] at most; a caller alone never waits, and no caller waits longer than that.

use std::time::{Duration, Instant};

/// Transactions within the pace, in this batch and the one before it, from which on there is a crowd.
const CROWD: usize = 4;

/// From the begin of a batch in a crowd to that of the next, at least. Many disks take as long for a flush.
const PACE: Duration = Duration::from_millis(4);

/// The last batch, as far as the next must know.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    last: Option<Batch>,
}

#[derive(Debug, Clone, Copy)]
struct Batch {
    began: Instant,
    transactions: usize,
    is_crowded: bool,
}

impl Pace {
    /// A batch of so many transactions begins.
    pub(crate) fn begins(&mut self, transactions: usize, now: Instant) {
        let recent = self.last.filter(|last| now.saturating_duration_since(last.began) <= PACE);
        let together = transactions + recent.map_or(0, |last| last.transactions);
        self.last = Some(Batch { began: now, transactions, is_crowded: together >= CROWD });
    }

    /// How long the next batch should still wait for company.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        let crowded = self.last.filter(|last| last.is_crowded);
        crowded.map_or(Duration::ZERO, |last| (last.began + PACE).saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_follows_a_crowd_waits_and_never_longer_than_the_pace() {
        let start = Instant::now();
        assert_eq!(Pace::default().wait(start), Duration::ZERO);
        let at = |millis| start + Duration::from_millis(millis);
        for (batches, now, expected) in [
            (&[(1, 0)][..], 0, 0),
            (&[(3, 0)], 0, 0),
            (&[(4, 0)], 0, 4),
            (&[(4, 0)], 1, 3),
            (&[(4, 0)], 4, 0),
            (&[(1000, 0)], 400, 0),
            // Small ones, one after the other.
            (&[(1, 0), (1, 1), (1, 2)], 2, 0),
            (&[(2, 0), (2, 1)], 1, 4),
            (&[(2, 0), (2, 5)], 5, 0),
            // The crowd is gone.
            (&[(4, 0), (1, 4), (1, 5)], 5, 0),
        ] {
            let mut pace = Pace::default();
            batches.iter().for_each(|(transactions, began)| pace.begins(*transactions, at(*began)));
            assert_eq!(pace.wait(at(now)), Duration::from_millis(expected), "{batches:?} {now}");
        }
    }
}
