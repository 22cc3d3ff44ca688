//! Messages and images: what a subscriber gets of what a publisher sent.

use crate::*;
use std::num::{NonZeroU16, NonZeroU32};

const ALIAS: NonZeroU16 = NonZeroU16::MIN;

/// A PUBLISH as it arrives: an alias, user properties with others between them, an expiry.
fn incoming() -> Vec<u8> {
    let properties = b"\x26\x00\x01k\x00\x01v\x23\x00\x07\x02\x00\x00\x00\x3c\x26\x00\x01k\x00\x01w\x01\x01";
    [&b"\x32\x25\x00\x03a/b\x00\x09"[..], &[properties.len() as u8], properties, b"hello"].concat()
}

fn message() -> Message {
    let packet = incoming();
    let Ok(Packet::Publish(publish)) = decode(&packet, Version::V5, Peer::Client) else { panic!("valid") };
    Message::new(publish.topic_name, &publish.properties, publish.payload).expect("valid")
}

fn id(n: u16) -> Option<NonZeroU16> {
    NonZeroU16::new(n)
}

fn appended(message: &Message, delivery: &Delivery<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    message.append(delivery, &mut out).expect("can be written");
    assert_eq!(message.packet_bytes(delivery), Ok(out.len()));
    let mut parts = Vec::new();
    message.append_head(delivery, &mut parts).expect("can be written");
    parts.extend_from_slice(message.payload());
    assert_eq!(parts, out);
    out
}

