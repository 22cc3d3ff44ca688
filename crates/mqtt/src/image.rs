//! A PUBLISH packet encoded once for many subscribers: copied for each, a few bytes patched.

use crate::packet::first_byte;
use crate::{Delivery, EncodeError, Message, QoS, Version};
use std::num::NonZeroU16;

/// The PUBLISH packet of a message, for one version, with or without packet identifier.
///
/// What differs between subscribers (first byte, packet identifier, time left) is patched at fixed offsets while it is
/// copied. Subscribers with subscription identifiers or an alias need [`Message::append`]. It holds the payload a second
/// time; for a large one [`Message::append_head`] and the shared payload are better.
#[derive(Debug, Clone)]
pub struct PublishImage {
    bytes: Box<[u8]>,
    packet_id_at: Option<usize>,
    expiry_at: Option<usize>,
}

/// What differs from subscriber to subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Patch {
    /// Whether it was sent before.
    pub dup: bool,
    /// Its quality of service: 0 exactly when the image has no packet identifier.
    pub qos: QoS,
    /// Whether it is sent because it was retained.
    pub retain: bool,
    /// There exactly when the QoS is not 0.
    pub packet_id: Option<NonZeroU16>,
    /// Seconds left of the message's expiry; `None` writes it as published. Ignored without an expiry, and in 3.1.1.
    pub message_expiry_seconds: Option<u32>,
}

impl PublishImage {
    /// Encodes `message`; with room for a packet identifier for QoS 1 and 2.
    ///
    /// # Errors
    /// [`EncodeError::PacketTooLarge`] when topic, properties and payload are just short of the maximum, so that the rest
    /// does not fit.
    pub fn new(message: &Message, version: Version, with_packet_id: bool) -> Result<Self, EncodeError> {
        let plain = Delivery::new(version);
        let delivery = if with_packet_id {
            Delivery { qos: QoS::AtLeastOnce, packet_id: Some(NonZeroU16::MIN), ..plain }
        } else {
            plain
        };
        let mut bytes = Vec::with_capacity(message.packet_bytes(&delivery)?);
        message.append(&delivery, &mut bytes)?;
        let header_bytes = 1 + bytes[1..].iter().take_while(|&&byte| byte & 0x80 != 0).count() + 1;
        let mut at = header_bytes + 2 + message.topic_name().len();
        let packet_id_at = with_packet_id.then_some(at);
        at += if with_packet_id { 2 } else { 0 };
        let expiry_at = (version == Version::V5 && message.message_expiry_seconds().is_some()).then(|| {
            let length_bytes = 1 + bytes[at..].iter().take_while(|&&byte| byte & 0x80 != 0).count();
            at + length_bytes + 1 // the expiry is the first property
        });
        Ok(Self { bytes: bytes.into_boxed_slice(), packet_id_at, expiry_at })
    }

    /// Whether it has room for a packet identifier: for QoS 1 and 2.
    pub fn has_packet_id(&self) -> bool {
        self.packet_id_at.is_some()
    }

    /// The length of the packet, whatever the patch.
    pub fn packet_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Appends the packet for one subscriber.
    ///
    /// # Errors
    /// [`EncodeError::PacketId`] when QoS, packet identifier and image do not go together,
    /// [`EncodeError::Inconsistent`] for a duplicate of QoS 0. `out` is as before then.
    pub fn append(&self, patch: Patch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.has_packet_id() != patch.packet_id.is_some() || self.has_packet_id() != (patch.qos != QoS::AtMostOnce) {
            return Err(EncodeError::PacketId);
        }
        if patch.dup && patch.qos == QoS::AtMostOnce {
            return Err(EncodeError::Inconsistent("a QoS 0 message is never a duplicate"));
        }
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        let packet = &mut out[start..];
        packet[0] = first_byte(patch.dup, patch.qos, patch.retain);
        if let (Some(at), Some(packet_id)) = (self.packet_id_at, patch.packet_id) {
            packet[at..at + 2].copy_from_slice(&packet_id.get().to_be_bytes());
        }
        if let (Some(at), Some(seconds)) = (self.expiry_at, patch.message_expiry_seconds) {
            packet[at..at + 4].copy_from_slice(&seconds.to_be_bytes());
        }
        Ok(())
    }
}
