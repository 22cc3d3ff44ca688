//! WebSocket below MQTT, by a client that keeps its rules and nothing else.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use tidegate_broker::Profile;
use tidegate_mqtt::{Connect, Packet, Version};

use crate::{
    people::{dial, until},
    world::World,
};

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

fn world(bytes_per_second: Option<u32>) -> World {
    World::with(1, |config| {
        for listener in &mut config.listeners {
            listener.websocket = true;
            Arc::make_mut(&mut listener.profile).limits.bytes_per_second = bytes_per_second;
        }
    })
}

/// A frame of a client, masked with zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() < 126);
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

/// A connection that has become a WebSocket.
fn upgraded(world: &World) -> TcpStream {
    let mut socket = dial(world.address("plain"));
    let request = "GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                   Sec-WebSocket-Protocol: mqtt\r\n\r\n";
    socket.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    socket
}

/// A client whose CONNECT was accepted.
fn entered(world: &World, client_id: &str, keep_alive_seconds: u16) -> TcpStream {
    let mut socket = upgraded(world);
    let mut bytes = Vec::new();
    Connect { keep_alive_seconds, ..Connect::new(Version::V4, client_id) }.encode(&mut bytes).unwrap();
    socket.write_all(&frame(BINARY, &bytes)).unwrap();
    assert_eq!(received(&mut socket), Some((BINARY, vec![0x20, 2, 0, 0])));
    socket
}

/// The next frame of the server; `None` at the end.
fn received(socket: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut header = [0; 2];
    if socket.read(&mut header[..1]).unwrap() == 0 {
        return None;
    }
    socket.read_exact(&mut header[1..]).unwrap();
    assert!(header[1] < 126, "a short frame without a mask");
    let mut payload = vec![0; header[1].into()];
    socket.read_exact(&mut payload).unwrap();
    Some((header[0], payload))
}

fn mqtt_ping(socket: &mut TcpStream) {
    let mut bytes = Vec::new();
    Packet::PingReq.encode(Version::V4, &mut bytes).unwrap();
    socket.write_all(&frame(BINARY, &bytes)).unwrap();
    assert_eq!(received(socket), Some((BINARY, vec![0xd0, 0])));
}

#[test]
fn a_websocket_without_connect_goes_when_its_time_is_over_however_lively_it_is() {
    let world = world(None);
    let mut silent = upgraded(&world);
    let mut pinging = upgraded(&world);
    let mut unfinished = upgraded(&world);
    unfinished.write_all(&frame(BINARY, &[0x10, 30, 0, 4])).unwrap();
    let mut in_the_request = dial(world.address("plain"));
    in_the_request.write_all(b"GET /mqtt HTTP/1.1\r\n").unwrap();
    world.move_clock(Duration::from_secs(6));
    pinging.write_all(&frame(PING, b"here")).unwrap();
    assert_eq!(received(&mut pinging), Some((PONG, b"here".to_vec())));
    assert_eq!(world.gateway().connections(), 4);
    world.move_clock(Duration::from_secs(5));
    for socket in [&mut silent, &mut pinging, &mut unfinished, &mut in_the_request] {
        let mut rest = Vec::new();
        socket.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty() || rest[0] == CLOSE, "{rest:?}");
    }
    until("their places are free", || world.gateway().connections() == 0);
}

#[test]
fn a_text_frame_ends_the_connection_whatever_it_says() {
    let world = world(None);
    for version in [Version::V4, Version::V5] {
        let mut socket = upgraded(&world);
        let mut bytes = Vec::new();
        Connect::new(version, "c").encode(&mut bytes).unwrap();
        socket.write_all(&frame(BINARY, &bytes)).unwrap();
        assert!(received(&mut socket).is_some_and(|(first, packet)| (first, packet[0]) == (BINARY, 0x20)));
        bytes.clear();
        Packet::PingReq.encode(version, &mut bytes).unwrap();
        socket.write_all(&frame(TEXT, &bytes)).unwrap();
        assert_eq!(received(&mut socket), Some((CLOSE, 1003_u16.to_be_bytes().to_vec())));
        assert_eq!(received(&mut socket), None);
    }
}

