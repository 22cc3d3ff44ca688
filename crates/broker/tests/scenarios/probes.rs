//! Seventeen raw-packet probes that published brokers failed.

use std::time::Duration;

use tidegate_broker::CloseReason;
use tidegate_mqtt::{Connect, QoS, ReasonCode, SessionExpiry, SubscriptionOptions};

use crate::world::*;

#[test]
fn a_message_is_delivered_at_the_lower_qos() {
    for (published, version) in QOS.into_iter().flat_map(|qos| [(qos, V4), (qos, V5)]) {
        for subscribed in QOS {
            let mut world = World::new();
            let mut subscriber = world.connect(version, "s");
            let mut publisher = world.connect(V4, "p");
            assert_eq!(world.subscribe(&mut subscriber, "t", subscribed), ReasonCode::granted(subscribed));
            world.publish_at(&mut publisher, "t", "x", published, if published == QoS::AtMostOnce { 0 } else { 1 });
            let messages = world.messages(&mut subscriber);
            assert_eq!(messages.len(), 1);
            assert_eq!(messages[0].qos, published.min(subscribed).bits());
        }
    }
}

#[test]
fn unsubscribe_is_answered_once_whatever_it_names() {
    let mut world = World::new();
    for version in [V4, V5] {
        let mut client = world.connect(version, "c");
        world.subscribe(&mut client, "a", QoS::AtMostOnce);
        let codes = world.unsubscribe(&mut client, &["unknown"]);
        let codes_of_two = world.unsubscribe(&mut client, &["a", "b"]);
        assert_eq!(client.got.len(), 0);
        if version == V5 {
            assert_eq!(codes, [ReasonCode::NoSubscriptionExisted]);
            assert_eq!(codes_of_two, [ReasonCode::Success, ReasonCode::NoSubscriptionExisted]);
        }
    }
}

#[test]
fn an_empty_publish_without_retain_keeps_what_is_retained() {
    for version in [V4, V5] {
        let mut world = World::new();
        let mut client = world.connect(version, "c");
        world.retain(&mut client, "t", "kept");
        world.publish(&mut client, "t", "");
        world.subscribe(&mut client, "t", QoS::AtMostOnce);
        assert_eq!(world.payloads(&mut client), ["kept"]);
        world.retain(&mut client, "t", "");
        assert_eq!(world.payloads(&mut client), [""]);
        assert_eq!(world.broker.retained_count(tenant()), 0);
    }
}

#[test]
fn subscribing_again_brings_the_retained_message_again() {
    for version in [V4, V5] {
        let mut world = World::new();
        let mut client = world.connect(version, "c");
        world.retain(&mut client, "t", "kept");
        for _ in 0..3 {
            world.subscribe(&mut client, "t", QoS::AtLeastOnce);
            let messages = world.messages(&mut client);
            assert_eq!(messages.len(), 1);
            assert!(messages[0].retain);
        }
    }
}

#[test]
fn acknowledgements_may_come_in_reverse_order() {
    let mut world = World::new();
    let mut subscriber = world.connect(V4, "s");
    let mut publisher = world.connect(V4, "p");
    world.subscribe(&mut subscriber, "t", QoS::AtLeastOnce);
    for n in 1..=5 {
        world.publish_at(&mut publisher, "t", &n.to_string(), QoS::AtLeastOnce, n);
    }
    let ids: Vec<_> = world.messages(&mut subscriber).iter().map(|message| message.packet_id.unwrap()).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5]);
    for id in ids.into_iter().rev() {
        world.puback(&mut subscriber, id);
    }
    world.publish_at(&mut publisher, "t", "6", QoS::AtLeastOnce, 6);
    assert_eq!(world.messages(&mut subscriber)[0].packet_id, Some(6));
}

