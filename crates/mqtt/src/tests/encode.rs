//! What may not be written, and how 3.1.1 writes what only 5.0 can say.

use crate::*;
use std::num::{NonZeroU16, NonZeroU32};

const ID: NonZeroU16 = NonZeroU16::MIN;

fn written(packet: &Packet<'_>, version: Version) -> Result<Vec<u8>, EncodeError> {
    let mut out = b"before".to_vec();
    let result = packet.encode(version, &mut out);
    let packet = out.split_off(6);
    assert_eq!(out, b"before");
    match result {
        Ok(()) => Ok(packet),
        Err(error) => {
            assert!(packet.is_empty(), "an error leaves nothing behind");
            Err(error)
        }
    }
}

fn too_long() -> String {
    "x".repeat(65_536)
}

#[test]
fn fields_above_65535_bytes_are_refused() {
    let (text, just_fits) = (too_long(), "x".repeat(65_535));
    let refused = Err(EncodeError::FieldTooLong { bytes: 65_536 });
    let will = |topic_name, payload| Will {
        qos: QoS::AtMostOnce,
        retain: false,
        delay_seconds: 0,
        topic_name,
        properties: MessageProperties::default(),
        payload,
    };
    assert_eq!(written(&Packet::Connect(Box::new(Connect::new(Version::V4, &text))), Version::V4), refused);
    assert!(written(&Packet::Connect(Box::new(Connect::new(Version::V4, &just_fits))), Version::V4).is_ok());
    for version in [Version::V4, Version::V5] {
        for connect in [
            Connect { user_name: Some(&text), ..Connect::new(version, "c") },
            Connect { user_name: Some("u"), password: Some(text.as_bytes()), ..Connect::new(version, "c") },
            Connect { will: Some(will(&text, b"")), ..Connect::new(version, "c") },
            Connect { will: Some(will("w", text.as_bytes())), ..Connect::new(version, "c") },
        ] {
            assert_eq!(written(&Packet::Connect(Box::new(connect)), version), refused);
        }
        assert_eq!(written(&Packet::Publish(Publish::new(&text, b"")), version), refused);
        let filters = [text.as_str()];
        let unsubscribe = Unsubscribe {
            packet_id: ID,
            user_properties: UserProperties::default(),
            topic_filters: filters[..].into(),
        };
        assert_eq!(written(&Packet::Unsubscribe(unsubscribe), version), refused);
    }
    let pairs = [("k", text.as_str())];
    for properties in [
        MessageProperties { content_type: Some(&text), ..Default::default() },
        MessageProperties { response_topic: Some(&text), ..Default::default() },
        MessageProperties { correlation_data: Some(text.as_bytes()), ..Default::default() },
        MessageProperties { user_properties: pairs[..].into(), ..Default::default() },
    ] {
        let publish = Publish { properties, ..Publish::new("a", b"") };
        assert_eq!(written(&Packet::Publish(publish), Version::V5), refused);
        assert_eq!(Message::new("a", &properties, b"").err(), refused.clone().err());
    }
    let properties = ReasonProperties { reason_string: Some(&text), ..Default::default() };
    let ack = Ack { properties, ..Ack::new(ID, ReasonCode::Success) };
    assert_eq!(written(&Packet::PubAck(ack), Version::V5), refused);
}

#[test]
fn a_packet_above_268435455_bytes_is_refused() {
    let payload = vec![0; 268_435_455];
    for (version, head_bytes) in [(Version::V4, 3), (Version::V5, 4)] {
        let bytes = 268_435_455 + head_bytes;
        let refused = Err(EncodeError::PacketTooLarge { bytes });
        assert_eq!(written(&Packet::Publish(Publish::new("a", &payload)), version), refused);
    }
    let message = Message::new("a", &MessageProperties::default(), &payload);
    assert_eq!(message.err(), Some(EncodeError::PacketTooLarge { bytes: 268_435_456 }));
}

