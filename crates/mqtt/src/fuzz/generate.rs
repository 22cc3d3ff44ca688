//! A valid packet out of arbitrary bytes.

use crate::{
    Ack, Auth, ConnAck, ConnAckProperties, Connect, ConnectProperties, Disconnect, MessageProperties, Packet,
    PacketType, PayloadFormat, Peer, Publish, QoS, ReasonCode, ReasonProperties, RetainHandling, SessionExpiry, SubAck,
    Subscribe, Subscription, SubscriptionOptions, UnsubAck, Unsubscribe, Version, Will, topic,
};
use std::num::{NonZeroU16, NonZeroU32};

/// Where the choices come from; when it is used up, every choice is the first one.
struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    fn u8(&mut self) -> u8 {
        let (&byte, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        byte
    }

    fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.u8(), self.u8()])
    }

    fn u32(&mut self) -> u32 {
        u32::from(self.u16()) << 16 | u32::from(self.u16())
    }

    fn flag(&mut self) -> bool {
        self.u8() & 1 == 1
    }

    fn id(&mut self) -> NonZeroU16 {
        NonZeroU16::new(self.u16()).unwrap_or(NonZeroU16::MIN)
    }

    fn identifier(&mut self) -> NonZeroU32 {
        // Every length of a variable byte integer has its turn.
        let value = self.u32() >> (4 + self.u8() % 28);
        NonZeroU32::new(value).unwrap_or(NonZeroU32::MIN)
    }

    fn qos(&mut self) -> QoS {
        QoS::from_bits(self.u8() % 3).unwrap_or_default()
    }

    fn some<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.flag() { Some(value(self)) } else { None }
    }

    fn bytes(&mut self) -> &'a [u8] {
        let length = if self.u8() == 0xFF { usize::from(self.u16()) } else { usize::from(self.u8() % 32) };
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn text(&mut self) -> &'a str {
        let bytes = self.bytes();
        let bytes = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
    }

    fn topic_name(&mut self) -> &'a str {
        let name = self.text().split(['+', '#']).next().unwrap_or_default();
        if name.is_empty() { "a/b" } else { name }
    }

    fn topic_filter(&mut self) -> &'a str {
        let filter = self.text();
        match self.u8() % 4 {
            _ if topic::valid_filter(filter) => filter,
            0 => "#",
            1 => "+/a/#",
            2 => "$share/g/a/+",
            _ => "a",
        }
    }

    fn reason_code(&mut self, packet_type: PacketType, from: Peer) -> ReasonCode {
        let allowed = ReasonCode::ALL.iter().copied().filter(|code| code.may_stand_in(packet_type, from));
        let allowed: Vec<ReasonCode> = allowed.collect();
        allowed[usize::from(self.u8()) % allowed.len()]
    }

    fn pairs(&mut self) -> Vec<(&'a str, &'a str)> {
        (0..self.u8() % 4).map(|_| (self.text(), self.text())).collect()
    }

    fn peer(&mut self) -> Peer {
        if self.flag() { Peer::Server } else { Peer::Client }
    }
}

