//! Quotas of the `aws` profile and the memory budget: within them all is well, beyond them the documented answer.

use std::time::Duration;

use tidegate_broker::{AccountLimits, CloseReason, ConnectFailure, LifecycleKind, Limits, Profile, Settings};
use tidegate_mqtt::{Connect, Packet, Publish, QoS, ReasonCode};

use crate::world::*;

fn standard(change: impl FnOnce(&mut Limits)) -> World {
    let mut profile = Profile::standard();
    change(&mut profile.limits);
    World::with(profile, Settings::default())
}

#[test]
fn too_many_publishes_in_a_second_are_dropped_and_told_where_there_is_a_word_for_it() {
    for account in [false, true] {
        let mut world = standard(|limits| match account {
            true => limits.account.publishes_per_second = Some(3),
            false => limits.publishes_per_second = Some(3),
        });
        let mut subscriber = world.connect(V5, "s");
        world.subscribe(&mut subscriber, "t", QoS::AtMostOnce);
        for version in [V4, V5] {
            let mut client = world.connect(version, "c");
            for n in 1..=5 {
                world.publish_at(&mut client, "t", &n.to_string(), QoS::AtLeastOnce, n);
            }
            let mut expected: Vec<_> = (1..=3).map(|n| Got::PubAck(n, ReasonCode::Success)).collect();
            if version == V5 {
                expected.extend((4..=5).map(|n| Got::PubAck(n, ReasonCode::QuotaExceeded)));
            }
            assert_eq!(world.got(&mut client), expected);
            world.publish(&mut client, "t", "6");
            assert_eq!(world.payloads(&mut subscriber), ["1", "2", "3"]);
            world.pass(Duration::from_secs(1));
            world.publish(&mut client, "t", "7");
            assert_eq!(world.payloads(&mut subscriber), ["7"]);
            world.pass(Duration::from_secs(1));
        }
        world.broker.hand_over(&mut world.effects);
        assert_eq!(world.broker.counters().publish_throttled, 6);
    }
}

#[test]
fn a_throttled_qos_2_message_may_be_published_again_under_its_id() {
    let mut world = standard(|limits| limits.publishes_per_second = Some(1));
    let mut client = world.connect(V5, "c");
    world.publish_at(&mut client, "t", "1", QoS::ExactlyOnce, 1);
    world.publish_at(&mut client, "t", "2", QoS::ExactlyOnce, 2);
    // A repetition is no new message.
    world.publish_at(&mut client, "t", "1", QoS::ExactlyOnce, 1);
    let nobody = ReasonCode::NoMatchingSubscribers;
    let expected =
        [Got::PubRec(1, nobody), Got::PubRec(2, ReasonCode::QuotaExceeded), Got::PubRec(1, ReasonCode::Success)];
    assert_eq!(world.got(&mut client), expected);
    world.pass(Duration::from_secs(1));
    world.publish_at(&mut client, "t", "2", QoS::ExactlyOnce, 2);
    assert_eq!(world.got(&mut client), [Got::PubRec(2, nobody)]);
}

#[test]
fn what_exceeds_the_throughput_is_read_later() {
    let mut world = World::aws();
    let mut client = world.connect(V5, "c");
    let link = client.link.as_mut().unwrap();
    link.received(512 * 1024, world.now, &mut world.effects);
    assert_eq!(link.paused_until(world.now), None);
    link.received(256 * 1024, world.now, &mut world.effects);
    assert_eq!(link.paused_until(world.now), Some(world.now.monotonic + Duration::from_millis(500)));
    world.pass(Duration::from_millis(500));
    assert_eq!(client.link.as_ref().unwrap().paused_until(world.now), None);
}

#[test]
fn a_client_id_connects_once_a_second_whether_its_session_is_there_or_not() {
    for kept in [false, true] {
        let mut world = World::aws();
        let connect = if kept { persistent(V5, "c") } else { Connect::new(V5, "c") };
        let mut client = world.connect_with(&connect).0;
        world.lose(&mut client);
        world.pass(Duration::from_millis(500));
        let refused = world.try_connect(&connect).err().unwrap();
        assert_eq!(refused.code, ReasonCode::QuotaExceeded);
        world.connect(V5, "another");
        world.pass(Duration::from_millis(500));
        world.connect_with(&connect);
        world.broker.hand_over(&mut world.effects);
        let counters = world.broker.counters();
        assert_eq!((counters.connect_throttled, counters.connect_client_throttled), (0, 1));
    }
}

