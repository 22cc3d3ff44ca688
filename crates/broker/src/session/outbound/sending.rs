//! What goes out on the present connection: in order, as far as the client's window and the bounds admit.

use std::num::NonZeroU16;

use tidegate_mqtt::QoS;

use super::{
    Outbound,
    entry::{Entry, IDS, State, cost, packet_id},
};
use crate::message::Stamped;

/// The next thing to send.
#[derive(Debug)]
pub(crate) enum Next<'a> {
    /// PUBLISH, with DUP when it was sent on an earlier connection, or may have been.
    Publish { entry: &'a Entry, message: &'a Stamped, packet_id: Option<NonZeroU16>, dup: bool },
    /// PUBREL, owed since an earlier connection.
    Release(NonZeroU16),
}

impl Outbound {
    /// Whether `next` is about the message that was pushed last.
    pub(crate) fn is_at_youngest(&self) -> bool {
        self.cursor + 1 == self.entries.len()
    }

    /// The next thing to send; tell what became of it by [`sent`](Self::sent) or [`skip`](Self::skip).
    /// `None`: nothing, or a PUBLISH that must wait for an acknowledgement. `quota` is what the client's window admits,
    /// `bytes_max` bounds what is sent and not acknowledged.
    pub(crate) fn next(&mut self, quota: u16, bytes_max: usize) -> Option<Next<'_>> {
        while self.entries.get(self.cursor)?.state == State::Done {
            self.cursor += 1;
            self.trim();
        }
        let oldest = self.entries.front()?.sequence;
        let entry = &self.entries[self.cursor];
        if entry.state == State::Released {
            if self.kept && !entry.settled {
                return None;
            }
            return Some(Next::Release(packet_id(entry.sequence)));
        }
        if self.resuming && entry.was_never_sent() {
            return None;
        }
        let message = entry.message.as_ref().expect("a message is there until the client has it");
        if entry.qos == QoS::AtMostOnce {
            return Some(Next::Publish { entry, message, packet_id: None, dup: false });
        }
        let fits = self.unacknowledged_bytes == 0 || self.unacknowledged_bytes + cost(message) <= bytes_max;
        // Ids are unique among what is unacknowledged because they are fewer than its span.
        let durable = entry.qos != QoS::ExactlyOnce || !self.kept || entry.sequence <= self.durable_to;
        if quota == 0 || !fits || !durable || entry.sequence - oldest >= IDS {
            return None;
        }
        let packet_id = Some(packet_id(entry.sequence));
        Some(Next::Publish { entry, message, packet_id, dup: entry.state == State::Sent || entry.perhaps_sent })
    }

    /// What `next` gave is in the outbox.
    pub(crate) fn sent(&mut self) {
        let entry = &mut self.entries[self.cursor];
        let is_finished = entry.qos == QoS::AtMostOnce;
        match entry.state {
            State::Released | State::Done => {}
            State::Waiting | State::Sent => {
                let cost = cost(entry.message.as_ref().expect("a message is there until the client has it"));
                let (backlog, first) = (entry.backlog, entry.state == State::Waiting);
                if is_finished {
                    self.finish(self.cursor);
                } else {
                    entry.state = State::Sent;
                    entry.counted = true;
                    self.unacknowledged_bytes += cost;
                }
                if first {
                    self.not_waiting(backlog, cost);
                }
            }
        }
        self.cursor += 1;
        // Else there is nothing new to be forgotten.
        if is_finished {
            self.trim();
        }
    }

    /// What `next` gave will not be sent: it expired, is too large, or may not be received.
    pub(crate) fn skip(&mut self) {
        match self.entries[self.cursor].state {
            State::Waiting => self.finish_waiting(self.cursor),
            State::Sent | State::Released => self.finish(self.cursor),
            State::Done => {}
        }
        self.cursor += 1;
        self.trim();
    }

    /// The connection ended: everything unacknowledged will be sent again, what has QoS 0 is gone.
    pub(crate) fn rewind(&mut self) {
        for at in 0..self.entries.len() {
            if self.entries[at].qos == QoS::AtMostOnce && self.entries[at].state == State::Waiting {
                self.finish_waiting(at);
            }
            self.entries[at].counted = false;
        }
        self.cursor = 0;
        self.unacknowledged_bytes = 0;
        self.entries.retain(|entry| entry.state != State::Done);
        self.done = 0;
        self.finished.shrink_to(0);
        self.entries.shrink_to(self.entries.len().max(4));
    }
}
