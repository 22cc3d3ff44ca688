//! Cutting a stream into packets.

use crate::{DecodeError, FrameLen, PACKET_BYTES_MAX, Packet, Packets, Partial, Peer, Version, decode, frame};

#[test]
fn the_fixed_header_tells_the_length_before_the_body_is_there() {
    for (bytes, expected) in [
        (&[][..], Ok(None)),
        (&[0x30], Ok(None)),
        (&[0x30, 0x80], Ok(None)),
        (&[0x30, 0xFF, 0xFF, 0xFF], Ok(None)),
        (&[0xC0, 0x00], Ok(Some(FrameLen { header_bytes: 2, packet_bytes: 2 }))),
        (&[0x30, 0x7F], Ok(Some(FrameLen { header_bytes: 2, packet_bytes: 129 }))),
        (&[0x30, 0x80, 0x01], Ok(Some(FrameLen { header_bytes: 3, packet_bytes: 131 }))),
        (&[0x30, 0xFF, 0xFF, 0xFF, 0x7F], Ok(Some(FrameLen { header_bytes: 5, packet_bytes: PACKET_BYTES_MAX }))),
        (&[0x30, 0xFF, 0xFF, 0xFF, 0xFF], Err(DecodeError::RemainingLength)),
        // What the first byte gives away needs no second one.
        (&[0x00], Err(DecodeError::PacketType)),
        (&[0x36], Err(DecodeError::QoS)),
        (&[0x38], Err(DecodeError::DupWithQoS0)),
        (&[0x80], Err(DecodeError::HeaderFlags)),
        (b"GET / HTTP/1.1", Err(DecodeError::HeaderFlags)),
        (&[0x16, 0x03, 0x01], Err(DecodeError::HeaderFlags)), // a TLS ClientHello on a plain port
    ] {
        assert_eq!(frame(bytes, PACKET_BYTES_MAX), expected, "{bytes:02x?}");
    }
}

#[test]
fn a_packet_above_the_maximum_is_refused_by_its_header() {
    assert_eq!(frame(&[0x30, 0x62], 100), Ok(Some(FrameLen { header_bytes: 2, packet_bytes: 100 })));
    let error = frame(&[0x30, 0x63], 100).expect_err("101 bytes");
    assert_eq!(error, DecodeError::PacketTooLarge { packet_bytes: 101 });
    assert_eq!(error.reason_code(), crate::ReasonCode::PacketTooLarge);
}

const PING: &[u8] = &[0xC0, 0x00];
const PUBLISH: &[u8] = &[0x30, 0x05, 0x00, 0x01, b'a', b'h', b'i'];

fn next_of<'a>(packets: &'a mut Packets<'_>) -> Result<Option<&'a [u8]>, DecodeError> {
    Ok(packets.next_packet()?.map(|frame| frame.bytes()))
}

#[test]
fn whole_packets_are_lent_from_the_bytes_received() {
    let stream = [PING, PUBLISH, PING].concat();
    let mut partial = Partial::new();
    let mut packets = partial.packets(&stream, 100);
    for expected in [PING, PUBLISH, PING] {
        assert_eq!(next_of(&mut packets), Ok(Some(expected)));
    }
    assert_eq!(next_of(&mut packets), Ok(None));
    drop(packets);
    assert_eq!(partial.kept_bytes(), 0);
}

#[test]
fn a_packet_may_arrive_byte_by_byte() {
    let stream = [PING, PUBLISH, PUBLISH].concat();
    let mut partial = Partial::new();
    let mut count = 0;
    for byte in stream.chunks(1) {
        let mut packets = partial.packets(byte, 100);
        while let Some(frame) = packets.next_packet().expect("valid") {
            assert_eq!(frame.decode(Version::V4, Peer::Client), decode(frame.bytes(), Version::V4, Peer::Client));
            assert!(frame.decode(Version::V4, Peer::Client).is_ok());
            count += 1;
        }
    }
    assert_eq!((count, partial.kept_bytes()), (3, 0));
}

#[test]
fn a_reader_that_stops_early_finds_the_rest_later() {
    let stream = [PUBLISH, PUBLISH, &PUBLISH[..3]].concat();
    let mut partial = Partial::new();
    assert_eq!(next_of(&mut partial.packets(&stream, 100)), Ok(Some(PUBLISH)));
    assert_eq!(partial.kept_bytes(), PUBLISH.len() + 3);
    let rest = [&PUBLISH[3..], PING].concat();
    let mut packets = partial.packets(&rest, 100);
    for expected in [PUBLISH, PUBLISH, PING] {
        assert_eq!(next_of(&mut packets), Ok(Some(expected)));
    }
    assert_eq!(next_of(&mut packets), Ok(None));
}

#[test]
fn a_reader_that_always_stops_early_does_not_keep_the_whole_stream() {
    let mut partial = Partial::new();
    let first = [PUBLISH, PUBLISH, &PUBLISH[..3]].concat();
    assert_eq!(next_of(&mut partial.packets(&first, 100)), Ok(Some(PUBLISH)));
    let next = [&PUBLISH[3..], &PUBLISH[..3]].concat();
    for _ in 0..1000 {
        assert_eq!(next_of(&mut partial.packets(&next, 100)), Ok(Some(PUBLISH)));
        assert_eq!(partial.kept_bytes(), PUBLISH.len() + 3);
        assert!(partial.allocated_bytes() < 100);
    }
}

#[test]
fn a_partial_packet_keeps_what_was_received_not_what_was_announced() {
    let mut partial = Partial::new();
    assert_eq!(partial.packets(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F, 0x00], PACKET_BYTES_MAX).next_packet(), Ok(None));
    assert_eq!(partial.kept_bytes(), 6);
}

#[test]
fn no_packet_is_large_by_itself() {
    // Every PUBLISH is moved once on its way to the session.
    assert!(size_of::<Packet<'_>>() <= 256, "{} bytes", size_of::<Packet<'_>>());
}