fn read(packet: &[u8], version: Version) -> Publish<'_> {
    match decode(packet, version, Peer::Server) {
        Ok(Packet::Publish(publish)) => publish,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_keeps_what_is_forwarded_and_nothing_else() {
    let message = message();
    assert_eq!((message.topic_name(), message.payload()), ("a/b", &b"hello"[..]));
    assert_eq!(message.message_expiry_seconds(), Some(60));
    let properties = message.properties();
    assert_eq!(properties.payload_format, Some(PayloadFormat::Utf8));
    assert_eq!(properties.user_properties.iter().collect::<Vec<_>>(), [("k", "v"), ("k", "w")]);
    assert_eq!(message.held_bytes(), 3 + 2 + 14 + 5);
    assert_eq!(format!("{message:?}"), r#"Message { topic_name: "a/b", payload_bytes: 5, .. }"#);
}

#[test]
fn a_5_0_subscriber_gets_the_properties_in_order_without_alias_and_with_the_time_left() {
    let delivery = Delivery { message_expiry_seconds: Some(42), ..Delivery::new(Version::V5) };
    let packet = appended(&message(), &delivery);
    let publish = read(&packet, Version::V5);
    assert_eq!((publish.qos, publish.packet_id, publish.topic_alias), (QoS::AtMostOnce, None, None));
    assert_eq!(publish.properties.message_expiry_seconds, Some(42));
    assert_eq!(publish.properties.payload_format, Some(PayloadFormat::Utf8));
    assert_eq!(publish.properties.user_properties.iter().collect::<Vec<_>>(), [("k", "v"), ("k", "w")]);
    assert_eq!((publish.topic_name, publish.payload), ("a/b", &b"hello"[..]));
}

#[test]
fn a_3_1_1_subscriber_gets_topic_and_payload() {
    let delivery = Delivery { qos: QoS::ExactlyOnce, packet_id: id(3), dup: true, ..Delivery::new(Version::V4) };
    assert_eq!(appended(&message(), &delivery), b"\x3c\x0c\x00\x03a/b\x00\x03hello");
}

#[test]
fn aliases_and_subscription_identifiers_are_added_per_subscriber() {
    let message = message();
    let identifiers = [NonZeroU32::MIN, NonZeroU32::new(268_435_455).expect("not 0")];
    for (topic, topic_name, topic_alias) in [
        (TopicAs::Name, "a/b", None),
        (TopicAs::NameAndAlias(ALIAS), "a/b", Some(ALIAS)),
        (TopicAs::Alias(ALIAS), "", Some(ALIAS)),
    ] {
        let delivery = Delivery {
            topic,
            subscription_identifiers: &identifiers,
            retain: true,
            qos: QoS::AtLeastOnce,
            packet_id: id(7),
            ..Delivery::new(Version::V5)
        };
        let packet = appended(&message, &delivery);
        let publish = read(&packet, Version::V5);
        assert_eq!((publish.topic_name, publish.topic_alias, publish.packet_id), (topic_name, topic_alias, id(7)));
        assert_eq!(publish.subscription_identifiers.iter().collect::<Vec<_>>(), identifiers);
        assert_eq!(publish.properties, message.properties());
        assert!(publish.retain);
    }
    let alone = Delivery { topic: TopicAs::Alias(ALIAS), ..Delivery::new(Version::V4) };
    assert!(message.append(&alone, &mut Vec::new()).is_err());
}

#[test]
fn an_image_patched_is_what_the_message_would_write() {
    let plain = Message::new("t", &MessageProperties::default(), b"").expect("valid");
    let long = Message::new(&"t/".repeat(200), &message().properties(), &[7; 20_000]).expect("valid");
    for message in [message(), plain, long] {
        for version in [Version::V4, Version::V5] {
            for (qos, packet_id) in
                [(QoS::AtMostOnce, None), (QoS::AtLeastOnce, id(513)), (QoS::ExactlyOnce, id(65_535))]
            {
                let image = PublishImage::new(&message, version, packet_id.is_some()).expect("fits");
                for (dup, retain, left) in [(false, false, None), (qos != QoS::AtMostOnce, true, Some(5))] {
                    let patch = Patch { dup, qos, retain, packet_id, message_expiry_seconds: left };
                    let mut out = b"x".to_vec();
                    image.append(patch, &mut out).expect("goes together");
                    let delivery = Delivery {
                        dup,
                        qos,
                        retain,
                        packet_id,
                        message_expiry_seconds: left,
                        ..Delivery::new(version)
                    };
                    assert_eq!(&out[1..], appended(&message, &delivery), "{version:?} {patch:?}");
                    assert_eq!(image.packet_bytes(), out.len() - 1);
                }
            }
        }
    }
}

#[test]
fn qos_and_packet_id_go_together() {
    let message = message();
    let mut out = Vec::new();
    for with_packet_id in [false, true] {
        let image = PublishImage::new(&message, Version::V5, with_packet_id).expect("fits");
        for (qos, packet_id) in [(QoS::AtMostOnce, id(1)), (QoS::AtLeastOnce, None)] {
            assert_eq!(
                image.append(Patch { qos, packet_id, ..Patch::default() }, &mut out),
                Err(EncodeError::PacketId)
            );
            let delivery = Delivery { qos, packet_id, ..Delivery::new(Version::V5) };
            assert_eq!(message.append(&delivery, &mut out), Err(EncodeError::PacketId));
        }
    }
    let image = PublishImage::new(&message, Version::V5, false).expect("fits");
    let other = Patch { qos: QoS::AtLeastOnce, packet_id: id(1), ..Patch::default() };
    assert_eq!(image.append(other, &mut out), Err(EncodeError::PacketId));
    assert!(out.is_empty());
}

#[test]
fn only_topic_names_are_messages() {
    for topic_name in ["", "a/#", "+", "a\0"] {
        assert_eq!(
            Message::new(topic_name, &MessageProperties::default(), b"").err(),
            Some(EncodeError::TopicName),
            "{topic_name}"
        );
    }
}

#[test]
fn a_message_survives_the_disk() {
    let plain = Message::new("t", &MessageProperties::default(), b"").expect("valid");
    for message in [message(), plain] {
        let mut stored = Vec::new();
        message.store(&mut stored);
        assert_eq!(Message::from_stored(&stored), Some(message.clone()));
        // Cut short it is refused, or is another message: the payload has no length of its own.
        let head = stored.len() - message.payload().len();
        for length in 0..head {
            assert_eq!(Message::from_stored(&stored[..length]), None, "{length}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_stored_bytes_make_a_message_that_panics(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80), flip in 0usize..400) {
        for bytes in [std::mem::take(&mut bytes), {
            let mut stored = Vec::new();
            message().store(&mut stored);
            let at = flip / 8 % stored.len();
            stored[at] ^= 1 << (flip % 8);
            stored
        }] {
            if let Some(message) = Message::from_stored(&bytes) {
                let _ = message.properties();
                let mut out = Vec::new();
                let _ = message.append(&Delivery::new(Version::V5), &mut out);
            }
        }
    }
}
