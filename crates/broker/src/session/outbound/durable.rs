//! What of the queue is logged, and what may be sent only once that is durable.

use std::num::NonZeroU16;

use tidegate_mqtt::QoS;

use super::{
    Outbound,
    entry::{Entry, State},
};
use crate::persist::Place;

impl Outbound {
    /// Whether what becomes of messages is to be logged from now on.
    pub(crate) fn keep(&mut self, keep: bool) {
        if keep && !self.kept {
            self.durable_to = self.next_sequence - 1;
        }
        self.kept = keep;
        if !keep {
            self.finished = Vec::new();
            self.entries.iter_mut().for_each(|entry| entry.settled = true);
        }
    }

    /// Call `log` with what is done with since the last call.
    pub(crate) fn take_finished(&mut self, log: impl FnMut((u64, Place))) {
        // So it is after nearly every step: nothing of what is not kept is ever listed.
        if !self.finished.is_empty() {
            self.finished.drain(..).for_each(log);
        }
    }

    /// That the youngest message was queued is logged, at `record`.
    pub(crate) fn logged(&mut self, record: Place) {
        if let Some(youngest) = self.entries.back_mut() {
            youngest.record = record;
        }
    }

    /// The client is back: what no connection has sent waits, so that a crash cannot forget that it may have been sent. Whether
    /// there is such a message.
    pub(crate) fn resume(&mut self) -> bool {
        self.resuming = self.kept && self.entries.iter().any(Entry::was_never_sent);
        self.resuming
    }

    /// That the client is back is durable.
    pub(crate) fn settle_resume(&mut self) {
        self.resuming = false;
    }

    /// The QoS 2 message `sequence`, and whatever is before it, is durable, or it is not: then it will not be sent.
    pub(crate) fn settle_delivery(&mut self, sequence: u64, durable: bool) {
        if durable {
            self.durable_to = self.durable_to.max(sequence);
            return;
        }
        let at = self.entries.partition_point(|entry| entry.sequence < sequence);
        // QoS 0 entries may bear the same number.
        let wanted = |entry: &&Entry| entry.sequence == sequence;
        let same = self.entries.iter().skip(at).take_while(wanted);
        if let Some(ahead) = same.clone().position(|entry| entry.qos == QoS::ExactlyOnce)
            && self.entries[at + ahead].state == State::Waiting
        {
            self.finish_waiting(at + ahead);
        }
    }

    /// That the client has the message of packet id `id` is durable.
    pub(crate) fn settle_release(&mut self, id: NonZeroU16) {
        if let Some(at) = self.find(id) {
            self.entries[at].settled = true;
        }
    }

    /// The sequence number of what was sent with packet id `id`.
    pub(crate) fn sequence_of(&self, id: NonZeroU16) -> Option<u64> {
        self.find(id).map(|at| self.entries[at].sequence)
    }

    /// The first sequence number that no connection has sent, nor one of an earlier process may have.
    pub(crate) fn unsent_from(&self) -> u64 {
        let unsent = |entry: &&Entry| entry.was_never_sent() && entry.qos != QoS::AtMostOnce;
        self.entries.iter().find(unsent).map_or(self.next_sequence, |entry| entry.sequence)
    }
}
