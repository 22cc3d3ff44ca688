//! One message between two parties: which packets, under which id, how often.

use std::time::Duration;

use tidegate_mqtt::{Ack, Connect, MessageProperties, Packet, Publish, QoS, ReasonCode, SessionExpiry};

use crate::world::*;

#[test]
fn dup_of_a_publisher_is_not_passed_on() {
    for version in [V4, V5] {
        let mut world = World::new();
        let mut subscriber = world.connect(version, "s");
        let mut publisher = world.connect(version, "p");
        world.subscribe(&mut subscriber, "t", QoS::ExactlyOnce);
        for (n, qos) in [(1, QoS::AtLeastOnce), (2, QoS::ExactlyOnce)] {
            let again = Publish { dup: true, ..message("t", "m", qos, n) };
            world.send(&mut publisher, &Packet::Publish(again)).unwrap();
        }
        let messages = world.messages(&mut subscriber);
        assert_eq!(messages.iter().map(|m| (m.qos, m.dup)).collect::<Vec<_>>(), [(1, false), (2, false)]);
    }
}

#[test]
fn qos_0_has_neither_id_nor_dup() {
    for version in [V4, V5] {
        let mut world = World::new();
        let (mut subscriber, _) = world.resume(version, "s");
        let mut publisher = world.connect(version, "p");
        world.subscribe(&mut subscriber, "t", QoS::AtMostOnce);
        world.publish(&mut publisher, "t", "0");
        world.publish_at(&mut publisher, "t", "1", QoS::AtLeastOnce, 1);
        for message in world.messages(&mut subscriber) {
            assert_eq!((message.qos, message.packet_id, message.dup), (0, None, false), "{}", message.payload);
        }
        // What was sent once is not sent again.
        world.lose(&mut subscriber);
        let (mut subscriber, present) = world.resume(version, "s");
        assert!(present);
        assert_eq!(world.got(&mut subscriber), []);
    }
}

#[test]
fn after_its_acknowledgement_an_id_names_a_new_message_whatever_dup_says() {
    for version in [V4, V5] {
        let mut world = World::new();
        let mut subscriber = world.connect(version, "s");
        let (mut publisher, _) = world.resume(version, "p");
        world.subscribe(&mut subscriber, "t", QoS::AtMostOnce);
        for dup in [false, true, true] {
            let publish = Publish { dup, ..message("t", "1", QoS::AtLeastOnce, 7) };
            world.send(&mut publisher, &Packet::Publish(publish)).unwrap();
            assert_eq!(world.got(&mut publisher), [Got::PubAck(7, ReasonCode::Success)]);
            assert_eq!(world.payloads(&mut subscriber), ["1"]);
        }
        for dup in [false, true, true] {
            let publish = Publish { dup, ..message("t", "2", QoS::ExactlyOnce, 7) };
            world.send(&mut publisher, &Packet::Publish(publish)).unwrap();
            world.pubrel(&mut publisher, 7);
            let success = ReasonCode::Success;
            assert_eq!(world.got(&mut publisher), [Got::PubRec(7, success), Got::PubComp(7, success)]);
            assert_eq!(world.payloads(&mut subscriber), ["2"]);
        }
    }
}

#[test]
fn nothing_is_sent_again_while_the_connection_lasts() {
    for version in [V4, V5] {
        let mut world = World::new();
        let (mut subscriber, _) = world.resume(version, "s");
        let mut publisher = world.connect(version, "p");
        world.subscribe(&mut subscriber, "t", QoS::ExactlyOnce);
        for (n, qos) in [(1, QoS::AtLeastOnce), (2, QoS::ExactlyOnce), (3, QoS::ExactlyOnce)] {
            world.publish_at(&mut publisher, "t", "m", qos, n);
        }
        assert_eq!(world.messages(&mut subscriber).len(), 3);
        world.pubrec(&mut subscriber, 3);
        assert_eq!(world.got(&mut subscriber), [Got::PubRel(3, ReasonCode::Success)]);
        for _ in 0..3 {
            world.pass(Duration::from_secs(24 * 3600));
            world.send(&mut subscriber, &Packet::PingReq).unwrap();
            assert_eq!(world.got(&mut subscriber), [Got::PingResp]);
        }
        assert_eq!(world.broker.session(tenant(), "s", world.now).unwrap().inflight, 3);
    }
}

#[test]
fn a_refusal_by_the_subscriber_is_an_acknowledgement_too() {
    let mut world = World::new();
    let (mut subscriber, _) = world.resume(V5, "s");
    let mut publisher = world.connect(V5, "p");
    world.subscribe(&mut subscriber, "t", QoS::ExactlyOnce);
    for (n, qos) in [(1, QoS::AtLeastOnce), (2, QoS::ExactlyOnce)] {
        world.publish_at(&mut publisher, "t", "m", qos, n);
    }
    assert_eq!(world.messages(&mut subscriber).len(), 2);
    let failed = |n| Ack::new(id(n), ReasonCode::QuotaExceeded);
    world.send(&mut subscriber, &Packet::PubAck(failed(1))).unwrap();
    world.send(&mut subscriber, &Packet::PubRec(failed(2))).unwrap();
    assert_eq!(world.got(&mut subscriber), [], "no PUBREL: the exchange is over");
    world.lose(&mut subscriber);
    let (mut subscriber, _) = world.resume(V5, "s");
    assert_eq!(world.got(&mut subscriber), []);
    let seen = world.broker.session(tenant(), "s", world.now).unwrap();
    assert_eq!((seen.inflight, seen.queued), (0, 0));
}

