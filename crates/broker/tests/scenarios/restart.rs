//! A process that was killed, and the next one: what was written is there, what was not had not been acknowledged.

use std::time::Duration;

use tidegate_broker::{CloseReason, Profile, Settings};
use tidegate_mqtt::{
    Ack, Connect, MessageProperties, Packet, Publish, QoS, ReasonCode, SessionExpiry, SubscriptionOptions, Will,
};

use crate::world::*;

fn world() -> World {
    World::with(Profile::standard(), Settings { persist: true, ..Settings::default() })
}

/// A client's life ends with the process: nobody tells the broker.
fn forget(client: Client) {
    drop(client);
}

const SOON: Duration = Duration::from_secs(1);

#[test]
fn a_session_goes_on_with_its_subscriptions_and_all_that_is_owed_in_both_directions() {
    for version in [V4, V5] {
        let mut world = world();
        let (mut subscriber, _) = world.resume(version, "s");
        let (mut publisher, _) = world.resume(version, "p");
        world.subscribe(&mut subscriber, "t", QoS::ExactlyOnce);
        world.subscribe(&mut subscriber, "given/up", QoS::AtLeastOnce);
        world.unsubscribe(&mut subscriber, &["given/up"]);
        for (n, qos) in [(1, QOS[1]), (2, QOS[2]), (3, QOS[2]), (4, QOS[1])] {
            world.publish_at(&mut publisher, "t", &n.to_string(), qos, n);
            world.make_durable();
        }
        assert_eq!(world.payloads(&mut subscriber), ["1", "2", "3", "4"]);
        world.puback(&mut subscriber, 4);
        world.pubrec(&mut subscriber, 3);
        world.make_durable();
        assert_eq!(world.got(&mut subscriber), [Got::PubRel(3, ReasonCode::Success)]);
        world.lose(&mut subscriber);
        world.publish_at(&mut publisher, "t", "5", QoS::AtLeastOnce, 5);
        world.pubrel(&mut publisher, 3);
        world.make_durable();
        forget(publisher);
        world.kill(SOON);

        let (mut publisher, present) = world.resume(version, "p");
        assert!(present);
        // PUBREC 2 may not have arrived; PUBREL 3 has, so that its packet id is free for another message.
        let again = Publish { dup: true, ..message("t", "2", QoS::ExactlyOnce, 2) };
        world.send(&mut publisher, &Packet::Publish(again)).unwrap();
        world.pubrel(&mut publisher, 2);
        world.publish_at(&mut publisher, "t", "6", QoS::ExactlyOnce, 3);
        world.publish_at(&mut publisher, "given/up", "no", QoS::AtLeastOnce, 7);
        world.make_durable();
        let success = ReasonCode::Success;
        let nobody = if version == V4 { success } else { ReasonCode::NoMatchingSubscribers };
        assert_eq!(
            world.got(&mut publisher),
            [Got::PubRec(2, success), Got::PubComp(2, success), Got::PubRec(3, success), Got::PubAck(7, nobody)]
        );

        let (mut subscriber, present) = world.resume(version, "s");
        assert!(present);
        world.make_durable();
        let told: Vec<_> = world
            .got(&mut subscriber)
            .into_iter()
            .map(|got| match got {
                Got::Publish(m) => (m.payload, m.packet_id.unwrap(), m.dup),
                Got::PubRel(packet_id, _) => ("PUBREL".to_owned(), packet_id, false),
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = [("1", 1, true), ("2", 2, true), ("PUBREL", 3, false), ("5", 5, false), ("6", 6, false)];
        assert_eq!(told, expected.map(|(what, packet_id, dup)| (what.to_owned(), packet_id, dup)));
        world.pubcomp(&mut subscriber, 3);
        for packet_id in [1, 5] {
            world.puback(&mut subscriber, packet_id);
        }
        for packet_id in [2, 6] {
            world.pubrec(&mut subscriber, packet_id);
            world.pubcomp(&mut subscriber, packet_id);
        }
        world.make_durable();
        let seen = world.broker.session(tenant(), "s", world.now).unwrap();
        assert_eq!((seen.inflight, seen.queued), (0, 0));
    }
}

#[test]
fn what_was_not_written_is_gone_and_was_not_acknowledged() {
    let mut world = world();
    let (mut subscriber, _) = world.resume(V5, "s");
    let (mut publisher, _) = world.resume(V5, "p");
    world.subscribe(&mut subscriber, "t", QoS::ExactlyOnce);
    world.lose(&mut subscriber);
    world.publish_at(&mut publisher, "t", "1", QoS::ExactlyOnce, 1);
    let first = world.batch().unwrap();
    world.publish_at(&mut publisher, "t", "2", QoS::ExactlyOnce, 2);
    let lost = world.batch().unwrap();
    world.commit(first);
    assert_eq!(world.got(&mut publisher), [Got::PubRec(1, ReasonCode::Success)]);
    drop(lost);
    forget(publisher);
    world.kill(SOON);
    // The client sends again what was not acknowledged: number 2 for the first time, as far as this process knows.
    let (mut publisher, present) = world.resume(V5, "p");
    assert!(present);
    for (n, payload) in [(1, "1"), (2, "2")] {
        let again = Publish { dup: true, ..message("t", payload, QoS::ExactlyOnce, n) };
        world.send(&mut publisher, &Packet::Publish(again)).unwrap();
    }
    world.make_durable();
    let (mut subscriber, _) = world.resume(V5, "s");
    world.make_durable();
    assert_eq!(world.payloads(&mut subscriber), ["1", "2"]);
}

#[test]
fn subscriptions_come_back_with_their_options() {
    let mut world = world();
    let (mut client, _) = world.resume(V5, "c");
    let options = SubscriptionOptions { retain_as_published: true, no_local: true, ..SubscriptionOptions::at(QOS[1]) };
    world.subscribe_with(&mut client, "t", options, Some(7));
    world.subscribe_with(&mut client, "$share/g/s", SubscriptionOptions::at(QOS[1]), Some(8));
    let mut clean = world.connect(V5, "clean");
    world.subscribe(&mut clean, "t", QoS::AtLeastOnce);
    forget(client);
    forget(clean);
    world.kill(SOON);
    assert!(world.broker.session(tenant(), "clean", world.now).is_none(), "it ended with its connection");
    let (mut client, present) = world.resume(V5, "c");
    assert!(present);
    world.publish(&mut client, "t", "own");
    let mut publisher = world.connect(V5, "p");
    let retained = Publish { retain: true, ..message("t", "other's", QoS::ExactlyOnce, 1) };
    world.send(&mut publisher, &Packet::Publish(retained)).unwrap();
    world.publish_at(&mut publisher, "s", "shared", QoS::ExactlyOnce, 2);
    world.make_durable();
    let messages: Vec<_> =
        world.messages(&mut client).into_iter().map(|m| (m.payload, m.qos, m.retain, m.identifiers)).collect();
    assert_eq!(messages, [("other's".into(), 1, true, vec![7]), ("shared".into(), 1, false, vec![8])]);
}

/// Spec: 4.8.2, [MQTT-4.8.2-5] (5.0).
#[test]
fn messages_of_a_group_are_for_another_member_when_theirs_does_not_return_after_the_restart() {
    let mut world = world();
    let away = Connect { session_expiry: SessionExpiry::from_seconds(60), ..persistent(V5, "away") };
    let (mut client, _) = world.connect_with(&away);
    world.subscribe(&mut client, "$share/g/t/+", QoS::ExactlyOnce);
    world.subscribe(&mut client, "own", QoS::ExactlyOnce);
    let mut publisher = world.connect(V5, "p");
    let send = |world: &mut World, publisher: &mut Client, topic, payload, qos, n| {
        let retain = payload == "queued 1";
        world.send(publisher, &Packet::Publish(Publish { retain, ..message(topic, payload, qos, n) })).unwrap();
        world.make_durable();
    };
    send(&mut world, &mut publisher, "t/x", "sent 1", QoS::AtLeastOnce, 1);
    send(&mut world, &mut publisher, "t/x", "sent 2", QoS::ExactlyOnce, 2);
    assert_eq!(world.payloads(&mut client), ["sent 1", "sent 2"]);
    world.lose(&mut client);
    send(&mut world, &mut publisher, "t/x", "queued 1", QoS::AtLeastOnce, 3);
    send(&mut world, &mut publisher, "own", "its own", QoS::AtLeastOnce, 4);
    send(&mut world, &mut publisher, "t/x", "queued 2", QoS::ExactlyOnce, 5);
    world.write_all();
    forget(publisher);
    world.kill(SOON);
    let (mut other, _) = world.resume(V5, "other");
    world.subscribe(&mut other, "$share/g/t/+", QoS::ExactlyOnce);
    assert_eq!(world.payloads(&mut other), [] as [&str; 0]);
    world.pass(Duration::from_secs(60));
    world.make_durable();
    // Number 2 was sent to the one that is gone, and is nobody else's.
    assert_eq!(world.payloads(&mut other), ["sent 1", "queued 1", "queued 2"]);
}

/// What may have been sent is given to nobody else at QoS 2, and at QoS 1 when its member cannot return.
#[test]
fn what_may_have_been_sent_to_a_member_of_a_group_stays_with_it() {
    let mut world = world();
    std::sync::Arc::get_mut(&mut world.profile).unwrap().limits.send_maximum = 1;
    let member = Connect { session_expiry: SessionExpiry::from_seconds(60), ..persistent(V5, "member") };
    let (mut client, _) = world.connect_with(&member);
    world.subscribe(&mut client, "$share/g/t", QoS::ExactlyOnce);
    let mut publisher = world.connect(V5, "p");
    for (n, qos) in [(1, QOS[1]), (2, QOS[2]), (3, QOS[1])] {
        world.publish_at(&mut publisher, "t", &n.to_string(), qos, n);
        world.make_durable();
    }
    world.write_all();
    forget(client);
    forget(publisher);
    world.kill(SOON);
    let (mut other, _) = world.resume(V5, "other");
    world.subscribe(&mut other, "$share/g/t", QoS::ExactlyOnce);
    world.pass(Duration::from_secs(60));
    world.make_durable();
    assert_eq!(world.payloads(&mut other), ["1"], "the window is 1");
    world.puback(&mut other, 1);
    assert_eq!(world.payloads(&mut other), ["3"]);
    world.puback(&mut other, 2);
    assert_eq!(world.payloads(&mut other), [] as [&str; 0]);
}

fn connect(client_id: &'static str, expiry: u32, delay_seconds: u32) -> Connect<'static> {
    let will = Will {
        qos: QoS::AtLeastOnce,
        retain: false,
        delay_seconds,
        topic_name: "will",
        properties: MessageProperties::default(),
        payload: client_id.as_bytes(),
    };
    Connect { will: Some(will), session_expiry: SessionExpiry::from_seconds(expiry), ..Connect::new(V5, client_id) }
}

#[test]
fn connections_end_with_the_process_and_deadlines_go_on_without_it() {
    let mut world = world();
    let (mut watcher, _) = world.resume(V5, "watcher");
    world.subscribe(&mut watcher, "will", QoS::AtLeastOnce);
    // Expiry and delay of those who are connected count from the restart; of those who are not, from when they went.
    for (client_id, expiry, delay, goes) in
        [("at once", 60, 0, false), ("delayed", 60, 20, false), ("short", 30, 50, false), ("gone", 40, 40, true)]
    {
        let (mut client, _) = world.connect_with(&connect(client_id, expiry, delay));
        if goes {
            world.lose(&mut client);
        }
    }
    let (mut calm, _) = world.connect_with(&connect("calm", 60, 0));
    world.disconnect(&mut calm);
    world.write_all();
    forget(watcher);
    world.kill(Duration::from_secs(15));
    let (mut watcher, present) = world.resume(V5, "watcher");
    assert!(present);
    let mut wills = Vec::new();
    for second in 0..=60 {
        world.pass(if second == 0 { Duration::ZERO } else { Duration::from_secs(1) });
        world.make_durable();
        wills.extend(world.payloads(&mut watcher).into_iter().map(|will| (second, will)));
    }
    let expected = [(0, "at once"), (20, "delayed"), (25, "gone"), (30, "short")];
    assert_eq!(wills, expected.map(|(second, will)| (second, will.to_owned())));
    assert_eq!(world.broker.session_count(tenant()), 1, "the watcher's alone");
}

#[test]
fn retained_messages_come_back_unless_they_have_expired() {
    let mut world = world();
    let mut client = world.connect(V5, "c");
    for (n, (topic, payload, expiry)) in [
        ("a", "kept", None),
        ("b", "expired", Some(10)),
        ("c", "lasts", Some(100)),
        ("d", "deleted", None),
        ("d", "", None),
    ]
    .into_iter()
    .enumerate()
    {
        let mut publish = Publish { retain: true, ..message(topic, payload, QoS::AtLeastOnce, n as u16 + 1) };
        publish.properties.message_expiry_seconds = expiry;
        world.send(&mut client, &Packet::Publish(publish)).unwrap();
    }
    world.make_durable();
    forget(client);
    world.kill(Duration::from_secs(30));
    let mut client = world.connect(V5, "c");
    world.subscribe(&mut client, "#", QoS::AtLeastOnce);
    let mut messages: Vec<_> = world.messages(&mut client).into_iter().map(|m| (m.payload, m.qos, m.expiry)).collect();
    messages.sort();
    assert_eq!(messages, [("kept".into(), 1, None), ("lasts".into(), 1, Some(70))]);
}

#[test]
fn what_expired_meanwhile_is_not_sent_and_what_was_sent_does_not_expire() {
    let mut world = world();
    let (mut subscriber, _) = world.resume(V5, "s");
    world.subscribe(&mut subscriber, "t", QoS::ExactlyOnce);
    let mut publisher = world.connect(V5, "p");
    let publish = |world: &mut World, publisher: &mut Client, payload, n, expiry| {
        let mut publish = message("t", payload, QoS::ExactlyOnce, n);
        publish.properties.message_expiry_seconds = Some(expiry);
        world.send(publisher, &Packet::Publish(publish)).unwrap();
        world.make_durable();
    };
    publish(&mut world, &mut publisher, "sent", 1, 10);
    assert_eq!(world.payloads(&mut subscriber), ["sent"]);
    world.end(&mut subscriber, CloseReason::ConnectionLost);
    publish(&mut world, &mut publisher, "waits", 2, 100);
    publish(&mut world, &mut publisher, "expires", 3, 10);
    world.write_all();
    world.kill(Duration::from_secs(30));
    let (mut subscriber, _) = world.resume(V5, "s");
    world.make_durable();
    let messages: Vec<_> = world.messages(&mut subscriber).into_iter().map(|m| (m.payload, m.dup, m.expiry)).collect();
    assert_eq!(messages, [("sent".into(), true, Some(1)), ("waits".into(), false, Some(70))]);
}

#[test]
fn whatever_the_process_may_have_sent_before_it_was_killed_comes_with_dup() {
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let mut world = world();
        std::sync::Arc::get_mut(&mut world.profile).unwrap().limits.send_maximum = 2;
        let (mut subscriber, _) = world.resume(V5, "s");
        world.subscribe(&mut subscriber, "t", QoS::ExactlyOnce);
        let mut publisher = world.connect(V5, "p");
        for n in 1..=4 {
            world.publish_at(&mut publisher, "t", &n.to_string(), qos, n);
            world.make_durable();
        }
        assert_eq!(world.payloads(&mut subscriber), ["1", "2"]);
        // That the client has number 1 is not written, and so it is not known later that number 3 was sent.
        let acknowledge = |world: &mut World, subscriber: &mut Client, n| match qos {
            QoS::AtLeastOnce => world.puback(subscriber, n),
            _ => {
                let refused = Ack::new(id(n), ReasonCode::UnspecifiedError);
                world.send(subscriber, &Packet::PubRec(refused)).unwrap();
            }
        };
        acknowledge(&mut world, &mut subscriber, 1);
        assert_eq!(world.payloads(&mut subscriber), ["3"]);
        forget(subscriber);
        forget(publisher);
        world.kill(SOON);
        let (mut subscriber, _) = world.resume(V5, "s");
        let mut messages = world.messages(&mut subscriber);
        for n in 1..=2 {
            acknowledge(&mut world, &mut subscriber, n);
            messages.extend(world.messages(&mut subscriber));
        }
        let told: Vec<_> = messages.iter().map(|m| (&m.payload[..], m.packet_id, m.dup)).collect();
        assert_eq!(told, [("1", Some(1), true), ("2", Some(2), true), ("3", Some(3), true), ("4", Some(4), true)]);
    }
}

/// Spec: [MQTT-3.3.1-1] (5.0): what comes again has DUP, however soon after its client's return the process was killed.
#[test]
fn what_waited_for_a_client_is_sent_once_a_crash_cannot_forget_it() {
    for (version, qos) in [(V4, QOS[1]), (V5, QOS[1]), (V4, QOS[2]), (V5, QOS[2])] {
        let mut world = world();
        let (mut subscriber, _) = world.resume(version, "s");
        let (mut publisher, _) = world.resume(version, "p");
        world.subscribe(&mut subscriber, "t", qos);
        world.lose(&mut subscriber);
        world.publish_at(&mut publisher, "t", "waits", qos, 1);
        world.make_durable();
        // The client is back, and the disk does not know: nothing is sent, so nothing can be sent again without DUP.
        let (mut subscriber, _) = world.resume(version, "s");
        assert_eq!(world.got(&mut subscriber), []);
        world.kill(SOON);
        let (mut subscriber, _) = world.resume(version, "s");
        assert_eq!(world.got(&mut subscriber), []);
        world.make_durable();
        let first: Vec<_> = world.messages(&mut subscriber).into_iter().map(|m| (m.packet_id, m.dup)).collect();
        assert_eq!(first, [(Some(1), false)], "{version:?}, {qos:?}");
        world.kill(SOON);
        // What was, or may have been sent waits for nothing.
        let (mut subscriber, _) = world.resume(version, "s");
        let again: Vec<_> = world.messages(&mut subscriber).into_iter().map(|m| (m.packet_id, m.dup)).collect();
        assert_eq!(again, [(Some(1), true)], "{version:?}, {qos:?}");
    }
}

#[test]
fn a_client_that_returns_while_the_disk_is_full_gets_what_waits() {
    let mut world = world();
    let (mut subscriber, _) = world.resume(V5, "s");
    let (mut publisher, _) = world.resume(V5, "p");
    world.subscribe(&mut subscriber, "t", QoS::AtLeastOnce);
    world.lose(&mut subscriber);
    world.publish_at(&mut publisher, "t", "waits", QoS::AtLeastOnce, 1);
    world.make_durable();
    // Of two connections, the later one's word counts.
    let (mut first, _) = world.resume(V5, "s");
    let earlier = world.batch().unwrap();
    let (mut subscriber, _) = world.resume(V5, "s");
    world.fetch(&mut first);
    world.commit(earlier);
    assert_eq!(world.got(&mut subscriber), []);
    let batch = world.batch().unwrap();
    let World { broker, now, effects, .. } = &mut world;
    broker.persist_failed(batch.token, ReasonCode::QuotaExceeded, *now, effects);
    assert_eq!(world.payloads(&mut subscriber), ["waits"]);
}