#[test]
fn what_a_reader_would_refuse_is_not_written() {
    use EncodeError::{Inconsistent, PacketId, Text, TopicFilter, TopicName};
    let subscription = |topic_filter, options| [Subscription { topic_filter, options }];
    let plain = SubscriptionOptions::default();
    let no_local = SubscriptionOptions { no_local: true, ..plain };
    let subscribe = |subscriptions| Subscribe {
        packet_id: ID,
        subscription_identifier: None,
        user_properties: UserProperties::default(),
        subscriptions,
    };
    let (ill_formed, shared) = (subscription("a/#/b", plain), subscription("$share/g/a", no_local));
    let a = subscription("a", plain);
    let huge = NonZeroU32::new(268_435_456);
    let alias = Publish { topic_alias: Some(ID), ..Publish::new("", b"") };
    let response = MessageProperties { response_topic: Some("a/+"), ..Default::default() };
    let auth = Auth { authentication_method: None, ..Auth::new(ReasonCode::ContinueAuthentication, "m", b"") };
    let properties = ConnectProperties { authentication_data: Some(b"d"), ..Default::default() };
    let connect = Connect { properties, ..Connect::new(Version::V5, "c") };
    let both = Disconnect {
        session_expiry: Some(SessionExpiry::NEVER),
        server_reference: Some("s"),
        ..Disconnect::new(ReasonCode::Success)
    };
    for (packet, expected) in [
        (Packet::Publish(Publish::new("", b"")), TopicName),
        (Packet::Publish(Publish::new("a/#", b"")), TopicName),
        (Packet::Publish(Publish { properties: response, ..Publish::new("a", b"") }), TopicName),
        (Packet::Publish(Publish { qos: QoS::AtLeastOnce, ..Publish::new("a", b"") }), PacketId),
        (Packet::Publish(Publish { packet_id: Some(ID), ..Publish::new("a", b"") }), PacketId),
        (
            Packet::Publish(Publish { dup: true, ..Publish::new("a", b"") }),
            Inconsistent("a QoS 0 message is never a duplicate"),
        ),
        (Packet::Subscribe(subscribe((&ill_formed[..]).into())), TopicFilter),
        (Packet::Subscribe(subscribe((&shared[..]).into())), Inconsistent("No Local on a shared subscription")),
        (Packet::Subscribe(subscribe((&[][..]).into())), Inconsistent("SUBSCRIBE needs a subscription")),
        (
            Packet::Subscribe(Subscribe { subscription_identifier: huge, ..subscribe((&a[..]).into()) }),
            Inconsistent("a subscription identifier is at most 268435455"),
        ),
        (Packet::SubAck(SubAck::new(ID, &[])), Inconsistent("an answer needs a reason code for each entry")),
        (
            Packet::SubAck(SubAck::new(ID, &[ReasonCode::NoSubscriptionExisted])),
            EncodeError::ReasonCode(ReasonCode::NoSubscriptionExisted),
        ),
        (Packet::PubAck(Ack::new(ID, ReasonCode::Banned)), EncodeError::ReasonCode(ReasonCode::Banned)),
        (
            Packet::ConnAck(Box::new(ConnAck::new(true, ReasonCode::Banned))),
            Inconsistent("a refusal with a session present"),
        ),
        (Packet::Connect(Box::new(Connect::new(Version::V5, "a\0"))), Text),
        (Packet::Connect(Box::new(connect)), Inconsistent("authentication data needs a method")),
        (Packet::Auth(auth), Inconsistent("AUTH needs an authentication method")),
        (Packet::Disconnect(both), Inconsistent("a client sends an expiry, a server a reference, nobody both")),
    ] {
        assert_eq!(written(&packet, Version::V5), Err(expected), "{packet:?}");
    }
    assert!(written(&Packet::Publish(alias), Version::V5).is_ok());
    assert_eq!(written(&Packet::Publish(alias), Version::V4), Err(TopicName));
}

#[test]
fn what_3_1_1_cannot_say_is_refused_or_left_out() {
    let v4 = |packet: &Packet<'_>| written(packet, Version::V4);
    let lacks = |what| Err(EncodeError::NotInVersion { version: Version::V4, what });
    assert_eq!(v4(&Packet::Auth(Auth::new(ReasonCode::ReAuthenticate, "m", b""))), lacks("AUTH"));
    let hour = SessionExpiry::from_seconds(3600);
    let connect = Connect { session_expiry: hour, ..Connect::new(Version::V4, "c") };
    assert_eq!(v4(&Packet::Connect(Box::new(connect))), lacks("session expiry"));
    let no_local = SubscriptionOptions { no_local: true, ..SubscriptionOptions::at(QoS::AtLeastOnce) };
    let subscriptions = [Subscription { topic_filter: "a", options: no_local }];
    let subscribe = Subscribe {
        packet_id: ID,
        subscription_identifier: None,
        user_properties: UserProperties::default(),
        subscriptions: subscriptions[..].into(),
    };
    assert_eq!(v4(&Packet::Subscribe(subscribe)), lacks("subscription options but the QoS"));

    let pairs = [("k", "v")];
    let properties = MessageProperties { user_properties: pairs[..].into(), ..Default::default() };
    let publish = Publish { properties, ..Publish::new("a", b"x") };
    assert_eq!(v4(&Packet::Publish(publish)), Ok(b"\x30\x04\x00\x01ax".to_vec()));
    assert_eq!(v4(&Packet::PubAck(Ack::new(ID, ReasonCode::NotAuthorized))), Ok(b"\x40\x02\x00\x01".to_vec()));
    assert_eq!(v4(&Packet::Disconnect(Disconnect::new(ReasonCode::ServerBusy))), Ok(b"\xe0\x00".to_vec()));
    let codes = [ReasonCode::GrantedQoS1, ReasonCode::NotAuthorized];
    assert_eq!(v4(&Packet::SubAck(SubAck::new(ID, &codes))), Ok(b"\x90\x04\x00\x01\x01\x80".to_vec()));
    assert_eq!(v4(&Packet::UnsubAck(UnsubAck::new(ID, &codes))), Ok(b"\xb0\x02\x00\x01".to_vec()));
}

