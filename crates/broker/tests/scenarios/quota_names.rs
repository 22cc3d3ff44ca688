//! Who runs into a quota is told of by its name, once for each family.

use std::time::Duration;

use tidegate_broker::{Limits, Profile, Quota, Settings, client_id};
use tidegate_mqtt::{Connect, Packet, Publish, QoS, ReasonCode, Subscribe, Subscription, SubscriptionOptions};

use crate::world::*;

/// What `c` runs into, with these limits, when it does this.
fn runs_into(change: impl FnOnce(&mut Limits), act: impl FnOnce(&mut World, &mut Client)) -> Vec<(Quota, u64)> {
    let mut profile = Profile::standard();
    change(&mut profile.limits);
    let mut world = World::with(profile, Settings::default());
    let mut client = world.connect(V5, "c");
    assert_eq!(world.excesses(), []);
    act(&mut world, &mut client);
    let excesses = world.excesses();
    assert!(excesses.iter().all(|(_, client_id, _)| client_id == "c"), "{excesses:?}");
    excesses.into_iter().map(|(quota, _, times)| (quota, times)).collect()
}

/// Makes a message too large in one way.
type Larger = fn(&mut Publish<'static>);

fn publish(world: &mut World, client: &mut Client, change: impl FnOnce(&mut Publish<'static>)) {
    let mut publish = message("t", "x", QoS::AtLeastOnce, 1);
    change(&mut publish);
    let _ = world.send(client, &Packet::Publish(publish));
}

#[test]
fn rates_of_publishes() {
    let many = |world: &mut World, client: &mut Client| {
        (0..5).for_each(|_| publish(world, client, |_| {}));
    };
    assert_eq!(runs_into(|limits| limits.publishes_per_second = Some(3), many), [(Quota::PublishesPerConnection, 2)]);
    assert_eq!(
        runs_into(|limits| limits.account.publishes_per_second = Some(4), many),
        [(Quota::PublishesPerAccount, 1)]
    );
    let throughput = |world: &mut World, client: &mut Client| {
        let link = client.link.as_ref().unwrap();
        link.exceeded(Quota::Throughput, &mut world.effects);
    };
    assert_eq!(runs_into(|_| {}, throughput), [(Quota::Throughput, 1)]);
}

#[test]
fn rates_and_number_of_retained_messages() {
    let twice = |world: &mut World, client: &mut Client| {
        (0..2).for_each(|_| publish(world, client, |publish| publish.retain = true));
    };
    let interval = Some(Duration::from_secs(1));
    assert_eq!(runs_into(|limits| limits.retained_interval = interval, twice), [(Quota::RetainedPerTopic, 1)]);
    assert_eq!(
        runs_into(|limits| limits.account.retained_per_second = Some(1), twice),
        [(Quota::RetainedPerAccount, 1)]
    );
    let two = |world: &mut World, client: &mut Client| {
        for topic_name in ["1", "2", "1"] {
            publish(world, client, |publish| (publish.retain, publish.topic_name) = (true, topic_name));
        }
    };
    assert_eq!(runs_into(|limits| limits.account.retained_max = 1, two), [(Quota::RetainedMessages, 1)]);
}

#[test]
fn sizes_of_messages_and_their_parts() {
    let change = |limits: &mut Limits| {
        limits.payload_bytes_max = 5;
        limits.topic_bytes_max = 5;
        limits.topic_levels_max = 2;
        limits.topic_alias_maximum = 5;
        limits.content_type_bytes_max = 5;
        limits.correlation_data_bytes_max = 5;
        limits.user_properties_bytes_max = 5;
    };
    let cases: [(Quota, Larger); 8] = [
        (Quota::PayloadSize, |publish| publish.payload = b"123456"),
        (Quota::TopicNameSize, |publish| publish.topic_name = "123456"),
        (Quota::TopicNameLevels, |publish| publish.topic_name = "1/2/3"),
        (Quota::TopicAliases, |publish| publish.topic_alias = Some(id(6))),
        (Quota::ContentTypeSize, |publish| publish.properties.content_type = Some("123456")),
        (Quota::CorrelationDataSize, |publish| publish.properties.correlation_data = Some(b"123456")),
        (Quota::ResponseTopicSize, |publish| publish.properties.response_topic = Some("123456")),
        (Quota::UserPropertiesSize, |publish| publish.properties.user_properties = [("123", "456")][..].into()),
    ];
    for (quota, larger) in cases {
        assert_eq!(runs_into(change, |world, client| publish(world, client, larger)), [(quota, 1)]);
        assert_eq!(runs_into(|_| {}, |world, client| publish(world, client, larger)), [], "{quota:?}");
    }
}

#[test]
fn unacknowledged_messages() {
    let three = |world: &mut World, client: &mut Client| {
        for packet_id in 1..=3 {
            publish(world, client, |publish| {
                (publish.qos, publish.packet_id) = (QoS::ExactlyOnce, Some(id(packet_id)));
            });
        }
    };
    assert_eq!(runs_into(|limits| limits.receive_maximum = 2, three), [(Quota::ReceiveMaximum, 1)]);
}

#[test]
fn subscriptions() {
    let subscribe = |filters: &'static [&'static str]| {
        move |world: &mut World, client: &mut Client| {
            for filter in filters {
                world.subscribe(client, filter, QoS::AtMostOnce);
            }
        }
    };
    let three = || subscribe(&["1", "2", "3"]);
    assert_eq!(runs_into(|limits| limits.subscriptions_max = 2, three()), [(Quota::SubscriptionsPerConnection, 1)]);
    let account = |limits: &mut Limits| limits.account.subscriptions_max = 1;
    assert_eq!(runs_into(account, three()), [(Quota::SubscriptionsPerAccount, 2)]);
    let rate = |limits: &mut Limits| limits.account.subscribes_per_second = Some(1);
    assert_eq!(runs_into(rate, three()), [(Quota::SubscribesPerAccount, 2)]);
    let groups = |limits: &mut Limits| limits.account.shared_groups_max = 1;
    assert_eq!(runs_into(groups, subscribe(&["$share/g/a", "$share/h/a"])), [(Quota::SharedGroups, 1)]);
    let long = subscribe(&["123456", "$share/123456/a"]);
    let size = |limits: &mut Limits| (limits.topic_bytes_max, limits.share_name_chars_max) = (5, 5);
    assert_eq!(runs_into(size, long), [(Quota::TopicFilterSize, 2)]);
    let at_once = |world: &mut World, client: &mut Client| {
        let options = SubscriptionOptions::default();
        let subscriptions = ["1", "2", "3"].map(|topic_filter| Subscription { topic_filter, options });
        let subscriptions = subscriptions[..].into();
        let packet = Subscribe {
            packet_id: id(1),
            subscription_identifier: None,
            user_properties: Default::default(),
            subscriptions,
        };
        let _ = world.send(client, &Packet::Subscribe(packet));
    };
    assert_eq!(runs_into(|limits| limits.filters_per_subscribe_max = 2, at_once), [(Quota::FiltersPerSubscribe, 1)]);
}

#[test]
fn messages_that_wait_for_a_client_that_is_away() {
    let away = |world: &mut World, client: &mut Client| {
        let (mut kept, _) = world.resume(V5, "kept");
        world.subscribe(&mut kept, "t", QoS::AtLeastOnce);
        world.lose(&mut kept);
        (0..5).for_each(|_| publish(world, client, |_| {}));
        assert_eq!(world.excesses(), [(Quota::QueuedMessages, "kept".to_owned(), 3)]);
    };
    assert_eq!(runs_into(|limits| limits.queued_messages_max = 2, away), []);
}

#[test]
fn messages_of_an_account_that_begin_to_wait() {
    let away = |world: &mut World, client: &mut Client| {
        for name in ["kept", "other"] {
            let (mut kept, _) = world.resume(V5, name);
            world.subscribe(&mut kept, "t", QoS::AtLeastOnce);
            if name == "kept" {
                world.lose(&mut kept);
            }
        }
        // Two wait; who is connected is not counted, and gets them all.
        (0..5).for_each(|_| publish(world, client, |_| {}));
        assert_eq!(world.excesses(), [(Quota::QueuedPerAccount, "kept".to_owned(), 3)]);
        // What waited before stays, and a second later there is room again.
        world.pass(std::time::Duration::from_secs(1));
        publish(world, client, |_| {});
        let (kept, other) =
            (world.broker.session(tenant(), "kept", world.now), world.broker.session(tenant(), "other", world.now));
        assert_eq!((kept.unwrap().queued, other.unwrap().inflight), (3, 6));
    };
    assert_eq!(runs_into(|limits| limits.account.queued_per_second = Some(2), away), []);
}

#[test]
fn memory() {
    let settings = Settings { account_memory_bytes_max: 10_000, ..Settings::default() };
    let mut world = World::with(Profile::standard(), settings);
    let mut client = world.connect(V5, "c");
    let large = vec![0; 20_000].leak();
    publish(&mut world, &mut client, |publish| (publish.retain, publish.payload) = (true, large));
    publish(&mut world, &mut client, |_| {});
    assert_eq!(world.excesses(), [(Quota::Memory, "c".to_owned(), 1)]);
    let refused = world.try_connect(&Connect::new(V5, "d")).err().unwrap();
    assert_eq!((refused.quota, refused.code), (Some(Quota::MemoryAtConnect), ReasonCode::QuotaExceeded));
}

#[test]
fn connections() {
    let refused_by = |change: fn(&mut Limits), sessions_max: usize, second: &'static str| {
        let mut profile = Profile::standard();
        change(&mut profile.limits);
        let name_refused = client_id(&Connect::new(V5, second), &profile, 0).err().and_then(|refused| refused.quota);
        let mut world = World::with(profile, Settings { sessions_max, ..Settings::default() });
        let _first = world.connect(V5, "c");
        let mut connect = Connect::new(V5, second);
        connect.properties.maximum_packet_size = std::num::NonZeroU32::new(500);
        name_refused.or_else(|| world.try_connect(&connect).err().and_then(|refused| refused.quota))
    };
    for (quota, change, sessions_max, second) in [
        (Quota::ConnectsPerClient, (|limits| limits.connects_per_second = Some(1)) as fn(&mut Limits), 9, "c"),
        (Quota::ConnectsPerAccount, |limits| limits.account.connects_per_second = Some(1), 9, "d"),
        (Quota::ConnectionsPerAccount, |limits| limits.account.connections_max = 1, 9, "d"),
        (Quota::SessionsPerAccount, |_| {}, 1, "d"),
        (Quota::ClientIdSize, |limits| limits.client_id_bytes_max = 5, 9, "123456"),
        (Quota::ClientPacketSize, |limits| limits.client_packet_bytes_min = 512, 9, "d"),
    ] {
        // Without the limit of the first client's own, whose packets have the size that the profile asks for.
        assert_eq!(refused_by(change, sessions_max, second), Some(quota));
        assert_eq!(refused_by(|_| {}, 9, second), None, "{quota:?}");
    }
}

#[test]
fn every_quota_has_a_name_of_its_own_where_it_is_met() {
    let named = |quota: &&Quota| Quota::ALL.iter().filter(|other| other.name() == quota.name()).count();
    let shared: Vec<_> = Quota::ALL.iter().filter(|quota| named(quota) > 1).map(|quota| quota.event_type()).collect();
    assert_eq!(shared, ["Connect", "Publish-In"], "memory is met twice");
    assert!(Quota::ALL.iter().all(|quota| !quota.beyond().is_empty()));
}
