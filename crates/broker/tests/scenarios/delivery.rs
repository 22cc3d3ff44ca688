//! What arrives: matching, overlapping filters, properties, aliases, both versions.

use tidegate_broker::{Access, CloseReason, SystemPublish};
use tidegate_mqtt::{
    Connect, MessageProperties, Packet, Publish, QoS, ReasonCode, Subscribe, Subscription, SubscriptionOptions, topic,
};

use crate::world::*;

#[test]
fn filters_match_as_the_specification_says() {
    let filters = [
        "a", "a/b", "+", "+/b", "a/+", "#", "a/#", "+/+", "a/b/#", "+/b/#", "/+", "/a", "a/+/c", "a//c", "\u{e9}", "A",
    ];
    let names = [
        "a",
        "b",
        "a/b",
        "a/b/c",
        "/a",
        "a/",
        "a//c",
        "$SYS/b",
        "b/b",
        "/",
        "\u{e9}",
        "e\u{301}",
        "\u{feff}a",
        "A",
        " a",
    ];
    let mut world = World::new();
    let mut publisher = world.connect(V5, "p");
    for (filter, version) in filters.into_iter().flat_map(|filter| [(filter, V4), (filter, V5)]) {
        let mut subscriber = world.connect(version, "s");
        world.subscribe(&mut subscriber, filter, QoS::AtMostOnce);
        for name in names {
            let publish = SystemPublish {
                tenant: tenant(),
                topic_name: name,
                properties: MessageProperties::default(),
                payload: b"",
                qos: QoS::AtMostOnce,
                retain: false,
            };
            assert!(world.broker.publish(&publish, world.now, &mut world.effects));
            let matched = !world.messages(&mut subscriber).is_empty();
            assert_eq!(matched, topic::matches(filter, name), "{filter} {name}");
        }
    }
    world.lose(&mut publisher);
}

#[test]
fn in_the_aws_profile_a_parent_level_does_not_match() {
    let mut world = World::aws();
    let mut client = world.connect(V5, "c");
    world.subscribe(&mut client, "a/#", QoS::AtMostOnce);
    world.publish(&mut client, "a", "parent");
    world.publish(&mut client, "a/b", "child");
    assert_eq!(world.payloads(&mut client), ["child"]);
}

#[test]
fn overlapping_subscriptions_bring_one_copy_with_all_identifiers_and_the_highest_qos() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    let mut publisher = world.connect(V5, "p");
    for (filter, qos, identifier) in [("a/b", 0, Some(1)), ("a/+", 2, Some(2)), ("#", 1, None), ("a/#", 1, Some(2))] {
        world.subscribe_with(&mut client, filter, SubscriptionOptions::at(QOS[qos]), identifier);
    }
    world.publish_at(&mut publisher, "a/b", "m", QoS::ExactlyOnce, 1);
    let messages = world.messages(&mut client);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].qos, 2);
    let mut identifiers = messages[0].identifiers.clone();
    identifiers.sort_unstable();
    assert_eq!(identifiers, [1, 2, 2]);
}

#[test]
fn overlapping_subscriptions_of_a_3_1_1_client_bring_the_highest_qos() {
    let mut world = World::new();
    let mut client = world.connect(V4, "c");
    let mut publisher = world.connect(V4, "p");
    for (filter, qos) in [("a/b", 0), ("a/+", 2), ("#", 1)] {
        world.subscribe(&mut client, filter, QOS[qos]);
    }
    world.publish_at(&mut publisher, "a/b", "m", QoS::ExactlyOnce, 1);
    assert_eq!(world.messages(&mut client).iter().map(|message| message.qos).collect::<Vec<_>>(), [2]);
}

#[test]
fn several_filters_are_handled_one_by_one_and_answered_once() {
    for (version, refused) in [(V4, ReasonCode::UnspecifiedError), (V5, ReasonCode::NotAuthorized)] {
        let mut world = World::new();
        world.policies.deny(Access::Subscribe, "secret");
        let mut client = world.connect(version, "c");
        world.retain(&mut client, "t", "kept");
        // The second `t` replaces the first.
        let asked = [("t", QOS[0]), ("u", QOS[2]), ("secret", QOS[0]), ("t", QOS[1])];
        let subscriptions =
            asked.map(|(topic_filter, qos)| Subscription { topic_filter, options: SubscriptionOptions::at(qos) });
        let subscribe = Packet::Subscribe(Subscribe {
            packet_id: id(513),
            subscription_identifier: None,
            user_properties: Default::default(),
            subscriptions: subscriptions[..].into(),
        });
        world.send(&mut client, &subscribe).unwrap();
        let mut got = world.got(&mut client);
        let codes = vec![ReasonCode::Success, ReasonCode::GrantedQoS2, refused, ReasonCode::GrantedQoS1];
        assert_eq!(got.remove(0), Got::SubAck(513, codes));
        // What the first `t` would bring had not been looked for yet when the second one came.
        assert!(matches!(&got[..], [Got::Publish(message)] if message.payload == "kept"), "{got:?}");
        let mut publisher = world.connect(version, "p");
        for topic in ["t", "u", "secret"] {
            world.publish_at(&mut publisher, topic, topic, QoS::ExactlyOnce, 1);
            world.pubrel(&mut publisher, 1);
        }
        let messages: Vec<_> = world.messages(&mut client).into_iter().map(|m| (m.payload, m.qos)).collect();
        assert_eq!(messages, [("t".into(), 1), ("u".into(), 2)]);
    }
}

