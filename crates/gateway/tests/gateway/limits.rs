//! Bounds: silent peers, crowded addresses, used-up places.

use std::{
    io::{Read, Write},
    sync::Arc,
    time::{Duration, Instant},
};

use tidegate_broker::{CloseReason, Selector};
use tidegate_gateway::HalfOpenLimits;
use tidegate_mqtt::{Connect, MessageProperties, QoS, ReasonCode, Version, Will};

use crate::{
    people::{Client, dial, until},
    world::World,
};

#[test]
fn silent_sockets_go_when_their_time_is_over() {
    let world = World::new();
    let mut silent: Vec<_> = ["plain", "standard"].iter().map(|listener| dial(world.address(listener))).collect();
    until("they are accepted", || world.gateway().connections() == 2);
    world.move_clock(Duration::from_secs(9));
    Client::plain(&world).enter(Version::V5, "c").disconnect();
    until("the good one is gone", || world.gateway().connections() == 2);
    world.move_clock(Duration::from_secs(2));
    for socket in &mut silent {
        assert_eq!(socket.read(&mut [0; 8]).unwrap(), 0);
    }
    until("their places are free", || world.gateway().connections() == 0);
}

#[test]
fn with_a_thousand_silent_sockets_a_good_device_connects_as_quickly_as_before() {
    let world = World::with(2, |_| {});
    let ca = world.ca("factory");
    let device = world.device(&ca, "d1");
    let connect = || {
        let start = Instant::now();
        Client::tls(&world, &device).unwrap().enter(Version::V5, "d1").disconnect();
        start.elapsed()
    };
    let best = |rounds| (0..rounds).map(|_| connect()).min().unwrap();
    let before = best(10);
    let silent: Vec<_> = (0..1000).map(|_| dial(world.address("standard"))).collect();
    until("they are accepted", || world.gateway().connections() >= 1000);
    let after = best(10);
    assert!(after < before * 2 + Duration::from_millis(5), "{before:?} before, {after:?} with silent sockets");
    drop(silent);
}

#[test]
fn the_oldest_half_open_connection_makes_room_for_the_newest() {
    let world = World::with(1, |config| {
        config.half_open = HalfOpenLimits { total: 3, per_address: 3, ..HalfOpenLimits::default() }
    });
    let mut sockets: Vec<_> = (0..5)
        .map(|n| {
            let socket = dial(world.address("plain"));
            until("it is accepted", || world.gateway().connections() == (n + 1).min(3));
            socket
        })
        .collect();
    for socket in &mut sockets[..2] {
        assert_eq!(socket.read(&mut [0; 8]).unwrap(), 0);
    }
    Client::plain(&world).enter(Version::V5, "c").disconnect();
}

#[test]
fn at_the_limit_of_connections_half_open_ones_go_first_and_established_ones_stay() {
    let world = World::with(1, |config| config.connections_max = 4);
    let mut established = Client::plain(&world).enter(Version::V5, "a");
    let silent: Vec<_> = (0..3).map(|_| dial(world.address("plain"))).collect();
    until("the limit is reached", || world.gateway().connections() == 4);
    let _newest = Client::plain(&world).enter(Version::V5, "b");
    established.ping();
    drop(silent);
}

#[test]
fn a_first_packet_has_a_limit_of_its_own() {
    let world = World::with(1, |config| config.connect_bytes_max = 1000);
    for (payload_bytes, expected) in [(900, ReasonCode::Success), (1000, ReasonCode::PacketTooLarge)] {
        let payload = vec![0; payload_bytes];
        let mut connect = Connect::new(Version::V5, "c");
        connect.will = Some(will(&payload));
        assert_eq!(Client::plain(&world).connect(connect), expected);
    }
    // Later ones may be longer.
    let mut client = Client::plain(&world).enter(Version::V5, "c");
    assert_eq!(client.deliver("t", &[0; 5000]), ReasonCode::NoMatchingSubscribers);
}

