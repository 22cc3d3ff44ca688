//! One client of a simulation, and what the naive model expects for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tidegate_mqtt::{Packet, QoS};

use crate::world::{Client, Message};

/// One client: what it would remember itself, and what the model expects for its session.
#[derive(Default)]
pub(super) struct Actor {
    pub(super) name: String,
    pub(super) client: Option<Client>,
    pub(super) keeps_session: bool,
    // As a publisher.
    pub(super) next_id: u16,
    pub(super) count: usize,
    /// Published and not acknowledged to the end, in order.
    pub(super) unacknowledged: VecDeque<Sent>,
    // As a subscriber.
    pub(super) filters: BTreeMap<&'static str, QoS>,
    /// Acknowledgements it has not given yet.
    pub(super) owed: Vec<Packet<'static>>,
    /// QoS 2 packet ids between PUBLISH and PUBREL.
    pub(super) incomplete: BTreeSet<u16>,
    pub(super) arrived: Vec<Message>,
    /// What was published for it, by the QoS it must arrive with; repetitions apart.
    pub(super) expected: BTreeMap<String, u8>,
    /// What a killed process had begun to deliver and did not keep: it may come twice.
    pub(super) uncertain: BTreeSet<String>,
    /// Packet ids and payloads that came: whatever comes again has DUP.
    pub(super) seen: BTreeSet<(u16, String)>,
    /// What its publisher sent again: a message of its own, which a killed process may have forgotten.
    pub(super) published_again: BTreeSet<String>,
}

pub(super) struct Sent {
    pub(super) packet_id: u16,
    pub(super) topic: &'static str,
    pub(super) payload: String,
    pub(super) qos: QoS,
    /// The broker has it.
    pub(super) handled: bool,
    pub(super) released: bool,
}

fn payload_number(payload: &str) -> usize {
    payload.rsplit_once(' ').unwrap().1.parse().unwrap()
}

impl Actor {
    pub(super) fn forget_session(&mut self) {
        self.check_order_only();
        let Self { name, count, next_id, .. } = std::mem::take(self);
        *self = Self { name, count, next_id, ..Self::default() };
    }

    pub(super) fn arrive(&mut self, message: Message, ack: impl Fn(u16) -> tidegate_mqtt::Ack<'static>) {
        if let Some(packet_id) = message.packet_id {
            let again = !self.seen.insert((packet_id, message.payload.clone()));
            let forgotten =
                self.uncertain.contains(&message.payload) || self.published_again.contains(&message.payload);
            assert!(!again || message.dup || forgotten, "{}: {message:?} again without DUP", self.name);
        }
        match (message.qos, message.packet_id) {
            (1, Some(packet_id)) => self.owed.push(Packet::PubAck(ack(packet_id))),
            (2, Some(packet_id)) => {
                self.owed.push(Packet::PubRec(ack(packet_id)));
                if !self.incomplete.insert(packet_id) {
                    assert!(message.dup, "{}: a second {message:?} without DUP", self.name);
                    return;
                }
            }
            _ => {}
        }
        self.arrived.push(message);
    }

    /// QoS 0 at most once, QoS 2 exactly once, first arrivals in the order of publication.
    pub(super) fn check_order_only(&self) {
        let mut last: BTreeMap<(String, u8), usize> = BTreeMap::new();
        let mut seen: BTreeMap<&str, Vec<&Message>> = BTreeMap::new();
        for message in &self.arrived {
            let (publisher, number) = message.payload.rsplit_once(' ').unwrap();
            let number: usize = number.parse().unwrap();
            let published: u8 = publisher.rsplit_once(' ').unwrap().1.parse().unwrap();
            let before = seen.entry(&message.payload).or_default();
            // A repetition may reach who was subscribed otherwise at first, or lost a QoS 0 copy: out of order, rightly.
            let ordered =
                self.expected.get(&message.payload) == Some(&message.qos) && message.qos.min(1) == published.min(1);
            if before.is_empty() && ordered {
                let last = last.entry((publisher.to_owned(), message.qos)).or_insert(number);
                assert!(*last <= number, "{}: {message:?} after number {last}", self.name);
                *last = number;
            } else if !before.is_empty() && !self.uncertain.contains(&message.payload) {
                assert!(published == 1 || message.qos == 1, "{}: {message:?} twice", self.name);
            }
            before.push(message);
        }
    }

    pub(super) fn check(&self) {
        self.check_order_only();
        if self.client.is_none() {
            return;
        }
        let arrived: BTreeSet<&str> = self.arrived.iter().map(|message| &message.payload[..]).collect();
        for (payload, qos) in &self.expected {
            let number = payload_number(payload);
            assert!(*qos == 0 || arrived.contains(&payload[..]), "{}: {payload} (number {number}) is lost", self.name);
        }
    }
}
