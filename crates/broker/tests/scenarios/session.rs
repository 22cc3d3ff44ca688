//! Sessions that outlive connections: what is sent again, under which id, and what is gone.

use std::time::Duration;

use tidegate_broker::{CloseReason, DisconnectReason, LifecycleKind, Profile, Settings};
use tidegate_mqtt::{Ack, Connect, Disconnect, MessageProperties, Packet, Publish, QoS, ReasonCode, SessionExpiry};

use crate::world::*;

fn summary(messages: &[Message]) -> Vec<(&str, u16, bool)> {
    messages.iter().map(|m| (&m.payload[..], m.packet_id.unwrap_or(0), m.dup)).collect()
}

#[test]
fn what_was_not_acknowledged_is_sent_again_in_order_under_the_same_id_with_dup() {
    for version in [V4, V5] {
        let mut world = World::new();
        let (mut subscriber, _) = world.resume(version, "s");
        let mut publisher = world.connect(V4, "p");
        world.subscribe(&mut subscriber, "#", QoS::ExactlyOnce);
        for (n, qos) in [(1, QOS[1]), (2, QOS[2]), (3, QOS[1]), (4, QOS[2])] {
            world.publish_at(&mut publisher, "t", &n.to_string(), qos, n);
        }
        assert_eq!(
            summary(&world.messages(&mut subscriber)),
            [("1", 1, false), ("2", 2, false), ("3", 3, false), ("4", 4, false)]
        );
        world.puback(&mut subscriber, 3);
        world.pubrec(&mut subscriber, 2);
        assert_eq!(world.got(&mut subscriber), [Got::PubRel(2, ReasonCode::Success)]);
        world.lose(&mut subscriber);
        world.publish_at(&mut publisher, "t", "5", QoS::AtLeastOnce, 5);
        world.publish(&mut publisher, "t", "gone");

        let (mut subscriber, present) = world.resume(version, "s");
        assert!(present);
        let got = world.got(&mut subscriber);
        let [Got::Publish(one), Got::PubRel(2, ReasonCode::Success), Got::Publish(four), Got::Publish(five)] = &got[..]
        else {
            panic!("{got:?}")
        };
        assert_eq!(
            summary(&[one.clone(), four.clone(), five.clone()]),
            [("1", 1, true), ("4", 4, true), ("5", 5, false)]
        );
        world.pubcomp(&mut subscriber, 2);
        world.puback(&mut subscriber, 1);
        world.puback(&mut subscriber, 5);
        world.pubrec(&mut subscriber, 4);
        world.pubcomp(&mut subscriber, 4);
        world.lose(&mut subscriber);
        let (mut subscriber, _) = world.resume(version, "s");
        assert_eq!(world.messages(&mut subscriber), []);
        world.publish_at(&mut publisher, "t", "6", QoS::AtLeastOnce, 6);
        assert_eq!(summary(&world.messages(&mut subscriber)), [("6", 6, false)]);
    }
}

#[test]
fn a_taken_over_session_goes_on_at_once() {
    let mut world = World::new();
    let (mut old, _) = world.resume(V5, "s");
    let mut publisher = world.connect(V4, "p");
    world.subscribe(&mut old, "t", QoS::AtLeastOnce);
    world.publish_at(&mut publisher, "t", "1", QoS::AtLeastOnce, 1);
    // The old connection has not been read: the new one gets what it missed.
    let (mut new, present) = world.resume(V5, "s");
    assert!(present);
    assert_eq!(summary(&world.messages(&mut new)), [("1", 1, true)]);
    let told = world.got(&mut old);
    assert!(matches!(&told[..], [Got::Publish(_), Got::Disconnect(ReasonCode::SessionTakenOver)]), "{told:?}");
    world.puback(&mut new, 1);
    world.publish_at(&mut publisher, "t", "2", QoS::AtLeastOnce, 2);
    assert_eq!(summary(&world.messages(&mut new)), [("2", 2, false)]);
}