#[test]
fn each_group_gets_every_message() {
    let mut world = World::new();
    let mut a = world.connect(V4, "a");
    let mut b = world.connect(V5, "b");
    let mut publisher = world.connect(V5, "p");
    world.subscribe(&mut a, "$share/g/a", QoS::AtMostOnce);
    world.subscribe(&mut b, "$share/h/a", QoS::AtMostOnce);
    for n in 0..4 {
        world.publish(&mut publisher, "a", &n.to_string());
    }
    assert_eq!(world.payloads(&mut a), ["0", "1", "2", "3"]);
    assert_eq!(world.payloads(&mut b), ["0", "1", "2", "3"]);
}

#[test]
fn outgoing_aliases_never_name_another_topic() {
    let mut world = World::new();
    let mut connect = Connect::new(V5, "s");
    connect.properties.topic_alias_maximum = 2;
    let (mut subscriber, _) = world.connect_with(&connect);
    let mut publisher = world.connect(V5, "p");
    world.subscribe(&mut subscriber, "#", QoS::AtMostOnce);
    let topics = ["a", "b", "a", "c", "b", "c", "a"];
    for topic in topics {
        world.publish(&mut publisher, topic, topic);
    }
    let messages = world.messages(&mut subscriber);
    assert_eq!(messages.iter().map(|message| &message.topic[..]).collect::<Vec<_>>(), topics);
    assert_eq!(
        messages.iter().map(|message| message.alias).collect::<Vec<_>>(),
        [Some(1), Some(2), Some(1), None, Some(2), None, Some(1)]
    );
}

#[test]
fn a_session_expires_after_its_time_and_not_before() {
    let mut world = World::new();
    let connect =
        Connect { clean_start: false, session_expiry: SessionExpiry::from_seconds(1), ..Connect::new(V5, "c") };
    let (mut client, present) = world.connect_with(&connect);
    assert!(!present);
    world.lose(&mut client);
    world.pass(Duration::from_millis(900));
    let (mut client, present) = world.connect_with(&connect);
    assert!(present);
    world.pass(Duration::from_secs(10));
    world.lose(&mut client);
    world.pass(Duration::from_secs(3));
    assert_eq!(world.broker.session_count(tenant()), 0);
    let (_, present) = world.connect_with(&connect);
    assert!(!present);
}

#[test]
fn no_local_keeps_own_messages_away() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    let mut other = world.connect(V5, "o");
    let options = SubscriptionOptions { no_local: true, ..SubscriptionOptions::default() };
    world.subscribe_with(&mut client, "t", options, None);
    world.publish(&mut client, "t", "own");
    world.publish(&mut other, "t", "other");
    assert_eq!(world.payloads(&mut client), ["other"]);
}

#[test]
fn keep_alive_zero_means_no_limit() {
    let mut world = World::new();
    for version in [V4, V5] {
        let client = world.connect(version, "c");
        assert_eq!(client.link.as_ref().unwrap().silence_limit(), None);
    }
    let (client, _) = world.connect_with(&Connect { keep_alive_seconds: 10, ..Connect::new(V5, "d") });
    assert_eq!(client.link.as_ref().unwrap().silence_limit(), Some(Duration::from_secs(15)));
}

#[test]
fn a_malformed_packet_is_told_to_a_v5_client() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    // SUBSCRIBE with reserved bits in its options.
    let bytes = [0x82, 7, 0, 1, 0, 0, 1, b'a', 0xC0];
    let malformed = CloseReason::ClientError(ReasonCode::MalformedPacket);
    assert_eq!(world.send_bytes(&mut client, &bytes), Err(malformed));
    assert_eq!(world.got(&mut client), [Got::Disconnect(ReasonCode::MalformedPacket)]);
}

#[test]
fn a_taken_over_client_is_told_and_closed() {
    let mut world = World::new();
    for version in [V4, V5] {
        let mut old = world.connect(version, "c");
        let mut new = world.connect(version, "c");
        let told = world.got(&mut old);
        assert_eq!(old.ended, Some(CloseReason::TakenOver));
        match version {
            V5 => assert_eq!(told, [Got::Disconnect(ReasonCode::SessionTakenOver)]),
            _ => assert_eq!(told, []),
        }
        world.subscribe(&mut new, "t", QoS::AtMostOnce);
        world.publish(&mut new, "t", "alive");
        assert_eq!(world.payloads(&mut new), ["alive"]);
    }
}

