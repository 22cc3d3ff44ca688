//! What operators read and do.

use std::{collections::BTreeSet, time::Duration};

use tidegate_broker::{CloseReason, Ending};
use tidegate_mqtt::{QoS, ReasonCode};

use crate::world::*;

#[test]
fn pages_show_each_session_once() {
    let mut world = World::new();
    let mut clients: Vec<_> = (0..300).map(|n| world.resume(V5, &format!("c{n:03}")).0).collect();
    for client in &mut clients[..100] {
        world.lose(client);
    }
    assert_eq!(world.broker.tenants(), [tenant()]);
    for max in [1, 7, 300, 1000] {
        let mut seen = BTreeSet::new();
        let mut connected = 0;
        let mut after = None;
        loop {
            let page = world.broker.sessions(tenant(), after.as_deref(), max, world.now);
            assert!(page.sessions.len() <= max);
            for session in page.sessions {
                connected += usize::from(session.connection.is_some());
                assert!(seen.insert(session.client_id), "seen twice");
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!((seen.len(), connected), (300, 200), "{max}");
    }
}

#[test]
fn a_session_shows_who_where_since_when_and_what_waits() {
    let mut world = World::new();
    let (mut client, _) = world.resume(V5, "c");
    let since = world.now.wall;
    world.pass(Duration::from_secs(5));
    world.subscribe(&mut client, "t", QoS::AtLeastOnce);
    let mut publisher = world.connect(V4, "p");
    world.publish_at(&mut publisher, "t", "sent", QoS::AtLeastOnce, 1);
    world.fetch(&mut client);
    let seen = world.broker.session(tenant(), "c", world.now).unwrap();
    let connection = seen.connection.unwrap();
    assert_eq!((connection.since, connection.version, connection.principal), (since, V5, world.principal.clone()));
    assert_eq!(connection.peer_address, "192.0.2.1:1234".parse().unwrap());
    assert_eq!((seen.inflight, seen.queued, seen.subscriptions, seen.ends_in), (1, 0, 1, None));
    world.lose(&mut client);
    world.publish_at(&mut publisher, "t", "waits", QoS::AtLeastOnce, 2);
    let seen = world.broker.session(tenant(), "c", world.now).unwrap();
    assert_eq!((seen.connection, seen.inflight, seen.queued), (None, 1, 1));
    assert!(seen.queued_bytes >= "twaits".len());
    assert_eq!(world.broker.subscriptions(tenant(), "c", None, 10).unwrap(), [("t".into(), QoS::AtLeastOnce)]);
    assert_eq!(world.broker.session(tenant(), "nobody", world.now), None);
}

#[test]
fn a_deleted_connection_is_told_and_its_session_and_will_go_if_asked() {
    for drop_session in [false, true] {
        for prevent_will in [false, true] {
            let mut world = World::new();
            let mut watcher = world.connect(V5, "watcher");
            world.subscribe(&mut watcher, "will", QoS::AtMostOnce);
            let mut connect = persistent(V5, "c");
            connect.will = Some(tidegate_mqtt::Will {
                topic_name: "will",
                payload: b"gone",
                qos: QoS::AtMostOnce,
                retain: false,
                delay_seconds: 0,
                properties: Default::default(),
            });
            let (mut client, _) = world.connect_with(&connect);
            let ending = Ending { reason: CloseReason::AdministrativeAction, drop_session, prevent_will };
            assert!(world.broker.delete_connection(tenant(), "c", ending, world.now, &mut world.effects));
            assert_eq!(client.link.as_ref().unwrap().ended(), Some(CloseReason::AdministrativeAction));
            assert_eq!(world.got(&mut client), [Got::Disconnect(ReasonCode::AdministrativeAction)]);
            let expected: &[&str] = if prevent_will { &[] } else { &["gone"] };
            assert_eq!(world.payloads(&mut watcher), expected);
            assert_eq!(world.broker.session(tenant(), "c", world.now).is_none(), drop_session);
            let again = world.broker.delete_connection(tenant(), "c", ending, world.now, &mut world.effects);
            assert!(!again, "there is nothing left to end");
        }
    }
}

#[test]
fn pages_show_each_retained_message_once() {
    let mut world = World::new();
    let mut client = world.connect(V5, "c");
    for n in 0..100 {
        world.retain(&mut client, &format!("t/{n}/x"), "m");
    }
    for n in 0..50 {
        world.retain(&mut client, &format!("t/{n}/x"), "");
    }
    let mut seen = BTreeSet::new();
    let mut from = Some(0);
    while let Some(place) = from {
        let page = world.broker.retained_page(tenant(), place, 7, world.now);
        assert!(page.messages.len() <= 7);
        seen.extend(page.messages.iter().map(|state| state.message.topic_name().to_owned()));
        from = page.next;
    }
    assert_eq!(seen, (50..100).map(|n| format!("t/{n}/x")).collect());
}

#[test]
fn gauges_and_counters_say_what_a_broker_publishes_about_itself() {
    let mut world = World::new();
    let mut a = world.connect(V5, "a");
    let (mut b, _) = world.resume(V5, "b");
    world.subscribe(&mut a, "t/+", QoS::AtMostOnce);
    world.subscribe(&mut b, "t/1", QoS::AtMostOnce);
    world.subscribe(&mut b, "$share/g/t/1", QoS::AtMostOnce);
    world.subscribe(&mut b, "$share/g/t/1", QoS::AtMostOnce);
    world.retain(&mut a, "t/1", "m");
    world.lose(&mut b);
    a.link.as_mut().unwrap().received(12, world.now, &mut world.effects);
    world.broker.hand_over(&mut world.effects);
    let gauges = world.broker.gauges();
    assert_eq!((gauges.clients_connected, gauges.clients_total), (1, 2));
    assert_eq!((gauges.subscriptions, gauges.retained), (3, 1));
    let counters = world.broker.counters();
    assert_eq!((counters.messages_received, counters.bytes_received), (1, 12));
    assert!(counters.bytes_sent > 0);
    world.unsubscribe(&mut a, &["t/+", "never"]);
    assert_eq!(world.broker.gauges().subscriptions, 2);
}
