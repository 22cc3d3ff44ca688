//! PUBACK, PUBREC, PUBREL, PUBCOMP: one shape. Spec: 3.4-3.7.

use crate::properties::{Block, put_block};
use crate::wire::{Body, Reader, Sink, put_packet};
use crate::{DecodeError, EncodeError, PacketType, Peer, ReasonCode, ReasonProperties, Version};
use std::num::NonZeroU16;

/// One step of the exchange that follows a QoS 1 or 2 message; which step, its packet type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack<'a> {
    /// The message's packet identifier.
    pub packet_id: NonZeroU16,
    /// What became of the message; always success in 3.1.1.
    pub reason_code: ReasonCode,
    /// What 5.0 may add.
    pub properties: ReasonProperties<'a>,
}

impl<'a> Ack<'a> {
    /// A step without properties.
    pub fn new(packet_id: NonZeroU16, reason_code: ReasonCode) -> Self {
        Self { packet_id, reason_code, properties: ReasonProperties::default() }
    }

    /// 5.0 leaves out the reason code when it is success and nothing follows, and the property length when it is 0.
    pub(super) fn read(
        packet_type: PacketType,
        mut body: Reader<'a>,
        version: Version,
        from: Peer,
    ) -> Result<Self, DecodeError> {
        let packet_id = body.packet_id()?;
        if version == Version::V4 || body.is_empty() {
            body.end()?;
            return Ok(Self::new(packet_id, ReasonCode::Success));
        }
        let reason_code = read_reason_code(&mut body, packet_type, from)?;
        let block = if body.is_empty() { Block::EMPTY } else { Block::take(&mut body)? };
        body.end()?;
        Ok(Self { packet_id, reason_code, properties: ReasonProperties::read(block)? })
    }

    /// Appends it as a packet of `packet_type`. Failures cannot be said in 3.1.1; the plain acknowledgement is written.
    ///
    /// # Errors
    /// As [`crate::Packet::encode`].
    pub fn encode(&self, packet_type: PacketType, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let first_byte = packet_type.first_byte();
        let [high, low] = self.packet_id.get().to_be_bytes();
        let success = self.reason_code == ReasonCode::Success && self.properties.is_empty();
        if success || version == Version::V4 {
            out.extend_from_slice(&[first_byte, 2, high, low]);
            return Ok(());
        }
        check_reason_code(self.reason_code, packet_type)?;
        put_packet(first_byte, self, out)
    }
}

impl Body for Ack<'_> {
    fn put<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        sink.put(&self.packet_id.get().to_be_bytes());
        put_reason(sink, self.reason_code, &self.properties)
    }
}

/// A reason code that exists and may stand in this packet.
pub(super) fn read_reason_code(
    body: &mut Reader<'_>,
    packet_type: PacketType,
    from: Peer,
) -> Result<ReasonCode, DecodeError> {
    let byte = body.u8()?;
    let reason_code = ReasonCode::from_byte(byte).ok_or(DecodeError::UnknownReasonCode(byte))?;
    if reason_code.may_stand_in(packet_type, from) {
        Ok(reason_code)
    } else {
        Err(DecodeError::ReasonCodeNotAllowed(reason_code))
    }
}

/// Refuses a reason code that neither peer may send in this packet.
pub(super) fn check_reason_code(reason_code: ReasonCode, packet_type: PacketType) -> Result<(), EncodeError> {
    let allowed = [Peer::Client, Peer::Server].iter().any(|&from| reason_code.may_stand_in(packet_type, from));
    if allowed { Ok(()) } else { Err(EncodeError::ReasonCode(reason_code)) }
}

/// The reason code, and the property block unless it is empty.
pub(super) fn put_reason<S: Sink>(
    sink: &mut S,
    reason_code: ReasonCode,
    properties: &ReasonProperties<'_>,
) -> Result<(), EncodeError> {
    sink.put(&[reason_code.byte()]);
    if properties.is_empty() { Ok(()) } else { put_block(sink, properties) }
}
