//! Established connections: order, takeover, silence, the end.

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tidegate_mqtt::{
    Connect, Disconnect, MessageProperties, Packet, Peer, QoS, ReasonCode, SessionExpiry, Subscription,
    SubscriptionOptions, Version, Will, decode,
};

use crate::{
    people::{Client, publish, subscribe, until},
    world::World,
};

#[test]
fn packets_that_follow_connect_in_the_same_bytes_are_handled() {
    let world = World::new();
    let mut client = Client::plain(&world);
    let mut bytes = Vec::new();
    Packet::Connect(Box::new(Connect::new(Version::V5, "c"))).encode(Version::V5, &mut bytes).unwrap();
    for _ in 0..300 {
        publish("t", b"x", QoS::AtLeastOnce).encode(Version::V5, &mut bytes).unwrap();
    }
    Packet::PingReq.encode(Version::V5, &mut bytes).unwrap();
    client.send_bytes(&bytes).unwrap();
    assert_eq!(client.receive()[0], 0x20);
    for _ in 0..300 {
        assert_eq!(client.receive()[0], 0x40);
    }
    assert_eq!(client.receive()[0], 0xd0);
}

#[test]
fn packets_may_be_cut_anywhere() {
    let world = World::new();
    let ca = world.ca("factory");
    let device = world.device(&ca, "d1");
    for mut client in [Client::plain(&world), Client::tls(&world, &device).unwrap()] {
        let mut bytes = Vec::new();
        Packet::Connect(Box::new(Connect::new(Version::V4, "c"))).encode(Version::V4, &mut bytes).unwrap();
        publish("t", &[1; 200], QoS::AtLeastOnce).encode(Version::V4, &mut bytes).unwrap();
        client.version = Version::V4;
        for byte in bytes {
            client.send_bytes(&[byte]).unwrap();
        }
        assert_eq!(client.receive()[0], 0x20);
        assert_eq!(client.receive()[0], 0x40);
    }
}

#[test]
fn large_payloads_pass_in_pieces() {
    let world = World::with(2, |_| {});
    let ca = world.ca("factory");
    let device = world.device(&ca, "d1");
    let payload: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut plain = Client::plain(&world).enter(Version::V5, "plain");
    let mut tls = Client::tls(&world, &device).unwrap().enter(Version::V5, "tls");
    assert_eq!(plain.subscribe("big", QoS::AtLeastOnce), ReasonCode::GrantedQoS1);
    assert_eq!(tls.subscribe("big", QoS::AtMostOnce), ReasonCode::Success);
    for round in 0..3 {
        plain.publish("big", &payload, QoS::AtMostOnce);
        assert_eq!(plain.message().1, payload, "{round}");
        assert_eq!(tls.message().1, payload, "{round}");
        tls.publish("big", &payload, QoS::AtMostOnce);
        assert_eq!(plain.message().1, payload, "{round}");
        assert_eq!(tls.message().1, payload, "{round}");
    }
}

#[test]
fn a_returning_client_id_takes_over_and_the_older_connection_is_told() {
    let world = World::with(2, |_| {});
    for version in [Version::V4, Version::V5] {
        let mut old = Client::plain(&world).enter(version, "same");
        let mut new = Client::plain(&world).enter(version, "same");
        let told = (version == Version::V5).then_some(ReasonCode::SessionTakenOver);
        assert_eq!(old.disconnect_reason(), told);
        new.ping();
    }
}

#[test]
fn a_client_that_is_silent_for_too_long_is_closed_and_one_that_pings_is_not() {
    let world = World::new();
    let enter = |client_id| {
        let mut client = Client::plain(&world);
        let mut connect = Connect::new(Version::V5, client_id);
        connect.keep_alive_seconds = 10;
        assert_eq!(client.connect(connect), ReasonCode::Success);
        client
    };
    let (mut silent, mut lively) = (enter("silent"), enter("lively"));
    let mut forever = Client::plain(&world).enter(Version::V5, "forever");
    world.move_clock(Duration::from_secs(14));
    lively.ping();
    world.move_clock(Duration::from_secs(2));
    assert_eq!(silent.disconnect_reason(), Some(ReasonCode::KeepAliveTimeout));
    lively.ping();
    world.move_clock(Duration::from_secs(1000));
    assert_eq!(lively.disconnect_reason(), Some(ReasonCode::KeepAliveTimeout));
    forever.ping();
}