#[test]
fn no_local_and_overlap_leave_what_the_other_subscriptions_want() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    let mut other = world.connect(V5, "o");
    let no_local = SubscriptionOptions { no_local: true, ..SubscriptionOptions::at(QoS::ExactlyOnce) };
    world.subscribe_with(&mut client, "a/+", no_local, Some(1));
    world.subscribe_with(&mut client, "a/b", SubscriptionOptions::at(QoS::AtLeastOnce), Some(2));
    world.publish_at(&mut client, "a/b", "own", QoS::ExactlyOnce, 1);
    world.publish_at(&mut other, "a/b", "other", QoS::ExactlyOnce, 1);
    let summary: Vec<_> = world.messages(&mut client).into_iter().map(|m| (m.payload, m.qos, m.identifiers)).collect();
    assert_eq!(summary[0], ("own".into(), 1, vec![2]));
    assert_eq!((summary[1].0.as_str(), summary[1].1, summary[1].2.len()), ("other", 2, 2));
    assert_eq!(summary.len(), 2);
}

#[test]
fn subscribing_again_replaces_the_options() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    for (qos, identifier) in [(2, Some(1)), (0, None), (1, Some(3))] {
        world.subscribe_with(&mut client, "t", SubscriptionOptions::at(QOS[qos]), identifier);
        world.publish_at(&mut client, "t", "m", QoS::AtLeastOnce, 1);
        let messages = world.messages(&mut client);
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].qos, qos.min(1) as u8);
        assert_eq!(messages[0].identifiers, identifier.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn properties_travel_and_cross_versions() {
    let mut world = World::new();
    let mut new = world.connect(V5, "v5");
    let mut old = world.connect(V4, "v4");
    for client in [&mut new, &mut old] {
        world.subscribe(client, "t", QoS::AtLeastOnce);
    }
    let pairs = [("k", "v"), ("k", "w")];
    let properties = MessageProperties {
        payload_format: None,
        message_expiry_seconds: Some(7),
        content_type: Some("c"),
        response_topic: Some("answers/here"),
        correlation_data: Some(b"\0\x01"),
        user_properties: pairs[..].into(),
    };
    let publish = Publish { properties, ..message("t", "m", QoS::AtLeastOnce, 1) };
    world.send(&mut new, &Packet::Publish(publish)).unwrap();
    let got = world.messages(&mut new).remove(0);
    assert_eq!(got.response_topic.as_deref(), Some("answers/here"));
    assert_eq!(got.content_type.as_deref(), Some("c"));
    assert_eq!(got.correlation_data.as_deref(), Some(&b"\0\x01"[..]));
    assert_eq!(got.user_properties, [("k".into(), "v".into()), ("k".into(), "w".into())]);
    assert_eq!(got.expiry, Some(7));
    assert_eq!(world.payloads(&mut old), ["m"]);
    world.publish_at(&mut old, "t", "from 3.1.1", QoS::AtLeastOnce, 1);
    assert_eq!(world.messages(&mut new)[0].expiry, None);
}

#[test]
fn aliases_from_a_client_stand_for_topics() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    world.subscribe(&mut client, "#", QoS::AtMostOnce);
    let send = |world: &mut World, client: &mut Client, topic, alias| {
        let publish = Publish { topic_alias: Some(id(alias)), ..Publish::new(topic, b"") };
        world.send(client, &Packet::Publish(publish))
    };
    for (topic, alias) in [("a", 1), ("", 1), ("b", 64), ("", 64), ("c", 1), ("", 1)] {
        send(&mut world, &mut client, topic, alias).unwrap();
    }
    let topics: Vec<_> = world.messages(&mut client).into_iter().map(|message| message.topic).collect();
    assert_eq!(topics, ["a", "a", "b", "b", "c", "c"]);
    let mut other = world.connect(V5, "d");
    let unknown = Err(CloseReason::ClientError(ReasonCode::ProtocolError));
    assert_eq!(send(&mut world, &mut other, "", 2), unknown);
    assert_eq!(world.got(&mut other), [Got::Disconnect(ReasonCode::ProtocolError)]);
    let mut other = world.connect(V5, "d");
    let beyond = Err(CloseReason::ClientError(ReasonCode::TopicAliasInvalid));
    assert_eq!(send(&mut world, &mut other, "a", 65), beyond);
}

