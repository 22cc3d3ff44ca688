//! What is counted while a fleet runs.

use std::collections::BTreeMap;

use tidegate_mqtt::ReasonCode;

use crate::{histogram::Histogram, trouble::Trouble, verify::Verdict};

/// Most different troubles that are kept apart; a broker could invent them.
const TROUBLES_MAX: usize = 64;

/// What one thread, or all, have counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Devices that are in now.
    pub(crate) connected: u64,
    /// Devices that have been in.
    pub(crate) arrived: u64,
    /// Devices that never were, and have given up.
    pub(crate) given_up: u64,
    /// Attempts to connect.
    pub(crate) attempts: u64,
    /// Those that the broker refused.
    pub(crate) refused: u64,
    /// Those that failed for other reasons.
    pub(crate) failed: u64,
    /// Connections that were lost while they worked.
    pub(crate) lost: u64,
    /// Connections that the scenario ended: churn and storms.
    pub(crate) ended: u64,
    /// Kept sessions that the broker did not have any more.
    pub(crate) sessions_lost: u64,
    /// Messages published, by QoS; without repetitions.
    pub(crate) sent: [u64; 3],
    /// Messages of QoS 1 and 2 that the broker has taken.
    pub(crate) acked: u64,
    /// Messages sent again, in a session that was kept.
    pub(crate) resent: u64,
    /// Messages whose session ended before their acknowledgement.
    pub(crate) abandoned: u64,
    /// Messages that were due while a device was away for so long that they were given up.
    pub(crate) skipped: u64,
    /// Messages that the broker refused, by its reason.
    pub(crate) refused_messages: BTreeMap<ReasonCode, u64>,
    /// Messages that came.
    pub(crate) received: u64,
    /// Messages that were due at the end, and not sent.
    pub(crate) unsent: u64,
    /// Messages that were sent, and not acknowledged at the end.
    pub(crate) unacked: u64,
    /// From when a message was to be sent until it came.
    pub(crate) latency: Histogram,
    /// The same, since somebody looked last.
    pub(crate) recent: Histogram,
    /// From when a message was to be sent until it was acknowledged.
    pub(crate) ack: Histogram,
    /// From TCP's first packet to CONNACK, of attempts that succeeded.
    pub(crate) connect: Histogram,
    /// From a device's first attempt until it works: CONNACK 0, and all subscriptions granted.
    pub(crate) working: Histogram,
    /// What went wrong: how often, and the first device that met it.
    pub(crate) troubles: BTreeMap<Trouble, (u64, u32)>,
    /// What will never go right.
    pub(crate) hopeless: Option<(Trouble, u32)>,
    /// What verification came to; there at the end.
    pub(crate) verdict: Verdict,
}

impl Tally {
    /// A device has met something.
    pub(crate) fn meet(&mut self, trouble: Trouble, device: u32) {
        if let Some((count, _)) = self.troubles.get_mut(&trouble) {
            *count += 1;
        } else if self.troubles.len() < TROUBLES_MAX {
            self.troubles.insert(trouble, (1, device));
        }
    }

    /// Adds what another thread has counted.
    pub(crate) fn add(&mut self, other: &Self) {
        for (own, others) in [
            (&mut self.connected, other.connected),
            (&mut self.arrived, other.arrived),
            (&mut self.given_up, other.given_up),
            (&mut self.attempts, other.attempts),
            (&mut self.refused, other.refused),
            (&mut self.failed, other.failed),
            (&mut self.lost, other.lost),
            (&mut self.ended, other.ended),
            (&mut self.sessions_lost, other.sessions_lost),
            (&mut self.acked, other.acked),
            (&mut self.resent, other.resent),
            (&mut self.abandoned, other.abandoned),
            (&mut self.skipped, other.skipped),
            (&mut self.received, other.received),
            (&mut self.unsent, other.unsent),
            (&mut self.unacked, other.unacked),
        ] {
            *own += others;
        }
        for (own, others) in self.sent.iter_mut().zip(other.sent) {
            *own += others;
        }
        for (code, count) in &other.refused_messages {
            *self.refused_messages.entry(*code).or_default() += count;
        }
        for (trouble, (count, device)) in &other.troubles {
            let (own, first) = self.troubles.entry(trouble.clone()).or_insert((0, *device));
            (*own, *first) = (*own + count, (*first).min(*device));
        }
        self.hopeless = self.hopeless.take().or_else(|| other.hopeless.clone());
        self.latency.add(&other.latency);
        self.recent.add(&other.recent);
        self.ack.add(&other.ack);
        self.connect.add(&other.connect);
        self.working.add(&other.working);
        self.verdict.add(&other.verdict);
    }
}