#[test]
fn a_slow_reader_holds_up_nobody() {
    let world = World::new();
    let mut slow = Client::plain(&world).enter(Version::V5, "slow");
    let mut quick = Client::plain(&world).enter(Version::V5, "quick");
    let mut publisher = Client::plain(&world).enter(Version::V5, "publisher");
    assert_eq!(slow.subscribe("t", QoS::AtMostOnce), ReasonCode::Success);
    assert_eq!(quick.subscribe("t", QoS::AtMostOnce), ReasonCode::Success);
    // More than the kernel and the outbox take for the slow one.
    let payload = [7; 100_000];
    let count = 300;
    for number in 0..count {
        publisher.publish("t", &payload, QoS::AtMostOnce);
        assert_eq!(quick.message().1.len(), payload.len(), "{number}");
    }
    // Whole messages, fewer than all, and the connection works again.
    let mut received = 0;
    slow.send(&Packet::PingReq);
    loop {
        let bytes = slow.receive();
        match decode(&bytes, Version::V5, Peer::Server).unwrap() {
            Packet::Publish(publish) => assert_eq!(publish.payload, payload),
            Packet::PingResp => break,
            other => panic!("{other:?}"),
        }
        received += 1;
    }
    assert!((1..count).contains(&received), "{received}");
}

#[test]
fn the_wire_is_checked_and_a_5_client_is_told() {
    let world = World::new();
    for (bytes, code) in [
        (&[0x00, 0x00][..], ReasonCode::MalformedPacket),
        (&[0xc1, 0x00], ReasonCode::MalformedPacket),
        (&[0x30, 0xff, 0xff, 0xff, 0x7f], ReasonCode::PacketTooLarge),
        (&[0x30, 0xff, 0xff, 0xff, 0xff, 0x01], ReasonCode::MalformedPacket),
        (&[0x20, 0x03, 0x00, 0x00, 0x00], ReasonCode::ProtocolError),
    ] {
        let mut client = Client::plain(&world).enter(Version::V5, "c");
        client.send_bytes(bytes).unwrap();
        assert_eq!(client.disconnect_reason(), Some(code), "{bytes:02x?}");
        let mut client = Client::plain(&world).enter(Version::V4, "c");
        client.send_bytes(bytes).unwrap();
        assert_eq!(client.disconnect_reason(), None, "{bytes:02x?}");
    }
}

#[test]
fn the_first_packet_must_be_a_connect_that_we_speak() {
    let world = World::new();
    let connect = |name: &[u8], level| {
        let mut packet = vec![0x10, (2 + name.len() + 6) as u8, 0, name.len() as u8];
        packet.extend_from_slice(name);
        packet.extend_from_slice(&[level, 2, 0, 0, 0, 0]);
        packet
    };
    let (mqtt, mqisdp) = (&b"MQTT"[..], &b"MQIsdp"[..]);
    for (bytes, answer) in [
        (vec![0xc0, 0], &[][..]),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), &[]),
        (connect(b"MQTX", 4), &[]),
        (connect(mqisdp, 3), &[0x20, 2, 0, 1]),
        (connect(mqtt, 6), &[0x20, 3, 0, 0x84, 0]),
        (vec![0x10, 0xff, 0xff, 0xff, 0x7f], &[]),
    ] {
        let mut client = Client::plain(&world);
        client.send_bytes(&bytes).unwrap();
        let mut heard = Vec::new();
        let mut buffer = [0; 64];
        while let Ok(count @ 1..) = client.read(&mut buffer) {
            heard.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(heard, answer, "{bytes:02x?}");
    }
}

