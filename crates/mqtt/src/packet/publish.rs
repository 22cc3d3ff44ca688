//! PUBLISH. Spec: 3.3.

use crate::properties::{Block, Property, Span, Write, Writer, id, put_block, set};
use crate::wire::{Body, Reader, Sink, put_packet, put_text};
use crate::{
    DecodeError, EncodeError, MessageProperties, PacketType, Peer, QoS, SubscriptionIdentifiers, Version, topic,
};
use std::num::NonZeroU16;

/// An application message on its way from or to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish<'a> {
    /// Whether it may have been sent before; never with QoS 0.
    pub dup: bool,
    /// Its quality of service.
    pub qos: QoS,
    /// To a server: retain it. To a client: it was retained.
    pub retain: bool,
    /// Where it is published to; empty only beside a topic alias.
    pub topic_name: &'a str,
    /// Ties acknowledgements to it; there exactly when the QoS is not 0.
    pub packet_id: Option<NonZeroU16>,
    /// Stands for a topic name on this connection; 5.0 only.
    pub topic_alias: Option<NonZeroU16>,
    /// Which of the client's subscriptions match; from servers only, 5.0 only.
    pub subscription_identifiers: SubscriptionIdentifiers<'a>,
    /// The properties that belong to the message itself; 5.0 only.
    pub properties: MessageProperties<'a>,
    /// The payload.
    pub payload: &'a [u8],
}

impl<'a> Publish<'a> {
    /// A QoS 0 message without properties.
    pub fn new(topic_name: &'a str, payload: &'a [u8]) -> Self {
        Self {
            dup: false,
            qos: QoS::AtMostOnce,
            retain: false,
            topic_name,
            packet_id: None,
            topic_alias: None,
            subscription_identifiers: SubscriptionIdentifiers::default(),
            properties: MessageProperties::default(),
            payload,
        }
    }

    pub(super) fn read(
        first_byte: u8,
        mut body: Reader<'a>,
        version: Version,
        from: Peer,
    ) -> Result<Self, DecodeError> {
        let qos = QoS::from_bits(first_byte >> 1 & 0b11).ok_or(DecodeError::QoS)?;
        let topic_name = body.topic(DecodeError::TopicName)?;
        let packet_id = match qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce | QoS::ExactlyOnce => Some(body.packet_id()?),
        };
        let mut publish = Self {
            dup: first_byte & 0b1000 != 0,
            qos,
            retain: first_byte & 0b1 != 0,
            topic_name,
            packet_id,
            ..Self::new(topic_name, &[])
        };
        match version {
            Version::V4 if topic_name.is_empty() => return Err(DecodeError::TopicName),
            Version::V4 => {}
            Version::V5 => publish.read_properties(Block::take(&mut body)?, from)?,
        }
        publish.payload = body.take_rest();
        Ok(publish)
    }

    fn read_properties(&mut self, block: Block<'a>, from: Peer) -> Result<(), DecodeError> {
        if !block.0.is_empty() {
            let mut identifiers = Span::default();
            let (alias, properties) = (&mut self.topic_alias, &mut self.properties);
            let user_properties = block.read_spans(|property, start, end| match property {
                Property::TopicAlias(topic_alias) => set(alias, topic_alias, id::TOPIC_ALIAS),
                Property::SubscriptionIdentifier(_) if from == Peer::Client => {
                    Err(DecodeError::SubscriptionIdentifierFromClient)
                }
                Property::SubscriptionIdentifier(_) => {
                    identifiers.note(start, end);
                    Ok(())
                }
                property => properties.accept(property),
            })?;
            self.properties.user_properties = user_properties;
            let bytes = &block.0[identifiers.start..identifiers.end];
            self.subscription_identifiers = SubscriptionIdentifiers::of_block(bytes, identifiers.pure);
        }
        if self.topic_name.is_empty() && self.topic_alias.is_none() {
            return Err(DecodeError::NoTopic);
        }
        Ok(())
    }

    /// Appends the packet in the form of `version`. A message for many is cheaper as a [`crate::Message`] or
    /// [`crate::PublishImage`].
    ///
    /// # Errors
    /// As [`crate::Packet::encode`].
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if (self.qos == QoS::AtMostOnce) != self.packet_id.is_none() {
            return Err(EncodeError::PacketId);
        }
        if self.dup && self.qos == QoS::AtMostOnce {
            return Err(EncodeError::Inconsistent("a QoS 0 message is never a duplicate"));
        }
        if topic::has_reserved(self.topic_name.as_bytes())
            || self.topic_name.is_empty() && (version == Version::V4 || self.topic_alias.is_none())
        {
            return Err(EncodeError::TopicName);
        }
        let first_byte = first_byte(self.dup, self.qos, self.retain);
        match version {
            Version::V4 => put_packet(first_byte, &V4(self), out),
            Version::V5 => put_packet(first_byte, &V5(self), out),
        }
    }

    fn put_head<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        put_text(sink, self.topic_name)?;
        if let Some(packet_id) = self.packet_id {
            sink.put(&packet_id.get().to_be_bytes());
        }
        Ok(())
    }
}

/// The first byte of a PUBLISH. Spec: 3.3.1.
pub(crate) fn first_byte(dup: bool, qos: QoS, retain: bool) -> u8 {
    (PacketType::Publish as u8) << 4 | u8::from(dup) << 3 | qos.bits() << 1 | u8::from(retain)
}

struct V4<'p>(&'p Publish<'p>);
struct V5<'p>(&'p Publish<'p>);

impl Body for V4<'_> {
    fn put<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        self.0.put_head(sink)?;
        sink.put(self.0.payload);
        Ok(())
    }
}

impl Body for V5<'_> {
    fn put<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        self.0.put_head(sink)?;
        put_block(sink, self)?;
        sink.put(self.0.payload);
        Ok(())
    }
}

impl Write for V5<'_> {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        Writer(sink).u16(id::TOPIC_ALIAS, self.0.topic_alias.map(NonZeroU16::get));
        self.0.subscription_identifiers.write(sink)?;
        self.0.properties.write(sink)
    }
}
