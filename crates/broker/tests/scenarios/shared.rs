//! Shared subscriptions.

use tidegate_broker::{Profile, Settings};
use tidegate_mqtt::{Connect, QoS, ReasonCode};

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