#[test]
fn an_account_has_bounds_for_all_its_clients() {
    let account = |change: fn(&mut AccountLimits)| standard(|limits| change(&mut limits.account));

    let mut world = account(|account| account.connections_max = 1);
    let mut client = world.resume(V5, "c").0;
    assert_eq!(world.try_connect(&Connect::new(V5, "d")).err().unwrap().code, ReasonCode::QuotaExceeded);
    let mut again = world.resume(V5, "c").0; // takes its own place
    world.lose(&mut again);
    assert_eq!(world.got(&mut client), [Got::Disconnect(ReasonCode::SessionTakenOver)]);
    world.connect(V5, "d");

    let mut world = account(|account| account.connects_per_second = Some(2));
    world.connect(V5, "a");
    world.connect(V5, "b");
    assert_eq!(world.try_connect(&Connect::new(V5, "c")).err().unwrap().code, ReasonCode::QuotaExceeded);
    world.broker.hand_over(&mut world.effects);
    let counters = world.broker.counters();
    assert_eq!((counters.connect_throttled, counters.connect_client_throttled), (1, 0));

    let mut world = account(|account| account.subscriptions_max = 2);
    let (mut a, mut b) = (world.connect(V5, "a"), world.connect(V5, "b"));
    assert_eq!(world.subscribe(&mut a, "1", QoS::AtMostOnce), ReasonCode::Success);
    assert_eq!(world.subscribe(&mut b, "1", QoS::AtMostOnce), ReasonCode::Success);
    assert_eq!(world.subscribe(&mut b, "2", QoS::AtMostOnce), ReasonCode::QuotaExceeded);
    world.unsubscribe(&mut a, &["1"]);
    assert_eq!(world.subscribe(&mut b, "2", QoS::AtMostOnce), ReasonCode::Success);

    let mut world = account(|account| account.subscribes_per_second = Some(1));
    let mut a = world.connect(V5, "a");
    assert_eq!(world.subscribe(&mut a, "1", QoS::AtMostOnce), ReasonCode::Success);
    assert_eq!(world.subscribe(&mut a, "2", QoS::AtMostOnce), ReasonCode::QuotaExceeded);

    let mut world = account(|account| account.shared_groups_max = 1);
    let mut a = world.connect(V5, "a");
    assert_eq!(world.subscribe(&mut a, "$share/g/+", QoS::AtMostOnce), ReasonCode::Success);
    assert_eq!(world.subscribe(&mut a, "$share/h/x/+", QoS::AtMostOnce), ReasonCode::QuotaExceeded);
    world.unsubscribe(&mut a, &["$share/g/+"]);
    assert_eq!(world.subscribe(&mut a, "$share/h/x/+", QoS::AtMostOnce), ReasonCode::Success);

    let mut world = account(|account| account.retained_per_second = Some(1));
    let mut a = world.connect(V5, "a");
    world.retain(&mut a, "1", "m");
    world.retain(&mut a, "2", "m");
    world.retain(&mut a, "1", "");
    assert_eq!(world.broker.retained_count(tenant()), 0, "deleting is free");
}

#[test]
fn one_topic_is_retained_once_a_second() {
    let mut world = standard(|limits| limits.retained_interval = Some(Duration::from_secs(1)));
    let mut client = world.connect(V5, "c");
    let retain = |payload| Publish { retain: true, ..message("t", payload, QoS::AtLeastOnce, 1) };
    for (millis, payload, code) in [
        (0, "1", ReasonCode::NoMatchingSubscribers),
        (999, "2", ReasonCode::QuotaExceeded),
        (1, "3", ReasonCode::NoMatchingSubscribers),
        (0, "", ReasonCode::NoMatchingSubscribers),
        (0, "4", ReasonCode::NoMatchingSubscribers),
    ] {
        world.pass(Duration::from_millis(millis));
        world.send(&mut client, &Packet::Publish(retain(payload))).unwrap();
        assert_eq!(world.got(&mut client), [Got::PubAck(1, code)], "{payload}");
    }
}

