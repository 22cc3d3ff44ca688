//! How many certificates may register themselves in a second.

use std::{collections::HashMap, num::NonZeroU32};

use parking_lot::Mutex;
use tidegate_ids::{Monotonic, Tenant};

/// What AWS allows. AWS: quotas, "Maximum number of device certificates that can be registered per second" by
/// just-in-time registration: 15.
pub const AUTO_REGISTRATIONS_PER_SECOND_AWS: NonZeroU32 = NonZeroU32::new(15).expect("not zero");

/// What a listener's profile allows its CONNECTs. The default bounds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Certificates that register themselves in one account and region: so many at once, and so many each second. Over
    /// it a CONNECT is refused with [`Refusal::Throttled`](super::Refusal::Throttled) and nothing is written.
    pub auto_registrations_per_second: Option<NonZeroU32>,
}

/// A token bucket: holds one second's tokens, full at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bucket {
    /// Thousandths of a token.
    thousandths: u64,
    /// Up to when it has been filled.
    filled: Monotonic,
}

impl Bucket {
    fn full(per_second: NonZeroU32, now: Monotonic) -> Self {
        Self { thousandths: u64::from(per_second.get()) * 1000, filled: now }
    }

    /// What is in it at `now`.
    fn at(self, per_second: NonZeroU32, now: Monotonic) -> Self {
        let full = Self::full(per_second, now);
        // Two clocks' readings may be out of order between threads: the bucket is then as it was.
        let Some(elapsed) = now.millis().checked_sub(self.filled.millis()) else { return self };
        let gained = elapsed.saturating_mul(u64::from(per_second.get()));
        Self { thousandths: self.thousandths.saturating_add(gained).min(full.thousandths), filled: now }
    }
}

/// The buckets of the accounts in which certificates have lately registered themselves.
#[derive(Default)]
pub(crate) struct Registrations(Mutex<HashMap<Tenant, Bucket>>);

impl Registrations {
    /// Buckets kept. Beyond it the full ones are forgotten, which changes nothing, and then all.
    const BUCKETS_MAX: usize = 4096;

    /// Takes a token, if there is one.
    pub(super) fn take(&self, tenant: Tenant, limits: Limits, now: Monotonic) -> bool {
        let Some(per_second) = limits.auto_registrations_per_second else { return true };
        let mut buckets = self.0.lock();
        if buckets.len() >= Self::BUCKETS_MAX && !buckets.contains_key(&tenant) {
            let full = Bucket::full(per_second, now).thousandths;
            buckets.retain(|_, bucket| bucket.at(per_second, now).thousandths < full);
            if buckets.len() >= Self::BUCKETS_MAX {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(tenant).or_insert_with(|| Bucket::full(per_second, now));
        *bucket = bucket.at(per_second, now);
        match bucket.thousandths.checked_sub(1000) {
            Some(left) => {
                bucket.thousandths = left;
                true
            }
            None => false,
        }
    }

    /// Gives a token back: nothing was registered with it.
    pub(super) fn give_back(&self, tenant: Tenant) {
        if let Some(bucket) = self.0.lock().get_mut(&tenant) {
            bucket.thousandths = bucket.thousandths.saturating_add(1000);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(account: u64) -> Tenant {
        Tenant { account: tidegate_ids::AccountId::from_number(account), region: "eu-central-1".parse().unwrap() }
    }

    const FIFTEEN: Limits = Limits { auto_registrations_per_second: Some(AUTO_REGISTRATIONS_PER_SECOND_AWS) };

    #[test]
    fn a_bucket_holds_one_seconds_tokens_and_fills_with_time() {
        let registrations = Registrations::default();
        let taken = |account, millis| {
            let now = Monotonic::from_millis(millis);
            (0..100).filter(|_| registrations.take(tenant(account), FIFTEEN, now)).count()
        };
        for (account, millis, expected) in [
            (1, 0, 15),
            (1, 66, 0), // 0.99 of a token
            (1, 67, 1),
            (2, 67, 15), // each account has its own
            (1, 1067, 15),
            (1, 1000, 0), // a clock that went back gives nothing
            (1, u64::MAX, 15),
        ] {
            assert_eq!(taken(account, millis), expected, "{account} {millis}");
        }
        registrations.give_back(tenant(1));
        assert_eq!(taken(1, u64::MAX), 1);
        let now = Monotonic::from_millis(0);
        assert!((0..100).all(|_| registrations.take(tenant(3), Limits::default(), now)));
    }

    #[test]
    fn the_buckets_are_bounded() {
        let registrations = Registrations::default();
        for account in 0..2 * Registrations::BUCKETS_MAX as u64 {
            assert!(registrations.take(tenant(account), FIFTEEN, Monotonic::from_millis(0)));
        }
        assert!(registrations.0.lock().len() <= Registrations::BUCKETS_MAX);
    }
}
