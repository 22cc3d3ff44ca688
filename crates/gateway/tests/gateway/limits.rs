//! Bounds: silent peers, crowded addresses, used-up places.

use std::{
    io::Read,
    time::{Duration, Instant},
};

use tidegate_gateway::HalfOpenLimits;
use tidegate_mqtt::Version;

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
    let world = World::with(1, |config| config.half_open = HalfOpenLimits { total: 3, per_address: 3 });
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