#[test]
fn the_old_connection_of_a_taken_over_session_can_do_nothing() {
    let mut world = World::new();
    let (mut old, _) = world.resume(V5, "s");
    world.subscribe(&mut old, "t", QoS::AtMostOnce);
    let (mut new, _) = world.resume(V5, "s");
    let late = Packet::Publish(Publish::new("t", b"late"));
    assert_eq!(world.send(&mut old, &late), Err(CloseReason::TakenOver));
    assert_eq!(world.payloads(&mut new), [] as [&str; 0]);
    world.publish(&mut new, "t", "now");
    assert_eq!(world.payloads(&mut new), ["now"]);
}

#[test]
fn clean_start_forgets_everything() {
    for version in [V4, V5] {
        let mut world = World::new();
        let (mut client, _) = world.resume(version, "s");
        let mut publisher = world.connect(V4, "p");
        world.subscribe(&mut client, "t", QoS::AtLeastOnce);
        world.subscribe(&mut client, "+/x", QoS::AtLeastOnce);
        world.lose(&mut client);
        world.publish_at(&mut publisher, "t", "1", QoS::AtLeastOnce, 1);
        let mut client = world.connect(version, "s");
        world.publish_at(&mut publisher, "t", "2", QoS::AtLeastOnce, 2);
        world.publish_at(&mut publisher, "a/x", "3", QoS::AtLeastOnce, 3);
        assert_eq!(world.messages(&mut client), []);
        world.lose(&mut client);
        let (_, present) = world.resume(version, "s");
        assert!(!present);
    }
}

#[test]
fn a_takeover_brings_no_retained_messages_again() {
    let mut world = World::new();
    let (mut client, _) = world.resume(V5, "s");
    world.retain(&mut client, "t", "kept");
    world.subscribe(&mut client, "t", QoS::AtMostOnce);
    assert_eq!(world.payloads(&mut client), ["kept"]);
    let (mut client, present) = world.resume(V5, "s");
    assert!(present);
    assert_eq!(world.messages(&mut client), []);
}

#[test]
fn qos_2_from_the_client_is_exactly_once_over_a_reconnect() {
    let mut world = World::new();
    let mut subscriber = world.connect(V4, "s");
    world.subscribe(&mut subscriber, "t", QoS::AtMostOnce);
    let (mut client, _) = world.resume(V4, "c");
    world.publish_at(&mut client, "t", "once", QoS::ExactlyOnce, 3);
    world.lose(&mut client);
    let (mut client, _) = world.resume(V4, "c");
    let again = Publish { dup: true, ..message("t", "once", QoS::ExactlyOnce, 3) };
    world.send(&mut client, &Packet::Publish(again)).unwrap();
    // A DUP that was never seen is a new message.
    let unseen = Publish { dup: true, ..message("t", "unseen", QoS::ExactlyOnce, 4) };
    world.send(&mut client, &Packet::Publish(unseen)).unwrap();
    assert_eq!(world.payloads(&mut subscriber), ["once", "unseen"]);
    assert_eq!(world.got(&mut client), [Got::PubRec(3, ReasonCode::Success), Got::PubRec(4, ReasonCode::Success)]);
    world.pubrel(&mut client, 3);
    world.pubrel(&mut client, 3);
    assert!(matches!(world.got(&mut client)[..], [Got::PubComp(3, _), Got::PubComp(3, _)]));
}

#[test]
fn a_release_of_an_unknown_id_is_answered() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    world.pubrel(&mut client, 77);
    assert_eq!(world.got(&mut client), [Got::PubComp(77, ReasonCode::PacketIdentifierNotFound)]);
    world.pubrec(&mut client, 78);
    assert_eq!(world.got(&mut client), [Got::PubRel(78, ReasonCode::PacketIdentifierNotFound)]);
}

#[test]
fn a_receipt_given_twice_is_released_twice() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    world.subscribe(&mut client, "t", QoS::ExactlyOnce);
    world.publish_at(&mut client, "t", "m", QoS::ExactlyOnce, 1);
    world.got(&mut client);
    world.pubrec(&mut client, 1);
    world.pubrec(&mut client, 1);
    assert_eq!(world.got(&mut client), [Got::PubRel(1, ReasonCode::Success), Got::PubRel(1, ReasonCode::Success)]);
}

