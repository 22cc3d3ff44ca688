//! Bounds: what happens when something is full, too long or too many, and that control packets pass nevertheless.

use tidegate_broker::{CloseReason, Profile, Settings};
use tidegate_mqtt::{
    Ack, Connect, Packet, Publish, QoS, ReasonCode, Subscribe, Subscription, SubscriptionOptions, Unsubscribe,
};

use crate::world::*;

/// Handle a packet without reading the answer.
fn push(world: &mut World, client: &mut Client, packet: &Packet<'_>) -> Result<(), CloseReason> {
    let mut bytes = Vec::new();
    packet.encode(client.version, &mut bytes).unwrap();
    let packet = tidegate_mqtt::decode(&bytes, client.version, tidegate_mqtt::Peer::Client).unwrap();
    world.broker.handle(client.link.as_mut().unwrap(), &packet, world.now, &mut world.effects)
}

#[test]
fn a_full_outbox_drops_qos_0_queues_qos_1_and_takes_control_packets() {
    let mut profile = Profile::standard();
    profile.limits.outbox_bytes_max = 1000;
    let mut world = World::with(profile, Settings::default());
    let mut slow = world.connect(V5, "slow");
    let mut publisher = world.connect(V5, "p");
    world.subscribe(&mut slow, "t", QoS::AtLeastOnce);
    for n in 1..=100 {
        world.publish(&mut publisher, "t", &format!("{:0100}", 0));
        world.publish_at(&mut publisher, "t", &format!("{n:0100}"), QoS::AtLeastOnce, n);
    }
    let unsubscribe =
        Unsubscribe { packet_id: id(5), user_properties: Default::default(), topic_filters: ["unknown"][..].into() };
    push(&mut world, &mut slow, &Packet::Unsubscribe(unsubscribe)).unwrap();
    push(&mut world, &mut slow, &Packet::PingReq).unwrap();
    let got = world.got(&mut slow);
    assert!(got.contains(&Got::UnsubAck(5, vec![ReasonCode::NoSubscriptionExisted])));
    assert!(got.contains(&Got::PingResp));
    let messages: Vec<_> =
        got.iter().filter_map(|got| if let Got::Publish(m) = got { Some(m) } else { None }).collect();
    let certain: Vec<u16> = messages.iter().filter(|m| m.qos == 1).map(|m| m.payload.parse().unwrap()).collect();
    assert_eq!(certain, (1..=100).collect::<Vec<_>>());
    let dropped = 100 - messages.iter().filter(|m| m.qos == 0).count();
    assert!(dropped > 80, "{dropped}");
    world.broker.hand_over(&mut world.effects);
    assert_eq!(world.broker.counters().dropped_qos0, dropped as u64);
}

#[test]
fn a_peer_that_does_not_read_its_acknowledgements_is_closed() {
    let mut profile = Profile::standard();
    profile.limits.control_bytes_max = 1000;
    let mut world = World::with(profile, Settings::default());
    let mut client = world.connect(V5, "c");
    let result = (0..1000).find_map(|_| push(&mut world, &mut client, &Packet::PingReq).err());
    assert_eq!(result, Some(CloseReason::DoesNotRead));
}

#[test]
fn what_the_profile_forbids_ends_the_connection_with_its_code() {
    use ReasonCode::*;
    let many: Vec<_> = (0..9).map(|_| Subscription { topic_filter: "t", options: Default::default() }).collect();
    let subscribe = |subscriptions: &'static [Subscription<'static>], identifier: Option<u32>| {
        Packet::Subscribe(Subscribe {
            packet_id: id(1),
            subscription_identifier: identifier.and_then(std::num::NonZeroU32::new),
            user_properties: Default::default(),
            subscriptions: subscriptions.into(),
        })
    };
    let large = vec![0; 131_073];
    let packets = [
        (Packet::Publish(message("t", "", QoS::ExactlyOnce, 1)), QoSNotSupported),
        (Packet::Publish(Publish::new("t", &large)), PacketTooLarge),
        (Packet::Publish(Publish::new("1/2/3/4/5/6/7/8/9", b"")), TopicNameInvalid),
        (subscribe(many.clone().leak(), None), QuotaExceeded),
        (subscribe(many[..1].to_vec().leak(), Some(1)), SubscriptionIdentifiersNotSupported),
    ];
    for (packet, code) in packets {
        let mut world = World::aws();
        let mut client = world.connect(V5, "c");
        assert_eq!(world.send(&mut client, &packet), Err(CloseReason::ClientError(code)));
        assert_eq!(world.got(&mut client), [Got::Disconnect(code)]);
    }
}

