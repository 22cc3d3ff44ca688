//! Messages on their way from one client: QoS 2 until PUBREL, and acknowledgements held back.

use std::num::NonZeroU16;

/// The packet ids a client has in use towards us. A space of its own: ours towards the client are another.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    /// QoS 2 messages from PUBLISH to PUBREL. Few: bounded by Receive Maximum.
    received: Vec<Received>,
    /// QoS 1 messages whose PUBACK is held back.
    held: u16,
}

#[derive(Debug, Clone, Copy)]
struct Received {
    packet_id: NonZeroU16,
    /// PUBREC is held back until the message is durable.
    held: bool,
}

/// What a QoS 2 PUBLISH is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// A message not seen before, whatever its DUP says.
    New,
    /// Seen: answer PUBREC and do no more.
    Again,
    /// Seen, and PUBREC will be given once the message is durable.
    Pending,
    /// One more than Receive Maximum.
    TooMany,
}

impl Inbound {
    /// Messages not yet acknowledged to the end.
    fn len(&self) -> usize {
        self.received.len() + usize::from(self.held)
    }

    /// A QoS 2 PUBLISH arrives. Spec: 4.3.3, [MQTT-4.3.3-10] (5.0).
    pub(crate) fn begin(&mut self, packet_id: NonZeroU16, receive_maximum: u16) -> Begin {
        match self.received.iter().find(|received| received.packet_id == packet_id) {
            Some(Received { held: true, .. }) => Begin::Pending,
            Some(Received { held: false, .. }) => Begin::Again,
            None if self.len() >= usize::from(receive_maximum) => Begin::TooMany,
            None => {
                self.received.push(Received { packet_id, held: false });
                Begin::New
            }
        }
    }

    /// PUBREC waits for the message to be durable.
    pub(crate) fn hold(&mut self, packet_id: NonZeroU16) {
        if let Some(received) = self.received.iter_mut().find(|received| received.packet_id == packet_id) {
            received.held = true;
        }
    }

    /// PUBREC is due; whether it was held back.
    pub(crate) fn unhold(&mut self, packet_id: NonZeroU16) -> bool {
        let received = self.received.iter_mut().find(|received| received.packet_id == packet_id);
        received.is_some_and(|received| std::mem::replace(&mut received.held, false))
    }

    /// PUBREL, or a failure: whether the packet id was in use.
    pub(crate) fn release(&mut self, packet_id: NonZeroU16) -> bool {
        let at = self.received.iter().position(|received| received.packet_id == packet_id);
        at.map(|at| self.received.swap_remove(at)).is_some()
    }

    /// PUBACK of a QoS 1 message waits; false when that is one more than Receive Maximum.
    pub(crate) fn hold_puback(&mut self, receive_maximum: u16) -> bool {
        let room = self.len() < usize::from(receive_maximum);
        self.held += u16::from(room);
        room
    }

    /// A PUBACK that waited is given, or will not be.
    pub(crate) fn unhold_puback(&mut self) {
        self.held = self.held.saturating_sub(1);
    }

    /// The connection ended: PUBACKs that wait are owed to nobody, the client publishes again.
    pub(crate) fn disconnect(&mut self) {
        self.held = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_id_is_new_until_seen_and_after_its_release() {
        let id = |n| NonZeroU16::new(n).unwrap();
        let mut inbound = Inbound::default();
        assert_eq!(inbound.begin(id(1), 2), Begin::New);
        assert_eq!(inbound.begin(id(1), 2), Begin::Again);
        inbound.hold(id(1));
        assert_eq!(inbound.begin(id(1), 2), Begin::Pending);
        assert!(inbound.unhold(id(1)));
        assert!(!inbound.unhold(id(1)));
        assert_eq!(inbound.begin(id(2), 2), Begin::New);
        assert_eq!(inbound.begin(id(3), 2), Begin::TooMany);
        assert!(!inbound.hold_puback(2));
        assert!(inbound.release(id(1)));
        assert!(!inbound.release(id(1)));
        assert_eq!(inbound.begin(id(1), 2), Begin::New);
    }
}