#[test]
fn packet_ids_of_both_directions_are_apart() {
    let mut world = World::new();
    let mut client = world.connect(V4, "c");
    world.subscribe(&mut client, "t", QoS::ExactlyOnce);
    world.publish_at(&mut client, "t", "m", QoS::ExactlyOnce, 1);
    let got = world.got(&mut client);
    assert!(got.contains(&Got::PubRec(1, ReasonCode::Success)));
    assert!(got.iter().any(|got| matches!(got, Got::Publish(m) if m.packet_id == Some(1))));
    world.pubrec(&mut client, 1);
    world.pubrel(&mut client, 1);
    world.pubcomp(&mut client, 1);
    assert_eq!(world.got(&mut client), [Got::PubRel(1, ReasonCode::Success), Got::PubComp(1, ReasonCode::Success)]);
}

#[test]
fn expiry_spares_what_was_sent() {
    let mut world = World::new();
    let (mut subscriber, _) = world.resume(V5, "s");
    let mut publisher = world.connect(V5, "p");
    world.subscribe(&mut subscriber, "t", QoS::ExactlyOnce);
    let properties = MessageProperties { message_expiry_seconds: Some(5), ..Default::default() };
    let send = |world: &mut World, publisher: &mut Client, payload: &str, id| {
        let publish = Publish { properties, ..message("t", payload, QoS::ExactlyOnce, id) };
        world.send(publisher, &Packet::Publish(publish)).unwrap();
    };
    send(&mut world, &mut publisher, "received", 1);
    send(&mut world, &mut publisher, "sent", 2);
    let expiries: Vec<_> = world.messages(&mut subscriber).iter().map(|m| m.expiry).collect();
    assert_eq!(expiries, [Some(5), Some(5)]);
    world.pubrec(&mut subscriber, 1);
    world.lose(&mut subscriber);
    send(&mut world, &mut publisher, "waited", 3);
    world.pass(Duration::from_secs(2));
    send(&mut world, &mut publisher, "waits", 4);
    world.pass(Duration::from_millis(3500));
    let (mut subscriber, _) = world.resume(V5, "s");
    let got = world.got(&mut subscriber);
    assert!(matches!(&got[0], Got::PubRel(1, ReasonCode::Success)), "{got:?}");
    let rest = got.into_iter().filter_map(|got| match got {
        Got::Publish(m) => Some((m.payload, m.dup, m.expiry)),
        _ => None,
    });
    assert_eq!(rest.collect::<Vec<_>>(), [("sent".into(), true, Some(1)), ("waits".into(), false, Some(2))]);
}

#[test]
fn disconnect_may_change_the_expiry() {
    let mut world = World::new();
    let goodbye = |seconds| {
        let expiry = Some(SessionExpiry::from_seconds(seconds));
        Packet::Disconnect(Disconnect { session_expiry: expiry, ..Disconnect::new(ReasonCode::Success) })
    };
    let (mut client, _) = world.resume(V5, "s");
    assert_eq!(world.send(&mut client, &goodbye(0)), Err(CloseReason::Disconnect));
    assert_eq!(world.broker.session_count(tenant()), 0);
    // From nothing to something is a protocol error.
    let mut client = world.connect(V5, "s");
    let error = CloseReason::ClientError(ReasonCode::ProtocolError);
    assert_eq!(world.send(&mut client, &goodbye(10)), Err(error));
    assert_eq!(world.got(&mut client), [Got::Disconnect(ReasonCode::ProtocolError)]);
}

