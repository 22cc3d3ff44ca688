use tidegate_mqtt::{Packet, Peer, decode, decode_connect};

use super::*;

fn connect(name: &[u8], level: u8, flags: u8) -> Vec<u8> {
    let mut packet = vec![0x10, (2 + name.len() + 6) as u8, 0, name.len() as u8];
    packet.extend_from_slice(name);
    packet.extend_from_slice(&[level, flags, 0, 0, 0, 0]);
    packet
}

#[test]
fn a_connect_that_cannot_be_read_is_answered_where_its_version_has_a_word() {
    for (packet, answer) in [
        (connect(b"MQTT", 3, 2), &[0x20, 2, 0, 1][..]),
        (connect(b"MQIsdp", 3, 2), &[0x20, 2, 0, 1]),
        (connect(b"MQTT", 6, 2), &[0x20, 3, 0, 0x84, 0]),
        (connect(b"MQTT", 4, 3), &[]), // the reserved flag, and no return code for it
        (connect(b"MQTT", 5, 3), &[0x20, 3, 0, 0x81, 0]),
        (connect(b"HTTP", 4, 2), &[]),
    ] {
        let mut out = Vec::new();
        answer_malformed(&packet, &decode_connect(&packet).unwrap_err(), &mut out);
        assert_eq!(out, answer, "{packet:02x?}");
    }
}

#[test]
fn the_reason_string_is_left_out_when_it_is_not_wanted_or_does_not_fit() {
    let reason = Reason::new("AUTHORIZATION_FAILURE", "no policy");
    for (version, wanted, maximum, told) in [
        (Version::V5, true, None, true),
        (Version::V5, false, None, false),
        (Version::V5, true, Some(20), false),
        (Version::V5, true, Some(1000), true),
        (Version::V4, true, None, false),
    ] {
        let mut connect = Connect::new(version, "c");
        connect.properties.request_problem_information = wanted;
        connect.properties.maximum_packet_size = maximum.and_then(std::num::NonZeroU32::new);
        let mut out = Vec::new();
        answer_refused(&connect, &reason, Uuid::nil(), &mut out);
        let Packet::ConnAck(answer) = decode(&out, version, Peer::Server).unwrap() else { panic!("no CONNACK") };
        assert_eq!(answer.reason_code, ReasonCode::NotAuthorized);
        let text = answer.properties.reason.reason_string;
        assert_eq!(text.is_some_and(|text| text.contains("no policy")), told, "{version:?} {wanted} {maximum:?}");
    }
}

#[test]
fn a_client_that_takes_no_packet_as_large_as_a_refusal_gets_none() {
    let reason = Reason::new("AUTHORIZATION_FAILURE", "no policy");
    for (maximum, packets) in [(4, 0), (5, 1)] {
        let mut connect = Connect::new(Version::V5, "c");
        connect.properties.maximum_packet_size = std::num::NonZeroU32::new(maximum);
        let mut out = b"before".to_vec();
        answer_refused(&connect, &reason, Uuid::nil(), &mut out);
        assert_eq!(out.len(), 6 + 5 * packets, "{maximum}");
    }
}