#[test]
fn nobody_there_is_said_where_the_profile_says_so() {
    for (mut world, expected) in
        [(World::new(), ReasonCode::NoMatchingSubscribers), (World::aws(), ReasonCode::Success)]
    {
        let mut client = world.connect(V5, "c");
        world.publish_at(&mut client, "t", "m", QoS::AtLeastOnce, 1);
        assert_eq!(world.got(&mut client), [Got::PubAck(1, expected)]);
        world.subscribe(&mut client, "t", QoS::AtMostOnce);
        world.publish_at(&mut client, "t", "m", QoS::AtLeastOnce, 2);
        assert!(world.got(&mut client).contains(&Got::PubAck(2, ReasonCode::Success)));
        let mut old = world.connect(V4, "o");
        world.publish_at(&mut old, "nobody", "m", QoS::AtLeastOnce, 1);
        assert_eq!(world.got(&mut old), [Got::PubAck(1, ReasonCode::Success)]);
    }
}

#[test]
fn two_hundred_subscribers_of_both_versions_get_the_same() {
    let mut world = World::new();
    let mut subscribers: Vec<Client> = (0..200)
        .map(|n| {
            let mut client = world.connect(if n % 2 == 0 { V4 } else { V5 }, &format!("s{n}"));
            world.subscribe(&mut client, "t", QOS[n % 3]);
            client
        })
        .collect();
    let mut publisher = world.connect(V5, "p");
    let properties = MessageProperties { message_expiry_seconds: Some(9), ..Default::default() };
    for payload in ["first", "second"] {
        let publish = Publish { properties, ..message("t", payload, QoS::ExactlyOnce, 1) };
        world.send(&mut publisher, &Packet::Publish(publish)).unwrap();
        world.pubrel(&mut publisher, 1);
    }
    for (n, subscriber) in subscribers.iter_mut().enumerate() {
        let messages = world.messages(subscriber);
        let payloads: Vec<_> = messages.iter().map(|message| &message.payload[..]).collect();
        assert_eq!(payloads, ["first", "second"]);
        for (at, message) in messages.iter().enumerate() {
            assert_eq!(usize::from(message.qos), n % 3);
            assert_eq!(message.packet_id, (n % 3 > 0).then_some(at as u16 + 1));
            assert_eq!(message.expiry, (n % 2 == 1).then_some(9));
        }
    }
}

#[test]
fn a_message_larger_than_the_client_takes_is_not_sent() {
    let mut world = World::new();
    let mut connect = Connect::new(V5, "s");
    connect.properties.maximum_packet_size = std::num::NonZeroU32::new(100);
    let (mut subscriber, _) = world.connect_with(&connect);
    let mut publisher = world.connect(V5, "p");
    world.subscribe(&mut subscriber, "t", QoS::AtLeastOnce);
    for (n, length) in [(1, 80), (2, 120), (3, 80)] {
        world.publish_at(&mut publisher, "t", &"x".repeat(length), QoS::AtLeastOnce, n);
        world.publish(&mut publisher, "t", &"y".repeat(length));
    }
    assert_eq!(world.payloads(&mut subscriber).len(), 4);
    world.broker.hand_over(&mut world.effects);
    assert_eq!(world.broker.counters().dropped_too_large, 2);
}

#[test]
fn aliases_of_an_earlier_connection_mean_nothing() {
    let mut world = World::new();
    let connect = |maximum| {
        let mut connect = persistent(V5, "c");
        connect.properties.topic_alias_maximum = maximum;
        connect
    };
    let (mut client, _) = world.connect_with(&connect(2));
    world.subscribe(&mut client, "t", QoS::AtMostOnce);
    let name = Publish { topic_alias: Some(id(1)), ..Publish::new("t", b"1") };
    world.send(&mut client, &Packet::Publish(name)).unwrap();
    assert_eq!(world.messages(&mut client)[0].alias, Some(1));
    world.lose(&mut client);

    // Neither does the server use its own again, nor any when it may not.
    for (maximum, expected) in [(2, Some(1)), (0, None)] {
        let (mut client, present) = world.connect_with(&connect(maximum));
        assert!(present);
        client.forget_aliases();
        world.publish(&mut client, "t", "2");
        let messages = world.messages(&mut client);
        assert_eq!(messages.iter().map(|m| (&m.topic[..], m.alias)).collect::<Vec<_>>(), [("t", expected)]);
        let alias = Publish { topic_alias: Some(id(1)), ..Publish::new("", b"3") };
        let unknown = CloseReason::ClientError(ReasonCode::ProtocolError);
        assert_eq!(world.send(&mut client, &Packet::Publish(alias)), Err(unknown));
    }
}
