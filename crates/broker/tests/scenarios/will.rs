//! The Will: when it is published, and when not.

use std::time::Duration;

use tidegate_broker::{CloseReason, Selector};
use tidegate_mqtt::{
    Connect, Disconnect, MessageProperties, Packet, QoS, ReasonCode, SessionExpiry, SubscriptionOptions, Version, Will,
};

use crate::world::*;

fn will(delay_seconds: u32) -> Option<Will<'static>> {
    Some(Will {
        qos: QoS::AtLeastOnce,
        retain: false,
        delay_seconds,
        topic_name: "will",
        properties: MessageProperties::default(),
        payload: b"gone",
    })
}

fn connect(version: Version, clean_start: bool, expiry: u32, delay: u32) -> Connect<'static> {
    let session_expiry = SessionExpiry::from_seconds(expiry);
    Connect { clean_start, session_expiry, will: will(delay), ..Connect::new(version, "c") }
}

/// A way for a connection to end.
type End<'a> = &'a dyn Fn(&mut World, &mut Client);

struct Watch {
    world: World,
    watcher: Client,
}

impl Watch {
    fn new() -> Self {
        let mut world = World::new();
        let mut watcher = world.connect(V5, "watcher");
        world.subscribe(&mut watcher, "will", QoS::ExactlyOnce);
        Self { world, watcher }
    }

    fn wills(&mut self) -> usize {
        self.world.messages(&mut self.watcher).len()
    }
}

