//! Shared subscriptions.

use tidegate_broker::{Profile, Settings};
use tidegate_mqtt::{Ack, Connect, Packet, QoS, ReasonCode};

use crate::world::*;

#[test]
fn members_take_turns() {
    let mut world = World::new();
    let mut members: Vec<_> = [V4, V5, V4]
        .into_iter()
        .enumerate()
        .map(|(n, version)| {
            let mut client = world.connect(version, &format!("m{n}"));
            world.subscribe(&mut client, "$share/g/t/+", QoS::AtMostOnce);
            client
        })
        .collect();
    let mut publisher = world.connect(V4, "p");
    for n in 0..9 {
        world.publish(&mut publisher, "t/x", &n.to_string());
    }
    let mut all = Vec::new();
    for member in &mut members {
        let payloads = world.payloads(member);
        assert_eq!(payloads.len(), 3);
        all.extend(payloads);
    }
    all.sort();
    assert_eq!(all, ["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
}

#[test]
fn the_member_with_the_fewest_unacknowledged_messages_is_next() {
    let mut world = World::new();
    let mut slow = world.connect(V4, "slow");
    let mut quick = world.connect(V4, "quick");
    let mut publisher = world.connect(V4, "p");
    world.subscribe(&mut slow, "$share/g/t", QoS::AtLeastOnce);
    world.subscribe(&mut quick, "$share/g/t", QoS::AtLeastOnce);
    let mut got = (0, 0);
    for _ in 0..20 {
        world.publish_at(&mut publisher, "t", "m", QoS::AtLeastOnce, 1);
        got.0 += world.messages(&mut slow).len();
        for message in world.messages(&mut quick) {
            got.1 += 1;
            world.puback(&mut quick, message.packet_id.unwrap());
        }
    }
    assert_eq!(got, (1, 19));
}

#[test]
fn absent_members_get_messages_only_when_nobody_is_there() {
    let mut world = World::new();
    let mut publisher = world.connect(V4, "p");
    let (mut absent, _) = world.resume(V5, "absent");
    let mut present = world.connect(V5, "present");
    world.subscribe(&mut absent, "$share/g/t", QoS::AtLeastOnce);
    world.subscribe(&mut present, "$share/g/t", QoS::AtLeastOnce);
    world.lose(&mut absent);
    for n in 1..=4 {
        world.publish_at(&mut publisher, "t", &n.to_string(), QoS::AtLeastOnce, n);
    }
    assert_eq!(world.payloads(&mut present).len(), 4);
    (1..=4).for_each(|id| world.puback(&mut present, id));
    world.lose(&mut present);
    world.publish_at(&mut publisher, "t", "5", QoS::AtLeastOnce, 5);
    let (mut absent, _) = world.resume(V5, "absent");
    assert_eq!(world.payloads(&mut absent), ["5"]);
}

#[test]
fn a_member_that_would_not_have_a_message_is_passed_over() {
    let mut world = World::new();
    let mut connect = Connect::new(V5, "small");
    connect.properties.maximum_packet_size = std::num::NonZeroU32::new(50);
    let (mut small, _) = world.connect_with(&connect);
    let mut large = world.connect(V5, "large");
    let mut publisher = world.connect(V4, "p");
    for client in [&mut small, &mut large] {
        world.subscribe(client, "$share/g/t", QoS::AtMostOnce);
    }
    for _ in 0..4 {
        world.publish(&mut publisher, "t", &"x".repeat(60));
    }
    assert_eq!(world.payloads(&mut large).len(), 4);
}

#[test]
fn leaving_ends_the_group_and_groups_have_a_bound() {
    let mut profile = Profile::standard();
    profile.limits.group_members_max = 1;
    let mut world = World::with(profile, Settings::default());
    let mut a = world.connect(V5, "a");
    let mut b = world.connect(V5, "b");
    assert_eq!(world.subscribe(&mut a, "$share/g/t", QoS::AtLeastOnce), ReasonCode::GrantedQoS1);
    assert_eq!(world.subscribe(&mut a, "$share/g/t", QoS::AtMostOnce), ReasonCode::Success);
    assert_eq!(world.subscribe(&mut b, "$share/g/t", QoS::AtMostOnce), ReasonCode::QuotaExceeded);
    assert_eq!(world.unsubscribe(&mut b, &["$share/g/t"]), [ReasonCode::NoSubscriptionExisted]);
    assert_eq!(world.unsubscribe(&mut a, &["$share/g/t"]), [ReasonCode::Success]);
    world.publish_at(&mut a, "t", "m", QoS::AtLeastOnce, 1);
    assert_eq!(world.got(&mut a), [Got::PubAck(1, ReasonCode::NoMatchingSubscribers)]);
    assert_eq!(world.subscribe(&mut b, "$share/g/t", QoS::AtMostOnce), ReasonCode::Success);
}

#[test]
fn what_a_member_did_not_acknowledge_goes_to_another_when_its_session_ends() {
    let mut world = World::new();
    let mut leaver = world.connect(V5, "leaver");
    let mut publisher = world.connect(V4, "p");
    world.subscribe(&mut leaver, "$share/g/t", QoS::ExactlyOnce);
    for (n, qos) in [(1, QoS::AtLeastOnce), (2, QoS::AtLeastOnce), (3, QoS::ExactlyOnce)] {
        world.publish_at(&mut publisher, "t", &n.to_string(), qos, n);
    }
    world.puback(&mut leaver, 1);
    assert_eq!(world.payloads(&mut leaver), ["1", "2", "3"]);
    let mut stayer = world.connect(V5, "stayer");
    world.subscribe(&mut stayer, "$share/g/t", QoS::AtLeastOnce);
    world.lose(&mut leaver);
    // Number 1 was acknowledged; 3 was sent with QoS 2, so that nobody else may have it: [MQTT-4.8.2-5].
    let messages = world.messages(&mut stayer);
    assert_eq!(messages.iter().map(|m| (&m.payload[..], m.dup)).collect::<Vec<_>>(), [("2", false)]);
    world.broker.hand_over(&mut world.effects);
    assert_eq!(world.broker.counters().rerouted, 1);
}

#[test]
fn a_kept_session_keeps_its_messages_until_it_ends() {
    let mut world = World::new();
    let mut publisher = world.connect(V4, "p");
    let expires = Connect {
        clean_start: false,
        session_expiry: tidegate_mqtt::SessionExpiry::from_seconds(60),
        ..Connect::new(V5, "away")
    };
    let (mut away, _) = world.connect_with(&expires);
    world.subscribe(&mut away, "$share/g/t", QoS::ExactlyOnce);
    world.publish_at(&mut publisher, "t", "sent", QoS::AtLeastOnce, 1);
    assert_eq!(world.payloads(&mut away), ["sent"]);
    world.lose(&mut away);
    world.publish_at(&mut publisher, "t", "queued 1", QoS::AtLeastOnce, 2);
    world.publish_at(&mut publisher, "t", "queued 2", QoS::ExactlyOnce, 3);
    let mut present = world.connect(V5, "present");
    world.subscribe(&mut present, "$share/g/t", QoS::ExactlyOnce);
    assert_eq!(world.payloads(&mut present), [] as [&str; 0]);
    world.pass(std::time::Duration::from_secs(61));
    assert_eq!(world.payloads(&mut present), ["sent", "queued 1", "queued 2"]);
}

#[test]
fn unsubscribing_hands_on_what_was_not_sent_and_completes_what_was() {
    let mut world = World::new();
    let mut publisher = world.connect(V4, "p");
    let mut connect = Connect::new(V5, "narrow");
    connect.properties.receive_maximum = id(1);
    let (mut narrow, _) = world.connect_with(&connect);
    world.subscribe(&mut narrow, "$share/g/t", QoS::AtLeastOnce);
    for n in 1..=3 {
        world.publish_at(&mut publisher, "t", &n.to_string(), QoS::AtLeastOnce, n);
    }
    assert_eq!(world.payloads(&mut narrow), ["1"]);
    let mut other = world.connect(V4, "other");
    world.subscribe(&mut other, "$share/g/t", QoS::AtLeastOnce);
    world.unsubscribe(&mut narrow, &["$share/g/t"]);
    assert_eq!(world.payloads(&mut other), ["2", "3"]);
    world.puback(&mut narrow, 1);
    assert_eq!(world.got(&mut narrow), []);
    world.broker.hand_over(&mut world.effects);
    assert_eq!((world.broker.counters().rerouted, world.broker.counters().dropped_unrouted), (2, 0));
}

#[test]
fn a_member_that_returns_is_there_at_once_in_a_group_of_many() {
    let mut world = World::new();
    let mut publisher = world.connect(V4, "p");
    let mut absent: Vec<_> = (0..200)
        .map(|n| {
            let (mut client, _) = world.resume(V5, &format!("m{n}"));
            world.subscribe(&mut client, "$share/g/t/#", QoS::AtLeastOnce);
            client
        })
        .collect();
    for client in &mut absent {
        world.lose(client);
    }
    world.publish_at(&mut publisher, "t/x", "for somebody absent", QoS::AtLeastOnce, 1);
    let (mut back, _) = world.resume(V5, "m137");
    let before = world.payloads(&mut back).len();
    for n in 0..5 {
        world.publish(&mut publisher, "t/x", &n.to_string());
    }
    assert_eq!(world.payloads(&mut back).len(), 5, "beside {before} that waited");
}

#[test]
fn in_a_group_of_many_the_idle_share_the_load() {
    let mut world = World::new();
    let mut publisher = world.connect(V4, "p");
    let mut members: Vec<_> = (0..100)
        .map(|n| {
            let mut client = world.connect(V5, &format!("m{n}"));
            world.subscribe(&mut client, "$share/g/t", QoS::AtLeastOnce);
            client
        })
        .collect();
    for n in 0..300 {
        world.publish_at(&mut publisher, "t", &n.to_string(), QoS::AtLeastOnce, 1);
    }
    for member in &mut members {
        assert_eq!(world.messages(member).len(), 3);
    }
    // One acknowledges everything: it is next until it has as many as the others.
    for id in 1..=3 {
        world.puback(&mut members[50], id);
    }
    for n in 0..20 {
        world.publish_at(&mut publisher, "t", &n.to_string(), QoS::AtLeastOnce, 1);
    }
    assert!(world.messages(&mut members[50]).len() >= 3);
}

#[test]
fn each_member_gets_messages_at_the_qos_it_was_granted() {
    let mut world = World::new();
    let mut publisher = world.connect(V4, "p");
    let mut members: Vec<_> = QOS
        .into_iter()
        .map(|qos| {
            let mut client = world.connect(V5, &format!("m{}", qos.bits()));
            assert_eq!(world.subscribe(&mut client, "$share/g/t", qos), ReasonCode::granted(qos));
            client
        })
        .collect();
    for n in 1..=3 {
        world.publish_at(&mut publisher, "t", "m", QoS::ExactlyOnce, n);
    }
    for (qos, member) in members.iter_mut().enumerate() {
        let messages = world.messages(member);
        assert_eq!(messages.iter().map(|message| usize::from(message.qos)).collect::<Vec<_>>(), [qos]);
    }
}

#[test]
fn a_qos_2_message_is_completed_with_the_member_that_returns_and_with_nobody_else() {
    // A PUBLISH without its PUBREC, and a PUBREL without its PUBCOMP.
    for received in [false, true] {
        let mut world = World::new();
        let mut publisher = world.connect(V4, "p");
        let (mut away, _) = world.resume(V5, "away");
        world.subscribe(&mut away, "$share/g/t", QoS::ExactlyOnce);
        world.publish_at(&mut publisher, "t", "m", QoS::ExactlyOnce, 1);
        assert_eq!(world.payloads(&mut away), ["m"]);
        if received {
            world.pubrec(&mut away, 1);
            assert_eq!(world.got(&mut away), [Got::PubRel(1, ReasonCode::Success)]);
        }
        world.lose(&mut away);
        let mut present = world.connect(V5, "present");
        world.subscribe(&mut present, "$share/g/t", QoS::ExactlyOnce);
        let (mut away, _) = world.resume(V5, "away");
        if !received {
            let messages = world.messages(&mut away);
            assert_eq!((messages.len(), messages[0].dup, messages[0].packet_id), (1, true, Some(1)));
            world.pubrec(&mut away, 1);
        }
        assert_eq!(world.got(&mut away), [Got::PubRel(1, ReasonCode::Success)]);
        world.pubcomp(&mut away, 1);
        assert_eq!(world.got(&mut present), []);
    }
}

#[test]
fn a_message_that_a_member_refuses_goes_to_nobody_else() {
    let mut world = World::new();
    let mut publisher = world.connect(V4, "p");
    let mut unwilling = world.connect(V5, "unwilling");
    world.subscribe(&mut unwilling, "$share/g/t", QoS::ExactlyOnce);
    for (n, qos) in [(1, QoS::AtLeastOnce), (2, QoS::ExactlyOnce)] {
        world.publish_at(&mut publisher, "t", "m", qos, n);
    }
    assert_eq!(world.payloads(&mut unwilling), ["m", "m"]);
    let mut other = world.connect(V5, "other");
    world.subscribe(&mut other, "$share/g/t", QoS::ExactlyOnce);
    let refused = |n| Ack::new(id(n), ReasonCode::ImplementationSpecificError);
    world.send(&mut unwilling, &Packet::PubAck(refused(1))).unwrap();
    world.send(&mut unwilling, &Packet::PubRec(refused(2))).unwrap();
    assert_eq!(world.got(&mut unwilling), []);
    world.lose(&mut unwilling);
    assert_eq!(world.messages(&mut other), []);
    world.broker.hand_over(&mut world.effects);
    assert_eq!(world.broker.counters().rerouted, 0);
}
