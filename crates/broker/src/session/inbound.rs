//! Messages on their way from one client: QoS 2 until PUBREL, and acknowledgements in the order they are due.

use std::{collections::VecDeque, num::NonZeroU16};

use tidegate_mqtt::{QoS, ReasonCode};

/// The packet ids a client has in use towards us. A space of its own: ours towards the client are another.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    /// QoS 2 messages from PUBLISH to PUBREL. Few: bounded by Receive Maximum.
    received: Vec<Received>,
    /// PUBACKs and PUBRECs of this connection not given yet, from the first one that waits for its message to be
    /// durable. Spec: [MQTT-4.6.0-2], [MQTT-4.6.0-3] (5.0): they keep the order of the PUBLISH packets.
    owed: VecDeque<Owed>,
}

#[derive(Debug, Clone, Copy)]
struct Received {
    packet_id: NonZeroU16,
    /// What becomes of the message is not known yet, or not durable.
    held: bool,
}

/// A PUBACK or PUBREC, with its code once that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owed {
    pub(crate) qos: QoS,
    pub(crate) packet_id: NonZeroU16,
    pub(crate) code: Option<ReasonCode>,
}

/// What a QoS 2 PUBLISH is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// A message not seen before, whatever its DUP says.
    New,
    /// Seen: answer PUBREC and do no more.
    Again,
    /// Seen, and what became of it is not known yet, or not durable: PUBREC is to be held.
    Pending,
    /// One more than Receive Maximum.
    TooMany,
}

impl Inbound {
    /// Messages not yet acknowledged to the end.
    fn len(&self) -> usize {
        self.received.len() + self.owed.iter().filter(|owed| owed.qos == QoS::AtLeastOnce).count()
    }

    /// A QoS 2 PUBLISH arrives. Spec: 4.3.3, [MQTT-4.3.3-10] (5.0).
    pub(crate) fn begin(&mut self, packet_id: NonZeroU16, receive_maximum: u16) -> Begin {
        match self.received.iter().find(|received| received.packet_id == packet_id) {
            Some(Received { held: true, .. }) => Begin::Pending,
            Some(Received { held: false, .. }) => Begin::Again,
            None if self.len() >= usize::from(receive_maximum) => Begin::TooMany,
            None => {
                // Until its answer is known: the client may ask again meanwhile, on another connection and core.
                self.received.push(Received { packet_id, held: true });
                Begin::New
            }
        }
    }

    /// The answer waits for the message to be durable; false when that is one more than Receive Maximum.
    pub(crate) fn hold(&mut self, qos: QoS, packet_id: NonZeroU16, receive_maximum: u16) -> bool {
        if qos == QoS::AtLeastOnce && self.len() >= usize::from(receive_maximum) {
            return false;
        }
        if let Some(received) = self.received.iter_mut().find(|received| received.packet_id == packet_id) {
            received.held |= qos == QoS::ExactlyOnce;
        }
        let waits = |owed: &Owed| owed.qos == qos && owed.packet_id == packet_id && owed.code.is_none();
        if !self.owed.iter().any(waits) {
            self.owed.push_back(Owed { qos, packet_id, code: None });
        }
        true
    }

    /// The message is durable, or cannot be: its answer is `code`. `same_connection`: that it was published on. Whether a
    /// QoS 2 packet id became free by it.
    pub(crate) fn unhold(&mut self, qos: QoS, packet_id: NonZeroU16, code: ReasonCode, same_connection: bool) -> bool {
        let mut freed = false;
        if qos == QoS::ExactlyOnce {
            self.settle(packet_id);
            freed = code.is_failure() && self.release(packet_id);
        } else if !same_connection {
            // The packet id may be another message's by now.
            return false;
        }
        let waits = |owed: &&mut Owed| owed.qos == qos && owed.packet_id == packet_id && owed.code.is_none();
        if let Some(owed) = self.owed.iter_mut().find(waits) {
            owed.code = Some(code);
        }
        freed
    }