#[test]
fn what_half_open_connections_have_sent_is_bounded_and_ordinary_ones_come_through() {
    let world = World::with(1, |config| config.half_open.bytes = 256 * 1024);
    let ca = world.ca("factory");
    let device = world.device(&ca, "d1");
    let mut unfinished = Vec::new();
    for n in 0..20 {
        let mut socket = dial(world.address("plain"));
        // A CONNECT that announces 200 000 bytes, and half of them.
        socket.write_all(&[0x10, 0xc0, 0x9a, 0x0c]).unwrap();
        let _ = socket.write_all(&[0; 100_000]);
        unfinished.push(socket);
        if n % 5 == 0 {
            Client::plain(&world).enter(Version::V5, "plain").disconnect();
            Client::tls(&world, &device).unwrap().enter(Version::V5, "d1").disconnect();
        }
    }
    until("most of them are gone", || world.gateway().connections() <= 2);
}

fn will(payload: &[u8]) -> Will<'_> {
    Will {
        topic_name: "gone",
        payload,
        qos: QoS::AtMostOnce,
        retain: false,
        delay_seconds: 0,
        properties: MessageProperties::default(),
    }
}

#[test]
fn a_client_that_is_thrown_out_goes_though_its_socket_takes_nothing() {
    let world = World::new();
    let mut full = Client::plain(&world).enter(Version::V5, "full");
    let mut publisher = Client::plain(&world).enter(Version::V5, "publisher");
    full.subscribe("t", QoS::AtMostOnce);
    for _ in 0..200 {
        publisher.publish("t", &[7; 100_000], QoS::AtMostOnce);
    }
    publisher.ping();
    let selector = Selector::ClientId { tenant: world.tenant, client_id: "full".into() };
    assert_eq!(world.kick(selector, CloseReason::PrincipalRefused), 1);
    until("it is gone", || {
        world.move_clock(Duration::from_secs(1));
        world.gateway().connections() == 1
    });
    publisher.ping();
}

#[test]
fn who_sends_more_than_its_profile_lets_it_is_read_later_and_holds_up_nobody() {
    let world = World::with(1, |config| {
        for listener in &mut config.listeners {
            Arc::make_mut(&mut listener.profile).limits.bytes_per_second = Some(100_000);
        }
    });
    let mut other = Client::plain(&world).enter(Version::V5, "other");
    let mut sender = Client::plain(&world).enter(Version::V5, "sender");
    for _ in 0..60 {
        sender.publish("t", &[7; 10_000], QoS::AtMostOnce);
    }
    until("a second's worth is read", || world.broker.counters().bytes_received > 100_000);
    other.ping();
    // What one turn reads is more.
    assert!(world.broker.counters().bytes_received < 200_000);
    until("all is read as time passes", || {
        world.move_clock(Duration::from_millis(100));
        world.broker.counters().bytes_received > 600_000
    });
    sender.ping();
}

#[test]
fn what_exceeds_the_rate_of_the_account_is_sent_later_without_anybody_asking() {
    const RATE: u32 = 20;
    for cores in [1, 2] {
        let world = World::with(cores, |config| {
            for listener in &mut config.listeners {
                Arc::make_mut(&mut listener.profile).limits.account.outbound_publishes_per_second = Some(RATE);
            }
        });
        let mut publisher = Client::plain(&world).enter(Version::V5, "publisher");
        let mut subscribers = ["one", "other"].map(|name| Client::plain(&world).enter(Version::V5, name));
        for subscriber in &mut subscribers {
            subscriber.subscribe("t", QoS::AtLeastOnce);
        }
        let start = Instant::now();
        let count = RATE as u8;
        for n in 0..count {
            assert_eq!(publisher.deliver("t", &[n]), ReasonCode::Success);
        }
        for subscriber in &mut subscribers {
            for n in 0..count {
                assert_eq!(subscriber.message().1, [n]);
            }
        }
        // A second's worth at once, and a second's worth in a second.
        assert!(start.elapsed() >= Duration::from_millis(950), "{:?}", start.elapsed());
    }
}
