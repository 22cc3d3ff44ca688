//! Retained messages: set, deleted, found by wildcards, sent once and in order.

use std::time::Duration;

use tidegate_mqtt::{
    MessageProperties, Packet, Publish, QoS, ReasonCode, RetainHandling, Subscribe, Subscription, SubscriptionOptions,
};

use crate::world::*;

#[test]
fn wildcards_find_them() {
    let mut world = World::new();
    let mut publisher = world.connect(V4, "p");
    for topic in ["a", "a/b", "a/c", "a/b/c", "b", "/a", "a/", "$x/a"] {
        world.retain(&mut publisher, topic, topic);
    }
    for (filter, mut expected) in [
        ("a", vec!["a"]),
        ("a/b", vec!["a/b"]),
        ("a/+", vec!["a/b", "a/c", "a/"]),
        ("+", vec!["a", "b"]),
        ("+/+", vec!["a/b", "a/c", "/a", "a/"]),
        ("a/#", vec!["a", "a/b", "a/c", "a/b/c", "a/"]),
        ("#", vec!["a", "a/b", "a/c", "a/b/c", "b", "/a", "a/"]),
        ("+/b/#", vec!["a/b", "a/b/c"]),
        ("$x/+", vec!["$x/a"]),
        ("$x/#", vec!["$x/a"]),
        ("nothing/#", vec![]),
    ] {
        expected.sort_unstable();
        for version in [V4, V5] {
            let mut subscriber = world.connect(version, "s");
            world.subscribe(&mut subscriber, filter, QoS::AtMostOnce);
            let mut payloads = world.payloads(&mut subscriber);
            payloads.sort();
            assert_eq!(payloads, expected, "{filter}");
        }
    }
}

#[test]
fn retain_handling_decides_when_they_come() {
    for (handling, first, second) in
        [(RetainHandling::AtSubscribe, 1, 1), (RetainHandling::IfNew, 1, 0), (RetainHandling::Never, 0, 0)]
    {
        let mut world = World::new();
        let mut client = world.connect(V5, "c");
        world.retain(&mut client, "t", "kept");
        let options = SubscriptionOptions { retain_handling: handling, ..SubscriptionOptions::default() };
        for expected in [first, second] {
            world.subscribe_with(&mut client, "t", options, None);
            assert_eq!(world.messages(&mut client).len(), expected, "{handling:?}");
        }
    }
}

#[test]
fn shared_subscriptions_get_none() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    world.retain(&mut client, "t", "kept");
    world.subscribe(&mut client, "$share/g/t", QoS::AtMostOnce);
    assert_eq!(world.messages(&mut client), []);
}

#[test]
fn in_the_aws_profile_only_exact_filters_bring_them() {
    let mut world = World::aws();
    let mut client = world.connect(V5, "c");
    world.retain(&mut client, "t/1", "kept");
    for (filter, expected) in [("t/+", 0), ("#", 0), ("t/1", 1)] {
        world.subscribe(&mut client, filter, QoS::AtMostOnce);
        assert_eq!(world.messages(&mut client).len(), expected, "{filter}");
    }
}

#[test]
fn retain_as_published_keeps_the_flag() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    let options = SubscriptionOptions { retain_as_published: true, ..SubscriptionOptions::default() };
    world.subscribe_with(&mut client, "t", options, None);
    world.retain(&mut client, "t", "yes");
    world.publish(&mut client, "t", "no");
    let flags: Vec<_> = world.messages(&mut client).iter().map(|message| message.retain).collect();
    assert_eq!(flags, [true, false]);
}

#[test]
fn they_expire() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    let properties = MessageProperties { message_expiry_seconds: Some(10), ..Default::default() };
    let publish = Publish { retain: true, properties, ..Publish::new("t", b"m") };
    world.send(&mut client, &Packet::Publish(publish)).unwrap();
    world.pass(Duration::from_secs(9));
    world.subscribe(&mut client, "t", QoS::AtMostOnce);
    assert_eq!(world.messages(&mut client)[0].expiry, Some(1));
    world.pass(Duration::from_secs(1));
    world.subscribe(&mut client, "t", QoS::AtMostOnce);
    assert_eq!(world.messages(&mut client), []);
}