#[test]
fn pings_of_websocket_do_not_keep_a_silent_client() {
    let world = world(None);
    let (mut silent, mut lively) = (entered(&world, "silent", 10), entered(&world, "lively", 10));
    world.move_clock(Duration::from_secs(14));
    silent.write_all(&frame(PING, b"")).unwrap();
    assert_eq!(received(&mut silent), Some((PONG, Vec::new())));
    mqtt_ping(&mut lively);
    world.move_clock(Duration::from_secs(2));
    assert_eq!(received(&mut silent), Some((CLOSE, 1000_u16.to_be_bytes().to_vec())));
    assert_eq!(received(&mut silent), None);
    mqtt_ping(&mut lively);
}

#[test]
fn a_websocket_lasts_no_longer_than_its_profile_says_however_lively_it_is() {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    assert_eq!(Profile::aws().limits.websocket_lifetime_max, Some(DAY));
    assert_eq!(Profile::standard().limits.websocket_lifetime_max, None);
    let world = World::with(1, |config| {
        for listener in &mut config.listeners {
            listener.websocket = true;
            Arc::make_mut(&mut listener.profile).limits.websocket_lifetime_max = Some(DAY);
        }
    });
    let (mut lively, mut patient) = (entered(&world, "lively", 1000), entered(&world, "patient", 0));
    let mut plain = dial(world.address("plain"));
    let mut bytes = Vec::new();
    Connect { keep_alive_seconds: 0, ..Connect::new(Version::V4, "plain") }.encode(&mut bytes).unwrap();
    plain.write_all(&bytes).unwrap();
    let mut answer = [0; 4];
    plain.read_exact(&mut answer).unwrap();
    for _ in 0..89 {
        mqtt_ping(&mut lively);
        world.move_clock(DAY / 90);
    }
    mqtt_ping(&mut lively);
    mqtt_ping(&mut patient);
    world.move_clock(DAY / 90 + Duration::from_secs(1));
    for socket in [&mut lively, &mut patient] {
        assert_eq!(received(socket), Some((CLOSE, 1000_u16.to_be_bytes().to_vec())));
        assert_eq!(received(socket), None);
    }
    bytes.clear();
    Packet::PingReq.encode(Version::V4, &mut bytes).unwrap();
    plain.write_all(&bytes).unwrap();
    plain.read_exact(&mut answer[..2]).unwrap();
    assert_eq!(answer[..2], [0xd0, 0]);
}

#[test]
fn a_flood_of_control_frames_gets_few_answers_and_holds_up_nobody() {
    let world = world(None);
    let (mut flood, mut other) = (entered(&world, "flood", 0), entered(&world, "other", 0));
    let count = 200_000_u32;
    let mut reader = flood.try_clone().unwrap();
    let answers = std::thread::spawn(move || {
        let mut pongs = Vec::new();
        while pongs.last() != Some(&(count - 1)) {
            let Some((PONG, payload)) = received(&mut reader) else { panic!("no pong") };
            pongs.push(u32::from_be_bytes(payload.try_into().unwrap()));
        }
        pongs
    });
    let pings: Vec<u8> = (0..count).flat_map(|n| [frame(PING, &n.to_be_bytes()), frame(PONG, b"")].concat()).collect();
    for piece in pings.chunks(100_000) {
        flood.write_all(piece).unwrap();
        mqtt_ping(&mut other);
    }
    let pongs = answers.join().unwrap();
    assert!(pongs.is_sorted() && pongs.len() < count as usize / 10, "{} pongs", pongs.len());
    mqtt_ping(&mut flood);
}

#[test]
fn control_frames_count_for_the_throughput() {
    let world = world(Some(100_000));
    let (mut flood, mut other) = (entered(&world, "flood", 0), entered(&world, "other", 0));
    let pings = frame(PING, &[7; 94]).repeat(6000);
    let writer = std::thread::spawn(move || {
        flood.write_all(&pings).unwrap();
        flood
    });
    until("a second's worth is read", || world.broker.counters().bytes_received > 100_000);
    mqtt_ping(&mut other);
    // What one turn reads is more.
    assert!(world.broker.counters().bytes_received < 200_000);
    until("all is read as time passes", || {
        world.move_clock(Duration::from_millis(100));
        world.broker.counters().bytes_received > 600_000
    });
    drop(writer.join().unwrap());
}
