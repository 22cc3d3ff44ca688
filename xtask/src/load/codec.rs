//! As much of MQTT 3.1.1 as a load generator and a null broker need. Decoding borrows from what was read.

/// A packet, as far as anybody here looks at it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    Connect,
    ConnAck {
        code: u8,
    },
    Publish {
        qos: u8,
        retain: bool,
        topic_name: &'a [u8],
        packet_id: u16,
        payload: &'a [u8],
    },
    PubAck(u16),
    PubRec(u16),
    PubRel(u16),
    PubComp(u16),
    /// `filters` begins at the first topic filter.
    Subscribe {
        packet_id: u16,
        filters: &'a [u8],
    },
    SubAck(&'a [u8]),
    PingReq,
    Disconnect,
    Other,
}

/// Not MQTT.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

pub(super) const PUBACK: u8 = 0x40;
pub(super) const PUBREC: u8 = 0x50;
pub(super) const PUBREL: u8 = 0x62;
pub(super) const PUBCOMP: u8 = 0x70;
pub(super) const DISCONNECT: [u8; 2] = [0xe0, 0];

/// The first packet in `bytes` and its length; `None` when more bytes are needed.
#[inline]
pub(super) fn decode(bytes: &[u8]) -> Result<Option<(Packet<'_>, usize)>, Malformed> {
    let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
    let Some((length, used)) = remaining_length(rest)? else { return Ok(None) };
    let Some(body) = rest.get(used..used + length) else { return Ok(None) };
    let mut body = Body(body);
    let packet = match first >> 4 {
        1 => Packet::Connect,
        2 => {
            body.u16()?;
            Packet::ConnAck { code: bytes[1 + used + 1] }
        }
        3 => {
            let qos = first >> 1 & 3;
            let topic_name = body.text()?;
            let packet_id = if qos > 0 { body.u16()? } else { 0 };
            Packet::Publish { qos, retain: first & 1 != 0, topic_name, packet_id, payload: body.0 }
        }
        4 => Packet::PubAck(body.u16()?),
        5 => Packet::PubRec(body.u16()?),
        6 => Packet::PubRel(body.u16()?),
        7 => Packet::PubComp(body.u16()?),
        8 => Packet::Subscribe { packet_id: body.u16()?, filters: body.0 },
        9 => {
            body.u16()?;
            Packet::SubAck(body.0)
        }
        12 => Packet::PingReq,
        14 => Packet::Disconnect,
        0 | 15 => return Err(Malformed("no such packet type")),
        _ => Packet::Other,
    };
    Ok(Some((packet, 1 + used + length)))
}

/// A Remaining Length and its own bytes; `None` when more are needed.
fn remaining_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let mut value = 0;
    for at in 0..4 {
        let Some(&byte) = bytes.get(at) else { return Ok(None) };
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(Some((value, at + 1)));
        }
    }
    Err(Malformed("remaining length"))
}

struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    fn u16(&mut self) -> Result<u16, Malformed> {
        let (bytes, rest) = self.0.split_first_chunk::<2>().ok_or(Malformed("too short"))?;
        self.0 = rest;
        Ok(u16::from_be_bytes(*bytes))
    }

    fn text(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::from(self.u16()?);
        let (text, rest) = self.0.split_at_checked(length).ok_or(Malformed("too short"))?;
        self.0 = rest;
        Ok(text)
    }
}

pub(super) fn put_remaining_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let byte = (length & 0x7f) as u8;
        length >>= 7;
        if length == 0 {
            return out.push(byte);
        }
        out.push(byte | 0x80);
    }
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text);
}

/// CONNECT; a session that is not clean is kept.
pub(super) fn put_connect(out: &mut Vec<u8>, client_id: &str, clean_session: bool) {
    const KEEP_ALIVE_S: u16 = 1200;
    out.push(0x10);
    put_remaining_length(out, 12 + client_id.len());
    put_text(out, b"MQTT");
    out.extend_from_slice(&[4, u8::from(clean_session) << 1]);
    out.extend_from_slice(&KEEP_ALIVE_S.to_be_bytes());
    put_text(out, client_id.as_bytes());
}

