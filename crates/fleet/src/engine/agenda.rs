//! Who wants to be called when.

use std::{cmp::Reverse, collections::BinaryHeap};

/// Deadlines in microseconds, each with the number of a device.
///
/// Nothing is ever taken out but the earliest: an entry that has been overtaken by another is told by its owner, who
/// remembers the one that counts. A device has one entry that counts, and few others.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    entries: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Agenda {
    /// Calls for `device` at `at`.
    pub(super) fn add(&mut self, at: u64, device: u32) {
        self.entries.push(Reverse((at, device)));
    }

    /// The earliest entry, if it is due.
    pub(super) fn due(&mut self, now: u64) -> Option<(u64, u32)> {
        let Reverse((at, _)) = self.entries.peek()?;
        if *at > now { None } else { self.entries.pop().map(|Reverse(entry)| entry) }
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<u64> {
        self.entries.peek().map(|Reverse((at, _))| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_comes_in_the_order_of_its_time() {
        let mut agenda = Agenda::default();
        for (at, device) in [(30, 1), (10, 2), (20, 3), (10, 1)] {
            agenda.add(at, device);
        }
        assert_eq!(agenda.next(), Some(10));
        let due: Vec<_> = std::iter::from_fn(|| agenda.due(20)).collect();
        assert_eq!(due, [(10, 1), (10, 2), (20, 3)]);
        assert_eq!((agenda.due(29), agenda.next()), (None, Some(30)));
    }
}
