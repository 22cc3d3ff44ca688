//! More than the account may be sent in a second: QoS 0 is dropped, the rest comes later, in order, to all alike.

use std::time::Duration;

use tidegate_broker::{Profile, Quota, Settings};
use tidegate_mqtt::{QoS, ReasonCode};

use crate::world::*;

const AT_LEAST_ONCE: QoS = QoS::AtLeastOnce;

/// So many a second.
fn world(rate: u32) -> World {
    let mut profile = Profile::standard();
    profile.limits.account.outbound_publishes_per_second = Some(rate);
    World::with(profile, Settings::default())
}

fn publish(world: &mut World, client: &mut Client, qos: QoS, payloads: std::ops::Range<u16>) {
    for n in payloads {
        let packet_id = if qos == QoS::AtMostOnce { 0 } else { n + 1 };
        world.publish_at(client, "t", &n.to_string(), qos, packet_id);
    }
    world.got(client);
}

/// What a subscriber got, acknowledged.
fn taken(world: &mut World, client: &mut Client) -> Vec<u16> {
    let mut payloads = Vec::new();
    loop {
        let messages = world.messages(client);
        if messages.is_empty() {
            return payloads;
        }
        for message in messages {
            payloads.push(message.payload.parse().unwrap());
            if let Some(packet_id) = message.packet_id {
                world.puback(client, packet_id);
            }
        }
    }
}

#[test]
fn qos_0_beyond_the_rate_is_dropped_and_named() {
    let mut world = world(3);
    let (mut subscriber, mut publisher) = (world.connect(V5, "s"), world.connect(V5, "p"));
    world.subscribe(&mut subscriber, "t", QoS::AtMostOnce);
    publish(&mut world, &mut publisher, QoS::AtMostOnce, 0..5);
    assert_eq!(taken(&mut world, &mut subscriber), [0, 1, 2]);
    assert_eq!(world.excesses(), [(Quota::OutboundPerAccount, "s".to_owned(), 2)]);
    world.pass(Duration::from_secs(1));
    publish(&mut world, &mut publisher, QoS::AtMostOnce, 5..6);
    assert_eq!(taken(&mut world, &mut subscriber), [5]);
    world.broker.hand_over(&mut world.effects);
    assert_eq!(world.broker.counters().dropped_qos0, 2);
}

#[test]
fn what_a_client_does_not_read_takes_nothing_from_the_others() {
    let mut profile = Profile::standard();
    profile.limits.account.outbound_publishes_per_second = Some(4);
    profile.limits.outbox_bytes_max = 1;
    let mut world = World::with(profile, Settings::default());
    let (mut reader, mut other) = (world.connect(V5, "r"), world.connect(V5, "o"));
    world.subscribe(&mut other, "t", QoS::AtMostOnce);
    world.subscribe(&mut reader, "u", QoS::AtMostOnce);
    let mut publisher = world.connect(V5, "p");
    // One fills the outbox of whoever does not read.
    publish(&mut world, &mut publisher, QoS::AtMostOnce, 0..20);
    for n in 0..3 {
        world.publish(&mut publisher, "u", &n.to_string());
        assert_eq!(world.payloads(&mut reader), [n.to_string()]);
    }
    assert_eq!(world.excesses(), []);
}

#[test]
fn what_has_to_arrive_is_sent_later_when_the_owner_of_the_connection_comes_back() {
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let mut world = world(4);
        let (mut subscriber, mut publisher) = (world.connect(V5, "s"), world.connect(V5, "p"));
        world.subscribe(&mut subscriber, "t", AT_LEAST_ONCE);
        assert_eq!(subscriber.later, None);
        world.dirty();
        publish(&mut world, &mut publisher, qos, 0..5);
        let slot = subscriber.link.as_ref().unwrap().address().slot;
        assert!(world.dirty().contains(&slot));
        assert_eq!(taken(&mut world, &mut subscriber), [0, 1, 2, 3]);
        assert!(!world.dirty().contains(&slot), "its owner has heard that something waits");
        publish(&mut world, &mut publisher, qos, 5..10);
        assert!(!world.dirty().contains(&slot), "and of nothing else");
        for expected in 4..10 {
            let later = subscriber.later.expect("it waits");
            let wait = later.since(world.now.monotonic);
            assert_eq!(wait, Duration::from_millis(250), "a quarter of a second for each");
            world.pass(wait - Duration::from_millis(1));
            assert_eq!(taken(&mut world, &mut subscriber), [0; 0]);
            world.pass(Duration::from_millis(1));
            assert_eq!(taken(&mut world, &mut subscriber), [expected]);
        }
        assert_eq!(subscriber.later, None);
        assert_eq!(world.excesses(), [(Quota::OutboundPerAccount, "s".to_owned(), 6)]);
    }
}