#[test]
fn subscriptions_have_a_number() {
    let mut world = World::aws();
    let mut client = world.connect(V5, "c");
    for n in 0..50 {
        assert_eq!(world.subscribe(&mut client, &format!("t/{n}"), QoS::ExactlyOnce), ReasonCode::GrantedQoS1);
    }
    assert_eq!(world.subscribe(&mut client, "t/50", QoS::AtMostOnce), ReasonCode::QuotaExceeded);
    assert_eq!(world.subscribe(&mut client, "t/49", QoS::AtMostOnce), ReasonCode::Success);
    world.unsubscribe(&mut client, &["t/49"]);
    assert_eq!(world.subscribe(&mut client, "t/50", QoS::AtMostOnce), ReasonCode::Success);
}

#[test]
fn the_receive_maximum_holds_for_qos_2() {
    let mut profile = Profile::standard();
    profile.limits.receive_maximum = 2;
    let mut world = World::with(profile, Settings::default());
    let mut client = world.connect(V5, "c");
    for n in 1..=2 {
        world.publish_at(&mut client, "t", "m", QoS::ExactlyOnce, n);
    }
    world.publish_at(&mut client, "t", "again", QoS::ExactlyOnce, 2);
    world.got(&mut client);
    let third = Packet::Publish(message("t", "m", QoS::ExactlyOnce, 3));
    let exceeded = ReasonCode::ReceiveMaximumExceeded;
    assert_eq!(world.send(&mut client, &third), Err(CloseReason::ClientError(exceeded)));
    assert_eq!(world.got(&mut client), [Got::Disconnect(exceeded)]);
}

#[test]
fn acknowledgements_of_nothing_are_ignored_and_of_the_wrong_kind_are_errors() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    world.puback(&mut client, 1);
    world.pubcomp(&mut client, 1);
    assert_eq!(world.got(&mut client), []);
    world.subscribe(&mut client, "t", QoS::AtLeastOnce);
    world.publish_at(&mut client, "t", "m", QoS::AtLeastOnce, 1);
    let wrong = Packet::PubRec(Ack::new(id(1), ReasonCode::Success));
    assert_eq!(world.send(&mut client, &wrong), Err(CloseReason::ClientError(ReasonCode::ProtocolError)));
}

#[test]
fn a_slot_is_reported_once_until_it_is_emptied() {
    let mut world = World::new();
    let mut subscriber = world.connect(V4, "s");
    let mut publisher = world.connect(V4, "p");
    world.subscribe(&mut subscriber, "t", QoS::AtMostOnce);
    let slot = subscriber.link.as_ref().unwrap().address().slot;
    world.dirty();
    for _ in 0..3 {
        world.publish(&mut publisher, "t", "m");
    }
    assert_eq!(world.dirty(), [slot]);
    assert_eq!(world.messages(&mut subscriber).len(), 3);
    world.publish(&mut publisher, "t", "m");
    assert_eq!(world.dirty(), [slot]);
}

