//! How often the log tells of one client and one quota: at once, then every ten seconds, with how often it was in between.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tidegate_broker::{Exceeded, Quota};
use tidegate_ids::{Monotonic, Tenant};

/// Between two entries about one client and one quota.
const INTERVAL: Duration = Duration::from_secs(10);
/// Clients and quotas remembered. When all of them are younger than the interval, others are counted only.
const REMEMBERED_MAX: usize = 4096;

/// What was told lately.
#[derive(Debug, Default)]
pub(crate) struct QuotaLog(HashMap<(Tenant, Arc<str>, Quota), Told>);

#[derive(Debug)]
struct Told {
    at: Monotonic,
    /// Times since then.
    times: u64,
}

impl QuotaLog {
    /// Notes an excess; how often it was since the last entry, when it is time for one.
    pub(crate) fn note(&mut self, exceeded: &Exceeded, now: Monotonic) -> Option<u64> {
        let Exceeded { tenant, client_id, quota, times } = exceeded;
        let key = (*tenant, client_id.clone(), *quota);
        if let Some(told) = self.0.get_mut(&key) {
            told.times += times;
            if now.since(told.at) < INTERVAL {
                return None;
            }
            told.at = now;
            return Some(std::mem::take(&mut told.times));
        }
        if self.0.len() >= REMEMBERED_MAX {
            self.0.retain(|_, told| now.since(told.at) < INTERVAL);
        }
        if self.0.len() >= REMEMBERED_MAX {
            return None;
        }
        self.0.insert(key, Told { at: now, times: 0 });
        Some(*times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exceeded(client_id: &str, quota: Quota) -> Exceeded {
        let tenant = Tenant { account: "123456789012".parse().unwrap(), region: "us-east-1".parse().unwrap() };
        Exceeded { tenant, client_id: client_id.into(), quota, times: 2 }
    }

    #[test]
    fn an_excess_is_told_at_once_and_then_every_ten_seconds_with_its_sum() {
        let (one, other) = (exceeded("c", Quota::Memory), exceeded("c", Quota::Throughput));
        let mut log = QuotaLog::default();
        for (seconds, exceeded, told) in [
            (0, &one, Some(2)),
            (1, &other, Some(2)),
            (1, &one, None),
            (9, &one, None),
            (10, &one, Some(6)),
            (10, &other, None),
            (11, &other, Some(4)),
            (19, &one, None),
            (40, &one, Some(4)),
        ] {
            assert_eq!(log.note(exceeded, Monotonic::from_millis(seconds * 1000)), told, "{seconds}");
        }
    }

    #[test]
    fn many_clients_are_not_remembered_for_ever() {
        let mut log = QuotaLog::default();
        let at = Monotonic::from_millis;
        let told =
            |log: &mut QuotaLog, number: usize, now| log.note(&exceeded(&number.to_string(), Quota::Memory), now);
        for number in 0..REMEMBERED_MAX {
            assert_eq!(told(&mut log, number, at(0)), Some(2));
        }
        assert_eq!(told(&mut log, REMEMBERED_MAX, at(9999)), None);
        assert_eq!(told(&mut log, REMEMBERED_MAX, at(10_000)), Some(2));
        assert_eq!(log.0.len(), 1);
    }
}
