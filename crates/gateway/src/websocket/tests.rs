use proptest::prelude::*;

use super::*;

/// A frame as a client writes it.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    write_frame(0, payload, &mut frame);
    frame[0] = first;
    frame[1] |= MASKED;
    let header = frame.len() - payload.len();
    let mask = [1, 2, 3, 200];
    frame.truncate(header);
    frame.extend(mask);
    frame.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
    frame
}

/// What comes of `bytes`, fed in pieces of `size`: payload, answers, the end.
fn feed(bytes: &[u8], size: usize) -> (Vec<u8>, Vec<u8>, Result<(), Ended>) {
    let (mut socket, mut payload, mut answer) = (WebSocket::default(), Vec::new(), Vec::new());
    let mut fed = Ok(());
    for piece in bytes.chunks(size.max(1)) {
        fed = socket.feed(piece, &mut payload, &mut answer);
    }
    (payload, answer, fed)
}

#[test]
fn frames_carry_bytes_and_control_frames_come_between_them() {
    let mut bytes = frame(BINARY, b"ab");
    bytes.extend(frame(FIN | PING, b"hello"));
    bytes.extend(frame(FIN | PONG, b"unasked"));
    bytes.extend(frame(CONTINUATION, b""));
    bytes.extend(frame(FIN, b"cd"));
    bytes.extend(frame(FIN | BINARY, &[7; 70_000]));
    let expected = [b"abcd".as_slice(), &[7; 70_000]].concat();
    for size in [1, 3, 100_000] {
        let (payload, answer, fed) = feed(&bytes, size);
        assert_eq!((payload == expected, &*answer, fed), (true, b"\x8a\x05hello".as_slice(), Ok(())));
    }
}

#[test]
fn rules_that_are_broken_end_it() {
    let mut unmasked = frame(FIN | BINARY, b"a");
    unmasked[1] &= !MASKED;
    for (bytes, expected) in [
        (unmasked, Ended::Protocol),
        (frame(FIN | 1, b"text"), Ended::Text),
        (frame(FIN | 3, b""), Ended::Protocol),
        (frame(FIN | 0x40 | BINARY, b""), Ended::Protocol),
        (frame(FIN, b""), Ended::Protocol), // a continuation of nothing
        ([frame(BINARY, b""), frame(FIN | BINARY, b"")].concat(), Ended::Protocol),
        (frame(PING, b""), Ended::Protocol), // a fragmented ping
        (frame(FIN | PING, &[0; 126]), Ended::Protocol),
        (vec![FIN | BINARY, MASKED | 126, 0, 125, 0, 0, 0, 0], Ended::Protocol),
        (vec![FIN | BINARY, MASKED | 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], Ended::Protocol),
        (frame(FIN | CLOSE, b"a"), Ended::Protocol),
        (frame(FIN | CLOSE, &1005_u16.to_be_bytes()), Ended::Protocol),
        (frame(FIN | CLOSE, b""), Ended::Closed),
        (frame(FIN | CLOSE, b"\x03\xe8bye"), Ended::Closed),
    ] {
        assert_eq!(feed(&bytes, 1).2, Err(expected), "{bytes:x?}");
        let later = [bytes.clone(), frame(FIN | BINARY, b"more")].concat();
        let (payload, _, fed) = feed(&later, later.len());
        assert_eq!((payload.len(), fed), (0, Err(expected)), "{bytes:x?}: nothing counts after the end");
    }
}

#[test]
fn a_close_is_answered_once() {
    let (mut socket, mut answer) = (WebSocket::default(), Vec::new());
    let _ = socket.feed(&frame(FIN | CLOSE, b"\x03\xe8bye"), &mut Vec::new(), &mut answer);
    socket.close(1001, &mut answer);
    assert_eq!(answer, b"\x88\x02\x03\xe8");
    let (mut socket, mut answer) = (WebSocket::default(), Vec::new());
    let _ = socket.feed(&frame(FIN | 1, b"text"), &mut Vec::new(), &mut answer);
    socket.close(1000, &mut answer);
    assert_eq!(answer, [0x88, 2, 0x03, 0xeb]);
}

/// Bytes that are nearly frames.
fn nearly_frames() -> impl Strategy<Value = Vec<u8>> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..300);
    let one = prop_oneof![
        4 => (any::<u8>(), bytes.clone()).prop_map(|(first, payload)| frame(first & 0x8f, &payload)),
        1 => bytes,
    ];
    proptest::collection::vec(one, 0..8).prop_map(|frames| frames.concat())
}

/// Requests that are nearly good.
fn nearly_heads() -> impl Strategy<Value = Vec<u8>> {
    let lines = [
        "GET /mqtt HTTP/1.1",
        "POST /mqtt HTTP/1.1",
        "GET / HTTP/1.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "a: b",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: mqtt",
        ":",
        "",
    ];
    let line = prop_oneof![20 => prop::sample::select(lines.to_vec()).prop_map(str::to_owned), 1 => ".{0,20}"];
    prop::collection::vec(line, 0..12).prop_map(|lines| (lines.join("\r\n") + "\r\n\r\n").into_bytes())
}

#[test]
fn of_many_pings_at_once_the_last_is_answered() {
    let pings: Vec<u8> = (0..20_u16).flat_map(|n| frame(FIN | PING, &n.to_be_bytes())).collect();
    let mut bytes = frame(BINARY, b"a");
    bytes.extend(pings);
    bytes.extend(frame(FIN, b"b"));
    let (payload, answer, fed) = feed(&bytes, bytes.len());
    assert_eq!((&*payload, &*answer, fed), (b"ab".as_slice(), [0x8a, 2, 0, 19].as_slice(), Ok(())));
    // What was to be said before stays.
    let (mut socket, mut answer) = (WebSocket::default(), b"before".to_vec());
    let two = [frame(FIN | PING, b"1"), frame(FIN | PING, b"2"), frame(FIN | CLOSE, b"")].concat();
    assert_eq!(socket.feed(&two, &mut Vec::new(), &mut answer), Err(Ended::Closed));
    assert_eq!(answer, b"before\x8a\x012\x88\0");
}

proptest! {
    #[test]
    fn whatever_comes_is_the_same_in_any_pieces_and_makes_no_more_than_it_is(
        bytes in nearly_frames(),
        size in any::<u8>(),
    ) {
        fuzz::websocket(&[&[size], &*bytes].concat());
    }

    #[test]
    fn any_head_is_accepted_or_refused(head in prop_oneof![nearly_heads(), prop::collection::vec(any::<u8>(), 0..200)]) {
        fuzz::upgrade(&head);
    }

    #[test]
    fn a_client_reads_what_is_sent(payload in proptest::collection::vec(any::<u8>(), 0..70_000)) {
        let mut out = Vec::new();
        WebSocket::default().send(&payload, &mut out);
        let read = feed(&frame(out[0], &payload), 1000);
        prop_assert!(out.ends_with(&payload) && out.len() <= payload.len() + 10);
        prop_assert!(read.0 == payload && read.2.is_ok());
    }
}