#[test]
fn sessions_that_wait_have_their_turns_alike_and_nothing_is_lost() {
    let mut world = world(10);
    let mut publisher = world.connect(V5, "p");
    let mut subscribers: Vec<_> = (0..4)
        .map(|n| {
            let mut subscriber = world.connect(V5, &format!("s{n}"));
            world.subscribe(&mut subscriber, "t", AT_LEAST_ONCE);
            subscriber
        })
        .collect();
    publish(&mut world, &mut publisher, AT_LEAST_ONCE, 0..20);
    let mut got = vec![Vec::<u16>::new(); 4];
    for step in 0..90 {
        for (subscriber, got) in subscribers.iter_mut().zip(&mut got) {
            got.extend(taken(&mut world, subscriber));
        }
        let counts: Vec<_> = got.iter().map(Vec::len).collect();
        let sum: usize = counts.iter().sum();
        assert!(sum <= 10 + step, "{sum} after {step} tenths of a second");
        assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 2, "{counts:?}");
        world.pass(Duration::from_millis(100));
    }
    let all: Vec<u16> = (0..20).collect();
    assert!(got.iter().all(|got| *got == all), "{got:?}");
}

#[test]
fn a_client_that_comes_back_gets_what_waited_for_its_turn() {
    let mut world = world(2);
    let mut publisher = world.connect(V5, "p");
    let mut subscriber = world.resume(V5, "s").0;
    world.subscribe(&mut subscriber, "t", AT_LEAST_ONCE);
    publish(&mut world, &mut publisher, AT_LEAST_ONCE, 0..5);
    assert_eq!(taken(&mut world, &mut subscriber), [0, 1]);
    world.lose(&mut subscriber);
    world.pass(Duration::from_secs(5));
    let mut subscriber = world.resume(V5, "s").0;
    assert_eq!(taken(&mut world, &mut subscriber), [2, 3]);
    world.pass(subscriber.later.unwrap().since(world.now.monotonic));
    assert_eq!(taken(&mut world, &mut subscriber), [4]);
}

#[test]
fn retained_messages_of_a_subscription_keep_to_the_rate() {
    let mut world = world(3);
    let mut publisher = world.connect(V5, "p");
    for n in 0..5 {
        world.retain(&mut publisher, &format!("t/{n}"), &n.to_string());
    }
    let mut subscriber = world.connect(V5, "s");
    world.subscribe(&mut subscriber, "t/#", QoS::AtMostOnce);
    let mut got = taken(&mut world, &mut subscriber);
    assert_eq!(got.len(), 3);
    while let Some(later) = subscriber.later {
        world.pass(later.since(world.now.monotonic));
        got.extend(taken(&mut world, &mut subscriber));
    }
    got.sort_unstable();
    assert_eq!(got, [0, 1, 2, 3, 4]);
}

#[test]
fn of_a_group_one_member_is_asked_when_the_account_is_at_its_rate() {
    let mut world = world(1);
    let mut publisher = world.connect(V5, "p");
    let mut members: Vec<_> = (0..20)
        .map(|n| {
            let mut member = world.connect(V5, &format!("m{n}"));
            let code = world.subscribe(&mut member, "$share/g/t", QoS::AtMostOnce);
            assert_eq!(code, ReasonCode::Success);
            member
        })
        .collect();
    publish(&mut world, &mut publisher, QoS::AtMostOnce, 0..2);
    let got: Vec<_> = members.iter_mut().flat_map(|member| taken(&mut world, member)).collect();
    assert_eq!(got, [0]);
    world.broker.hand_over(&mut world.effects);
    assert_eq!(world.broker.counters().dropped_qos0, 1, "it is not offered to the others in turn");
}
