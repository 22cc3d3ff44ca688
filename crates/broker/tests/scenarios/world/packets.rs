//! What clients send, a line each.

use std::num::{NonZeroU16, NonZeroU32};

use tidegate_mqtt::{
    Ack, Connect, Packet, Publish, QoS, ReasonCode, SessionExpiry, Subscribe, Subscription, SubscriptionOptions,
    Unsubscribe, Version,
};

use super::{Client, Got, World, id};

pub fn message<'a>(topic: &'a str, payload: &'a str, qos: QoS, packet_id: u16) -> Publish<'a> {
    Publish { qos, packet_id: NonZeroU16::new(packet_id), ..Publish::new(topic, payload.as_bytes()) }
}

pub fn persistent(version: Version, client_id: &str) -> Connect<'_> {
    Connect { clean_start: false, session_expiry: SessionExpiry::NEVER, ..Connect::new(version, client_id) }
}

impl World {
    pub fn subscribe(&mut self, client: &mut Client, filter: &str, qos: QoS) -> ReasonCode {
        self.subscribe_with(client, filter, SubscriptionOptions::at(qos), None)
    }

    pub fn subscribe_with(
        &mut self,
        client: &mut Client,
        filter: &str,
        options: SubscriptionOptions,
        identifier: Option<u32>,
    ) -> ReasonCode {
        let subscriptions = [Subscription { topic_filter: filter, options }];
        let packet = Packet::Subscribe(Subscribe {
            packet_id: id(9),
            subscription_identifier: identifier.and_then(NonZeroU32::new),
            user_properties: Default::default(),
            subscriptions: subscriptions[..].into(),
        });
        match self.ask(client, &packet) {
            Some(Got::SubAck(9, codes)) => codes[0],
            other => panic!("not SUBACK: {other:?}"),
        }
    }

    pub fn unsubscribe(&mut self, client: &mut Client, filters: &[&str]) -> Vec<ReasonCode> {
        let packet = Packet::Unsubscribe(Unsubscribe {
            packet_id: id(8),
            user_properties: Default::default(),
            topic_filters: filters.into(),
        });
        match self.ask(client, &packet) {
            Some(Got::UnsubAck(8, codes)) => codes,
            other => panic!("not UNSUBACK: {other:?}"),
        }
    }

    /// Sends a request: what answers it, at once or when what it changed is durable.
    fn ask(&mut self, client: &mut Client, packet: &Packet<'_>) -> Option<Got> {
        self.fetch(client);
        let before = client.got.len();
        self.send(client, packet).unwrap();
        if client.got.len() == before {
            self.make_durable();
            self.fetch(client);
        }
        client.got.remove(before)
    }

    pub fn publish(&mut self, client: &mut Client, topic: &str, payload: &str) {
        self.send(client, &Packet::Publish(Publish::new(topic, payload.as_bytes()))).unwrap();
    }

    pub fn publish_at(&mut self, client: &mut Client, topic: &str, payload: &str, qos: QoS, packet_id: u16) {
        self.send(client, &Packet::Publish(message(topic, payload, qos, packet_id))).unwrap();
    }

    pub fn retain(&mut self, client: &mut Client, topic: &str, payload: &str) {
        let publish = Publish { retain: true, ..Publish::new(topic, payload.as_bytes()) };
        self.send(client, &Packet::Publish(publish)).unwrap();
    }

    pub fn puback(&mut self, client: &mut Client, packet_id: u16) {
        self.send(client, &Packet::PubAck(Ack::new(id(packet_id), ReasonCode::Success))).unwrap();
    }

    pub fn pubrec(&mut self, client: &mut Client, packet_id: u16) {
        self.send(client, &Packet::PubRec(Ack::new(id(packet_id), ReasonCode::Success))).unwrap();
    }

    pub fn pubrel(&mut self, client: &mut Client, packet_id: u16) {
        self.send(client, &Packet::PubRel(Ack::new(id(packet_id), ReasonCode::Success))).unwrap();
    }

    pub fn pubcomp(&mut self, client: &mut Client, packet_id: u16) {
        self.send(client, &Packet::PubComp(Ack::new(id(packet_id), ReasonCode::Success))).unwrap();
    }
}
