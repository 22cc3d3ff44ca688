//! How soon a batch may follow another.
//!
//! A batch costs two changes of threads and a flush of the disk, whatever is in it. On a disk that flushes fast, many callers
//! at once would get one batch for every two or three of them, and the processor would go into that. So while batches
//! are crowded, one begins every [`PACE`] at most; a caller alone never waits, and no caller waits longer than that.

use std::time::{Duration, Instant};

/// Transactions in a batch from which on it is crowded.
const CROWD: usize = 4;

/// From the begin of a crowded batch to that of the next, at least.
const PACE: Duration = Duration::from_millis(3);

/// The last batch, as far as the next must know.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When the last batch began, if it was crowded.
    crowded_at: Option<Instant>,
}

impl Pace {
    /// A batch of so many transactions begins.
    pub(crate) fn begins(&mut self, transactions: usize, now: Instant) {
        self.crowded_at = (transactions >= CROWD).then_some(now);
    }

    /// How long the next batch should still wait for company.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        self.crowded_at.map_or(Duration::ZERO, |at| (at + PACE).saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_follows_a_crowd_waits_and_never_longer_than_the_pace() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        assert_eq!(pace.wait(start), Duration::ZERO);
        for (transactions, since, expected) in [
            (1, Duration::ZERO, Duration::ZERO),
            (CROWD - 1, Duration::ZERO, Duration::ZERO),
            (CROWD, Duration::ZERO, PACE),
            (CROWD, PACE / 4, PACE / 4 * 3),
            (CROWD, PACE, Duration::ZERO),
            (1_000, PACE * 100, Duration::ZERO),
            (1, Duration::ZERO, Duration::ZERO),
        ] {
            pace.begins(transactions, start);
            assert_eq!(pace.wait(start + since), expected, "{transactions} transactions, {since:?} ago");
        }
    }
}