#[test]
fn what_one_slice_finds_arrives_before_what_is_published_later_however_full_the_outbox() {
    let mut world = World::new();
    std::sync::Arc::get_mut(&mut world.profile).unwrap().limits.outbox_bytes_max = 1000;
    let mut publisher = world.connect(V4, "p");
    for n in 0..120 {
        world.retain(&mut publisher, &format!("t/{n}"), "retained");
    }
    let mut subscriber = world.connect(V5, "s");
    // Subscribe without reading, publish, then read.
    let subscriptions =
        [tidegate_mqtt::Subscription { topic_filter: "t/#", options: SubscriptionOptions::at(QoS::AtMostOnce) }];
    let mut bytes = Vec::new();
    let subscribe = tidegate_mqtt::Subscribe {
        packet_id: id(1),
        subscription_identifier: None,
        user_properties: Default::default(),
        subscriptions: subscriptions[..].into(),
    };
    subscribe.encode(V5, &mut bytes).unwrap();
    let packet = tidegate_mqtt::decode(&bytes, V5, tidegate_mqtt::Peer::Client).unwrap();
    world.broker.handle(subscriber.link.as_mut().unwrap(), &packet, world.now, &mut world.effects).unwrap();
    world.publish(&mut publisher, "t/7", "newer");
    let got = world.got(&mut subscriber);
    assert_eq!(got[0], Got::SubAck(1, vec![ReasonCode::Success]));
    assert_eq!(got.len(), 122);
    let Got::Publish(last) = &got[121] else { panic!() };
    assert_eq!((&last.topic[..], &last.payload[..]), ("t/7", "newer"));
    // And with nothing queued, QoS 0 goes straight out again.
    world.publish(&mut publisher, "t/7", "newest");
    assert_eq!(world.payloads(&mut subscriber), ["newest"]);
}

#[test]
fn what_expired_is_forgotten_when_another_comes() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    let properties = MessageProperties { message_expiry_seconds: Some(10), ..Default::default() };
    for topic in ["a", "b", "b"] {
        let publish = Publish { retain: true, properties, ..Publish::new(topic, b"m") };
        world.send(&mut client, &Packet::Publish(publish)).unwrap();
    }
    world.retain(&mut client, "b", "stays");
    world.pass(Duration::from_secs(10));
    assert!(world.broker.retained(tenant(), "a", world.now).is_none());
    world.retain(&mut client, "c", "c");
    assert_eq!(world.broker.retained_count(tenant()), 2);
    assert!(world.broker.retained(tenant(), "b", world.now).is_some());
}

#[test]
fn no_local_holds_for_them_too() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    let mut other = world.connect(V5, "d");
    world.retain(&mut client, "t/c", "own");
    world.retain(&mut other, "t/d", "other's");
    let options = SubscriptionOptions { no_local: true, ..SubscriptionOptions::at(QoS::AtMostOnce) };
    world.subscribe_with(&mut client, "t/#", options, None);
    assert_eq!(world.payloads(&mut client), ["other's"]);
}

#[test]
fn a_search_of_many_is_done_in_slices_that_nothing_disturbs() {
    let mut world = World::new();
    let mut publisher = world.connect(V4, "p");
    for n in 0..2000 {
        world.retain(&mut publisher, &format!("t/{}/{n}", n % 7), "m");
    }
    let mut client = world.connect(V4, "c");
    let subscriptions = [Subscription { topic_filter: "#", options: SubscriptionOptions::at(QoS::AtMostOnce) }];
    let subscribe = Packet::Subscribe(Subscribe {
        packet_id: id(1),
        subscription_identifier: None,
        user_properties: Default::default(),
        subscriptions: subscriptions[..].into(),
    });
    world.broker.handle(client.link.as_mut().unwrap(), &subscribe, world.now, &mut world.effects).unwrap();
    let mut turns = 0;
    let mut seen = std::collections::BTreeMap::new();
    loop {
        let mut out = Vec::new();
        let output = client.link.as_mut().unwrap().take_output(&mut out, world.now, &mut world.effects);
        client.take(&out);
        let got: Vec<_> = client.got.drain(..).collect();
        assert!(got.len() <= 200, "a slice, and what was published meanwhile: {}", got.len());
        for got in got {
            let Got::Publish(message) = got else { continue };
            *seen.entry(message.topic).or_insert(0) += usize::from(message.retain);
        }
        if output == tidegate_broker::Output::Drained {
            break;
        }
        // Topics come and go while others are searched.
        world.retain(&mut publisher, &format!("t/{}/{}", turns % 7, turns * 37 % 2000), "");
        world.retain(&mut publisher, &format!("new/{turns}"), "m");
        turns += 1;
    }
    assert!(turns >= 2000 / 128 - 1, "{turns}");
    let stayed =
        (0..2000).filter(|n| world.broker.retained(tenant(), &format!("t/{}/{n}", n % 7), world.now).is_some());
    let mut stayed_count = 0;
    for n in stayed {
        assert_eq!(seen.get(&format!("t/{}/{n}", n % 7)), Some(&1), "{n}");
        stayed_count += 1;
    }
    assert!(stayed_count > 1900);
}

