//! Messages on their way from one client: QoS 2 until PUBREL, and acknowledgements in the order they are due.

use std::{collections::VecDeque, num::NonZeroU16};

use tidegate_mqtt::{QoS, ReasonCode};

use crate::seldom::Blank;

/// The packet ids a client has in use towards us. A space of its own: ours towards the client are another.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    /// QoS 2 messages from PUBLISH to PUBREL. Few: bounded by Receive Maximum.
    received: Vec<Received>,
    /// PUBACKs and PUBRECs of this connection not given yet, from the first one that waits for its message to be
    /// durable. Spec: [MQTT-4.6.0-2], [MQTT-4.6.0-3] (5.0): they keep the order of the PUBLISH packets.
    owed: VecDeque<Owed>,
    /// How many of these are PUBACKs.
    pubacks: usize,
    /// The number of the first of these: all before it were given, or their connection ended.
    first: u64,
    /// No PUBACK that waits has a packet id beyond this.
    largest: u16,
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

impl Blank for Inbound {
    const BLANK: &'static Self =
        &Self { received: Vec::new(), owed: VecDeque::new(), pubacks: 0, first: 0, largest: 0 };
}

impl Inbound {
    /// Messages not yet acknowledged to the end.
    fn len(&self) -> usize {
        self.received.len() + self.pubacks
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
        if qos == QoS::ExactlyOnce
            && let Some(received) = self.received.iter_mut().find(|received| received.packet_id == packet_id)
        {
            received.held = true;
        }
        if !self.waits(qos, packet_id) {
            self.push(Owed { qos, packet_id, code: None });
        }
        true
    }

    /// Whether this answer is owed and its code not known. Clients count their packet ids up, so a PUBACK is mostly known to be new
    /// without a look at those that wait.
    fn waits(&mut self, qos: QoS, packet_id: NonZeroU16) -> bool {
        if qos == QoS::AtLeastOnce && packet_id.get() > self.largest {
            self.largest = packet_id.get();
            return false;
        }
        let mut found = false;
        let mut largest = packet_id.get();
        for owed in self.owed.iter().filter(|owed| owed.qos == qos && owed.code.is_none()) {
            found |= owed.packet_id == packet_id;
            largest = largest.max(owed.packet_id.get());
        }
        if qos == QoS::AtLeastOnce {
            self.largest = largest;
        }
        found
    }

    fn push(&mut self, owed: Owed) {
        self.pubacks += usize::from(owed.qos == QoS::AtLeastOnce);
        self.owed.push_back(owed);
    }

    /// The number behind the last answer that is owed.
    pub(crate) fn behind(&self) -> u64 {
        self.first + self.owed.len() as u64
    }

    /// The QoS 1 messages whose answers have numbers before `behind` are durable, or cannot be: `code` answers those that wait.
    pub(crate) fn unhold_pubacks(&mut self, behind: u64, code: ReasonCode) {
        let count = usize::try_from(behind.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let waiting = self.owed.iter_mut().take(count).filter(|owed| owed.qos == QoS::AtLeastOnce);
        waiting.for_each(|owed| owed.code = owed.code.or(Some(code)));
    }

    /// The QoS 2 message is durable, or cannot be: its answer is `code`. Whether its packet id became free by it.
    pub(crate) fn unhold(&mut self, packet_id: NonZeroU16, code: ReasonCode) -> bool {
        self.settle(packet_id);
        let freed = code.is_failure() && self.release(packet_id);
        let qos = QoS::ExactlyOnce;
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
            self.push(Owed { qos, packet_id, code: Some(code) });
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
        self.first += 1;
        self.pubacks -= usize::from(qos == QoS::AtLeastOnce);
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
        self.first = self.behind();
        self.owed = VecDeque::new();
        (self.pubacks, self.largest) = (0, 0);
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
        inbound.unhold(id(1), ReasonCode::Success);
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
        inbound.hold(one, id(5), 9);
        let earlier = inbound.behind();
        inbound.disconnect();
        inbound.begin(id(2), 9);
        inbound.hold(one, id(1), 9);
        let behind = inbound.behind();
        inbound.hold(two, id(2), 9);
        assert!(inbound.owe(one, id(3), success, 3));
        assert!(!inbound.owe(one, id(4), success, 3));
        assert_eq!(inbound.next_due(), None);
        inbound.unhold(id(2), success);
        assert_eq!(inbound.next_due(), None);
        inbound.unhold_pubacks(earlier, success);
        assert_eq!(inbound.next_due(), None);
        inbound.unhold_pubacks(behind, ReasonCode::QuotaExceeded);
        let due: Vec<_> = std::iter::from_fn(|| inbound.next_due()).collect();
        assert_eq!(due, [(one, id(1), ReasonCode::QuotaExceeded), (two, id(2), success), (one, id(3), success)]);
        assert!(!inbound.owes());
    }

    #[test]
    fn a_puback_is_owed_once_whatever_the_order_of_packet_ids() {
        let one = QoS::AtLeastOnce;
        let mut inbound = Inbound::default();
        let due = |inbound: &mut Inbound| std::iter::from_fn(|| inbound.next_due()).map(|due| due.1.get()).collect();
        for n in [65_534, 65_535, 1, 2, 65_535, 1, 3] {
            assert!(inbound.hold(one, id(n), 9));
        }
        inbound.unhold_pubacks(inbound.behind(), ReasonCode::Success);
        let given: Vec<u16> = due(&mut inbound);
        assert_eq!(given, [65_534, 65_535, 1, 2, 3]);
        // An id that was answered may come again, and those before it that wait are still known.
        for n in [7, 3, 7, 8, 8] {
            assert!(inbound.hold(one, id(n), 4), "{n}");
        }
        assert!(!inbound.hold(one, id(9), 3));
        inbound.unhold_pubacks(inbound.behind() - 1, ReasonCode::Success);
        let given: Vec<u16> = due(&mut inbound);
        assert_eq!(given, [7, 3]);
        assert!(inbound.hold(one, id(9), 3));
        inbound.unhold_pubacks(inbound.behind(), ReasonCode::Success);
        let given: Vec<u16> = due(&mut inbound);
        assert_eq!((given, inbound.len()), (vec![8, 9], 0));
    }
}
