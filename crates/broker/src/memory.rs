//! The memory budget: what queues, outboxes, retained messages and wills hold, of an account and of the process.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// What one account holds, counted for the process too.
///
/// Bytes are counted as if every queue had its own copy of a message, so that what is held is never more than this but for
/// a constant per message. Sessions report in steps of [`STEP`], so that the message path touches no shared counter.
#[derive(Debug)]
pub(crate) struct Memory {
    used: AtomicUsize,
    max: usize,
    process: Arc<Process>,
}

/// What the process holds.
#[derive(Debug)]
pub(crate) struct Process {
    used: AtomicUsize,
    max: usize,
}

/// Bytes in which sessions report.
const STEP: usize = 1024;

impl Process {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), max })
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Relaxed)
    }
}

impl Memory {
    pub(crate) fn new(max: usize, process: Arc<Process>) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), max, process })
    }

    /// Whether the budget of the account, or of the process, is used up. Two loads.
    pub(crate) fn is_used_up(&self) -> bool {
        self.used.load(Relaxed) >= self.max || self.process.used.load(Relaxed) >= self.process.max
    }

    /// What held `before` bytes holds `after` now.
    pub(crate) fn change(&self, before: usize, after: usize) {
        for used in [&self.used, &self.process.used] {
            if after > before {
                used.fetch_add(after - before, Relaxed);
            } else if after < before {
                used.fetch_sub(before - after, Relaxed);
            }
        }
    }

    /// Report `held` bytes, when they are not `reported` already, or a little less.
    pub(crate) fn report(&self, reported: &mut usize, held: usize) {
        if held > *reported || held + 2 * STEP <= *reported {
            let rounded = held.next_multiple_of(STEP);
            self.change(*reported, rounded);
            *reported = rounded;
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        let process = Arc::new(Process { used: AtomicUsize::new(0), max: usize::MAX });
        Self { used: AtomicUsize::new(0), max: usize::MAX, process }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reported_follows_what_is_held_in_steps() {
        let process = Process::new(3 * STEP);
        let (a, b) = (Memory::new(2 * STEP, process.clone()), Memory::new(usize::MAX, process.clone()));
        let (mut of_a, mut of_b) = (0, 0);
        for (held, reported) in [(1, STEP), (STEP, STEP), (0, STEP), (STEP + 1, 2 * STEP), (1, 2 * STEP), (0, 0)] {
            a.report(&mut of_a, held);
            assert_eq!((of_a, process.used()), (reported, reported), "{held}");
        }
        a.report(&mut of_a, 2 * STEP);
        assert!(a.is_used_up() && !b.is_used_up());
        b.report(&mut of_b, STEP);
        assert!(b.is_used_up(), "the process is");
        a.report(&mut of_a, 0);
        assert!(!a.is_used_up() && !b.is_used_up());
    }
}