#[test]
fn connack_codes_have_3_1_1_return_codes_or_none() {
    use ReasonCode::*;
    for (reason_code, expected) in [
        (Success, Some(0)),
        (UnsupportedProtocolVersion, Some(1)),
        (ClientIdentifierNotValid, Some(2)),
        (ServerUnavailable, Some(3)),
        (ServerBusy, Some(3)),
        (QuotaExceeded, Some(3)),
        (BadUserNameOrPassword, Some(4)),
        (BadAuthenticationMethod, Some(4)),
        (NotAuthorized, Some(5)),
        (Banned, Some(5)),
        (MalformedPacket, None),
        (QoSNotSupported, None),
    ] {
        assert_eq!(reason_code.connack_return_code(), expected, "{reason_code:?}");
        let connack = written(&Packet::ConnAck(Box::new(ConnAck::new(false, reason_code))), Version::V4);
        match expected {
            Some(code) => assert_eq!(connack, Ok(vec![0x20, 2, 0, code])),
            None => assert_eq!(connack, Err(EncodeError::ReasonCode(reason_code))),
        }
    }
    for code in 0..=5 {
        let reason_code = ReasonCode::from_connack_return_code(code).expect("defined");
        assert_eq!(reason_code.connack_return_code(), Some(code));
    }
    assert_eq!(ReasonCode::from_connack_return_code(6), None);
}

#[test]
fn reason_codes_are_their_bytes() {
    for byte in 0..=u8::MAX {
        if let Some(reason_code) = ReasonCode::from_byte(byte) {
            assert_eq!(reason_code.byte(), byte);
            assert_eq!(reason_code.is_failure(), byte >= 0x80);
        }
    }
    assert_eq!(ReasonCode::ALL.len(), 43);
    assert!(ReasonCode::ALL.iter().all(|code| ReasonCode::from_byte(code.byte()) == Some(*code)));
}

#[test]
fn a_refused_connect_tells_in_which_version_to_answer() {
    for (packet, expected) in [
        (&b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"[..], Some(Version::V4)),
        (b"\x10\x0c\x00\x04MQTT\x05\x03", Some(Version::V5)), // cut short, reserved flag
        (b"\x10\x0e\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x00", Some(Version::V4)),
        (b"\x10\x0c\x00\x04MQTT\x03\x02\x00\x3c\x00\x00", Some(Version::V4)),
        (b"\x10\x0c\x00\x04MQTT\x06\x02\x00\x3c\x00\x00", Some(Version::V5)),
        (b"\x10\x0c\x00\x04HTTP\x04\x02\x00\x3c\x00\x00", None),
        (b"\x10\x06\x00\x04MQ", None),
        (b"\xc0\x00", None),
        (b"\x10", None),
        (b"", None),
    ] {
        assert_eq!(announced_version(packet), expected, "{packet:02x?}");
    }
}

#[test]
fn clean_session_is_folded_into_clean_start_and_expiry() {
    for (flags, clean_start, session_expiry) in
        [(2, true, SessionExpiry::AT_DISCONNECT), (0, false, SessionExpiry::NEVER)]
    {
        let packet = [b"\x10\x0d\x00\x04MQTT\x04", &[flags][..], b"\x00\x3c\x00\x01c"].concat();
        let connect = decode_connect(&packet).expect("valid");
        assert_eq!((connect.clean_start, connect.session_expiry), (clean_start, session_expiry));
    }
    assert_eq!(SessionExpiry::NEVER.duration(), None);
    assert_eq!(SessionExpiry::from_seconds(5).duration(), Some(std::time::Duration::from_secs(5)));
}