#[test]
fn an_absent_session_queues_within_its_bounds() {
    let mut profile = Profile::standard();
    profile.limits.queued_messages_max = 3;
    profile.limits.queued_bytes_max = 100;
    let mut world = World::with(profile, Settings::default());
    let (mut subscriber, _) = world.resume(V4, "s");
    world.subscribe(&mut subscriber, "t", QoS::AtLeastOnce);
    world.lose(&mut subscriber);
    let mut publisher = world.connect(V5, "p");
    for n in 1..=5 {
        world.publish_at(&mut publisher, "t", &n.to_string(), QoS::AtLeastOnce, n);
    }
    let (mut subscriber, _) = world.resume(V4, "s");
    assert_eq!(world.payloads(&mut subscriber), ["1", "2", "3"]);
    world.lose(&mut subscriber);
    // Sent ones do not count for the bound of waiting ones.
    let big = "x".repeat(60);
    world.publish_at(&mut publisher, "t", &big, QoS::AtLeastOnce, 6);
    world.publish_at(&mut publisher, "t", &big, QoS::AtLeastOnce, 7);
    world.broker.hand_over(&mut world.effects);
    assert_eq!(world.broker.counters().dropped_queue_full, 3);
}

#[test]
fn the_window_of_the_client_is_kept() {
    let mut world = World::new();
    let mut connect = Connect::new(V5, "s");
    connect.properties.receive_maximum = id(2);
    let (mut subscriber, _) = world.connect_with(&connect);
    let mut publisher = world.connect(V4, "p");
    world.subscribe(&mut subscriber, "t", QoS::ExactlyOnce);
    for (n, qos) in [(1, QOS[2]), (2, QOS[1]), (3, QOS[1]), (4, QOS[2])] {
        world.publish_at(&mut publisher, "t", &n.to_string(), qos, n);
    }
    assert_eq!(world.payloads(&mut subscriber), ["1", "2"]);
    // PUBREC does not open the window, PUBCOMP and PUBACK do; QoS 0 is not bound by it.
    world.pubrec(&mut subscriber, 1);
    world.publish(&mut publisher, "t", "zero");
    assert_eq!(world.payloads(&mut subscriber), ["zero"]);
    world.puback(&mut subscriber, 2);
    assert_eq!(world.payloads(&mut subscriber), ["3"]);
    world.pubcomp(&mut subscriber, 1);
    assert_eq!(world.payloads(&mut subscriber), ["4"]);
    // A failure in PUBREC ends the exchange and opens the window.
    world.publish_at(&mut publisher, "t", "5", QoS::AtLeastOnce, 5);
    assert_eq!(world.payloads(&mut subscriber), [] as [&str; 0]);
    let failed = Ack::new(id(4), ReasonCode::UnspecifiedError);
    world.send(&mut subscriber, &Packet::PubRec(failed)).unwrap();
    assert_eq!(world.payloads(&mut subscriber), ["5"]);
}

#[test]
fn a_smaller_window_after_a_reconnect_is_kept_too() {
    let mut world = World::new();
    let (mut subscriber, _) = world.resume(V5, "s");
    let mut publisher = world.connect(V4, "p");
    world.subscribe(&mut subscriber, "t", QoS::AtLeastOnce);
    for n in 1..=3 {
        world.publish_at(&mut publisher, "t", &n.to_string(), QoS::AtLeastOnce, n);
    }
    assert_eq!(world.payloads(&mut subscriber), ["1", "2", "3"]);
    world.lose(&mut subscriber);
    let mut connect = persistent(V5, "s");
    connect.properties.receive_maximum = id(1);
    let (mut subscriber, _) = world.connect_with(&connect);
    for n in 1..=3 {
        assert_eq!(summary(&world.messages(&mut subscriber)), [(&n.to_string()[..], n, true)]);
        world.puback(&mut subscriber, n);
    }
    assert_eq!(world.messages(&mut subscriber), []);
}

