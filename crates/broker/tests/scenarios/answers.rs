//! What the broker says for itself: a code, sometimes a sentence, and nothing that was not asked for.

use std::num::NonZeroU32;

use tidegate_broker::CloseReason;
use tidegate_mqtt::{
    Connect, Packet, PacketType, Peer, QoS, ReasonCode, ReasonProperties, SubscriptionOptions, Unsubscribe, decode,
    frame,
};

use crate::world::*;

#[test]
fn connack_holds_nothing_that_was_not_asked_for() {
    for response_information in [false, true] {
        let mut world = World::new();
        let mut connect = Connect::new(V5, "c");
        connect.properties.request_response_information = response_information;
        let (_, bytes) = world.open(&connect).unwrap();
        let Packet::ConnAck(connack) = decode(&bytes, V5, Peer::Server).unwrap() else { panic!("{bytes:?}") };
        assert_eq!((connack.session_present, connack.reason_code), (false, ReasonCode::Success));
        let properties = connack.properties;
        // No topics are set apart for answers, no method was agreed, there is nothing to explain.
        assert_eq!(properties.response_information, None);
        assert_eq!((properties.authentication_method, properties.authentication_data), (None, None));
        assert!(properties.reason.is_empty());
        assert_eq!((properties.assigned_client_id, properties.server_keep_alive_seconds), (None, None));
        assert_eq!(properties.server_reference, None);
    }
}

/// Type, whether something in it failed, whether it has a Reason String, and how many User Properties, of each packet.
fn explained(bytes: &[u8]) -> Vec<(PacketType, bool, bool, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(length) = frame(&bytes[at..], usize::MAX).unwrap() {
        let packet = decode(&bytes[at..at + length.packet_bytes], V5, Peer::Server).unwrap();
        at += length.packet_bytes;
        let (failed, properties): (bool, ReasonProperties<'_>) = match &packet {
            Packet::ConnAck(ack) => (ack.reason_code.is_failure(), ack.properties.reason),
            Packet::SubAck(ack) => (ack.reason_codes.iter().any(ReasonCode::is_failure), ack.properties),
            Packet::UnsubAck(ack) => (ack.reason_codes.iter().any(ReasonCode::is_failure), ack.properties),
            Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubRel(ack) | Packet::PubComp(ack) => {
                (ack.reason_code.is_failure(), ack.properties)
            }
            Packet::Disconnect(goodbye) => {
                assert_eq!(goodbye.session_expiry, None, "a server does not send it");
                (goodbye.reason_code.is_failure(), goodbye.properties)
            }
            other => panic!("{other:?}"),
        };
        found.push((
            packet.packet_type(),
            failed,
            properties.reason_string.is_some(),
            properties.user_properties.iter().count(),
        ));
    }
    found
}

/// What a client with this CONNECT is told, in bytes: each kind of answer, where there is one of success and one of failure.
fn conversation(connect: &Connect<'_>) -> Vec<u8> {
    let mut world = World::new();
    world.policies.deny(tidegate_broker::Access::Subscribe, "secret");
    let (mut link, mut out) = world.open(connect).unwrap();
    let subscriptions = ["open", "secret"].map(|topic_filter| tidegate_mqtt::Subscription {
        topic_filter,
        options: SubscriptionOptions::at(QoS::AtMostOnce),
    });
    let subscribe = tidegate_mqtt::Subscribe {
        packet_id: id(1),
        subscription_identifier: None,
        user_properties: Default::default(),
        subscriptions: subscriptions[..].into(),
    };
    let unsubscribe = Unsubscribe {
        packet_id: id(2),
        user_properties: Default::default(),
        topic_filters: ["open", "unknown"][..].into(),
    };
    let ack = |packet_id| tidegate_mqtt::Ack::new(id(packet_id), ReasonCode::Success);
    for packet in [
        Packet::Subscribe(subscribe),
        Packet::Unsubscribe(unsubscribe),
        Packet::Publish(message("t", "m", QoS::AtLeastOnce, 3)),
        Packet::Publish(message("$SYS/x", "m", QoS::AtLeastOnce, 4)),
        Packet::Publish(message("t", "m", QoS::ExactlyOnce, 5)),
        Packet::Publish(message("$SYS/x", "m", QoS::ExactlyOnce, 6)),
        Packet::PubRel(ack(5)),
        Packet::PubRel(ack(7)),
        Packet::PubRec(ack(8)),
    ] {
        world.broker.handle(&mut link, &packet, world.now, &mut world.effects).unwrap();
    }
    link.take_output(&mut out, world.now, &mut world.effects);
    world.broker.disconnected(link, CloseReason::AdministrativeAction, &mut out, world.now, &mut world.effects);
    out
}

#[test]
fn no_answer_has_user_properties_and_only_failures_that_may_be_are_explained() {
    use PacketType::{ConnAck, Disconnect, PubAck, PubComp, PubRec, PubRel, SubAck, UnsubAck};
    for (wanted, packet_bytes_max) in [(true, None), (false, None), (true, Some(40))] {
        let mut connect = Connect::new(V5, "c");
        connect.properties.request_problem_information = wanted;
        connect.properties.maximum_packet_size = packet_bytes_max.and_then(NonZeroU32::new);
        let bytes = conversation(&connect);
        let told = explained(&bytes);
        let kinds: Vec<_> = told.iter().map(|(kind, failed, ..)| (*kind, *failed)).collect();
        assert_eq!(
            kinds,
            [
                (ConnAck, false),
                (SubAck, true),
                (UnsubAck, false),
                (PubAck, false),
                (PubAck, true),
                (PubRec, false),
                (PubRec, true),
                (PubComp, false),
                (PubComp, true),
                (PubRel, true),
                (Disconnect, true),
            ]
        );
        for (kind, failed, explained, user_properties) in told {
            assert_eq!(user_properties, 0, "{kind:?}");
            // Where the client asked for none, it is told when the connection ends: [MQTT-3.1.2-29].
            let may = packet_bytes_max.is_none() && (wanted || kind == Disconnect);
            assert!(!explained || failed && may, "{kind:?} {wanted} {packet_bytes_max:?}");
            assert!(explained || !may || !matches!(kind, PubAck | PubRec | Disconnect) || !failed, "{kind:?}");
        }
    }
}

#[test]
fn an_unsuback_that_is_too_large_is_not_sent_either() {
    let mut world = World::new();
    let mut connect = Connect::new(V5, "c");
    connect.properties.maximum_packet_size = NonZeroU32::new(40);
    let mut client = world.connect_with(&connect).0;
    let filters = ["t"; 40];
    let unsubscribe =
        Unsubscribe { packet_id: id(1), user_properties: Default::default(), topic_filters: filters[..].into() };
    let too_large = CloseReason::ClientError(ReasonCode::PacketTooLarge);
    assert_eq!(world.send(&mut client, &Packet::Unsubscribe(unsubscribe)), Err(too_large));
    assert_eq!(world.got(&mut client), [Got::Disconnect(ReasonCode::PacketTooLarge)]);
}
