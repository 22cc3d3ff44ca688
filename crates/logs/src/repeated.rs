//! How often the log tells of one thing: at once, then every ten seconds, with how often it was in between.

use std::{collections::HashMap, hash::Hash, time::Duration};

use tidegate_ids::Monotonic;

/// Between two entries about one thing.
const INTERVAL: Duration = Duration::from_secs(10);
/// Things remembered. When all of them are younger than the interval, others are counted only.
const REMEMBERED_MAX: usize = 4096;

/// What was told lately; `K` is what it was about.
#[derive(Debug)]
pub struct Repeated<K> {
    told: HashMap<K, Told>,
    /// When the oldest may be forgotten, as far as is known.
    room_at: Monotonic,
}

#[derive(Debug)]
struct Told {
    at: Monotonic,
    /// Times since then.
    times: u64,
}

impl<K> Default for Repeated<K> {
    fn default() -> Self {
        Self { told: HashMap::new(), room_at: Monotonic::default() }
    }
}

impl<K: Eq + Hash> Repeated<K> {
    /// Notes that it was so `times` more; how often it was since the last entry, when it is time for one.
    pub fn note(&mut self, about: K, times: u64, now: Monotonic) -> Option<u64> {
        if let Some(told) = self.told.get_mut(&about) {
            told.times += times;
            if now.since(told.at) < INTERVAL {
                return None;
            }
            told.at = now;
            return Some(std::mem::take(&mut told.times));
        }
        if self.told.len() >= REMEMBERED_MAX && now >= self.room_at {
            self.told.retain(|_, told| now.since(told.at) < INTERVAL);
            self.room_at = self.told.values().map(|told| told.at).min().unwrap_or(now) + INTERVAL;
        }
        if self.told.len() >= REMEMBERED_MAX {
            return None;
        }
        self.told.insert(about, Told { at: now, times: 0 });
        Some(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excess_is_told_at_once_and_then_every_ten_seconds_with_its_sum() {
        let mut log = Repeated::default();
        for (seconds, about, told) in [
            (0, "one", Some(2)),
            (1, "other", Some(2)),
            (1, "one", None),
            (9, "one", None),
            (10, "one", Some(6)),
            (10, "other", None),
            (11, "other", Some(4)),
            (19, "one", None),
            (40, "one", Some(4)),
        ] {
            assert_eq!(log.note(about, 2, Monotonic::from_millis(seconds * 1000)), told, "{seconds}");
        }
    }

    #[test]
    fn many_are_not_remembered_for_ever() {
        let mut log = Repeated::default();
        let at = Monotonic::from_millis;
        for number in 0..REMEMBERED_MAX {
            assert_eq!(log.note(number, 2, at(number as u64 / 2)), Some(2));
        }
        assert_eq!(log.note(REMEMBERED_MAX, 2, at(9999)), None);
        assert_eq!(log.note(REMEMBERED_MAX, 2, at(10_000)), Some(2));
        assert_eq!(log.told.len(), REMEMBERED_MAX - 1);
        assert_eq!(log.note(REMEMBERED_MAX + 1, 2, at(20_000)), Some(2));
        assert_eq!(log.note(REMEMBERED_MAX + 2, 2, at(20_000)), Some(2));
    }
}