#[test]
fn what_follows_a_refused_connect_is_not_handled_and_the_connection_ends() {
    let world = World::new();
    let mut watcher = Client::plain(&world).enter(Version::V5, "watcher");
    assert_eq!(watcher.subscribe("#", QoS::AtMostOnce), ReasonCode::Success);
    let long = "x".repeat(2000);
    let nameless =
        Connect { clean_start: false, session_expiry: SessionExpiry::NEVER, ..Connect::new(Version::V4, "") };
    for (connect, answer) in [
        (Connect::new(Version::V4, &long), &[0x20, 2, 0, 2][..]),
        (nameless, &[0x20, 2, 0, 2]),
        (Connect::new(Version::V5, &long), &[0x20, 3, 0, 0x85, 0]),
    ] {
        let version = connect.version;
        let mut bytes = Vec::new();
        Packet::Connect(Box::new(connect)).encode(version, &mut bytes).unwrap();
        Packet::Connect(Box::new(Connect::new(version, "good"))).encode(version, &mut bytes).unwrap();
        publish("t", b"x", QoS::AtLeastOnce).encode(version, &mut bytes).unwrap();
        Packet::PingReq.encode(version, &mut bytes).unwrap();
        let mut client = Client::plain(&world);
        client.version = version;
        client.send_bytes(&bytes).unwrap();
        assert_eq!(client.receive(), answer);
        client.closed();
    }
    assert_eq!(world.broker.session_count(world.tenant), 1);
    watcher.ping(); // and no message before it
}

#[test]
fn a_refusal_is_not_sent_to_a_client_that_takes_no_packet_as_large() {
    let world = World::new();
    let name = "x".repeat(2000);
    for (maximum, told) in [(4, false), (5, true)] {
        for client_id in [&name[..], "c"] {
            let mut connect = Connect::new(Version::V5, client_id);
            connect.properties.maximum_packet_size = std::num::NonZeroU32::new(maximum);
            let mut client = Client::plain(&world);
            client.send(&Packet::Connect(Box::new(connect)));
            assert_eq!(client.try_receive().map(|packet| packet.len()), told.then_some(5), "{maximum}");
            client.closed();
        }
    }
}

#[test]
fn a_disconnect_counts_although_the_client_has_closed_without_reading() {
    let world = World::new();
    let ca = world.ca("factory");
    let device = world.device(&ca, "d1");
    let mut watcher = Client::plain(&world).enter(Version::V5, "watcher");
    assert_eq!(watcher.subscribe("will", QoS::AtMostOnce), ReasonCode::Success);
    for round in 0..20 {
        let mut leaving = if round % 2 == 0 { Client::plain(&world) } else { Client::tls(&world, &device).unwrap() };
        let mut connect = Connect::new(Version::V4, "leaving");
        connect.will = Some(Will {
            qos: QoS::AtMostOnce,
            retain: false,
            delay_seconds: 0,
            topic_name: "will",
            properties: MessageProperties::default(),
            payload: b"gone",
        });
        assert_eq!(leaving.connect(connect), ReasonCode::Success);
        assert_eq!(leaving.subscribe("t", QoS::AtMostOnce), ReasonCode::Success);
        let mut last_words = Vec::new();
        for _ in 0..300 {
            publish("t", b"x", QoS::AtMostOnce).encode(Version::V4, &mut last_words).unwrap();
        }
        Packet::Disconnect(Disconnect::new(ReasonCode::Success)).encode(Version::V4, &mut last_words).unwrap();
        leaving.leave(&last_words);
        until("it is gone", || world.broker.session_count(world.tenant) == 1);
        watcher.ping(); // and no will before it
    }
}