#[test]
fn a_qos_2_message_is_delivered_once_until_its_release() {
    for version in [V4, V5] {
        let mut world = World::new();
        let mut client = world.connect(version, "c");
        let mut subscriber = world.connect(version, "s");
        world.subscribe(&mut subscriber, "t", QoS::AtMostOnce);
        for (payload, expected) in [("1", &["1"][..]), ("1", &[]), ("1", &[])] {
            world.publish_at(&mut client, "t", payload, QoS::ExactlyOnce, 7);
            assert_eq!(world.got(&mut client), [Got::PubRec(7, ReasonCode::Success)]);
            assert_eq!(world.payloads(&mut subscriber), expected);
        }
        world.pubrel(&mut client, 7);
        assert_eq!(world.got(&mut client), [Got::PubComp(7, ReasonCode::Success)]);
        world.publish_at(&mut client, "t", "2", QoS::ExactlyOnce, 7);
        assert_eq!(world.payloads(&mut subscriber), ["2"]);
    }
}

#[test]
fn root_wildcards_do_not_match_dollar_topics() {
    for version in [V4, V5] {
        let mut world = World::new();
        let mut subscriber = world.connect(version, "s");
        let mut publisher = world.connect(version, "p");
        for filter in ["#", "+/a", "$x/#"] {
            world.subscribe(&mut subscriber, filter, QoS::AtMostOnce);
            world.publish(&mut publisher, "$x/a", "m");
            let expected: &[&str] = if filter == "$x/#" { &["m"] } else { &[] };
            assert_eq!(world.payloads(&mut subscriber), expected, "{filter}");
        }
    }
}

#[test]
fn retain_is_set_on_stored_messages_and_not_on_live_ones() {
    for version in [V4, V5] {
        let mut world = World::new();
        let mut early = world.connect(version, "early");
        let mut publisher = world.connect(version, "p");
        world.subscribe(&mut early, "t", QoS::AtMostOnce);
        world.retain(&mut publisher, "t", "m");
        assert!(!world.messages(&mut early)[0].retain);
        let mut late = world.connect(version, "late");
        world.subscribe(&mut late, "t", QoS::AtMostOnce);
        assert!(world.messages(&mut late)[0].retain);
    }
}

#[test]
fn one_share_name_on_two_filters_is_two_groups() {
    let mut world = World::new();
    let mut a = world.connect(V4, "a");
    let mut b = world.connect(V5, "b");
    let mut publisher = world.connect(V5, "p");
    world.subscribe(&mut a, "$share/g/a", QoS::AtMostOnce);
    world.subscribe(&mut b, "$share/g/b", QoS::AtMostOnce);
    for n in 0..4 {
        world.publish(&mut publisher, ["a", "b"][n % 2], &n.to_string());
    }
    assert_eq!(world.payloads(&mut a), ["0", "2"]);
    assert_eq!(world.payloads(&mut b), ["1", "3"]);
}

#[test]
fn both_versions_are_served_alike_by_one_listener() {
    let mut world = World::new();
    for (n, version) in [V4, V5, V4].into_iter().enumerate() {
        let (mut client, _) = world.resume(version, "c");
        world.subscribe(&mut client, "t", QoS::AtLeastOnce);
        let mut other = world.connect(if version == V4 { V5 } else { V4 }, "o");
        world.publish_at(&mut other, "t", "across", QoS::AtLeastOnce, 1);
        let messages = world.messages(&mut client);
        assert_eq!((messages.len(), &messages[0].payload[..]), (1, "across"), "{n}");
        world.puback(&mut client, messages[0].packet_id.unwrap());
    }
}
