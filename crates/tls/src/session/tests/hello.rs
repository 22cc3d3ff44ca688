//! Reading a ClientHello before there is a session: whole or not, usual or not, and as rustls reads it.

use super::*;

#[test]
fn a_hello_is_read_once_it_is_whole_and_not_before() {
    let broker = Broker::new();
    let mut link = Link::new(&broker, client(&broker).named("Some.Host.example").offers(&["mqtt", "h2"]));
    let bytes = link.client_bytes();
    for length in 0..bytes.len() {
        assert!(matches!(ClientHello::peek(&bytes[..length]), Ok(None)), "{length} of {}", bytes.len());
    }
    let hello = ClientHello::peek(&bytes).unwrap().unwrap();
    assert_eq!(hello.server_name(), Some("some.host.example"));
    assert_eq!(hello.alpn(), [b"mqtt".to_vec(), b"h2".to_vec()]);
    // Bytes behind it do not disturb.
    let more = [bytes.as_slice(), b"\x17\x03\x03"].concat();
    assert_eq!(ClientHello::peek(&more).unwrap(), Some(hello));
}

#[test]
fn a_hello_spread_over_many_records_is_read() {
    let broker = Broker::new();
    let bytes = Link::new(&broker, client(&broker).named("spread.example")).client_bytes();
    let payload = &bytes[5..]; // one record
    let spread: Vec<u8> =
        payload.chunks(3).flat_map(|chunk| [&[22, 3, 1, 0, chunk.len() as u8], chunk].concat()).collect();
    assert_eq!(ClientHello::peek(&spread).unwrap().unwrap().server_name(), Some("spread.example"));
}

/// What `change` makes of the body of a ClientHello, as one record.
fn changed_hello(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut body = hello_bytes()[9..].to_vec();
    change(&mut body);
    let length = |bytes: usize| (bytes as u32).to_be_bytes();
    [&[22, 3, 1], &length(body.len() + 4)[2..], &[1], &length(body.len())[1..], &body].concat()
}

/// Where the extension of this kind begins in the body of a ClientHello.
fn extension(body: &[u8], kind: u8) -> usize {
    let mut at = 34 + 1 + usize::from(body[34]);
    at += 2 + usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
    at += 1 + usize::from(body[at]) + 2;
    while body[at..at + 2] != [0, kind] {
        at += 4 + usize::from(u16::from_be_bytes([body[at + 2], body[at + 3]]));
    }
    at
}

#[test]
fn what_is_unusual_in_a_hello_is_as_rustls_says() {
    let nothing = |_: &mut Vec<u8>| {};
    assert_eq!(ClientHello::peek(&changed_hello(nothing)).unwrap().unwrap().server_name(), Some("localhost"));
    let without = |kind| {
        move |body: &mut Vec<u8>| {
            let at = extension(body, kind);
            body[at + 1] = 99
        }
    };
    let name = |text: &'static [u8; 9]| {
        move |body: &mut Vec<u8>| {
            let at = extension(body, 0) + 9;
            body[at..at + 9].copy_from_slice(text)
        }
    };
    for (bytes, server_name) in [
        (changed_hello(without(0)), Some(None)),
        (changed_hello(without(13)), None), // no signature algorithms
        (changed_hello(name(b"LOCALhost")), Some(Some("localhost"))),
        (changed_hello(name(b"127.0.0.1")), Some(None)), // an address is no name
        (changed_hello(name(b"local\0ost")), None),
        (changed_hello(name(b"local ost")), None),
        (changed_hello(|body| body.push(0)), None),
        (changed_hello(|body| body.truncate(body.len() - 1)), None),
        (
            changed_hello(|body| {
                let at = extension(body, 16);
                body[at + 5] += 1
            }),
            None,
        ), // a list longer than its extension
        (
            changed_hello(|body| {
                let at = extension(body, 16);
                body[at + 6] = 0
            }),
            None,
        ), // a protocol without a name
    ] {
        let peeked = ClientHello::peek(&bytes);
        assert_eq!(peeked.as_ref().ok().map(|hello| hello.as_ref().unwrap().server_name()), server_name, "{bytes:x?}");
        assert_eq!(peeked.ok().flatten(), ClientHello::by_rustls(&bytes).ok(), "{bytes:x?}");
    }
}

#[test]
fn what_is_no_hello_is_refused_at_the_first_byte_that_shows_it() {
    let too_long = [&[22, 3, 1, 0x10, 0, 1, 0, 0x80, 0][..]].concat();
    for (bytes, what) in [
        (&b"\x10\x1e\x00\x04MQTT"[..], "plain MQTT"),
        (b"GET / HTTP/1.1", "HTTP"),
        (b"\x16\x02", "SSL 2 or noise"),
        (b"\x16\x03\x01\x00\x00", "an empty record"),
        (b"\x16\x03\x01\xff\xff", "an oversized record"),
        (b"\x16\x03\x01\x00\x05\x02", "a ServerHello"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "an alert"),
        (&too_long, "a hello of 32 KiB"),
    ] {
        assert!(ClientHello::peek(bytes).is_err(), "{what}");
    }
    let truncated = b"\x16\x03\x01\x00\x08\x01\x00\x00\x04\x03\x03\x00\x00";
    match ClientHello::peek(truncated) {
        Err(TlsError::NotAHello { alert }) => assert_eq!(alert, crate::Alert::DecodeError.record()),
        other => panic!("{other:?}"),
    }
}
