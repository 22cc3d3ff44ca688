//! What other brokers got wrong, by the name of the report: each corner is a test here.

use std::time::Duration;

use tidegate_broker::{CloseReason, Profile, Settings};
use tidegate_mqtt::{Connect, Packet, Publish, QoS, ReasonCode, SessionExpiry, Unsubscribe, Will, decode};

use crate::world::*;

fn subscriber(world: &mut World, filter: &str, qos: QoS) -> Client {
    let (mut client, _) = world.resume(V5, "subscriber");
    world.subscribe(&mut client, filter, qos);
    client
}

fn twice(topic: &'static str, payload: &'static str, id: u16) -> Packet<'static> {
    Packet::Publish(Publish { dup: true, ..message(topic, payload, QoS::ExactlyOnce, id) })
}

#[test]
fn rmqtt_456_a_qos_2_replay_after_a_reconnect_is_not_delivered_twice() {
    let mut world = World::new();
    let mut subscriber = subscriber(&mut world, "t", QoS::ExactlyOnce);
    let (mut client, _) = world.resume(V5, "p");
    world.publish_at(&mut client, "t", "once", QoS::ExactlyOnce, 7);
    world.lose(&mut client);
    let (mut client, present) = world.resume(V5, "p");
    assert!(present);
    world.send(&mut client, &twice("t", "once", 7)).unwrap();
    assert_eq!(world.got(&mut client), [Got::PubRec(7, ReasonCode::Success)]);
    world.pubrel(&mut client, 7);
    assert_eq!(world.got(&mut client), [Got::PubComp(7, ReasonCode::Success)]);
    assert_eq!(world.payloads(&mut subscriber), ["once"]);
}

#[test]
fn mosquitto_3599_a_second_replay_is_not_delivered_either() {
    let mut world = World::new();
    let mut subscriber = subscriber(&mut world, "t", QoS::ExactlyOnce);
    let (mut client, _) = world.resume(V4, "p");
    world.publish_at(&mut client, "t", "once", QoS::ExactlyOnce, 7);
    for _ in 0..3 {
        world.lose(&mut client);
        client = world.resume(V4, "p").0;
        for _ in 0..2 {
            world.send(&mut client, &twice("t", "once", 7)).unwrap();
        }
        assert_eq!(world.got(&mut client), [Got::PubRec(7, ReasonCode::Success), Got::PubRec(7, ReasonCode::Success)]);
    }
    assert_eq!(world.payloads(&mut subscriber), ["once"]);
}

#[test]
fn emqx_18470_a_dup_that_was_never_seen_is_delivered() {
    let mut world = World::new();
    let mut subscriber = subscriber(&mut world, "t", QoS::ExactlyOnce);
    for version in [V4, V5] {
        let mut client = world.connect(version, "p");
        world.send(&mut client, &twice("t", "unseen", 3)).unwrap();
        assert_eq!(world.got(&mut client), [Got::PubRec(3, ReasonCode::Success)]);
        assert_eq!(world.payloads(&mut subscriber), ["unseen"]);
    }
}

#[test]
fn rmqtt_513_the_expiry_of_a_retained_message_counts_down() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    let mut publish = Publish { retain: true, ..Publish::new("t", b"m") };
    publish.properties.message_expiry_seconds = Some(10);
    world.send(&mut client, &Packet::Publish(publish)).unwrap();
    for left in [10, 7, 4, 1] {
        world.subscribe(&mut client, "t", QoS::AtMostOnce);
        assert_eq!(world.messages(&mut client)[0].expiry, Some(left));
        world.pass(Duration::from_secs(3));
    }
    world.subscribe(&mut client, "t", QoS::AtMostOnce);
    assert_eq!(world.messages(&mut client), []);
}

#[test]
fn rmqtt_513_and_bifromq_281_expiry_does_not_end_an_exchange_past_pubrec() {
    let mut world = World::new();
    let mut subscriber = subscriber(&mut world, "t", QoS::ExactlyOnce);
    let mut publisher = world.connect(V5, "p");
    let mut publish = message("t", "m", QoS::ExactlyOnce, 1);
    publish.properties.message_expiry_seconds = Some(5);
    world.send(&mut publisher, &Packet::Publish(publish)).unwrap();
    let id = world.messages(&mut subscriber)[0].packet_id.unwrap();
    world.pubrec(&mut subscriber, id);
    assert_eq!(world.got(&mut subscriber), [Got::PubRel(id, ReasonCode::Success)]);
    world.lose(&mut subscriber);
    world.pass(Duration::from_secs(60));
    let (mut subscriber, _) = world.resume(V5, "subscriber");
    assert_eq!(world.got(&mut subscriber), [Got::PubRel(id, ReasonCode::Success)], "under the old id");
    world.pubcomp(&mut subscriber, id);
    let seen = world.broker.session(tenant(), "subscriber", world.now).unwrap();
    assert_eq!((seen.inflight, seen.queued), (0, 0));
}

