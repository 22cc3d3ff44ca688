//! How long to wait before the next attempt. Pure: chance is an argument.

use std::time::Duration;

/// Doubling from `first` to `longest`, each wait shortened by up to half by chance, so that many do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
}

impl Backoff {
    /// The wait after `failures` in a row, at least one; `chance` is any number.
    pub fn wait(&self, failures: u32, chance: u32) -> Duration {
        let doubled = self.first.saturating_mul(1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
        let whole = doubled.min(self.longest);
        whole - (whole / 2).mul_f64(f64::from(chance) / (f64::from(u32::MAX) + 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_differ_by_half_at_most() {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(300) };
        for (failures, whole) in
            [(0, 1), (1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (32, 300), (33, 300), (u32::MAX, 300)]
        {
            assert_eq!(backoff.wait(failures, 0), Duration::from_secs(whole), "{failures}");
            let shortest = backoff.wait(failures, u32::MAX).as_secs_f64();
            assert!((shortest - whole as f64 / 2.0).abs() < 0.001, "{failures}: {shortest}");
        }
    }
}
