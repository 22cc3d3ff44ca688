//! A client's end of a connection: what it got, read off the bytes.

use std::{
    collections::VecDeque,
    num::{NonZeroU16, NonZeroU32},
};

use tidegate_broker::{CloseReason, Link};
use tidegate_ids::Monotonic;
use tidegate_mqtt::{Packet, Peer, Publish, ReasonCode, Version, decode, frame};

pub struct Client {
    pub link: Option<Link>,
    pub version: Version,
    /// Why the broker ended the connection.
    pub ended: Option<CloseReason>,
    /// When what waits for its turn may be sent.
    pub later: Option<Monotonic>,
    pub got: VecDeque<Got>,
    bytes: Vec<u8>,
    topics: Vec<String>,
}

/// A packet from the server, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    ConnAck { session_present: bool, code: ReasonCode },
    Publish(Message),
    PubAck(u16, ReasonCode),
    PubRec(u16, ReasonCode),
    PubRel(u16, ReasonCode),
    PubComp(u16, ReasonCode),
    SubAck(u16, Vec<ReasonCode>),
    UnsubAck(u16, Vec<ReasonCode>),
    PingResp,
    Disconnect(ReasonCode),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    pub topic: String,
    pub payload: String,
    pub qos: u8,
    pub retain: bool,
    pub dup: bool,
    pub packet_id: Option<u16>,
    pub identifiers: Vec<u32>,
    pub expiry: Option<u32>,
    pub alias: Option<u16>,
    pub response_topic: Option<String>,
    pub content_type: Option<String>,
    pub correlation_data: Option<Vec<u8>>,
    pub user_properties: Vec<(String, String)>,
}

impl Client {
    pub fn new(version: Version) -> Self {
        Self {
            link: None,
            version,
            ended: None,
            later: None,
            got: VecDeque::new(),
            bytes: Vec::new(),
            topics: vec![String::new(); 1024],
        }
    }

    /// Read packets off what the server sent.
    pub fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(len) = frame(&self.bytes[at..], usize::MAX).unwrap() {
            let packet = self.bytes[at..at + len.packet_bytes].to_vec();
            at += len.packet_bytes;
            let packet = decode(&packet, self.version, Peer::Server).unwrap();
            let got = self.own(&packet);
            self.got.push_back(got);
        }
        assert_eq!(at, self.bytes.len(), "whole packets only");
        self.bytes.clear();
    }

    /// As every client does for a new connection.
    pub fn forget_aliases(&mut self) {
        self.topics.fill(String::new());
    }

    fn own(&mut self, packet: &Packet<'_>) -> Got {
        match packet {
            Packet::ConnAck(ack) => Got::ConnAck { session_present: ack.session_present, code: ack.reason_code },
            Packet::Publish(publish) => Got::Publish(self.own_message(publish)),
            Packet::PubAck(ack) => Got::PubAck(ack.packet_id.get(), ack.reason_code),
            Packet::PubRec(ack) => Got::PubRec(ack.packet_id.get(), ack.reason_code),
            Packet::PubRel(ack) => Got::PubRel(ack.packet_id.get(), ack.reason_code),
            Packet::PubComp(ack) => Got::PubComp(ack.packet_id.get(), ack.reason_code),
            Packet::SubAck(ack) => Got::SubAck(ack.packet_id.get(), ack.reason_codes.iter().collect()),
            Packet::UnsubAck(ack) => Got::UnsubAck(ack.packet_id.get(), ack.reason_codes.iter().collect()),
            Packet::PingResp => Got::PingResp,
            Packet::Disconnect(disconnect) => Got::Disconnect(disconnect.reason_code),
            other => panic!("not from a server: {other:?}"),
        }
    }

    fn own_message(&mut self, publish: &Publish<'_>) -> Message {
        let alias = publish.topic_alias.map(NonZeroU16::get);
        let topic = match alias {
            Some(alias) if publish.topic_name.is_empty() => self.topics[usize::from(alias)].clone(),
            Some(alias) => {
                self.topics[usize::from(alias)] = publish.topic_name.to_owned();
                publish.topic_name.to_owned()
            }
            None => publish.topic_name.to_owned(),
        };
        let properties = &publish.properties;
        Message {
            topic,
            payload: String::from_utf8_lossy(publish.payload).into_owned(),
            qos: publish.qos.bits(),
            retain: publish.retain,
            dup: publish.dup,
            packet_id: publish.packet_id.map(NonZeroU16::get),
            identifiers: publish.subscription_identifiers.iter().map(NonZeroU32::get).collect(),
            expiry: properties.message_expiry_seconds,
            alias,
            response_topic: properties.response_topic.map(str::to_owned),
            content_type: properties.content_type.map(str::to_owned),
            correlation_data: properties.correlation_data.map(<[u8]>::to_vec),
            user_properties: properties.user_properties.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        }
    }
}
