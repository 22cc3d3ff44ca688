use tidegate_ids::Monotonic;
use tidegate_mqtt::MessageProperties;

use super::*;

const ALL: usize = usize::MAX;

fn message(payload: &str) -> Stamped {
    let properties = MessageProperties::default();
    Stamped::new("t", &properties, payload.as_bytes(), QoS::ExactlyOnce, None, Monotonic::default()).unwrap()
}

fn push(outbound: &mut Outbound, payload: &str, qos: QoS) -> u64 {
    outbound.push(message(payload), qos, false, &[], false, None)
}

/// Send all that `quota` admits: payload or `rel`, id, DUP.
fn send(outbound: &mut Outbound, mut quota: u16) -> Vec<(String, u16, bool)> {
    let mut sent = Vec::new();
    while let Some(next) = outbound.next(quota, ALL) {
        sent.push(match next {
            Next::Release(id) => ("rel".to_owned(), id.get(), false),
            Next::Publish { message, packet_id, dup, .. } => {
                quota -= u16::from(packet_id.is_some());
                let payload = String::from_utf8(message.message.payload().to_vec()).unwrap();
                (payload, packet_id.map_or(0, NonZeroU16::get), dup)
            }
        });
        outbound.sent();
    }
    sent
}

fn id(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

fn sent(payload: &str, id: u16, dup: bool) -> (String, u16, bool) {
    (payload.to_owned(), id, dup)
}

use QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};

#[test]
fn ids_follow_the_sequence_and_acknowledgements_any_order() {
    let mut outbound = Outbound::new(false);
    for (payload, qos) in [("a", AtLeastOnce), ("b", ExactlyOnce), ("c", AtLeastOnce), ("d", AtLeastOnce)] {
        push(&mut outbound, payload, qos);
    }
    assert_eq!(send(&mut outbound, 3), [sent("a", 1, false), sent("b", 2, false), sent("c", 3, false)]);
    let due = Acknowledged::Due { window: true };
    for (acknowledged, expected) in [
        (outbound.acknowledge(id(3)), due),
        (outbound.acknowledge(id(3)), Acknowledged::Again),
        (outbound.acknowledge(id(4)), Acknowledged::Unknown), // waits
        (outbound.acknowledge(id(2)), Acknowledged::Mismatch),
        (outbound.receive(id(1), false), Acknowledged::Mismatch),
        (outbound.complete(id(2)), Acknowledged::Mismatch),
        (outbound.receive(id(2), false), Acknowledged::Due { window: false }),
        (outbound.receive(id(2), false), Acknowledged::Again),
        (outbound.acknowledge(id(1)), due),
        (outbound.complete(id(2)), due),
        (outbound.complete(id(2)), Acknowledged::Unknown),
        (outbound.acknowledge(id(1000)), Acknowledged::Unknown),
    ] {
        assert_eq!(acknowledged, expected);
    }
    assert_eq!(outbound.len(), 1);
    assert_eq!(send(&mut outbound, 3), [sent("d", 4, false)]);
    assert_eq!(outbound.acknowledge(id(4)), due);
    assert_eq!((outbound.len(), outbound.waiting, outbound.waiting_bytes, outbound.unacknowledged_bytes), (0, 0, 0, 0));
}

#[test]
fn a_rewound_queue_sends_again_what_is_owed() {
    let mut outbound = Outbound::new(false);
    for (payload, qos) in [("a", ExactlyOnce), ("b", ExactlyOnce), ("c", AtLeastOnce), ("d", AtLeastOnce)] {
        push(&mut outbound, payload, qos);
    }
    send(&mut outbound, 3);
    outbound.receive(id(1), false);
    outbound.rewind();
    // An acknowledgement of what is not sent again yet is taken, but opens no window.
    assert_eq!(outbound.acknowledge(id(3)), Acknowledged::Due { window: false });
    assert_eq!(send(&mut outbound, 9), [sent("rel", 1, false), sent("b", 2, true), sent("d", 4, false)]);
    assert_eq!(outbound.complete(id(1)), Acknowledged::Due { window: false });
    assert_eq!(outbound.receive(id(2), true), Acknowledged::Due { window: true });
    assert_eq!(outbound.acknowledge(id(4)), Acknowledged::Due { window: true });
    assert_eq!(outbound.len(), 0);
}