pub(super) fn put_subscribe(out: &mut Vec<u8>, packet_id: u16, filters: &[String], qos: u8) {
    out.push(0x82);
    put_remaining_length(out, 2 + filters.iter().map(|filter| filter.len() + 3).sum::<usize>());
    out.extend_from_slice(&packet_id.to_be_bytes());
    for filter in filters {
        put_text(out, filter.as_bytes());
        out.push(qos);
    }
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP, by its first byte.
#[inline]
pub(super) fn put_ack(out: &mut Vec<u8>, first: u8, packet_id: u16) {
    let [high, low] = packet_id.to_be_bytes();
    out.extend_from_slice(&[first, 2, high, low]);
}

/// A PUBLISH that is made once; packet id and the head of its payload are put in for each message.
pub(super) struct Template {
    bytes: Vec<u8>,
    packet_id_at: usize,
    payload_at: usize,
}

impl Template {
    pub(super) fn new(topic_name: &str, qos: u8, retain: bool, payload_bytes: usize) -> Self {
        let mut bytes = vec![0x30 | qos << 1 | u8::from(retain)];
        put_remaining_length(&mut bytes, 2 + topic_name.len() + 2 * usize::from(qos > 0) + payload_bytes);
        put_text(&mut bytes, topic_name.as_bytes());
        let packet_id_at = bytes.len();
        bytes.extend_from_slice(&[0, 0][..2 * usize::from(qos > 0)]);
        let payload_at = bytes.len();
        bytes.extend((0..payload_bytes).map(|at| b'a' + (at % 26) as u8));
        Self { bytes, packet_id_at, payload_at }
    }

    /// Appends the message; `head` replaces the beginning of its payload. A packet id of 0 means QoS 0.
    #[inline]
    pub(super) fn put(&mut self, out: &mut Vec<u8>, packet_id: u16, head: &[u8]) {
        if packet_id > 0 {
            self.bytes[self.packet_id_at..][..2].copy_from_slice(&packet_id.to_be_bytes());
        }
        self.bytes[self.payload_at..][..head.len()].copy_from_slice(head);
        out.extend_from_slice(&self.bytes);
    }
}

/// What the payload of every message begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Its publisher's number.
    pub(super) publisher: u32,
    /// Its own number among those of its publisher.
    pub(super) sequence: u64,
    /// When it was sent, or should have been: nanoseconds of the generator's clock.
    pub(super) sent_at: u64,
}

impl Head {
    pub(super) const BYTES: usize = 20;

    #[inline]
    pub(super) fn bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&self.publisher.to_le_bytes());
        bytes[4..12].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[12..].copy_from_slice(&self.sent_at.to_le_bytes());
        bytes
    }

    #[inline]
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let (publisher, rest) = payload.split_first_chunk()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        let (sent_at, _) = rest.split_first_chunk()?;
        let (publisher, sequence) = (u32::from_le_bytes(*publisher), u64::from_le_bytes(*sequence));
        Some(Self { publisher, sequence, sent_at: u64::from_le_bytes(*sent_at) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remaining_lengths_are_read_as_written() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455] {
            let mut bytes = vec![];
            put_remaining_length(&mut bytes, length);
            assert_eq!(remaining_length(&bytes), Ok(Some((length, bytes.len()))));
            assert_eq!(remaining_length(&bytes[..bytes.len() - 1]), Ok(None));
        }
        assert!(remaining_length(&[0xff; 4]).is_err());
    }

    #[test]
    fn a_message_is_read_as_written_and_only_when_it_is_whole() {
        let head = Head { publisher: 3, sequence: 9, sent_at: 1234 };
        for qos in 0..3 {
            let packet_id = if qos > 0 { 77 } else { 0 };
            let mut bytes = vec![];
            Template::new("a/b", qos, true, 200).put(&mut bytes, packet_id, &head.bytes());
            for whole in 0..bytes.len() {
                assert_eq!(decode(&bytes[..whole]), Ok(None));
            }
            let (packet, length) = decode(&bytes).unwrap().unwrap();
            assert_eq!(length, bytes.len());
            let Packet::Publish { payload, .. } = packet else { panic!("{packet:?}") };
            assert_eq!((payload.len(), Head::read(payload)), (200, Some(head)));
            assert_eq!(packet, Packet::Publish { qos, retain: true, topic_name: b"a/b", packet_id, payload });
        }
        assert_eq!(Head::read(&[0; Head::BYTES - 1]), None);
    }

    #[test]
    fn requests_and_acknowledgements_are_read_as_written() {
        let mut bytes = vec![];
        put_connect(&mut bytes, "x1", true);
        assert_eq!(decode(&bytes), Ok(Some((Packet::Connect, bytes.len()))));
        bytes.clear();
        put_subscribe(&mut bytes, 5, &["a/+".to_owned(), "b/#".to_owned()], 1);
        let filters = b"\0\x03a/+\x01\0\x03b/#\x01";
        assert_eq!(decode(&bytes), Ok(Some((Packet::Subscribe { packet_id: 5, filters }, bytes.len()))));
        for (first, packet) in [
            (PUBACK, Packet::PubAck(258)),
            (PUBREC, Packet::PubRec(258)),
            (PUBREL, Packet::PubRel(258)),
            (PUBCOMP, Packet::PubComp(258)),
        ] {
            bytes.clear();
            put_ack(&mut bytes, first, 258);
            assert_eq!(decode(&bytes), Ok(Some((packet, 4))));
        }
        assert_eq!(decode(&[0x20, 2, 0, 5]), Ok(Some((Packet::ConnAck { code: 5 }, 4))));
        assert_eq!(decode(&[0x90, 3, 0, 1, 0x80]), Ok(Some((Packet::SubAck(&[0x80]), 5))));
        assert!(decode(&[0x20, 1, 0]).is_err() && decode(&[0x40, 0]).is_err() && decode(&[0xf0, 0]).is_err());
    }
}
