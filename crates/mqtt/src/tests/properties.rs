//! The fuzz bodies on generated input: arbitrary bytes, golden packets with mutations, streams of golden packets.

use super::vectors::golden;
use crate::fuzz;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A golden packet with a few bytes changed, removed or inserted; its remaining length is mended half of the time, so that
/// the change is met where it stands.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<Index>(), any::<u8>(), 0..3_u8);
    (select(golden()), prop::collection::vec(change, 0..6), any::<bool>()).prop_map(|(mut packet, changes, mend)| {
        for (index, byte, kind) in changes {
            match kind {
                0 if !packet.is_empty() => {
                    let at = index.index(packet.len());
                    packet[at] = byte;
                }
                1 if !packet.is_empty() => {
                    packet.remove(index.index(packet.len()));
                }
                _ => packet.insert(index.index(packet.len() + 1), byte),
            }
        }
        if mend && (2..130).contains(&packet.len()) {
            packet[1] = (packet.len() - 2) as u8;
        }
        packet
    })
}

fn arbitrary() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

/// Golden packets one after the other, rarely with a mutated one among them.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let packet = prop_oneof![9 => select(golden()), 1 => mutated()];
    (arbitrary(), prop::collection::vec(packet, 0..20)).prop_map(|(mut sizes, packets)| {
        sizes.resize(8, 1);
        packets.into_iter().fold(sizes, |stream, packet| [stream, packet].concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decode_v4(data in prop_oneof![arbitrary(), mutated()]) {
        fuzz::decode_v4(&data);
    }

    #[test]
    fn decode_v5(data in prop_oneof![arbitrary(), mutated()]) {
        fuzz::decode_v5(&data);
    }

    #[test]
    fn roundtrip(data in prop_oneof![arbitrary(), mutated()]) {
        fuzz::roundtrip(&data);
    }

    #[test]
    fn chunks(data in prop_oneof![1 => arbitrary(), 3 => stream()]) {
        fuzz::chunks(&data);
    }
}