#[test]
fn a_search_goes_on_over_a_reconnect_and_is_not_begun_again() {
    let mut world = World::new();
    let mut publisher = world.connect(V4, "p");
    for n in 0..1000 {
        let publish = Publish { retain: true, ..message("", "m", QoS::AtLeastOnce, 1) };
        let topic = format!("t/{n}");
        world.send(&mut publisher, &Packet::Publish(Publish { topic_name: &topic, ..publish })).unwrap();
    }
    let (mut client, _) = world.resume(V5, "c");
    let subscriptions = [Subscription { topic_filter: "t/+", options: SubscriptionOptions::at(QoS::AtLeastOnce) }];
    let subscribe = Packet::Subscribe(Subscribe {
        packet_id: id(1),
        subscription_identifier: None,
        user_properties: Default::default(),
        subscriptions: subscriptions[..].into(),
    });
    world.broker.handle(client.link.as_mut().unwrap(), &subscribe, world.now, &mut world.effects).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let mut out = Vec::new();
        client.link.as_mut().unwrap().take_output(&mut out, world.now, &mut world.effects);
        client.take(&out);
    }
    let acknowledge = |world: &mut World, client: &mut Client, seen: &mut std::collections::BTreeSet<String>| {
        for message in world.messages(client) {
            seen.insert(message.topic);
            world.puback(client, message.packet_id.unwrap());
        }
    };
    world.lose(&mut client);
    client.got.clear();
    let (mut client, present) = world.resume(V5, "c");
    assert!(present);
    while seen.len() < 1000 {
        let before = seen.len();
        acknowledge(&mut world, &mut client, &mut seen);
        assert!(seen.len() > before, "{before} of 1000");
    }
    world.lose(&mut client);
    let (mut client, _) = world.resume(V5, "c");
    assert_eq!(world.messages(&mut client).len(), 0);
}

#[test]
fn what_has_expired_is_forgotten_though_nobody_asks() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    for n in 0..500 {
        let topic = format!("t/{n}");
        let mut publish = Publish { retain: true, ..Publish::new(&topic, b"m") };
        publish.properties.message_expiry_seconds = Some(10);
        world.send(&mut client, &Packet::Publish(publish)).unwrap();
    }
    world.pass(Duration::from_secs(9));
    assert_eq!(world.broker.retained_count(tenant()), 500);
    world.pass(Duration::from_secs(1));
    assert_eq!((world.broker.retained_count(tenant()), world.broker.gauges().memory_bytes), (0, 0));
}

#[test]
fn they_outlive_the_session_that_set_them_and_keep_their_qos() {
    for version in [V4, V5] {
        for qos in QOS {
            let mut world = World::new();
            let (mut publisher, _) = world.resume(version, "p");
            let packet_id = if qos == QoS::AtMostOnce { 0 } else { 1 };
            for payload in ["first", "second"] {
                let publish = Publish { retain: true, ..message("t", payload, qos, packet_id) };
                world.send(&mut publisher, &Packet::Publish(publish)).unwrap();
                if qos == QoS::ExactlyOnce {
                    world.pubrel(&mut publisher, 1);
                }
            }
            world.lose(&mut publisher);
            let publisher = world.connect(version, "p"); // ends the session
            drop(publisher);
            let mut subscriber = world.connect(version, "s");
            world.subscribe(&mut subscriber, "t", QoS::ExactlyOnce);
            let messages: Vec<_> = world.messages(&mut subscriber).into_iter().map(|m| (m.payload, m.qos)).collect();
            assert_eq!(messages, [("second".into(), qos.bits())], "{version:?}");
        }
    }
}

#[test]
fn an_empty_one_is_delivered_and_deletes_what_was_kept() {
    for version in [V4, V5] {
        let mut world = World::new();
        let mut client = world.connect(version, "c");
        world.retain(&mut client, "t", "kept");
        world.subscribe(&mut client, "+", QoS::AtMostOnce);
        assert_eq!(world.payloads(&mut client), ["kept"]);
        world.retain(&mut client, "t", "");
        let messages: Vec<_> = world.messages(&mut client).into_iter().map(|m| (m.payload, m.retain)).collect();
        assert_eq!(messages, [(String::new(), false)]);
        world.subscribe(&mut client, "t", QoS::AtMostOnce);
        assert_eq!(world.messages(&mut client), []);
        assert_eq!(world.broker.retained_count(tenant()), 0);
    }
}