#[test]
fn what_has_expired_is_acknowledged_and_released_all_the_same() {
    let mut world = World::new();
    let (mut absent, _) = world.resume(V5, "absent");
    world.subscribe(&mut absent, "t", QoS::ExactlyOnce);
    world.lose(&mut absent);
    let (mut publisher, _) = world.resume(V5, "p");
    let properties = MessageProperties { message_expiry_seconds: Some(1), ..Default::default() };
    let publish = Publish { properties, ..message("t", "m", QoS::ExactlyOnce, 1) };
    world.send(&mut publisher, &Packet::Publish(publish)).unwrap();
    assert_eq!(world.got(&mut publisher), [Got::PubRec(1, ReasonCode::Success)]);
    world.pass(Duration::from_secs(60));
    let again = Publish { dup: true, ..publish };
    world.send(&mut publisher, &Packet::Publish(again)).unwrap();
    assert_eq!(world.got(&mut publisher), [Got::PubRec(1, ReasonCode::Success)]);
    world.pubrel(&mut publisher, 1);
    assert_eq!(world.got(&mut publisher), [Got::PubComp(1, ReasonCode::Success)]);
    let (mut absent, present) = world.resume(V5, "absent");
    assert!(present);
    assert_eq!(world.messages(&mut absent), []);
}

#[test]
fn unsubscribing_stops_new_messages_and_completes_what_was_begun() {
    for version in [V4, V5] {
        let mut world = World::new();
        let (mut subscriber, _) = world.resume(version, "s");
        let mut publisher = world.connect(version, "p");
        world.subscribe(&mut subscriber, "t/+", QoS::ExactlyOnce);
        world.subscribe(&mut subscriber, "t/#", QoS::ExactlyOnce);
        for (n, qos) in [(1, QoS::AtLeastOnce), (2, QoS::ExactlyOnce)] {
            world.publish_at(&mut publisher, "t/x", &n.to_string(), qos, n);
        }
        assert_eq!(world.payloads(&mut subscriber), ["1", "2"]);
        // Another filter that matches the same is another filter.
        world.unsubscribe(&mut subscriber, &["t/x"]);
        world.unsubscribe(&mut subscriber, &["t/+", "t/#"]);
        world.publish_at(&mut publisher, "t/x", "3", QoS::AtLeastOnce, 3);
        world.lose(&mut subscriber);
        let (mut subscriber, present) = world.resume(version, "s");
        assert!(present);
        let again: Vec<_> = world.messages(&mut subscriber).into_iter().map(|m| (m.payload, m.dup)).collect();
        assert_eq!(again, [("1".into(), true), ("2".into(), true)]);
        world.puback(&mut subscriber, 1);
        world.pubrec(&mut subscriber, 2);
        assert_eq!(world.got(&mut subscriber), [Got::PubRel(2, ReasonCode::Success)]);
        world.pubcomp(&mut subscriber, 2);
        assert_eq!(world.broker.session(tenant(), "s", world.now).unwrap().inflight, 0);
    }
}

#[test]
fn subscribing_again_loses_nothing_that_waits_or_is_on_its_way() {
    let mut world = World::new();
    let mut connect = Connect::new(V5, "s");
    connect.properties.receive_maximum = id(1);
    let (mut subscriber, _) = world.connect_with(&connect);
    let mut publisher = world.connect(V5, "p");
    world.subscribe(&mut subscriber, "t", QoS::AtLeastOnce);
    for n in 1..=3 {
        world.publish_at(&mut publisher, "t", &n.to_string(), QoS::AtLeastOnce, n);
    }
    let mut all = world.payloads(&mut subscriber);
    assert_eq!(all, ["1"], "the window is 1");
    world.subscribe(&mut subscriber, "t", QoS::AtMostOnce);
    for n in 1..=3 {
        world.puback(&mut subscriber, n);
        all.extend(world.payloads(&mut subscriber));
    }
    assert_eq!(all, ["1", "2", "3"]);
    world.publish_at(&mut publisher, "t", "4", QoS::AtLeastOnce, 4);
    let messages = world.messages(&mut subscriber);
    assert_eq!(messages.iter().map(|m| (&m.payload[..], m.qos)).collect::<Vec<_>>(), [("4", 0)]);
}

#[test]
fn a_client_without_a_window_left_is_still_answered() {
    let mut world = World::new();
    let mut connect = Connect::new(V5, "s");
    connect.properties.receive_maximum = id(1);
    connect.session_expiry = SessionExpiry::NEVER;
    let (mut client, _) = world.connect_with(&connect);
    world.subscribe(&mut client, "t", QoS::ExactlyOnce);
    for n in 1..=2 {
        world.publish_at(&mut client, "t", &n.to_string(), QoS::ExactlyOnce, n);
    }
    let got = world.got(&mut client);
    let success = ReasonCode::Success;
    assert!(matches!(&got[..], [Got::Publish(m), Got::PubRec(1, _), Got::PubRec(2, _)] if m.payload == "1"), "{got:?}");
    assert_eq!(world.subscribe(&mut client, "u", QoS::AtLeastOnce), ReasonCode::GrantedQoS1);
    assert_eq!(world.unsubscribe(&mut client, &["u"]), [success]);
    world.send(&mut client, &Packet::PingReq).unwrap();
    world.pubrel(&mut client, 1);
    world.pubrec(&mut client, 1);
    let expected = [Got::PingResp, Got::PubComp(1, success), Got::PubRel(1, success)];
    assert_eq!(world.got(&mut client), expected, "and no second PUBLISH");
    world.pubcomp(&mut client, 1);
    assert_eq!(world.payloads(&mut client), ["2"]);
}
