//! So many per second: a bucket that holds a second's worth, as one number.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::Monotonic;

/// Microseconds of a second: what a full bucket holds.
const SECOND: u64 = 1_000_000;

/// What was taken lately, by when the bucket will be full again, in microseconds since the start.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Rate(u64);

/// A [`Rate`] that cores share.
#[derive(Debug, Default)]
pub struct SharedRate(AtomicU64);

impl Rate {
    /// Take one of `per_second`; false, and nothing is taken, when a second's worth is used up.
    pub fn take(&mut self, per_second: u32, now: Monotonic) -> bool {
        let taken = after(self.0, per_second, 1, now);
        let allowed = taken <= micros(now) + SECOND;
        if allowed {
            self.0 = taken;
        }
        allowed
    }

    /// Whether nothing was taken lately: it is as good as a new one.
    pub fn is_full(self, now: Monotonic) -> bool {
        self.0 <= micros(now)
    }

    /// Take `amount` of `per_second`, whatever is there: more than there was must be waited for.
    pub fn owe(&mut self, per_second: u32, amount: usize, now: Monotonic) {
        self.0 = after(self.0, per_second, amount as u64, now);
    }

    /// When nothing is owed any more; `None`: nothing is.
    pub fn settled_at(self, now: Monotonic) -> Option<Monotonic> {
        let ahead = self.0.checked_sub(micros(now) + SECOND).filter(|ahead| *ahead > 0)?;
        Some(Monotonic::from_millis(now.millis().saturating_add(ahead.div_ceil(1000))))
    }
}

impl SharedRate {
    /// As [`Rate::take`].
    pub fn take(&self, per_second: u32, now: Monotonic) -> bool {
        let take = |full_at| Some(after(full_at, per_second, 1, now)).filter(|taken| *taken <= micros(now) + SECOND);
        self.0.fetch_update(Relaxed, Relaxed, take).is_ok()
    }

    /// Take one of `per_second`, whatever is there: when it may be used. Nobody who asks later may use his earlier, nor may
    /// [`take`](Self::take) pass by.
    pub fn reserve(&self, per_second: u32, now: Monotonic) -> Monotonic {
        let reserve = |full_at| Some(after(full_at, per_second, 1, now));
        let before = match self.0.fetch_update(Relaxed, Relaxed, reserve) {
            Ok(before) | Err(before) => before,
        };
        let usable = after(before, per_second, 1, now).saturating_sub(SECOND).div_ceil(1000);
        Monotonic::from_millis(usable.max(now.millis()))
    }
}

fn micros(now: Monotonic) -> u64 {
    now.millis().saturating_mul(1000)
}

fn after(full_at: u64, per_second: u32, amount: u64, now: Monotonic) -> u64 {
    let cost = amount.saturating_mul(SECOND) / u64::from(per_second.max(1));
    full_at.max(micros(now)).saturating_add(cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Monotonic {
        Monotonic::from_millis(5000 + millis)
    }

    #[test]
    fn a_second_holds_so_many_and_no_more() {
        for per_second in [1, 3, 100, 20_000] {
            let (mut rate, shared) = (Rate::default(), SharedRate::default());
            for _ in 0..per_second {
                assert!(rate.take(per_second, at(0)) && shared.take(per_second, at(0)), "{per_second}");
            }
            assert!(!rate.take(per_second, at(0)) && !shared.take(per_second, at(0)), "{per_second}");
            let later = at(1000_u64.div_ceil(u64::from(per_second)) + 1);
            assert!(rate.take(per_second, later) && shared.take(per_second, later), "{per_second}");
        }
    }

    #[test]
    fn who_reserves_waits_for_those_before_and_nobody_passes_by() {
        let shared = SharedRate::default();
        assert_eq!(shared.reserve(2, at(0)), at(0));
        assert!(shared.take(2, at(0)));
        for wait in [500, 1000, 1500] {
            assert_eq!(shared.reserve(2, at(0)), at(wait));
        }
        assert!(!shared.take(2, at(1999)));
        assert!(shared.take(2, at(2000)));
        assert_eq!(shared.reserve(2, at(2000)), at(2500));
    }

    #[test]
    fn what_was_taken_is_there_again_after_its_time() {
        let mut rate = Rate::default();
        assert!(rate.is_full(at(0)) && rate.take(10, at(0)) && !rate.is_full(at(99)) && rate.is_full(at(100)));
    }

    #[test]
    fn what_is_owed_is_waited_for() {
        let mut rate = Rate::default();
        rate.owe(1000, 900, at(0));
        assert_eq!(rate.settled_at(at(0)), None);
        rate.owe(1000, 600, at(0));
        assert_eq!(rate.settled_at(at(0)), Some(at(500)));
        assert_eq!(rate.settled_at(at(500)), None);
    }
}
