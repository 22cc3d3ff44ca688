//! What policies and reserved topics forbid, and how the client learns of it.

use tidegate_broker::{Access, CloseReason};
use tidegate_mqtt::{Packet, Publish, QoS, ReasonCode};

use crate::world::*;

#[test]
fn a_denied_publish_is_told_as_version_and_qos_allow() {
    use ReasonCode::{NotAuthorized, TopicNameInvalid};
    for (topic, code, closed) in [
        ("denied", NotAuthorized, CloseReason::NotAuthorized),
        ("$aws/events/x", TopicNameInvalid, CloseReason::ClientError(TopicNameInvalid)),
    ] {
        for (version, qos) in [(V4, 0), (V4, 1), (V4, 2), (V5, 0), (V5, 1), (V5, 2)] {
            let mut world = World::new();
            world.policies.deny(Access::Publish, "denied");
            let mut watcher = world.connect(V5, "w");
            world.subscribe(&mut watcher, "#", QoS::AtMostOnce);
            world.subscribe(&mut watcher, "$aws/events/#", QoS::AtMostOnce);
            let mut client = world.connect(version, "c");
            let publish = message(topic, "m", QOS[qos], qos as u16 * 5);
            let result = world.send(&mut client, &Packet::Publish(publish));
            let got = world.got(&mut client);
            match (version, qos) {
                (V5, 1) => assert_eq!((result, got), (Ok(()), vec![Got::PubAck(5, code)])),
                (V5, 2) => {
                    assert_eq!((result, got), (Ok(()), vec![Got::PubRec(10, code)]));
                    // The exchange is over: the id is free.
                    world.publish_at(&mut client, "allowed", "m", QoS::ExactlyOnce, 10);
                    assert_eq!(world.payloads(&mut watcher), ["m"]);
                }
                (V5, _) => assert_eq!((result, got), (Err(closed), vec![Got::Disconnect(code)])),
                (V4, _) => assert_eq!((result, got), (Err(closed), vec![])),
            }
            assert_eq!(world.messages(&mut watcher), []);
        }
    }
}

#[test]
fn retaining_is_allowed_apart() {
    let mut world = World::new();
    world.policies.deny(Access::RetainPublish, "t");
    let mut client = world.connect(V5, "c");
    world.publish_at(&mut client, "t", "m", QoS::AtLeastOnce, 1);
    world.got(&mut client);
    let publish = Publish { retain: true, ..message("t", "m", QoS::AtLeastOnce, 2) };
    world.send(&mut client, &Packet::Publish(publish)).unwrap();
    assert_eq!(world.got(&mut client), [Got::PubAck(2, ReasonCode::NotAuthorized)]);
    assert_eq!(world.broker.retained_count(tenant()), 0);
}

#[test]
fn a_denied_subscription_has_its_code_and_the_others_are_made() {
    for (version, expected) in [(V4, ReasonCode::UnspecifiedError), (V5, ReasonCode::NotAuthorized)] {
        let mut world = World::new();
        world.policies.deny(Access::Subscribe, "secret");
        world.policies.deny(Access::Subscribe, "$share/g/secret");
        let mut client = world.connect(version, "c");
        assert_eq!(world.subscribe(&mut client, "secret", QoS::AtMostOnce), expected);
        assert_eq!(world.subscribe(&mut client, "$share/g/secret", QoS::AtMostOnce), expected);
        assert_eq!(world.subscribe(&mut client, "open", QoS::AtLeastOnce), ReasonCode::GrantedQoS1);
        world.publish(&mut client, "secret", "m");
        world.publish(&mut client, "open", "m");
        assert_eq!(world.messages(&mut client).len(), 1);
    }
}

#[test]
fn reserved_filters_are_refused_where_nothing_is_published() {
    let mut world = World::aws();
    for (version, expected) in [(V4, ReasonCode::UnspecifiedError), (V5, ReasonCode::TopicFilterInvalid)] {
        let mut client = world.connect(version, if version == V4 { "c" } else { "d" });
        for filter in ["$aws/rules/r", "$mine", "$share/g/$mine/x", "a/b/c/d/e/f/g/h/i"] {
            assert_eq!(world.subscribe(&mut client, filter, QoS::AtMostOnce), expected, "{filter}");
        }
        for filter in ["$aws/events/#", "$share/g/a/b/c/d/e/f/g/h"] {
            assert_eq!(world.subscribe(&mut client, filter, QoS::AtMostOnce), ReasonCode::Success, "{filter}");
        }
    }
}

#[test]
fn receive_is_asked_at_delivery_and_changes_at_once() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    let mut publisher = world.connect(V5, "p");
    world.subscribe(&mut client, "#", QoS::AtLeastOnce);
    let publish = |world: &mut World, publisher: &mut Client| {
        world.publish(publisher, "t", "0");
        world.publish_at(publisher, "t", "1", QoS::AtLeastOnce, 1);
    };
    publish(&mut world, &mut publisher);
    assert_eq!(world.payloads(&mut client), ["0", "1"]);
    world.policies.deny(Access::Receive, "t");
    publish(&mut world, &mut publisher);
    assert_eq!(world.messages(&mut client), []);
    world.policies.allow_all();
    publish(&mut world, &mut publisher);
    assert_eq!(world.payloads(&mut client), ["0", "1"]);
}

#[test]
fn receive_is_asked_of_the_policies_a_client_returns_with() {
    let mut world = World::new();
    let (mut client, _) = world.resume(V5, "c");
    let mut publisher = world.connect(V5, "p");
    world.subscribe(&mut client, "#", QoS::AtLeastOnce);
    world.lose(&mut client);
    for (n, topic) in [(1, "a"), (2, "b"), (3, "a")] {
        world.publish_at(&mut publisher, topic, &n.to_string(), QoS::AtLeastOnce, n);
    }
    world.policies.deny(Access::Receive, "b");
    let (mut client, _) = world.resume(V5, "c");
    assert_eq!(world.payloads(&mut client), ["1", "3"]);
}

#[test]
fn publish_decisions_follow_their_generation() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    let answer = |world: &mut World, client: &mut Client| {
        world.publish_at(client, "t", "m", QoS::AtLeastOnce, 1);
        match world.got(client)[..] {
            [Got::PubAck(1, code)] => code,
            ref other => panic!("{other:?}"),
        }
    };
    assert_eq!(answer(&mut world, &mut client), ReasonCode::NoMatchingSubscribers);
    world.policies.deny(Access::Publish, "t");
    assert_eq!(answer(&mut world, &mut client), ReasonCode::NotAuthorized);
    world.policies.allow_all();
    assert_eq!(answer(&mut world, &mut client), ReasonCode::NoMatchingSubscribers);
}

#[test]
fn requests_to_services_are_accepted_and_reach_no_subscriber() {
    let mut world = World::aws();
    let mut client = world.connect(V5, "c");
    world.subscribe(&mut client, "$aws/#", QoS::AtMostOnce);
    for (n, topic) in [(1, "$aws/rules/r/data"), (2, "$aws/things/t/shadow/update")] {
        world.publish_at(&mut client, topic, "m", QoS::AtLeastOnce, n);
        assert_eq!(world.got(&mut client), [Got::PubAck(n, ReasonCode::Success)]);
    }
}