#[test]
fn rmqtt_513_a_queued_message_that_is_too_large_does_not_stall_the_queue() {
    let mut world = World::new();
    let mut gone = subscriber(&mut world, "t", QoS::AtLeastOnce);
    world.lose(&mut gone);
    let mut publisher = world.connect(V5, "p");
    let large = "x".repeat(500);
    for (n, payload) in ["1", &large, "2"].into_iter().enumerate() {
        world.publish_at(&mut publisher, "t", payload, QoS::AtLeastOnce, n as u16 + 1);
    }
    let mut connect = persistent(V5, "subscriber");
    connect.properties.maximum_packet_size = std::num::NonZeroU32::new(200);
    let (mut back, _) = world.connect_with(&connect);
    assert_eq!(world.payloads(&mut back), ["1", "2"]);
}

#[test]
fn bifromq_281_what_is_sent_again_has_dup_and_its_old_id() {
    let mut world = World::new();
    let mut client = subscriber(&mut world, "t", QoS::ExactlyOnce);
    let mut publisher = world.connect(V5, "p");
    world.publish_at(&mut publisher, "t", "1", QoS::AtLeastOnce, 1);
    world.publish_at(&mut publisher, "t", "2", QoS::ExactlyOnce, 2);
    let first: Vec<_> = world.messages(&mut client);
    assert!(first.iter().all(|message| !message.dup));
    for _ in 0..2 {
        world.lose(&mut client);
        client = world.resume(V5, "subscriber").0;
        let again = world.messages(&mut client);
        assert!(again.iter().all(|message| message.dup));
        assert!(again.iter().map(|message| message.packet_id).eq(first.iter().map(|message| message.packet_id)));
    }
}

#[test]
fn bifromq_281_a_receipt_or_release_given_again_is_no_error() {
    let mut world = World::new();
    let mut client = subscriber(&mut world, "t", QoS::ExactlyOnce);
    let mut publisher = world.connect(V5, "p");
    world.publish_at(&mut publisher, "t", "m", QoS::ExactlyOnce, 1);
    world.got(&mut publisher);
    let id = world.messages(&mut client)[0].packet_id.unwrap();
    for _ in 0..2 {
        world.pubrec(&mut client, id);
        assert_eq!(world.got(&mut client), [Got::PubRel(id, ReasonCode::Success)]);
    }
    world.pubrel(&mut publisher, 1);
    assert_eq!(world.got(&mut publisher), [Got::PubComp(1, ReasonCode::Success)]);
    world.pubrel(&mut publisher, 1);
    assert_eq!(world.got(&mut publisher), [Got::PubComp(1, ReasonCode::PacketIdentifierNotFound)]);
}

#[test]
fn bifromq_281_the_route_is_live_before_suback() {
    let mut world = World::new();
    let mut publisher = world.connect(V5, "p");
    // Its cache knows by now that nobody is there.
    world.publish(&mut publisher, "a/b", "too early");
    for filter in ["a/b", "a/+", "#", "$share/g/a/b"] {
        let mut client = world.connect(V5, "c");
        // Until `subscribe` returns, SUBACK is in the outbox and was not written yet.
        assert_eq!(world.subscribe(&mut client, filter, QoS::AtMostOnce), ReasonCode::Success);
        world.publish(&mut publisher, "a/b", filter);
        assert_eq!(world.payloads(&mut client), [filter]);
    }
}

#[test]
fn robustmq_2056_what_was_acknowledged_is_delivered() {
    for kept in [false, true] {
        let mut world = World::with(Profile::standard(), Settings::default());
        let mut subscriber = subscriber(&mut world, "t/+", QoS::AtLeastOnce);
        if kept {
            world.lose(&mut subscriber);
        }
        let mut publisher = world.connect(V4, "p");
        for n in 1..=200 {
            world.publish_at(&mut publisher, "t/x", &n.to_string(), QoS::AtLeastOnce, n);
            assert_eq!(world.got(&mut publisher), [Got::PubAck(n, ReasonCode::Success)]);
        }
        if kept {
            subscriber = world.resume(V5, "subscriber").0;
        }
        assert_eq!(world.payloads(&mut subscriber), (1..=200).map(|n| n.to_string()).collect::<Vec<_>>());
    }
}

