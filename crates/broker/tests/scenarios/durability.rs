//! Acknowledgements wait for what they promise.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use tidegate_broker::{CloseReason, Ending, Profile, Record, Settings};
use tidegate_mqtt::{Connect, Packet, Publish, QoS, ReasonCode, Unsubscribe, Will};

use crate::world::*;

fn world() -> World {
    World::with(Profile::standard(), Settings { persist: true, ..Settings::default() })
}

#[test]
fn a_code_that_an_answer_cannot_bear_becomes_0x80() {
    for code in [ReasonCode::Success, ReasonCode::PacketTooLarge, ReasonCode::UnspecifiedError] {
        let mut world = world();
        let mut publisher = world.connect(V5, "p");
        let publish = Publish { retain: true, ..message("t", "m", QoS::AtLeastOnce, 1) };
        world.send(&mut publisher, &Packet::Publish(publish)).unwrap();
        let batch = world.batch().unwrap();
        world.broker.persist_failed(batch.token, code, world.now, &mut world.effects);
        assert_eq!(world.got(&mut publisher), [Got::PubAck(1, ReasonCode::UnspecifiedError)]);
    }
}

#[test]
fn answers_keep_their_order_though_batches_do_not() {
    for version in [V4, V5] {
        let mut world = world();
        let (mut kept, _) = world.resume(V5, "kept");
        world.subscribe(&mut kept, "t", QoS::ExactlyOnce);
        let mut publisher = world.connect(version, "p");
        world.publish_at(&mut publisher, "t", "1", QoS::AtLeastOnce, 1);
        let first = world.batch().unwrap();
        world.publish_at(&mut publisher, "t", "2", QoS::ExactlyOnce, 2);
        let second = world.batch().unwrap();
        answer(&mut world, second);
        assert_eq!(world.got(&mut publisher), []);
        answer(&mut world, first);
        assert_eq!(
            world.got(&mut publisher),
            [Got::PubAck(1, ReasonCode::Success), Got::PubRec(2, ReasonCode::Success)]
        );
    }
}

fn answer(world: &mut World, batch: Batch) {
    world.broker.persisted(batch.token, world.now, &mut world.effects);
}

fn fail(world: &mut World, batch: Batch) {
    world.broker.persist_failed(batch.token, ReasonCode::QuotaExceeded, world.now, &mut world.effects);
}

#[test]
fn messages_for_kept_sessions_are_acknowledged_when_durable() {
    for version in [V4, V5] {
        let mut world = world();
        let (mut kept, _) = world.resume(V5, "kept");
        let mut clean = world.connect(V5, "clean");
        world.subscribe(&mut kept, "t", QoS::AtLeastOnce);
        world.subscribe(&mut clean, "#", QoS::AtLeastOnce);
        let mut publisher = world.connect(version, "p");
        world.publish_at(&mut publisher, "t", "m", QoS::AtLeastOnce, 1);
        world.publish_at(&mut publisher, "t", "m", QoS::ExactlyOnce, 2);
        // Deliveries do not wait. What no kept session gets needs no batch, but its answer keeps its place.
        assert_eq!(world.payloads(&mut kept).len(), 2);
        world.publish_at(&mut publisher, "other", "m", QoS::AtLeastOnce, 3);
        assert_eq!(world.got(&mut publisher), []);
        let batch = world.batch().unwrap();
        assert_eq!(batch.records.len(), 2);
        for (n, record) in batch.records.iter().enumerate() {
            let Record::Queued { delivery, .. } = record else { panic!("{record:?}") };
            assert_eq!((delivery.sequence, delivery.message.topic_name()), (n as u64 + 1, "t"));
        }
        assert!(world.batch().is_none());
        answer(&mut world, batch);
        let success = ReasonCode::Success;
        assert_eq!(
            world.got(&mut publisher),
            [Got::PubAck(1, success), Got::PubRec(2, success), Got::PubAck(3, success)]
        );
        world.publish_at(&mut publisher, "other", "m", QoS::AtLeastOnce, 4);
        assert_eq!(world.got(&mut publisher), [Got::PubAck(4, success)]);
        world.pubrel(&mut publisher, 2);
        assert_eq!(world.got(&mut publisher), [Got::PubComp(2, ReasonCode::Success)]);
    }
}