#[test]
fn every_end_but_a_clean_disconnect_publishes_it() {
    let with_will = Packet::Disconnect(Disconnect::new(ReasonCode::DisconnectWithWillMessage));
    let clean = Packet::Disconnect(Disconnect::new(ReasonCode::Success));
    for version in [V4, V5] {
        let ends: [(&str, End<'_>, usize); 6] = [
            ("lost", &|world, client| world.lose(client), 1),
            ("silence", &|world, client| world.end(client, CloseReason::KeepAliveTimeout), 1),
            ("clean", &|world, client| assert!(world.send(client, &clean).is_err()), 0),
            (
                "with will",
                &|world, client| assert!(world.send(client, &with_will).is_err()),
                usize::from(version == V5),
            ),
            ("malformed", &|world, client| assert!(world.send_bytes(client, &[0xFF, 0]).is_err()), 1),
            (
                "kicked",
                &|world, client| {
                    let selector = Selector::ClientId { tenant: tenant(), client_id: "c".into() };
                    let reason = CloseReason::AdministrativeAction;
                    assert_eq!(world.broker.kick(&selector, reason, world.now, &mut world.effects), 1);
                    world.fetch(client);
                    assert_eq!(client.ended, Some(reason));
                },
                1,
            ),
        ];
        for (name, end, expected) in ends {
            let mut watch = Watch::new();
            let (mut client, _) = watch.world.connect_with(&connect(version, true, 0, 0));
            end(&mut watch.world, &mut client);
            assert_eq!(watch.wills(), expected, "{name} {version:?}");
        }
    }
}

#[test]
fn a_takeover_publishes_it_unless_the_session_goes_on_within_the_delay() {
    // old: expiry, delay; new: clean start; wills at the takeover
    for (expiry, delay, clean_start, expected) in [
        (0, 0, true, 1),
        (0, 0, false, 1),
        (0, 60, true, 1),
        (0, 60, false, 1), // the session ended with its connection
        (60, 0, false, 1),
        (60, 0, true, 1),
        (60, 60, true, 1), // the session ended
        (60, 60, false, 0),
    ] {
        let mut watch = Watch::new();
        let (_old, _) = watch.world.connect_with(&connect(V5, true, expiry, delay));
        let new = Connect { clean_start, session_expiry: SessionExpiry::NEVER, ..Connect::new(V5, "c") };
        let (mut client, present) = watch.world.connect_with(&new);
        assert_eq!(present, expiry > 0 && !clean_start);
        let what = format!("expiry {expiry} delay {delay} clean {clean_start}");
        assert_eq!(watch.wills(), expected, "{what}");
        watch.world.pass(Duration::from_secs(100));
        watch.world.lose(&mut client);
        watch.world.pass(Duration::from_secs(100));
        assert_eq!(watch.wills(), 0, "{what}: no second will");
    }
}

#[test]
fn it_waits_for_its_delay_or_for_the_end_of_the_session() {
    for (expiry, delay, at) in [(60, 10, 10), (10, 60, 10), (u32::MAX, 10, 10)] {
        let mut watch = Watch::new();
        let (mut client, _) = watch.world.connect_with(&connect(V5, true, expiry, delay));
        watch.world.lose(&mut client);
        watch.world.pass(Duration::from_secs(at) - Duration::from_millis(1));
        assert_eq!(watch.wills(), 0);
        watch.world.pass(Duration::from_millis(1));
        assert_eq!(watch.wills(), 1, "expiry {expiry} delay {delay}");
        watch.world.pass(Duration::from_secs(1000));
        assert_eq!(watch.wills(), 0);
    }
}

#[test]
fn a_client_that_returns_in_time_takes_it_back() {
    let mut watch = Watch::new();
    let (mut client, _) = watch.world.connect_with(&connect(V5, true, 60, 10));
    watch.world.lose(&mut client);
    watch.world.pass(Duration::from_secs(5));
    let (mut client, present) = watch.world.connect_with(&connect(V5, false, 60, 10));
    assert!(present);
    watch.world.pass(Duration::from_secs(60));
    assert_eq!(watch.wills(), 0);
    watch.world.lose(&mut client);
    // Due, though nobody called `expire` in between.
    watch.world.now.monotonic = watch.world.now.monotonic + Duration::from_secs(11);
    let (_client, present) = watch.world.connect_with(&connect(V5, false, 60, 10));
    assert!(present);
    assert_eq!(watch.wills(), 1);
}

#[test]
fn it_is_retained_and_carries_its_properties() {
    let mut world = World::new();
    let pairs = [("k", "v"), ("a", "b"), ("k", "w")];
    let properties = MessageProperties {
        content_type: Some("text/plain"),
        message_expiry_seconds: Some(30),
        user_properties: pairs[..].into(),
        ..Default::default()
    };
    let retained = Will { retain: true, properties, ..will(0).unwrap() };
    let connect = Connect { will: Some(retained), ..Connect::new(V5, "c") };
    let (mut client, _) = world.connect_with(&connect);
    world.pass(Duration::from_secs(100)); // the expiry begins when it is published
    world.lose(&mut client);
    let mut late = world.connect(V5, "late");
    world.subscribe(&mut late, "will", QoS::AtMostOnce);
    let messages = world.messages(&mut late);
    assert_eq!(messages.len(), 1);
    assert!(messages[0].retain);
    assert_eq!(messages[0].content_type.as_deref(), Some("text/plain"));
    assert_eq!(messages[0].expiry, Some(30));
    assert_eq!(messages[0].user_properties, pairs.map(|(k, v)| (k.to_owned(), v.to_owned())));
}

#[test]
fn it_is_retained_if_the_client_asked_for_that_and_at_its_qos() {
    for version in [V4, V5] {
        for qos in QOS {
            for retain in [false, true] {
                let mut watch = Watch::new();
                let asked = Will { qos, retain, ..will(0).unwrap() };
                let (mut client, _) =
                    watch.world.connect_with(&Connect { will: Some(asked), ..Connect::new(version, "c") });
                watch.world.lose(&mut client);
                let live = watch.world.messages(&mut watch.watcher);
                assert_eq!(live.iter().map(|m| (m.qos, m.retain)).collect::<Vec<_>>(), [(qos.bits(), false)]);
                let mut late = watch.world.connect(version, "late");
                watch.world.subscribe(&mut late, "will", QoS::ExactlyOnce);
                let kept: Vec<_> = watch.world.messages(&mut late).iter().map(|m| (m.qos, m.retain)).collect();
                assert_eq!(kept, if retain { vec![(qos.bits(), true)] } else { vec![] }, "{version:?} {qos:?}");
            }
        }
    }
}

#[test]
fn a_connection_without_one_publishes_none_though_an_earlier_one_had() {
    for version in [V4, V5] {
        let mut watch = Watch::new();
        let with = Connect { will: will(0), ..persistent(version, "c") };
        let (mut client, _) = watch.world.connect_with(&with);
        watch.world.lose(&mut client);
        assert_eq!(watch.wills(), 1);
        let (mut client, present) = watch.world.resume(version, "c");
        assert!(present);
        watch.world.lose(&mut client);
        assert_eq!(watch.wills(), 0);
        // Nor is one that was called off published later.
        let (mut client, _) = watch.world.connect_with(&with);
        watch.world.disconnect(&mut client);
        let (mut client, _) = watch.world.resume(version, "c");
        watch.world.lose(&mut client);
        assert_eq!(watch.wills(), 0);
    }
}

#[test]
fn no_local_keeps_a_clients_own_will_away() {
    let mut world = World::new();
    let mut client = world.connect_with(&connect(V5, false, 100, 0)).0;
    let options = SubscriptionOptions { no_local: true, ..SubscriptionOptions::at(QoS::AtLeastOnce) };
    world.subscribe_with(&mut client, "will", options, None);
    let (mut client, present) = world.connect_with(&Connect { will: None, ..connect(V5, false, 100, 0) });
    assert!(present);
    assert_eq!(world.messages(&mut client), []);
}
