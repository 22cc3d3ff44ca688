//! What is remembered of client ids whose sessions have ended: for an hour, and of so many.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tidegate_ids::{Monotonic, Rate};

use crate::LastConnection;

/// How long a client id is remembered. AWS: developer guide, "Lifecycle events": version numbers.
pub(crate) const PAST: Duration = Duration::from_secs(3600);
/// Client ids remembered: the oldest are forgotten early.
const PAST_MAX: usize = 2048;
/// Entries out of date that may stand in the queue whatever is remembered, so that few are not tidied up all the time.
const STALE_MIN: usize = 16;

/// What is remembered of a client id after its session.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    /// Of its last connection.
    pub(crate) version_number: u64,
    pub(crate) connects: Rate,
    pub(crate) last: Option<Arc<LastConnection>>,
    pub(crate) ends_at: Monotonic,
}

/// The pasts of some client ids.
///
/// **Invariant:** `ends` has an entry for each of `by_name`, and at most as many again that are out of date (and
/// [`STALE_MIN`]), however often one client comes and goes.
#[derive(Debug, Default)]
pub(crate) struct Pasts {
    by_name: HashMap<Arc<str>, Past>,
    /// By when they end, the earliest first.
    ends: VecDeque<(Monotonic, Arc<str>)>,
}

impl Pasts {
    /// What is remembered of `client_id` at `now`.
    pub(crate) fn get(&self, client_id: &str, now: Monotonic) -> Option<&Past> {
        self.by_name.get(client_id).filter(|past| past.ends_at > now)
    }

    /// Remember `client_id`, whose session ended at `now`. Cost: O(1), amortized.
    pub(crate) fn keep(&mut self, client_id: &Arc<str>, past: Past, now: Monotonic) {
        while self.by_name.len() >= PAST_MAX || self.ends.front().is_some_and(|(ends_at, _)| *ends_at <= now) {
            let Some(end) = self.ends.pop_front() else { break };
            if is_current(&self.by_name, &end) {
                self.by_name.remove(&end.1);
            }
        }
        self.ends.push_back((past.ends_at, client_id.clone()));
        self.by_name.insert(client_id.clone(), past);
        self.tidy();
    }

    /// Forget `client_id`: it has a session again.
    pub(crate) fn forget(&mut self, client_id: &str) {
        self.by_name.remove(client_id);
        self.tidy();
    }

    fn tidy(&mut self) {
        if self.ends.len() > 2 * self.by_name.len() + STALE_MIN {
            let Self { by_name, ends } = self;
            ends.retain(|end| is_current(by_name, end));
        }
    }
}

fn is_current(by_name: &HashMap<Arc<str>, Past>, (ends_at, client_id): &(Monotonic, Arc<str>)) -> bool {
    by_name.get(client_id).is_some_and(|past| past.ends_at == *ends_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(pasts: &mut Pasts, client_id: &str, version_number: u64, now: Monotonic) {
        let past = Past { version_number, connects: Rate::default(), last: None, ends_at: now + PAST };
        pasts.keep(&client_id.into(), past, now);
    }

    fn versions(pasts: &Pasts, client_ids: &[&str], now: Monotonic) -> Vec<Option<u64>> {
        client_ids.iter().map(|client_id| pasts.get(client_id, now).map(|past| past.version_number)).collect()
    }

    #[test]
    fn one_that_comes_and_goes_neither_displaces_others_nor_piles_up() {
        let (mut pasts, start) = (Pasts::default(), Monotonic::from_millis(1));
        ended(&mut pasts, "quiet", 7, start);
        for version in 0..10 * PAST_MAX as u64 {
            pasts.forget("restless");
            ended(&mut pasts, "restless", version, start + Duration::from_millis(version));
            assert!(pasts.ends.len() <= 2 * 2 + STALE_MIN, "{} entries for two clients", pasts.ends.len());
        }
        let now = start + Duration::from_millis(10 * PAST_MAX as u64);
        assert_eq!(versions(&pasts, &["quiet", "restless"], now), [Some(7), Some(10 * PAST_MAX as u64 - 1)]);
    }

    #[test]
    fn the_oldest_are_forgotten_when_there_are_too_many() {
        let (mut pasts, start) = (Pasts::default(), Monotonic::from_millis(1));
        for number in 0..=PAST_MAX as u64 {
            ended(&mut pasts, &format!("client-{number}"), number, start + Duration::from_millis(number));
        }
        let now = start + Duration::from_secs(10);
        let last = format!("client-{PAST_MAX}");
        assert_eq!(
            versions(&pasts, &["client-0", "client-1", &last], now),
            [None, Some(1), Some(PAST_MAX as u64)],
            "of {}",
            pasts.by_name.len()
        );
    }

    #[test]
    fn nobody_is_remembered_longer_than_an_hour() {
        let (mut pasts, start) = (Pasts::default(), Monotonic::from_millis(1));
        ended(&mut pasts, "early", 1, start);
        let hour = start + PAST;
        assert_eq!(versions(&pasts, &["early"], hour), [None]);
        ended(&mut pasts, "late", 2, hour);
        assert_eq!((pasts.by_name.len(), pasts.ends.len()), (1, 1));
    }
}
