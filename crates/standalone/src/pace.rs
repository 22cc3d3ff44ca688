//! How soon a batch may follow another.
//!
//! A batch costs a dozen changes of threads and a flush of the disk, whatever is in it. On a disk that flushes fast, many callers
//! at once would get one batch for every two or three of them, and the processor would go into that. So while batches
//! are crowded, the next waits as long as others keep coming, up to [`PACE`] after the last; a caller alone never waits.

use std::time::{Duration, Instant};

/// Transactions within the pace, in this batch and the one before it, from which on there is a crowd.
const CROWD: usize = 4;

/// From the begin of a batch in a crowd to that of the next, at most.
const PACE: Duration = Duration::from_millis(10);

/// How long nobody must have come, so that nobody is waited for any more: a few callers that all wait need no patience.
const NAP: Duration = Duration::from_millis(2);

/// The last batch, as far as the next must know.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    last: Option<Batch>,
    /// How many waited before the last nap.
    waited: usize,
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
        self.waited = 0;
    }

    /// How long the next batch, for which so many `waiting`, should still wait for company; `None`: not at all.
    pub(crate) fn nap(&mut self, waiting: usize, now: Instant) -> Option<Duration> {
        let crowded = self.last.filter(|last| last.is_crowded)?;
        let left = (crowded.began + PACE).saturating_duration_since(now);
        let before = std::mem::replace(&mut self.waited, waiting);
        (waiting > before && !left.is_zero()).then(|| left.min(NAP))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The naps before a batch, in milliseconds: `batches` of so many transactions began at these, and so many wait at `from`
    /// and before each nap after it.
    fn naps(batches: &[(usize, u64)], from: u64, waiting: &[usize]) -> Vec<u128> {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut pace = Pace::default();
        batches.iter().for_each(|(transactions, began)| pace.begins(*transactions, at(*began)));
        let mut now = at(from);
        let nap = |waiting: &usize| {
            let nap = pace.nap(*waiting, now)?;
            now += nap;
            Some(nap.as_millis())
        };
        waiting.iter().map_while(nap).collect()
    }

    #[test]
    fn only_what_follows_a_crowd_waits_while_others_come_and_never_longer_than_the_pace() {
        let ever_more: Vec<_> = (1..100).collect();
        for (batches, from, waiting, expected) in [
            (&[][..], 0, &ever_more[..], &[][..]),
            (&[(1, 0)], 0, &ever_more, &[]),
            (&[(3, 0)], 0, &ever_more, &[]),
            (&[(4, 0)], 0, &ever_more, &[2, 2, 2, 2, 2]),
            (&[(4, 0)], 1, &ever_more, &[2, 2, 2, 2, 1]),
            (&[(4, 0)], 9, &ever_more, &[1]),
            (&[(4, 0)], 10, &ever_more, &[]),
            (&[(1000, 0)], 400, &ever_more, &[]),
            // Nobody else comes.
            (&[(4, 0)], 1, &[1, 1], &[2]),
            (&[(4, 0)], 1, &[1, 3, 4, 4], &[2, 2, 2]),
            // Small ones, one after the other.
            (&[(1, 0), (1, 1), (1, 2)], 2, &ever_more, &[]),
            (&[(2, 0), (2, 1)], 1, &[2, 2], &[2]),
            (&[(2, 0), (2, 11)], 11, &ever_more, &[]),
            // The crowd is gone.
            (&[(4, 0), (1, 10), (1, 11)], 11, &ever_more, &[]),
        ] {
            assert_eq!(naps(batches, from, waiting), expected, "{batches:?} {from} {waiting:?}");
        }
    }
}