#[test]
fn so_many_are_retained_and_one_more_is_refused() {
    let mut world = standard(|limits| limits.account.retained_max = 2);
    let mut client = world.connect(V5, "c");
    for (topic_name, payload, code) in [
        ("a", "1", ReasonCode::NoMatchingSubscribers),
        ("b", "1", ReasonCode::NoMatchingSubscribers),
        ("c", "1", ReasonCode::QuotaExceeded),
        ("a", "2", ReasonCode::NoMatchingSubscribers),
        ("b", "", ReasonCode::NoMatchingSubscribers),
        ("c", "2", ReasonCode::NoMatchingSubscribers),
    ] {
        let publish = Publish { retain: true, ..message(topic_name, payload, QoS::AtLeastOnce, 1) };
        world.send(&mut client, &Packet::Publish(publish)).unwrap();
        assert_eq!(world.got(&mut client), [Got::PubAck(1, code)], "{topic_name} {payload}");
    }
    let kept = ["a", "b", "c"].map(|topic_name| world.broker.retained(tenant(), topic_name, world.now));
    assert_eq!(
        kept.each_ref().map(|kept| kept.as_ref().map(|kept| kept.payload())),
        [Some(&b"2"[..]), None, Some(b"2")]
    );
}

#[test]
fn properties_have_sizes_and_clients_take_packets_of_some() {
    let mut world = World::aws();
    let mut client = world.connect(V5, "c");
    let long = |length| -> &'static str { "x".repeat(length).leak() };
    let half = [("k", long(4095)), ("k", long(4095))];
    let more = [("k", long(4095)), ("k", long(4096))];
    let mut expect = |change: &dyn Fn(&mut Publish<'static>), code| {
        let mut publish = message("t", "m", QoS::AtLeastOnce, 1);
        change(&mut publish);
        world.send(&mut client, &Packet::Publish(publish)).unwrap();
        assert_eq!(world.got(&mut client), [Got::PubAck(1, code)]);
    };
    let (well, exceeded) = (ReasonCode::Success, ReasonCode::QuotaExceeded);
    expect(&|publish| publish.properties.content_type = Some(long(256)), well);
    expect(&|publish| publish.properties.content_type = Some(long(257)), exceeded);
    expect(&|publish| publish.properties.correlation_data = Some(long(8192).as_bytes()), well);
    expect(&|publish| publish.properties.correlation_data = Some(long(8193).as_bytes()), exceeded);
    expect(&|publish| publish.properties.user_properties = half.to_vec().leak()[..].into(), well);
    expect(&|publish| publish.properties.user_properties = more.to_vec().leak()[..].into(), exceeded);

    let mut connect = Connect::new(V5, "d");
    connect.properties.maximum_packet_size = std::num::NonZeroU32::new(511);
    assert_eq!(world.try_connect(&connect).err().unwrap().code, ReasonCode::UnspecifiedError);
    connect.properties.maximum_packet_size = std::num::NonZeroU32::new(512);
    world.connect_with(&connect);
}

#[test]
fn beyond_the_memory_budget_nothing_more_is_kept_and_the_rest_goes_on() {
    for whole in [true, false] {
        let mut settings = Settings::default();
        *(if whole { &mut settings.memory_bytes_max } else { &mut settings.account_memory_bytes_max }) = 20_000;
        let mut profile = Profile::standard();
        profile.limits.queued_bytes_max = 1 << 20;
        let mut world = World::with(profile, settings);
        let (mut away, _) = world.resume(V5, "away");
        world.subscribe(&mut away, "t", QoS::AtLeastOnce);
        world.lose(&mut away);
        let mut new = world.connect(V5, "new");
        let mut old = world.connect(V4, "old");
        world.retain(&mut new, "kept", "m");
        let payload = "x".repeat(1000);
        let mut taken = 0;
        loop {
            world.publish_at(&mut new, "t", &payload, QoS::AtLeastOnce, 1);
            match world.got(&mut new)[..] {
                [Got::PubAck(1, ReasonCode::Success)] => taken += 1,
                [Got::PubAck(1, ReasonCode::QuotaExceeded)] => break,
                ref other => panic!("{other:?}"),
            }
        }
        assert!((15..=20).contains(&taken), "{taken}");
        world.publish(&mut new, "u", "dropped");
        world.retain(&mut new, "more", "m");
        assert_eq!(world.broker.retained_count(tenant()), 1);
        let publish = Packet::Publish(message("t", "m", QoS::AtLeastOnce, 1));
        assert_eq!(world.send(&mut old, &publish), Err(CloseReason::QuotaExceeded));
        assert_eq!(world.try_connect(&Connect::new(V5, "x")).err().unwrap().code, ReasonCode::QuotaExceeded);
        // What is deleted or fetched makes room.
        world.retain(&mut new, "kept", "");
        assert_eq!(world.broker.retained_count(tenant()), 0);
        world.broker.hand_over(&mut world.effects);
        assert_eq!(world.broker.counters().dropped_memory, 4);
        assert!(world.broker.gauges().memory_bytes >= 15_000);
        let ending = tidegate_broker::Ending {
            reason: CloseReason::AdministrativeAction,
            drop_session: true,
            prevent_will: false,
        };
        assert!(world.broker.delete_connection(tenant(), "away", ending, world.now, &mut world.effects));
        assert!(world.broker.gauges().memory_bytes < 5000);
        world.connect(V5, "x");
    }
}