#[test]
fn absent_sessions_and_qos_0_need_no_batch_or_just_one() {
    let mut world = world();
    let (mut kept, _) = world.resume(V4, "kept");
    world.subscribe(&mut kept, "t", QoS::AtLeastOnce);
    world.lose(&mut kept);
    world.make_durable();
    let mut publisher = world.connect(V4, "p");
    world.publish(&mut publisher, "t", "m");
    assert!(world.batch().is_none());
    for n in 1..=3 {
        world.publish_at(&mut publisher, "t", "m", QoS::AtLeastOnce, n);
    }
    let batch = world.batch().unwrap();
    assert_eq!(batch.records.len(), 3);
    answer(&mut world, batch);
    assert_eq!(world.got(&mut publisher).len(), 3);
}

#[test]
fn retained_messages_are_durable_before_their_acknowledgement() {
    let mut world = world();
    let mut publisher = world.connect(V4, "p");
    let set = Publish { retain: true, ..message("t", "m", QoS::AtLeastOnce, 1) };
    let delete = Publish { retain: true, ..message("t", "", QoS::AtLeastOnce, 2) };
    world.send(&mut publisher, &Packet::Publish(set)).unwrap();
    world.send(&mut publisher, &Packet::Publish(delete)).unwrap();
    assert_eq!(world.got(&mut publisher), []);
    let batch = world.batch().unwrap();
    assert!(matches!(&batch.records[..], [Record::Retained { .. }, Record::RetainedDeleted { .. }]));
    answer(&mut world, batch);
    assert_eq!(world.got(&mut publisher).len(), 2);
}

#[test]
fn a_failure_is_told_where_the_version_has_a_word_for_it() {
    for version in [V4, V5] {
        let mut world = world();
        let (mut kept, _) = world.resume(V5, "kept");
        world.subscribe(&mut kept, "t", QoS::ExactlyOnce);
        let (mut publisher, _) = world.resume(version, "p");
        world.publish_at(&mut publisher, "t", "m", QoS::AtLeastOnce, 1);
        world.publish_at(&mut publisher, "t", "m", QoS::ExactlyOnce, 2);
        let batch = world.batch().unwrap();
        fail(&mut world, batch);
        let got = world.got(&mut publisher);
        if version == V5 {
            let code = ReasonCode::QuotaExceeded;
            assert_eq!(got, [Got::PubAck(1, code), Got::PubRec(2, code)]);
            // The id is free again.
            world.publish_at(&mut publisher, "t", "m", QoS::ExactlyOnce, 2);
            let batch = world.batch().unwrap();
            answer(&mut world, batch);
            assert_eq!(world.got(&mut publisher), [Got::PubRec(2, ReasonCode::Success)]);
        } else {
            assert_eq!(got, []);
            assert_eq!(publisher.ended, Some(CloseReason::ServerError));
        }
    }
}

#[test]
fn a_publisher_that_reconnects_meanwhile_is_answered_once() {
    let mut world = world();
    let (mut kept, _) = world.resume(V5, "kept");
    world.subscribe(&mut kept, "t", QoS::ExactlyOnce);
    let (mut publisher, _) = world.resume(V4, "p");
    world.publish_at(&mut publisher, "t", "1", QoS::AtLeastOnce, 1);
    world.publish_at(&mut publisher, "t", "2", QoS::ExactlyOnce, 2);
    let batch = world.batch().unwrap();
    world.lose(&mut publisher);
    world.pass(Duration::from_secs(1));
    let (mut publisher, _) = world.resume(V4, "p");
    let again = Publish { dup: true, ..message("t", "2", QoS::ExactlyOnce, 2) };
    world.send(&mut publisher, &Packet::Publish(again)).unwrap();
    assert_eq!(world.got(&mut publisher), []);
    answer(&mut world, batch);
    // PUBACK 1 was owed to the old connection; the client publishes that message again.
    assert_eq!(world.got(&mut publisher), [Got::PubRec(2, ReasonCode::Success)]);
    assert_eq!(world.payloads(&mut kept), ["1", "2"]);
}