/// Hands `check` a valid packet, its version and its sender.
pub(super) fn packet(data: &[u8], check: impl FnOnce(&Packet<'_>, Version, Peer)) {
    let mut choices = Choices(data);
    let version = if choices.flag() { Version::V4 } else { Version::V5 };
    let pairs = choices.pairs();
    let pairs = if version == Version::V5 { pairs.as_slice() } else { &[] };
    let reason = match version {
        Version::V4 => ReasonProperties::default(),
        Version::V5 => ReasonProperties { reason_string: choices.some(Choices::text), user_properties: pairs.into() },
    };
    match PacketType::of(choices.u8()).unwrap_or(PacketType::Publish) {
        PacketType::Connect => {
            let connect = connect(&mut choices, version, pairs);
            check(&Packet::Connect(Box::new(connect)), version, Peer::Client);
        }
        PacketType::ConnAck => {
            let connack = connack(&mut choices, version, reason);
            check(&Packet::ConnAck(Box::new(connack)), version, Peer::Server);
        }
        PacketType::Publish => {
            let from = choices.peer();
            let identifiers: Vec<NonZeroU32> = (0..choices.u8() % 4).map(|_| choices.identifier()).collect();
            let mut publish = publish(&mut choices, version, pairs);
            if from == Peer::Server && version == Version::V5 {
                publish.subscription_identifiers = identifiers.as_slice().into();
            }
            check(&Packet::Publish(publish), version, from);
        }
        packet_type @ (PacketType::PubAck | PacketType::PubRec | PacketType::PubRel | PacketType::PubComp) => {
            let from = choices.peer();
            let mut ack = Ack { properties: reason, ..Ack::new(choices.id(), ReasonCode::Success) };
            if version == Version::V5 {
                ack.reason_code = choices.reason_code(packet_type, from);
            }
            let packet = match packet_type {
                PacketType::PubRec => Packet::PubRec(ack),
                PacketType::PubRel => Packet::PubRel(ack),
                PacketType::PubComp => Packet::PubComp(ack),
                _ => Packet::PubAck(ack),
            };
            check(&packet, version, from);
        }
        PacketType::Subscribe => {
            let subscriptions: Vec<_> =
                (0..choices.u8() % 5 + 1).map(|_| subscription(&mut choices, version)).collect();
            let subscribe = Subscribe {
                packet_id: choices.id(),
                subscription_identifier: choices.some(Choices::identifier).filter(|_| version == Version::V5),
                user_properties: pairs.into(),
                subscriptions: subscriptions.as_slice().into(),
            };
            check(&Packet::Subscribe(subscribe), version, Peer::Client);
        }
        PacketType::Unsubscribe => {
            let filters: Vec<&str> = (0..choices.u8() % 5 + 1).map(|_| choices.topic_filter()).collect();
            let unsubscribe = Unsubscribe {
                packet_id: choices.id(),
                user_properties: pairs.into(),
                topic_filters: filters.as_slice().into(),
            };
            check(&Packet::Unsubscribe(unsubscribe), version, Peer::Client);
        }
        packet_type @ PacketType::SubAck => {
            let codes = reason_codes(&mut choices, packet_type);
            let codes: Vec<ReasonCode> = match version {
                Version::V5 => codes,
                Version::V4 => codes
                    .iter()
                    .map(|code| if code.is_failure() { ReasonCode::UnspecifiedError } else { *code })
                    .collect(),
            };
            let suback = SubAck { properties: reason, ..SubAck::new(choices.id(), &codes) };
            check(&Packet::SubAck(suback), version, Peer::Server);
        }
        packet_type @ PacketType::UnsubAck => {
            let codes = reason_codes(&mut choices, packet_type);
            let codes = if version == Version::V5 { codes.as_slice() } else { &[] };
            let unsuback = UnsubAck { properties: reason, ..UnsubAck::new(choices.id(), codes) };
            check(&Packet::UnsubAck(unsuback), version, Peer::Server);
        }
        PacketType::PingReq => check(&Packet::PingReq, version, Peer::Client),
        PacketType::PingResp => check(&Packet::PingResp, version, Peer::Server),
        PacketType::Disconnect | PacketType::Auth if version == Version::V4 => {
            check(&Packet::Disconnect(Disconnect::new(ReasonCode::Success)), version, Peer::Client);
        }
        packet_type @ PacketType::Disconnect => {
            let from = choices.peer();
            let mut disconnect =
                Disconnect { properties: reason, ..Disconnect::new(choices.reason_code(packet_type, from)) };
            match from {
                Peer::Client => disconnect.session_expiry = choices.some(Choices::u32).map(SessionExpiry::from_seconds),
                Peer::Server => disconnect.server_reference = choices.some(Choices::text),
            }
            check(&Packet::Disconnect(disconnect), version, from);
        }
        packet_type @ PacketType::Auth => {
            let from = choices.peer();
            let reason_code = choices.reason_code(packet_type, from);
            let auth = Auth { properties: reason, ..Auth::new(reason_code, choices.text(), choices.bytes()) };
            check(&Packet::Auth(auth), version, from);
        }
    }
}

fn reason_codes(choices: &mut Choices<'_>, packet_type: PacketType) -> Vec<ReasonCode> {
    (0..choices.u8() % 5 + 1).map(|_| choices.reason_code(packet_type, Peer::Server)).collect()
}

fn connect<'a>(choices: &mut Choices<'a>, version: Version, pairs: &'a [(&'a str, &'a str)]) -> Connect<'a> {
    let clean_start = choices.flag();
    let mut connect = Connect {
        clean_start,
        session_expiry: if clean_start { SessionExpiry::AT_DISCONNECT } else { SessionExpiry::NEVER },
        keep_alive_seconds: choices.u16(),
        user_name: choices.some(Choices::text),
        ..Connect::new(version, choices.text())
    };
    if version == Version::V5 || connect.user_name.is_some() {
        connect.password = choices.some(Choices::bytes);
    }
    let (qos, retain, topic_name) = (choices.qos(), choices.flag(), choices.topic_name());
    connect.will = choices.some(|choices| Will {
        qos,
        retain,
        delay_seconds: 0,
        topic_name,
        properties: message_properties(choices, version, pairs),
        payload: choices.bytes(),
    });
    if version == Version::V5 {
        connect.session_expiry = SessionExpiry::from_seconds(choices.u32());
        if let Some(will) = &mut connect.will {
            will.delay_seconds = choices.u32();
        }
        let authentication_method = choices.some(Choices::text);
        connect.properties = ConnectProperties {
            receive_maximum: choices.id(),
            maximum_packet_size: choices.some(|choices| choices.identifier()),
            topic_alias_maximum: choices.u16(),
            request_response_information: choices.flag(),
            request_problem_information: choices.flag(),
            user_properties: pairs.into(),
            authentication_method,
            authentication_data: authentication_method.and_then(|_| choices.some(Choices::bytes)),
        };
    }
    connect
}

fn connack<'a>(choices: &mut Choices<'a>, version: Version, reason: ReasonProperties<'a>) -> ConnAck<'a> {
    let reason_code = match version {
        Version::V4 => ReasonCode::from_connack_return_code(choices.u8() % 6).unwrap_or(ReasonCode::Success),
        Version::V5 => choices.reason_code(PacketType::ConnAck, Peer::Server),
    };
    let mut connack = ConnAck::new(reason_code == ReasonCode::Success && choices.flag(), reason_code);
    if version == Version::V5 {
        let authentication_method = choices.some(Choices::text);
        connack.properties = ConnAckProperties {
            session_expiry: choices.some(Choices::u32).map(SessionExpiry::from_seconds),
            receive_maximum: choices.id(),
            maximum_qos: choices.qos(),
            retain_available: choices.flag(),
            maximum_packet_size: choices.some(|choices| choices.identifier()),
            assigned_client_id: choices.some(Choices::text),
            topic_alias_maximum: choices.u16(),
            wildcard_subscription_available: choices.flag(),
            subscription_identifiers_available: choices.flag(),
            shared_subscription_available: choices.flag(),
            server_keep_alive_seconds: choices.some(Choices::u16),
            response_information: choices.some(Choices::text),
            server_reference: choices.some(Choices::text),
            authentication_method,
            authentication_data: authentication_method.and_then(|_| choices.some(Choices::bytes)),
            reason,
        };
    }
    connack
}

fn publish<'a>(choices: &mut Choices<'a>, version: Version, pairs: &'a [(&'a str, &'a str)]) -> Publish<'a> {
    let qos = choices.qos();
    let mut publish = Publish {
        dup: qos != QoS::AtMostOnce && choices.flag(),
        qos,
        retain: choices.flag(),
        packet_id: (qos != QoS::AtMostOnce).then(|| choices.id()),
        properties: message_properties(choices, version, pairs),
        ..Publish::new(choices.topic_name(), choices.bytes())
    };
    if version == Version::V5 {
        publish.topic_alias = choices.some(Choices::id);
        if publish.topic_alias.is_some() && choices.flag() {
            publish.topic_name = "";
        }
    }
    publish
}

fn message_properties<'a>(
    choices: &mut Choices<'a>,
    version: Version,
    pairs: &'a [(&'a str, &'a str)],
) -> MessageProperties<'a> {
    if version == Version::V4 {
        return MessageProperties::default();
    }
    let format = |choices: &mut Choices<'a>| if choices.flag() { PayloadFormat::Utf8 } else { PayloadFormat::Bytes };
    MessageProperties {
        payload_format: choices.some(format),
        message_expiry_seconds: choices.some(Choices::u32),
        content_type: choices.some(Choices::text),
        response_topic: choices.some(Choices::topic_name),
        correlation_data: choices.some(Choices::bytes),
        user_properties: pairs.into(),
    }
}

fn subscription<'a>(choices: &mut Choices<'a>, version: Version) -> Subscription<'a> {
    let topic_filter = choices.topic_filter();
    let mut options = SubscriptionOptions::at(choices.qos());
    if version == Version::V5 {
        options.no_local = choices.flag() && !topic::is_shared(topic_filter);
        options.retain_as_published = choices.flag();
        options.retain_handling = match choices.u8() % 3 {
            0 => RetainHandling::AtSubscribe,
            1 => RetainHandling::IfNew,
            _ => RetainHandling::Never,
        };
    }
    Subscription { topic_filter, options }
}