#[test]
fn deep_and_long_topics_cost_no_stack() {
    let mut profile = Profile::standard();
    profile.limits.topic_levels_max = 40_000;
    profile.limits.topic_bytes_max = 65_535;
    let mut world = World::with(profile, Settings::default());
    let mut client = world.connect(V5, "c");
    let deep = "/".repeat(32_000);
    for filter in [deep.clone(), format!("{}#", "+/".repeat(32_000)), format!("{deep}+")] {
        assert_eq!(world.subscribe(&mut client, &filter, QoS::AtMostOnce), ReasonCode::Success);
    }
    let topic = "/".repeat(31_999);
    world.retain(&mut client, &topic, "m");
    world.retain(&mut client, &deep, "m");
    assert!(!world.messages(&mut client).is_empty());
    world.subscribe(&mut client, "#", QoS::AtMostOnce);
    assert_eq!(world.messages(&mut client).len(), 2);
    world.retain(&mut client, &deep, "");
    assert_eq!(world.broker.retained_count(tenant()), 1);
    world.lose(&mut client);
    let mut again = world.connect(V5, "c");
    world.publish_at(&mut again, &deep, "m", QoS::AtLeastOnce, 1);
    assert_eq!(world.got(&mut again), [Got::PubAck(1, ReasonCode::NoMatchingSubscribers)]);
}

#[test]
fn many_connects_leave_nothing_behind() {
    let mut world = World::new();
    for n in 0..1000 {
        let mut client = world.connect_with(&Connect::new(V5, &format!("c{n}"))).0;
        world.subscribe(&mut client, &format!("a/{n}/+"), QoS::AtMostOnce);
        world.subscribe_with(&mut client, "same", SubscriptionOptions::default(), None);
        if n % 2 == 0 { world.lose(&mut client) } else { world.disconnect(&mut client) }
    }
    assert_eq!(world.broker.session_count(tenant()), 0);
    assert_eq!(world.broker.expire(world.now, &mut world.effects), None);
}

#[test]
fn subscribing_again_without_reading_does_not_make_a_queue_grow() {
    let mut profile = Profile::standard();
    profile.limits.outbox_bytes_max = 100;
    profile.limits.queued_messages_max = 10;
    let mut world = World::with(profile, Settings::default());
    let mut publisher = world.connect(V4, "p");
    for n in 0..50 {
        world.retain(&mut publisher, &format!("t/{n}"), "m");
    }
    let mut client = world.connect(V4, "c");
    let subscriptions = [Subscription { topic_filter: "t/#", options: SubscriptionOptions::at(QoS::AtMostOnce) }];
    let subscribe = Packet::Subscribe(Subscribe {
        packet_id: id(1),
        subscription_identifier: None,
        user_properties: Default::default(),
        subscriptions: subscriptions[..].into(),
    });
    for _ in 0..100 {
        world.broker.handle(client.link.as_mut().unwrap(), &subscribe, world.now, &mut world.effects).unwrap();
    }
    let messages = world.messages(&mut client);
    assert!(messages.len() <= 50 + 10 + 100, "{}", messages.len());
    for n in 0..50 {
        assert!(messages.iter().any(|message| message.topic == format!("t/{n}")));
    }
    world.broker.hand_over(&mut world.effects);
    assert_eq!(world.broker.counters().dropped_qos0, 0, "what waits is searched for later, not dropped");
}

#[test]
fn no_packet_exceeds_what_the_client_takes() {
    let mut world = World::new();
    let mut connect = Connect::new(V5, "");
    connect.properties.maximum_packet_size = std::num::NonZeroU32::new(20);
    assert_eq!(world.try_connect(&connect).err().unwrap().code, ReasonCode::PacketTooLarge);
    assert_eq!(world.broker.session_count(tenant()), 0);

    let mut connect = Connect::new(V5, "c");
    connect.properties.maximum_packet_size = std::num::NonZeroU32::new(40);
    let mut client = world.connect_with(&connect).0;
    let subscriptions = [Subscription { topic_filter: "t", options: SubscriptionOptions::default() }; 40];
    let subscribe = Packet::Subscribe(Subscribe {
        packet_id: id(1),
        subscription_identifier: None,
        user_properties: Default::default(),
        subscriptions: subscriptions[..].into(),
    });
    let too_large = CloseReason::ClientError(ReasonCode::PacketTooLarge);
    assert_eq!(world.send(&mut client, &subscribe), Err(too_large));
    assert_eq!(world.got(&mut client), [Got::Disconnect(ReasonCode::PacketTooLarge)]);
}
