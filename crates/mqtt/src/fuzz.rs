//! Bodies of the fuzz targets in `fuzz/fuzz_targets`, which the property tests run too. Each panics when a promise of
//! this crate is broken.

mod generate;

use crate::{
    DecodeError, Delivery, Message, PACKET_BYTES_MAX, Packet, Partial, Peer, Publish, QoS, Version, announced_version,
    decode, decode_connect, frame,
};

/// Reads `data` as a 3.1.1 packet of either peer: no panic, and every lazy list can be walked.
pub fn decode_v4(data: &[u8]) {
    decode_any(data, Version::V4);
}

/// Reads `data` as a 5.0 packet of either peer: no panic, and every lazy list can be walked.
pub fn decode_v5(data: &[u8]) {
    decode_any(data, Version::V5);
}

fn decode_any(data: &[u8], version: Version) {
    let framed = frame(data, PACKET_BYTES_MAX);
    for from in [Peer::Client, Peer::Server] {
        match decode(data, version, from) {
            Ok(packet) => {
                let length = framed.expect("a valid packet has a valid header").expect("and a whole one");
                assert_eq!(length.packet_bytes, data.len());
                walk(&packet);
            }
            Err(error) => assert!(error.reason_code().is_failure()),
        }
    }
    let announced = announced_version(data);
    if let Ok(connect) = decode_connect(data) {
        assert_eq!(announced, Some(connect.version));
    }
}

/// Walks what was not read into fields. A valid list ends with its bytes, so its length is bounded by the packet's.
fn walk(packet: &Packet<'_>) -> usize {
    match packet {
        Packet::Subscribe(subscribe) => {
            let count = subscribe.subscriptions.iter().count();
            assert!(count > 0);
            count + subscribe.user_properties.iter().count()
        }
        Packet::Unsubscribe(unsubscribe) => {
            let count = unsubscribe.topic_filters.iter().count();
            assert!(count > 0);
            count
        }
        Packet::SubAck(suback) => {
            assert_eq!(suback.reason_codes.iter().count(), suback.reason_codes.len());
            suback.properties.user_properties.iter().count()
        }
        Packet::Publish(publish) => {
            publish.properties.user_properties.iter().count() + publish.subscription_identifiers.iter().count()
        }
        _ => 0,
    }
}

/// What is read can be written and read again, equal; so can what `data` makes a generator think of.
pub fn roundtrip(data: &[u8]) {
    for version in [Version::V4, Version::V5] {
        for from in [Peer::Client, Peer::Server] {
            if let Ok(packet) = decode(data, version, from) {
                read_again(&packet, version, from);
                if let Packet::Publish(publish) = &packet {
                    forward(publish);
                }
            }
        }
    }
    generate::packet(data, |packet, version, from| {
        read_again(packet, version, from);
        if let Packet::Publish(publish) = packet {
            forward(publish);
        }
    });
}

fn read_again(packet: &Packet<'_>, version: Version, from: Peer) {
    let mut written = Vec::new();
    if let Err(error) = packet.encode(version, &mut written) {
        panic!("{error}: {packet:?}");
    }
    assert_eq!(decode(&written, version, from).as_ref(), Ok(packet), "{written:02x?}");
}

/// A subscriber of 5.0 gets the message's properties as they were published.
fn forward(publish: &Publish<'_>) {
    let topic_name = if publish.topic_name.is_empty() { "aliased" } else { publish.topic_name };
    let message = Message::new(topic_name, &publish.properties, publish.payload).expect("was a packet");
    let mut written = Vec::new();
    let delivery = Delivery { qos: publish.qos, packet_id: publish.packet_id, ..Delivery::new(Version::V5) };
    if message.append(&delivery, &mut written).is_ok() {
        let received = Publish {
            dup: false,
            retain: false,
            topic_name,
            topic_alias: None,
            subscription_identifiers: Default::default(),
            ..*publish
        };
        assert_eq!(decode(&written, Version::V5, Peer::Server), Ok(Packet::Publish(received)));
        assert_eq!(publish.qos == QoS::AtMostOnce, delivery.packet_id.is_none());
    }
}

/// The longest packet of [`chunks`].
const CHUNKS_PACKET_BYTES_MAX: usize = 4096;

/// The same stream gives the same packets and the same error in whatever chunks it arrives, also when a reader stops after
/// each packet. The first bytes of `data` choose the chunks, the rest is the stream.
pub fn chunks(data: &[u8]) {
    let (sizes, stream) = data.split_at(data.len().min(8));
    let whole = packets(std::iter::once(stream), false);
    let mut sizes = sizes.iter().map(|&size| usize::from(size).max(1)).cycle();
    let mut rest = stream;
    let cut = std::iter::from_fn(|| {
        if rest.is_empty() {
            return None;
        }
        let (chunk, later) = rest.split_at(sizes.next().unwrap_or(1).min(rest.len()));
        rest = later;
        Some(chunk)
    });
    let cut: Vec<&[u8]> = cut.collect();
    assert_eq!(packets(cut.iter().copied(), false), whole);
    assert_eq!(packets(cut.iter().copied().chain([&[][..]; 2]), true), whole);
}

/// Every packet of a stream that arrives in `chunks`, and the error that ends it. A hesitant reader takes one packet and
/// comes back with nothing new until none is left.
fn packets<'a>(chunks: impl Iterator<Item = &'a [u8]>, hesitant: bool) -> (Vec<Vec<u8>>, Option<DecodeError>) {
    let mut partial = Partial::new();
    let mut found = Vec::new();
    for chunk in chunks {
        let mut unread = chunk;
        loop {
            let mut packets = partial.packets(unread, CHUNKS_PACKET_BYTES_MAX);
            unread = &[];
            let before = found.len();
            loop {
                match packets.next_packet() {
                    Ok(Some(frame)) => {
                        for version in [Version::V4, Version::V5] {
                            let decoded = decode(frame.bytes(), version, Peer::Client);
                            assert_eq!(frame.decode(version, Peer::Client), decoded);
                        }
                        found.push(frame.bytes().to_vec());
                    }
                    Ok(None) => break,
                    Err(error) => return (found, Some(error)),
                }
                if hesitant {
                    break;
                }
            }
            if !hesitant || found.len() == before {
                break;
            }
        }
    }
    (found, None)
}