    /// What becomes of a QoS 2 message is known.
    pub(crate) fn settle(&mut self, packet_id: NonZeroU16) {
        if let Some(received) = self.received.iter_mut().find(|received| received.packet_id == packet_id) {
            received.held = false;
        }
    }

    /// An answer that is known, behind those that wait; false when the client should have waited for them.
    pub(crate) fn owe(&mut self, qos: QoS, packet_id: NonZeroU16, code: ReasonCode, receive_maximum: u16) -> bool {
        let room = self.owed.len() < usize::from(receive_maximum);
        if room {
            self.owed.push_back(Owed { qos, packet_id, code: Some(code) });
        }
        room
    }

    /// Whether answers wait, so that others must queue up.
    pub(crate) fn owes(&self) -> bool {
        !self.owed.is_empty()
    }

    /// The next answer that may be given.
    pub(crate) fn next_due(&mut self) -> Option<(QoS, NonZeroU16, ReasonCode)> {
        let &Owed { qos, packet_id, code } = self.owed.front()?;
        let code = code?;
        self.owed.pop_front();
        Some((qos, packet_id, code))
    }

    /// PUBREL, or a failure: whether the packet id was in use.
    pub(crate) fn release(&mut self, packet_id: NonZeroU16) -> bool {
        let at = self.received.iter().position(|received| received.packet_id == packet_id);
        at.map(|at| self.received.swap_remove(at)).is_some()
    }

    /// The packet ids of a session of an earlier process whose PUBREL has not come.
    pub(crate) fn restore(&mut self, packet_ids: impl IntoIterator<Item = NonZeroU16>) {
        self.received.extend(packet_ids.into_iter().map(|packet_id| Received { packet_id, held: false }));
    }

    /// The connection ended: nothing is owed to it any more; the client publishes again.
    pub(crate) fn disconnect(&mut self) {
        self.owed = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u16) -> NonZeroU16 {
        NonZeroU16::new(n).unwrap()
    }

    #[test]
    fn a_packet_id_is_new_until_seen_and_after_its_release() {
        let mut inbound = Inbound::default();
        assert_eq!(inbound.begin(id(1), 2), Begin::New);
        assert_eq!(inbound.begin(id(1), 2), Begin::Pending);
        inbound.settle(id(1));
        assert_eq!(inbound.begin(id(1), 2), Begin::Again);
        assert!(inbound.hold(QoS::ExactlyOnce, id(1), 2));
        assert_eq!(inbound.begin(id(1), 2), Begin::Pending);
        inbound.unhold(QoS::ExactlyOnce, id(1), ReasonCode::Success, false);
        assert_eq!(inbound.begin(id(1), 2), Begin::Again);
        assert_eq!(inbound.begin(id(2), 2), Begin::New);
        assert_eq!(inbound.begin(id(3), 2), Begin::TooMany);
        assert!(!inbound.hold(QoS::AtLeastOnce, id(9), 2));
        assert!(inbound.release(id(1)));
        assert!(!inbound.release(id(1)));
        assert_eq!(inbound.begin(id(1), 2), Begin::New);
    }

    #[test]
    fn answers_keep_the_order_of_what_they_answer() {
        let (one, two, success) = (QoS::AtLeastOnce, QoS::ExactlyOnce, ReasonCode::Success);
        let mut inbound = Inbound::default();
        inbound.begin(id(2), 9);
        inbound.hold(one, id(1), 9);
        inbound.hold(two, id(2), 9);
        assert!(inbound.owe(one, id(3), success, 3));
        assert!(!inbound.owe(one, id(4), success, 3));
        assert_eq!(inbound.next_due(), None);
        inbound.unhold(two, id(2), success, true);
        assert_eq!(inbound.next_due(), None);
        inbound.unhold(one, id(1), success, false); // of an earlier connection
        assert_eq!(inbound.next_due(), None);
        inbound.unhold(one, id(1), ReasonCode::QuotaExceeded, true);
        let due: Vec<_> = std::iter::from_fn(|| inbound.next_due()).collect();
        assert_eq!(due, [(one, id(1), ReasonCode::QuotaExceeded), (two, id(2), success), (one, id(3), success)]);
        assert!(!inbound.owes());
    }
}