/// The will of a connection that is taken over, by (delay, session expiry) of the first connection and clean start of the
/// second. Spec: 3.1.2.5, 3.1.3.2.2, [MQTT-3.1.3-9], [MQTT-3.1.4-3] (5.0).
#[test]
fn mosquitto_3509_and_emqx_10551_and_emqx_18565_the_will_of_a_taken_over_connection() {
    for (delay, expiry, clean_start, published) in [
        (0, 0, false, true),
        (0, 0, true, true),
        (0, 100, false, true),
        (0, 100, true, true),
        (10, 0, false, true),    // the session ends with the connection
        (10, 100, true, true),   // the session ends with the new one
        (10, 100, false, false), // it goes on within the delay
    ] {
        let mut world = World::new();
        let mut watcher = world.connect(V5, "watcher");
        world.subscribe(&mut watcher, "will", QoS::AtMostOnce);
        let connect = |clean_start, expiry, delay_seconds| Connect {
            clean_start,
            session_expiry: SessionExpiry::from_seconds(expiry),
            will: Some(Will {
                qos: QoS::AtMostOnce,
                retain: false,
                delay_seconds,
                topic_name: "will",
                properties: Default::default(),
                payload: b"gone",
            }),
            ..Connect::new(V5, "c")
        };
        let (mut first, _) = world.connect_with(&connect(false, expiry, delay));
        let mut second = Connect { will: None, ..connect(clean_start, expiry, 0) };
        second.will = None;
        world.connect_with(&second);
        world.fetch(&mut first);
        assert_eq!(first.ended, Some(CloseReason::TakenOver));
        world.pass(Duration::from_secs(200));
        let expected: &[&str] = if published { &["gone"] } else { &[] };
        assert_eq!(world.payloads(&mut watcher), expected, "{delay} {expiry} {clean_start}");
    }
}

#[test]
fn mosquitto_3542_unsuback_and_pings_pass_a_full_queue() {
    let mut profile = Profile::standard();
    profile.limits.outbox_bytes_max = 200;
    profile.limits.queued_messages_max = 5;
    let mut world = World::with(profile, Settings::default());
    let mut slow = world.connect(V5, "slow");
    world.subscribe(&mut slow, "t", QoS::AtLeastOnce);
    let mut publisher = world.connect(V5, "p");
    for n in 1..=100 {
        world.publish_at(&mut publisher, "t", "some bytes of a message", QoS::AtLeastOnce, n);
    }
    let unsubscribe =
        Unsubscribe { packet_id: id(8), user_properties: Default::default(), topic_filters: ["t"][..].into() };
    for packet in [Packet::Unsubscribe(unsubscribe), Packet::PingReq] {
        world.broker.handle(slow.link.as_mut().unwrap(), &packet, world.now, &mut world.effects).unwrap();
    }
    let mut out = Vec::new();
    slow.link.as_mut().unwrap().take_output(&mut out, world.now, &mut world.effects);
    slow.take(&out);
    assert!(slow.got.contains(&Got::UnsubAck(8, vec![ReasonCode::Success])), "{:?}", slow.got);
    assert!(slow.got.contains(&Got::PingResp));
}

#[test]
fn mqtt_lib_116_the_packet_ids_of_both_directions_are_apart() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    world.subscribe(&mut client, "t", QoS::ExactlyOnce);
    // The server's first id is 1; the client uses the same towards the server.
    world.publish_at(&mut client, "t", "m", QoS::ExactlyOnce, 1);
    let got = world.got(&mut client);
    assert!(got.contains(&Got::PubRec(1, ReasonCode::Success)));
    assert!(got.iter().any(|got| matches!(got, Got::Publish(message) if message.packet_id == Some(1))));
    world.pubrel(&mut client, 1);
    assert_eq!(world.got(&mut client), [Got::PubComp(1, ReasonCode::Success)]);
    world.pubrec(&mut client, 1);
    assert_eq!(world.got(&mut client), [Got::PubRel(1, ReasonCode::Success)]);
    world.pubcomp(&mut client, 1);
    assert_eq!(world.broker.session(tenant(), "c", world.now).unwrap().inflight, 0);
}

#[test]
fn mochi_166_a_takeover_brings_no_retained_messages_again() {
    let mut world = World::new();
    let mut publisher = world.connect(V5, "p");
    world.retain(&mut publisher, "t", "kept");
    let mut client = subscriber(&mut world, "t", QoS::AtLeastOnce);
    let messages = world.messages(&mut client);
    assert_eq!(messages.len(), 1);
    let (mut again, present) = world.resume(V5, "subscriber");
    assert!(present);
    assert_eq!(world.messages(&mut again), []);
}

#[test]
fn rumqtt_1001_a_queued_message_keeps_no_read_buffer() {
    let mut world = World::new();
    let mut gone = subscriber(&mut world, "t", QoS::AtLeastOnce);
    world.lose(&mut gone);
    let mut publisher = world.connect(V5, "p");
    let before = world.broker.gauges().memory_bytes;
    for n in 1..=10 {
        // Each packet is in a large buffer of its own, which is overwritten once it is handled.
        let mut buffer = Vec::with_capacity(1 << 20);
        Packet::Publish(message("t", "small", QoS::AtLeastOnce, n)).encode(V5, &mut buffer).unwrap();
        let packet = decode(&buffer, V5, tidegate_mqtt::Peer::Client).unwrap();
        world.broker.handle(publisher.link.as_mut().unwrap(), &packet, world.now, &mut world.effects).unwrap();
        buffer.fill(0);
    }
    assert!(world.broker.gauges().memory_bytes - before < 4096);
    let (mut back, _) = world.resume(V5, "subscriber");
    assert_eq!(world.payloads(&mut back), ["small"; 10]);
}