#[test]
fn held_acknowledgements_count_for_the_receive_maximum() {
    let mut profile = Profile::standard();
    profile.limits.receive_maximum = 2;
    let mut world = World::with(profile, Settings { persist: true, ..Settings::default() });
    let (mut kept, _) = world.resume(V5, "kept");
    world.subscribe(&mut kept, "t", QoS::AtLeastOnce);
    let mut publisher = world.connect(V5, "p");
    for n in 1..=2 {
        world.publish_at(&mut publisher, "t", "m", QoS::AtLeastOnce, n);
    }
    let batch = world.batch().unwrap();
    answer(&mut world, batch);
    for n in 3..=4 {
        world.publish_at(&mut publisher, "t", "m", QoS::AtLeastOnce, n);
    }
    let fifth = Packet::Publish(message("t", "m", QoS::AtLeastOnce, 5));
    let exceeded = CloseReason::ClientError(ReasonCode::ReceiveMaximumExceeded);
    assert_eq!(world.send(&mut publisher, &fifth), Err(exceeded));
}

/// Lets somebody take records in the middle of the next delivery, as the journal's thread may at any time: all that were
/// taken, batch by batch, once the world has done what it does.
fn take_in_the_middle(world: &World) -> impl Fn(&World) -> Vec<Vec<Record>> + use<> {
    let (send, taken) = mpsc::channel();
    let broker = Arc::downgrade(&world.broker);
    let hook = move || {
        let Some(broker) = broker.upgrade() else { return };
        let (send, (done, wait)) = (send.clone(), mpsc::channel());
        std::thread::spawn(move || {
            let mut records = Vec::new();
            broker.settle_records(broker.take_records(&mut records));
            let _ = (send.send(records), done.send(()));
        });
        // It cannot while what is logged may not be torn apart. However long it takes, what it takes is whole.
        let _ = wait.recv_timeout(Duration::from_millis(50));
    };
    assert!(world.policies.before_delivery.set(Box::new(hook)).is_ok());
    move |world| {
        let first = taken.recv_timeout(Duration::from_secs(20)).expect("something was delivered");
        let mut rest = Vec::new();
        world.broker.settle_records(world.broker.take_records(&mut rest));
        vec![first, rest]
    }
}

#[test]
fn a_connection_that_an_operator_ends_and_its_will_reach_the_disk_together() {
    let mut world = world();
    let (mut watcher, _) = world.resume(V5, "watcher");
    world.subscribe(&mut watcher, "will", QoS::AtLeastOnce);
    let will = Will {
        qos: QoS::AtLeastOnce,
        retain: false,
        delay_seconds: 0,
        topic_name: "will",
        properties: Default::default(),
        payload: b"gone",
    };
    let (_client, _) = world.connect_with(&Connect { will: Some(will), ..persistent(V5, "c") });
    world.make_durable();
    let batches = take_in_the_middle(&world);
    let ending = Ending { reason: CloseReason::AdministrativeAction, drop_session: true, prevent_will: false };
    assert!(world.broker.delete_connection(tenant(), "c", ending, world.now, &mut world.effects));
    for records in batches(&world) {
        let ended = records.iter().any(|record| matches!(record, Record::SessionEnded { .. }));
        let queued = records.iter().any(|record| matches!(record, Record::Queued { .. }));
        assert_eq!(ended, queued, "{records:?}");
    }
}

#[test]
fn what_a_member_leaves_and_another_gets_reaches_the_disk_together() {
    let mut world = world();
    let mut connect = persistent(V5, "leaver");
    connect.properties.receive_maximum = id(1);
    let (mut leaver, _) = world.connect_with(&connect);
    world.subscribe(&mut leaver, "$share/g/t", QoS::AtLeastOnce);
    let mut publisher = world.connect(V5, "p");
    for n in 1..=2 {
        world.publish_at(&mut publisher, "t", &n.to_string(), QoS::AtLeastOnce, n);
    }
    assert_eq!(world.payloads(&mut leaver), ["1"]);
    let (mut other, _) = world.resume(V5, "other");
    world.subscribe(&mut other, "$share/g/t", QoS::AtLeastOnce);
    world.make_durable();
    let batches = take_in_the_middle(&world);
    let unsubscribe =
        Unsubscribe { packet_id: id(8), user_properties: Default::default(), topic_filters: ["$share/g/t"][..].into() };
    world.send(&mut leaver, &Packet::Unsubscribe(unsubscribe)).unwrap();
    for records in batches(&world) {
        let finished = records.iter().any(|record| matches!(record, Record::Finished { .. }));
        let queued = records.iter().any(|record| matches!(record, Record::Queued { .. }));
        assert_eq!(finished, queued, "{records:?}");
    }
    assert_eq!(world.payloads(&mut other), ["2"]);
}
