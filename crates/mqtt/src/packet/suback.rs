//! SUBACK and UNSUBACK. Spec: 3.9, 3.11.

use super::ack::{check_reason_code, read_reason_code};
use crate::properties::{Block, put_block};
use crate::wire::{Body, Reader, Sink, put_packet};
use crate::{DecodeError, EncodeError, PacketType, Peer, ReasonCode, ReasonProperties, Version};
use std::fmt;
use std::num::NonZeroU16;

/// The answer to SUBSCRIBE: one code for each entry, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubAck<'a> {
    /// The SUBSCRIBE's packet identifier.
    pub packet_id: NonZeroU16,
    /// What 5.0 may add.
    pub properties: ReasonProperties<'a>,
    /// The granted QoS ([`ReasonCode::granted`]) or a failure; in 3.1.1 every failure is 0x80.
    pub reason_codes: ReasonCodes<'a>,
}

/// The answer to UNSUBSCRIBE: one code for each filter, in its order; none in 3.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnsubAck<'a> {
    /// The UNSUBSCRIBE's packet identifier.
    pub packet_id: NonZeroU16,
    /// What 5.0 may add.
    pub properties: ReasonProperties<'a>,
    /// What became of each filter.
    pub reason_codes: ReasonCodes<'a>,
}

/// The reason codes of a SUBACK or UNSUBACK: read from its bytes, or made with `From` a slice.
#[derive(Clone, Copy)]
pub struct ReasonCodes<'a>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    /// Bytes that are all reason codes.
    Wire(&'a [u8]),
    List(&'a [ReasonCode]),
}

impl<'a> ReasonCodes<'a> {
    /// The codes in order.
    pub fn iter(&self) -> impl Iterator<Item = ReasonCode> + Clone + use<'a> {
        let (wire, list): (&'a [u8], &'a [ReasonCode]) = match self.0 {
            Source::Wire(bytes) => (bytes, &[]),
            Source::List(list) => (&[], list),
        };
        wire.iter().filter_map(|&byte| ReasonCode::from_byte(byte)).chain(list.iter().copied())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self.0 {
            Source::Wire(bytes) => bytes.len(),
            Source::List(list) => list.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the rest of the packet.
    fn read(mut body: Reader<'a>, packet_type: PacketType) -> Result<Self, DecodeError> {
        let codes = Self(Source::Wire(body.rest));
        if body.is_empty() {
            return Err(DecodeError::NoEntries);
        }
        while !body.is_empty() {
            read_reason_code(&mut body, packet_type, Peer::Server)?;
        }
        Ok(codes)
    }

    fn check(&self, packet_type: PacketType) -> Result<(), EncodeError> {
        if self.is_empty() {
            return Err(EncodeError::Inconsistent("an answer needs a reason code for each entry"));
        }
        self.iter().try_for_each(|code| check_reason_code(code, packet_type))
    }
}

impl<'a> SubAck<'a> {
    /// An answer without properties.
    pub fn new(packet_id: NonZeroU16, reason_codes: &'a [ReasonCode]) -> Self {
        Self { packet_id, properties: ReasonProperties::default(), reason_codes: reason_codes.into() }
    }

    pub(super) fn read(mut body: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let packet_id = body.packet_id()?;
        let mut properties = ReasonProperties::default();
        match version {
            Version::V5 => properties = ReasonProperties::read(Block::take(&mut body)?)?,
            Version::V4 => {
                if let Some(&byte) = body.rest.iter().find(|&&byte| !matches!(byte, 0..=2 | 0x80)) {
                    return Err(DecodeError::UnknownReasonCode(byte));
                }
            }
        }
        Ok(Self { packet_id, properties, reason_codes: ReasonCodes::read(body, PacketType::SubAck)? })
    }

    /// Appends the packet in the form of `version`.
    ///
    /// # Errors
    /// As [`crate::Packet::encode`].
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.reason_codes.check(PacketType::SubAck)?;
        put_packet(PacketType::SubAck.first_byte(), &InVersion(version, self), out)
    }
}

impl<'a> UnsubAck<'a> {
    /// An answer without properties. 3.1.1 leaves the codes out.
    pub fn new(packet_id: NonZeroU16, reason_codes: &'a [ReasonCode]) -> Self {
        Self { packet_id, properties: ReasonProperties::default(), reason_codes: reason_codes.into() }
    }

    pub(super) fn read(mut body: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let packet_id = body.packet_id()?;
        if version == Version::V4 {
            body.end()?;
            return Ok(Self::new(packet_id, &[]));
        }
        let properties = ReasonProperties::read(Block::take(&mut body)?)?;
        Ok(Self { packet_id, properties, reason_codes: ReasonCodes::read(body, PacketType::UnsubAck)? })
    }

    /// Appends the packet in the form of `version`.
    ///
    /// # Errors
    /// As [`crate::Packet::encode`].
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if version == Version::V5 {
            self.reason_codes.check(PacketType::UnsubAck)?;
        }
        put_packet(PacketType::UnsubAck.first_byte(), &InVersion(version, self), out)
    }
}

/// A packet to be written in the form of one version.
struct InVersion<'p, P>(Version, &'p P);

impl Body for InVersion<'_, SubAck<'_>> {
    fn put<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        let Self(version, suback) = self;
        sink.put(&suback.packet_id.get().to_be_bytes());
        if *version == Version::V5 {
            put_block(sink, &suback.properties)?;
        }
        for code in suback.reason_codes.iter() {
            sink.put(&[match version {
                Version::V4 => code.suback_return_code(),
                Version::V5 => code.byte(),
            }]);
        }
        Ok(())
    }
}

impl Body for InVersion<'_, UnsubAck<'_>> {
    fn put<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        let Self(version, unsuback) = self;
        sink.put(&unsuback.packet_id.get().to_be_bytes());
        if *version == Version::V5 {
            put_block(sink, &unsuback.properties)?;
            unsuback.reason_codes.iter().for_each(|code| sink.put(&[code.byte()]));
        }
        Ok(())
    }
}

impl<'a> From<&'a [ReasonCode]> for ReasonCodes<'a> {
    fn from(list: &'a [ReasonCode]) -> Self {
        Self(Source::List(list))
    }
}

impl PartialEq for ReasonCodes<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for ReasonCodes<'_> {}

impl fmt::Debug for ReasonCodes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