#[test]
fn packet_ids_come_round_without_meeting() {
    for (version, qos) in [(V4, QOS[1]), (V4, QOS[2]), (V5, QOS[1]), (V5, QOS[2])] {
        let mut profile = Profile::standard();
        profile.limits.send_maximum = u16::MAX;
        let mut world = World::with(profile, Settings::default());
        let mut subscriber = world.connect(version, "s");
        let mut publisher = world.connect(V4, "p");
        world.subscribe(&mut subscriber, "t", qos);
        let publish = |world: &mut World, publisher: &mut Client, payload| {
            world.publish_at(publisher, "t", payload, QoS::ExactlyOnce, 1);
            world.pubrel(publisher, 1);
        };
        let acknowledge = |world: &mut World, subscriber: &mut Client, n| match qos {
            QoS::ExactlyOnce => {
                world.pubrec(subscriber, n);
                world.pubcomp(subscriber, n);
            }
            _ => world.puback(subscriber, n),
        };
        publish(&mut world, &mut publisher, "first");
        assert_eq!(world.messages(&mut subscriber)[0].packet_id, Some(1));
        for n in 2..=u16::MAX {
            publish(&mut world, &mut publisher, "m");
            assert_eq!(world.messages(&mut subscriber)[0].packet_id, Some(n));
            acknowledge(&mut world, &mut subscriber, n);
        }
        // The first is still unacknowledged, so its id is not free.
        world.got(&mut publisher);
        publish(&mut world, &mut publisher, "waits");
        assert_eq!(world.messages(&mut subscriber), []);
        acknowledge(&mut world, &mut subscriber, 1);
        let messages = world.messages(&mut subscriber);
        assert_eq!(summary(&messages), [("waits", 1, false)]);
    }
}

#[test]
fn events_tell_of_connections_and_subscriptions() {
    let mut world = World::new();
    let (mut client, _) = world.resume(V5, "c");
    world.subscribe(&mut client, "a/+", QoS::AtMostOnce);
    world.unsubscribe(&mut client, &["a/+", "unknown"]);
    world.lose(&mut client);
    let (mut client, _) = world.resume(V5, "c");
    world.disconnect(&mut client);
    let events = world.events();
    let kinds: Vec<_> = events.iter().map(|event| (event.version_number, &event.kind)).collect();
    let peer_address = "192.0.2.1:1234".parse().unwrap();
    assert_eq!(
        kinds,
        [
            (0, &LifecycleKind::Connected { peer_address, session_present: false }),
            (0, &LifecycleKind::Subscribed { topic_filters: vec!["a/+".into()] }),
            (0, &LifecycleKind::Unsubscribed { topic_filters: vec!["a/+".into()] }),
            (0, &LifecycleKind::Disconnected { reason: DisconnectReason::ConnectionLost }),
            (1, &LifecycleKind::Connected { peer_address, session_present: true }),
            (1, &LifecycleKind::Disconnected { reason: DisconnectReason::ClientInitiatedDisconnect }),
        ]
    );
    assert!(events.iter().all(|event| event.session_identifier == events[0].session_identifier));
}

#[test]
fn what_expired_in_a_queue_makes_room() {
    let mut world = World::new();
    std::sync::Arc::get_mut(&mut world.profile).unwrap().limits.queued_messages_max = 2;
    let (mut subscriber, _) = world.resume(V5, "s");
    world.subscribe(&mut subscriber, "t", QoS::AtLeastOnce);
    world.lose(&mut subscriber);
    let mut publisher = world.connect(V5, "p");
    for (n, expiry) in [(1, Some(1)), (2, Some(2))] {
        let mut publish = message("t", "old", QoS::AtLeastOnce, n);
        publish.properties.message_expiry_seconds = expiry;
        world.send(&mut publisher, &Packet::Publish(publish)).unwrap();
    }
    world.publish_at(&mut publisher, "t", "no room", QoS::AtLeastOnce, 3);
    world.pass(Duration::from_secs(1));
    world.publish_at(&mut publisher, "t", "new", QoS::AtLeastOnce, 4);
    world.publish_at(&mut publisher, "t", "no room", QoS::AtLeastOnce, 5);
    world.pass(Duration::from_secs(1));
    world.publish_at(&mut publisher, "t", "newer", QoS::AtLeastOnce, 6);
    let (mut subscriber, _) = world.resume(V5, "s");
    assert_eq!(world.payloads(&mut subscriber), ["new", "newer"]);
}
