//! The golden packets of `tests/data/mqtt`.

use crate::{DecodeError, Packet, Peer, Version, decode, decode_connect};

struct Vector<'a> {
    line: usize,
    expected: &'a str,
    from: Peer,
    packet: Vec<u8>,
    shows: &'a str,
}

fn vectors(file: &str) -> impl Iterator<Item = Vector<'_>> {
    file.lines().enumerate().filter(|(_, line)| !line.starts_with('#')).map(|(index, line)| {
        let fields: Vec<&str> = line.splitn(4, " | ").collect();
        let from = match fields[1] {
            "client" => Peer::Client,
            "server" => Peer::Server,
            other => panic!("line {}: who is {other}?", index + 1),
        };
        let packet = fields[2].as_bytes().chunks(2).map(|pair| {
            let digits = std::str::from_utf8(pair).expect("hexadecimal digits");
            u8::from_str_radix(digits, 16).expect("hexadecimal digits")
        });
        Vector { line: index + 1, expected: fields[0], from, packet: packet.collect(), shows: fields[3] }
    })
}

/// As a connection reads: the first packet with its own version.
fn read(packet: &[u8], version: Version, from: Peer) -> Result<Packet<'_>, DecodeError> {
    if from == Peer::Client && packet[0] >> 4 == 1 {
        let connect = decode_connect(packet)?;
        assert_eq!(connect.version, version);
        return Ok(Packet::Connect(Box::new(connect)));
    }
    decode(packet, version, from)
}

/// The reason code and the name of the variant, as the vectors write them.
fn refusal(error: DecodeError) -> String {
    let shown = format!("{error:?}");
    let name = shown.split([' ', '(', '{']).next().unwrap_or_default();
    format!("{:02x} {name}", error.reason_code().byte())
}

fn check(file: &str, version: Version) -> (usize, usize) {
    let (mut valid, mut malformed) = (0, 0);
    for Vector { line, expected, from, packet, shows } in vectors(file) {
        match read(&packet, version, from) {
            Err(error) => {
                assert_eq!(refusal(error), expected, "line {line}: {shows}");
                malformed += 1;
            }
            Ok(read_packet) => {
                assert!(matches!(expected, "same" | "ok"), "line {line} is accepted: {shows}\n{read_packet:?}");
                let mut written = Vec::new();
                read_packet.encode(version, &mut written).unwrap_or_else(|error| panic!("line {line}: {error}"));
                assert_eq!(
                    written == packet,
                    expected == "same",
                    "line {line}: {shows}\n{packet:02x?}\n{written:02x?}"
                );
                assert_eq!(read(&written, version, from).as_ref(), Ok(&read_packet), "line {line}: {shows}");
                valid += 1;
            }
        }
    }
    (valid, malformed)
}

#[test]
fn packets_of_3_1_1_are_accepted_or_refused_as_specified() {
    let (valid, malformed) = check(include_str!("../../../../tests/data/mqtt/v4.txt"), Version::V4);
    assert!(valid > 40 && malformed > 150, "{valid} valid, {malformed} malformed");
}

#[test]
fn packets_of_5_0_are_accepted_or_refused_as_specified() {
    let (valid, malformed) = check(include_str!("../../../../tests/data/mqtt/v5.txt"), Version::V5);
    assert!(valid > 150 && malformed > 350, "{valid} valid, {malformed} malformed");
}

#[test]
fn every_packet_cut_short_is_refused() {
    for (file, version) in [
        (include_str!("../../../../tests/data/mqtt/v4.txt"), Version::V4),
        (include_str!("../../../../tests/data/mqtt/v5.txt"), Version::V5),
    ] {
        for Vector { line, from, packet, .. } in vectors(file).filter(|vector| vector.expected == "same") {
            for length in 0..packet.len() {
                assert!(decode(&packet[..length], version, from).is_err(), "line {line} cut to {length} bytes");
            }
        }
    }
}

/// Every golden packet that is valid, for others to change.
pub(super) fn golden() -> Vec<Vec<u8>> {
    [include_str!("../../../../tests/data/mqtt/v4.txt"), include_str!("../../../../tests/data/mqtt/v5.txt")]
        .into_iter()
        .flat_map(vectors)
        .filter(|vector| matches!(vector.expected, "same" | "ok"))
        .map(|vector| vector.packet)
        .collect()
}