#[test]
fn all_memory_is_given_back() {
    let mut world = World::new();
    let mut publisher = world.connect(V4, "p");
    for qos in QOS {
        let mut clients: Vec<_> = (0..10).map(|n| world.resume(V5, &format!("c{n}")).0).collect();
        for client in &mut clients {
            world.subscribe(client, "t/#", qos);
        }
        for n in 1..=50 {
            world.publish_at(&mut publisher, "t/a", &"x".repeat(500), QoS::ExactlyOnce, n);
            world.pubrel(&mut publisher, n);
            world.retain(&mut publisher, &format!("t/{n}"), &"x".repeat(500));
        }
        for client in &mut clients[..5] {
            for message in world.messages(client) {
                match message.qos {
                    1 => world.puback(client, message.packet_id.unwrap()),
                    2 => world.pubrec(client, message.packet_id.unwrap()),
                    _ => {}
                }
            }
        }
        assert!(world.broker.gauges().memory_bytes > 25_000);
        for n in 1..=50 {
            world.retain(&mut publisher, &format!("t/{n}"), "");
        }
        for n in 0..10 {
            world.connect(V5, &format!("c{n}"));
        }
    }
    world.lose(&mut publisher);
    let everyone = tidegate_broker::Selector::Everyone;
    world.broker.kick(&everyone, CloseReason::ServerShuttingDown, world.now, &mut world.effects);
    assert_eq!((world.broker.session_count(tenant()), world.broker.gauges().memory_bytes), (0, 0));
}

#[test]
fn version_numbers_grow_and_are_forgotten_an_hour_after_the_session() {
    let mut world = World::new();
    let mut versions = Vec::new();
    for (wait, kept) in [(0, false), (10, false), (3500, true), (9000, false), (3599, false), (3601, false)] {
        world.pass(Duration::from_secs(wait));
        let connect = if kept { persistent(V5, "c") } else { Connect::new(V5, "c") };
        let mut client = world.connect_with(&connect).0;
        world.lose(&mut client);
        let of_both: Vec<_> = world.events().iter().map(|event| event.version_number).collect();
        assert_eq!(of_both[0], of_both[1], "the same in both events of one connection");
        versions.push(of_both[0]);
    }
    assert_eq!(versions, [0, 1, 2, 3, 4, 0]);
}

#[test]
fn a_connect_that_the_policies_do_not_allow_is_an_event() {
    let mut world = World::new();
    world.policies.deny(tidegate_broker::Access::Publish, "w");
    let mut connect = Connect::new(V5, "c");
    connect.will = Some(tidegate_mqtt::Will {
        qos: QoS::AtMostOnce,
        retain: false,
        delay_seconds: 0,
        topic_name: "w",
        properties: Default::default(),
        payload: b"",
    });
    assert_eq!(world.try_connect(&connect).err().unwrap().code, ReasonCode::NotAuthorized);
    let events = world.events();
    assert_eq!(events.len(), 1);
    let LifecycleKind::ConnectFailed { reason, .. } = events[0].kind else { panic!("{events:?}") };
    assert_eq!((reason, reason.as_str()), (ConnectFailure::AuthorizationFailed, "AUTHORIZATION_FAILED"));
    // A quota is no matter of authorization.
    connect.will = None;
    connect.properties.authentication_method = Some("x");
    assert_eq!(world.try_connect(&connect).err().unwrap().code, ReasonCode::BadAuthenticationMethod);
    assert_eq!(world.events(), []);
}