#[test]
fn qos_0_in_the_queue_has_no_id_and_no_second_chance() {
    let mut outbound = Outbound::new(false);
    outbound.push(message("r1"), AtMostOnce, true, &[], true, None);
    outbound.push(message("r2"), AtLeastOnce, true, &[], true, None);
    push(&mut outbound, "live", AtMostOnce);
    push(&mut outbound, "sure", AtLeastOnce);
    assert!(outbound.backlog() > 0);
    assert_eq!(send(&mut outbound, 1), [sent("r1", 0, false), sent("r2", 1, false), sent("live", 0, false)]);
    assert!(outbound.backlog() == 0);
    push(&mut outbound, "lost", AtMostOnce);
    outbound.rewind();
    assert_eq!(send(&mut outbound, 9), [sent("r2", 1, true), sent("sure", 2, false)]);
    for n in 1..=2 {
        outbound.acknowledge(id(n));
    }
    assert_eq!((outbound.len(), outbound.waiting, outbound.waiting_bytes), (0, 0, 0));
}

#[test]
fn bounds_are_of_what_waits_and_of_what_is_unacknowledged() {
    let mut outbound = Outbound::new(false);
    let large = "x".repeat(99);
    assert!(outbound.has_room(&message(&large), 2, 10), "one always fits");
    push(&mut outbound, &large, AtLeastOnce);
    assert!(!outbound.has_room(&message("y"), 2, 100));
    assert!(outbound.has_room(&message("y"), 2, 200));
    push(&mut outbound, "y", AtLeastOnce);
    assert!(!outbound.has_room(&message("z"), 2, 200));
    // The first always goes; the second waits until it fits.
    assert!(outbound.next(9, 10).is_some());
    outbound.sent();
    assert!(outbound.next(9, 10).is_none());
    outbound.acknowledge(id(1));
    assert!(outbound.next(9, 10).is_some());
}

#[test]
fn a_skipped_message_leaves_no_trace() {
    let mut outbound = Outbound::new(false);
    for payload in ["a", "b", "c"] {
        push(&mut outbound, payload, AtLeastOnce);
    }
    assert!(outbound.next(9, ALL).is_some());
    outbound.skip();
    assert_eq!(send(&mut outbound, 9), [sent("b", 2, false), sent("c", 3, false)]);
    assert_eq!(outbound.acknowledge(id(1)), Acknowledged::Unknown);
    assert_eq!(outbound.acknowledge(id(3)), Acknowledged::Due { window: true });
    assert_eq!(outbound.acknowledge(id(2)), Acknowledged::Due { window: true });
    assert_eq!((outbound.len(), outbound.waiting), (0, 0));
}

#[test]
fn what_is_finished_is_forgotten_behind_what_is_not() {
    let mut outbound = Outbound::new(false);
    push(&mut outbound, "unacknowledged", QoS::AtLeastOnce);
    send(&mut outbound, 9);
    for n in 2..=10_000 {
        push(&mut outbound, "0", QoS::AtMostOnce);
        push(&mut outbound, "1", QoS::AtLeastOnce);
        push(&mut outbound, "2", QoS::AtLeastOnce);
        assert_eq!(send(&mut outbound, 9).len(), 3);
        let (first, second) = (id(n * 2 - 2), id(n * 2 - 1));
        assert_eq!(outbound.acknowledge(second), Acknowledged::Due { window: true });
        assert_eq!(outbound.acknowledge(first), Acknowledged::Due { window: true });
        assert!(outbound.entries.len() < 256, "{}", outbound.entries.len());
        assert_eq!(outbound.len(), 1);
    }
    assert_eq!(outbound.acknowledge(id(1)), Acknowledged::Due { window: true });
    assert_eq!((outbound.len(), outbound.entries.len()), (0, 0));
}

#[test]
fn an_empty_queue_gives_its_memory_back() {
    let mut outbound = Outbound::new(false);
    for _ in 0..1000 {
        push(&mut outbound, "0", QoS::AtMostOnce);
    }
    send(&mut outbound, 0);
    assert!(outbound.entries.capacity() <= 64, "{}", outbound.entries.capacity());
}
