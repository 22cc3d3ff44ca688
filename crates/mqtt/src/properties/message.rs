//! The properties that belong to an application message and travel with it, as PUBLISH or as will.

use super::block::{Property, Write, Writer, id, set};
use super::list::UserProperties;
use crate::wire::Sink;
use crate::{DecodeError, EncodeError, topic};

/// What a payload is. Spec: 3.3.2.3.2 (5.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PayloadFormat {
    /// Unspecified bytes; also what no indicator means.
    Bytes,
    /// UTF-8 text. Whether the payload is that is not checked here.
    Utf8,
}

/// The properties that belong to an application message: forwarded with it, unaltered but for the expiry.
///
/// Spec: 3.3.2.3, 3.1.3.2, [MQTT-3.3.2-4], [MQTT-3.3.2-15] to [MQTT-3.3.2-20] (5.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessageProperties<'a> {
    /// What the payload is said to be.
    pub payload_format: Option<PayloadFormat>,
    /// Seconds that the message may wait for a subscriber.
    pub message_expiry_seconds: Option<u32>,
    /// The sender's description of the payload, such as a MIME type.
    pub content_type: Option<&'a str>,
    /// Where an answer is expected.
    pub response_topic: Option<&'a str>,
    /// What ties an answer to its request.
    pub correlation_data: Option<&'a [u8]>,
    /// The application's own pairs, in order.
    pub user_properties: UserProperties<'a>,
}

impl<'a> MessageProperties<'a> {
    /// Takes the property if it is one of these; user properties come separately.
    pub(crate) fn accept(&mut self, property: Property<'a>) -> Result<(), DecodeError> {
        match property {
            Property::PayloadFormat(format) => set(&mut self.payload_format, format, id::PAYLOAD_FORMAT),
            Property::MessageExpiry(seconds) => set(&mut self.message_expiry_seconds, seconds, id::MESSAGE_EXPIRY),
            Property::ContentType(text) => set(&mut self.content_type, text, id::CONTENT_TYPE),
            Property::ResponseTopic(name) => set(&mut self.response_topic, name, id::RESPONSE_TOPIC),
            Property::CorrelationData(data) => set(&mut self.correlation_data, data, id::CORRELATION_DATA),
            other => Err(DecodeError::PropertyNotAllowed(other.id())),
        }
    }

    /// Whether there is nothing but, perhaps, the expiry: so it is for nearly all messages.
    pub(crate) fn is_bare(&self) -> bool {
        self.payload_format.is_none()
            && self.content_type.is_none()
            && self.response_topic.is_none()
            && self.correlation_data.is_none()
            && self.user_properties.is_empty()
    }

    /// Writes all but the expiry.
    pub(crate) fn write_without_expiry<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        let mut writer = Writer(sink);
        writer.u8(
            id::PAYLOAD_FORMAT,
            self.payload_format.map(|format| match format {
                PayloadFormat::Bytes => 0,
                PayloadFormat::Utf8 => 1,
            }),
        );
        writer.text(id::CONTENT_TYPE, self.content_type)?;
        if self.response_topic.is_some_and(|name| name.is_empty() || topic::has_reserved(name.as_bytes())) {
            return Err(EncodeError::TopicName);
        }
        writer.text(id::RESPONSE_TOPIC, self.response_topic)?;
        writer.binary(id::CORRELATION_DATA, self.correlation_data)?;
        self.user_properties.write(sink)
    }
}

impl Write for MessageProperties<'_> {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        Writer(sink).u32(id::MESSAGE_EXPIRY, self.message_expiry_seconds);
        self.write_without_expiry(sink)
    }
}