#[test]
fn shutdown_tells_5_clients_and_ends_in_time() {
    let mut world = World::with(2, |_| {});
    let mut five: Vec<_> = (0..5).map(|n| Client::plain(&world).enter(Version::V5, &format!("five{n}"))).collect();
    let mut four = Client::plain(&world).enter(Version::V4, "four");
    let address = world.address("plain");
    let readers = std::thread::spawn(move || {
        for client in &mut five {
            assert_eq!(client.disconnect_reason(), Some(ReasonCode::ServerShuttingDown));
        }
        assert_eq!(four.disconnect_reason(), None);
    });
    world.stop(Duration::from_secs(10));
    readers.join().unwrap();
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn shutdown_does_not_wait_for_clients_that_do_not_read() {
    let mut world = World::new();
    let mut slow = Client::plain(&world).enter(Version::V5, "slow");
    let mut publisher = Client::plain(&world).enter(Version::V5, "publisher");
    slow.subscribe("t", QoS::AtMostOnce);
    for _ in 0..200 {
        publisher.publish("t", &[7; 100_000], QoS::AtMostOnce);
    }
    publisher.ping();
    let start = Instant::now();
    world.stop(Duration::from_millis(300));
    assert!(start.elapsed() < Duration::from_secs(10));
    drop(slow);
}

#[test]
fn connections_leave_nothing_behind() {
    let world = World::with(2, |_| {});
    for round in 0..20 {
        let clients: Vec<_> =
            (0..50).map(|n| Client::plain(&world).enter(Version::V5, &format!("{round}-{n}"))).collect();
        for (n, client) in clients.into_iter().enumerate() {
            if n % 2 == 0 { client.disconnect() } else { drop(client) }
        }
    }
    until("all connections are gone", || world.gateway().connections() == 0);
    until("all sessions are gone", || world.broker.session_count(world.tenant) == 0);
}

#[test]
fn packets_that_are_expensive_to_handle_do_not_keep_others_waiting() {
    let world = World::new();
    let mut bystander = Client::plain(&world).enter(Version::V5, "bystander");
    let mut attacker = Client::plain(&world).enter(Version::V5, "attacker");
    let (handled, first) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(2)));
    let (counted, begun) = (handled.clone(), first.clone());
    world.interests.on_change(move |_| {
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            begun.wait();
        }
        let end = Instant::now() + Duration::from_millis(5); // what it costs: the core's own time
        while Instant::now() < end {
            std::hint::spin_loop();
        }
    });
    let mut bytes = Vec::new();
    for n in 0..120 {
        let filter = format!("filter/{n}");
        let subscription = [Subscription { topic_filter: &filter, options: SubscriptionOptions::at(QoS::AtMostOnce) }];
        subscribe(&subscription).encode(Version::V5, &mut bytes).unwrap();
    }
    attacker.send_bytes(&bytes).unwrap();
    first.wait();
    bystander.ping();
    let handled = handled.load(Ordering::SeqCst);
    assert!(handled <= 60, "{handled} of 120 came first");
}

#[test]
fn a_second_connect_is_a_protocol_error_whatever_it_names() {
    let world = World::new();
    for (name, level) in [("MQTT", 5), ("MQTT", 4), ("MQTT", 9), ("MQIsdp", 3), ("HTTP", 5)] {
        let mut client = Client::plain(&world).enter(Version::V5, "c");
        let mut packet = vec![0x10, (2 + name.len() + 7) as u8, 0, name.len() as u8];
        packet.extend_from_slice(name.as_bytes());
        packet.extend_from_slice(&[level, 2, 0, 0]);
        packet.extend_from_slice(if level == 5 { &[0, 0, 0] } else { &[0, 1, b'c'] });
        client.send_bytes(&packet).unwrap();
        assert_eq!(client.disconnect_reason(), Some(ReasonCode::ProtocolError), "{name} {level}");
    }
}

#[test]
fn a_connection_that_is_reset_while_it_is_written_to_leaves_the_next_one_whole() {
    let world = World::new();
    let ca = world.ca("factory");
    let [lost, stays] = ["lost", "stays"].map(|name| world.device(&ca, name));
    let mut lost = Client::tls(&world, &lost).unwrap().enter(Version::V5, "lost");
    let mut stays = Client::tls(&world, &stays).unwrap().enter(Version::V5, "stays");
    assert_eq!(lost.subscribe("news", QoS::AtMostOnce), ReasonCode::Success);
    assert_eq!(stays.deliver("news", b"unread, so that closing resets"), ReasonCode::Success);
    // The core is held inside a turn in which it has something to say to both.
    let barrier = Arc::new(Barrier::new(2));
    let held = barrier.clone();
    world.interests.on_change(move |wanted| {
        if wanted {
            held.wait();
            held.wait();
        }
    });
    let mut bytes = Vec::new();
    publish("news", b"for the lost", QoS::AtMostOnce).encode(Version::V5, &mut bytes).unwrap();
    let subscription = [Subscription { topic_filter: "hold", options: SubscriptionOptions::at(QoS::AtMostOnce) }];
    subscribe(&subscription).encode(Version::V5, &mut bytes).unwrap();
    stays.send_bytes(&bytes).unwrap();
    barrier.wait();
    drop(lost);
    barrier.wait();
    assert_eq!(stays.receive()[0], 0x90);
    stays.ping();
}
