//! A property block: its length, then identifiers and values. Spec: 2.2.2 (5.0).

use super::list::UserProperties;
use crate::wire::{Measure, Reader, Sink, put_binary, put_text, put_variable};
use crate::{DecodeError, EncodeError, PayloadFormat, QoS};
use std::num::{NonZeroU16, NonZeroU32};

/// Property identifiers. Spec: table 2-4 (5.0).
pub(crate) mod id {
    pub(crate) const PAYLOAD_FORMAT: u8 = 0x01;
    pub(crate) const MESSAGE_EXPIRY: u8 = 0x02;
    pub(crate) const CONTENT_TYPE: u8 = 0x03;
    pub(crate) const RESPONSE_TOPIC: u8 = 0x08;
    pub(crate) const CORRELATION_DATA: u8 = 0x09;
    pub(crate) const SUBSCRIPTION_IDENTIFIER: u8 = 0x0B;
    pub(crate) const SESSION_EXPIRY: u8 = 0x11;
    pub(crate) const ASSIGNED_CLIENT_ID: u8 = 0x12;
    pub(crate) const SERVER_KEEP_ALIVE: u8 = 0x13;
    pub(crate) const AUTHENTICATION_METHOD: u8 = 0x15;
    pub(crate) const AUTHENTICATION_DATA: u8 = 0x16;
    pub(crate) const REQUEST_PROBLEM_INFORMATION: u8 = 0x17;
    pub(crate) const WILL_DELAY: u8 = 0x18;
    pub(crate) const REQUEST_RESPONSE_INFORMATION: u8 = 0x19;
    pub(crate) const RESPONSE_INFORMATION: u8 = 0x1A;
    pub(crate) const SERVER_REFERENCE: u8 = 0x1C;
    pub(crate) const REASON_STRING: u8 = 0x1F;
    pub(crate) const RECEIVE_MAXIMUM: u8 = 0x21;
    pub(crate) const TOPIC_ALIAS_MAXIMUM: u8 = 0x22;
    pub(crate) const TOPIC_ALIAS: u8 = 0x23;
    pub(crate) const MAXIMUM_QOS: u8 = 0x24;
    pub(crate) const RETAIN_AVAILABLE: u8 = 0x25;
    pub(crate) const USER_PROPERTY: u8 = 0x26;
    pub(crate) const MAXIMUM_PACKET_SIZE: u8 = 0x27;
    pub(crate) const WILDCARD_SUBSCRIPTION_AVAILABLE: u8 = 0x28;
    pub(crate) const SUBSCRIPTION_IDENTIFIERS_AVAILABLE: u8 = 0x29;
    pub(crate) const SHARED_SUBSCRIPTION_AVAILABLE: u8 = 0x2A;
}

/// One property, its value valid in itself.
#[derive(Clone, Copy)]
pub(crate) enum Property<'a> {
    PayloadFormat(PayloadFormat),
    MessageExpiry(u32),
    ContentType(&'a str),
    ResponseTopic(&'a str),
    CorrelationData(&'a [u8]),
    SubscriptionIdentifier(NonZeroU32),
    SessionExpiry(u32),
    AssignedClientId(&'a str),
    ServerKeepAlive(u16),
    AuthenticationMethod(&'a str),
    AuthenticationData(&'a [u8]),
    RequestProblemInformation(bool),
    WillDelay(u32),
    RequestResponseInformation(bool),
    ResponseInformation(&'a str),
    ServerReference(&'a str),
    ReasonString(&'a str),
    ReceiveMaximum(NonZeroU16),
    TopicAliasMaximum(u16),
    TopicAlias(NonZeroU16),
    MaximumQoS(QoS),
    RetainAvailable(bool),
    User(&'a str, &'a str),
    MaximumPacketSize(NonZeroU32),
    WildcardSubscriptionAvailable(bool),
    SubscriptionIdentifiersAvailable(bool),
    SharedSubscriptionAvailable(bool),
}

impl<'a> Property<'a> {
    /// Reads identifier and value.
    pub(crate) fn read(from: &mut Reader<'a>) -> Result<Self, DecodeError> {
        // Every identifier is below 0x80, so a longer variable byte integer is none (or not in its shortest form).
        let id = from.u8()?;
        Ok(match id {
            id::PAYLOAD_FORMAT => Self::PayloadFormat(match from.u8()? {
                0 => PayloadFormat::Bytes,
                1 => PayloadFormat::Utf8,
                _ => return Err(DecodeError::PropertyValue(id)),
            }),
            id::MESSAGE_EXPIRY => Self::MessageExpiry(from.u32()?),
            id::CONTENT_TYPE => Self::ContentType(from.text()?),
            id::RESPONSE_TOPIC => match from.topic(DecodeError::ResponseTopic)? {
                "" => return Err(DecodeError::ResponseTopic),
                topic_name => Self::ResponseTopic(topic_name),
            },
            id::CORRELATION_DATA => Self::CorrelationData(from.binary()?),
            id::SUBSCRIPTION_IDENTIFIER => {
                Self::SubscriptionIdentifier(NonZeroU32::new(from.variable()?).ok_or(DecodeError::PropertyValue(id))?)
            }
            id::SESSION_EXPIRY => Self::SessionExpiry(from.u32()?),
            id::ASSIGNED_CLIENT_ID => Self::AssignedClientId(from.text()?),
            id::SERVER_KEEP_ALIVE => Self::ServerKeepAlive(from.u16()?),
            id::AUTHENTICATION_METHOD => Self::AuthenticationMethod(from.text()?),
            id::AUTHENTICATION_DATA => Self::AuthenticationData(from.binary()?),
            id::REQUEST_PROBLEM_INFORMATION => Self::RequestProblemInformation(flag(from, id)?),
            id::WILL_DELAY => Self::WillDelay(from.u32()?),
            id::REQUEST_RESPONSE_INFORMATION => Self::RequestResponseInformation(flag(from, id)?),
            id::RESPONSE_INFORMATION => Self::ResponseInformation(from.text()?),
            id::SERVER_REFERENCE => Self::ServerReference(from.text()?),
            id::REASON_STRING => Self::ReasonString(from.text()?),
            id::RECEIVE_MAXIMUM => {
                Self::ReceiveMaximum(NonZeroU16::new(from.u16()?).ok_or(DecodeError::PropertyValue(id))?)
            }
            id::TOPIC_ALIAS_MAXIMUM => Self::TopicAliasMaximum(from.u16()?),
            id::TOPIC_ALIAS => Self::TopicAlias(NonZeroU16::new(from.u16()?).ok_or(DecodeError::TopicAlias)?),
            id::MAXIMUM_QOS => Self::MaximumQoS(if flag(from, id)? { QoS::AtLeastOnce } else { QoS::AtMostOnce }),
            id::RETAIN_AVAILABLE => Self::RetainAvailable(flag(from, id)?),
            id::USER_PROPERTY => Self::User(from.text()?, from.text()?),
            id::MAXIMUM_PACKET_SIZE => {
                Self::MaximumPacketSize(NonZeroU32::new(from.u32()?).ok_or(DecodeError::PropertyValue(id))?)
            }
            id::WILDCARD_SUBSCRIPTION_AVAILABLE => Self::WildcardSubscriptionAvailable(flag(from, id)?),
            id::SUBSCRIPTION_IDENTIFIERS_AVAILABLE => Self::SubscriptionIdentifiersAvailable(flag(from, id)?),
            id::SHARED_SUBSCRIPTION_AVAILABLE => Self::SharedSubscriptionAvailable(flag(from, id)?),
            unknown => return Err(DecodeError::UnknownProperty(unknown)),
        })
    }

    /// Its identifier.
    pub(crate) fn id(self) -> u8 {
        match self {
            Self::PayloadFormat(_) => id::PAYLOAD_FORMAT,
            Self::MessageExpiry(_) => id::MESSAGE_EXPIRY,
            Self::ContentType(_) => id::CONTENT_TYPE,
            Self::ResponseTopic(_) => id::RESPONSE_TOPIC,
            Self::CorrelationData(_) => id::CORRELATION_DATA,
            Self::SubscriptionIdentifier(_) => id::SUBSCRIPTION_IDENTIFIER,
            Self::SessionExpiry(_) => id::SESSION_EXPIRY,
            Self::AssignedClientId(_) => id::ASSIGNED_CLIENT_ID,
            Self::ServerKeepAlive(_) => id::SERVER_KEEP_ALIVE,
            Self::AuthenticationMethod(_) => id::AUTHENTICATION_METHOD,
            Self::AuthenticationData(_) => id::AUTHENTICATION_DATA,
            Self::RequestProblemInformation(_) => id::REQUEST_PROBLEM_INFORMATION,
            Self::WillDelay(_) => id::WILL_DELAY,
            Self::RequestResponseInformation(_) => id::REQUEST_RESPONSE_INFORMATION,
            Self::ResponseInformation(_) => id::RESPONSE_INFORMATION,
            Self::ServerReference(_) => id::SERVER_REFERENCE,
            Self::ReasonString(_) => id::REASON_STRING,
            Self::ReceiveMaximum(_) => id::RECEIVE_MAXIMUM,
            Self::TopicAliasMaximum(_) => id::TOPIC_ALIAS_MAXIMUM,
            Self::TopicAlias(_) => id::TOPIC_ALIAS,
            Self::MaximumQoS(_) => id::MAXIMUM_QOS,
            Self::RetainAvailable(_) => id::RETAIN_AVAILABLE,
            Self::User(..) => id::USER_PROPERTY,
            Self::MaximumPacketSize(_) => id::MAXIMUM_PACKET_SIZE,
            Self::WildcardSubscriptionAvailable(_) => id::WILDCARD_SUBSCRIPTION_AVAILABLE,
            Self::SubscriptionIdentifiersAvailable(_) => id::SUBSCRIPTION_IDENTIFIERS_AVAILABLE,
            Self::SharedSubscriptionAvailable(_) => id::SHARED_SUBSCRIPTION_AVAILABLE,
        }
    }
}

fn flag(from: &mut Reader<'_>, id: u8) -> Result<bool, DecodeError> {
    match from.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::PropertyValue(id)),
    }
}

/// Fills `slot` with a property that may stand only once.
pub(crate) fn set<T>(slot: &mut Option<T>, value: T, id: u8) -> Result<(), DecodeError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(DecodeError::PropertyRepeated(id)),
    }
}

/// The bytes of a property block, its length taken off.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a>(pub(crate) &'a [u8]);

impl<'a> Block<'a> {
    pub(crate) const EMPTY: Self = Self(&[]);

    /// Takes the block at the head of `from`.
    pub(crate) fn take(from: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let bytes = from.variable()?;
        from.take(bytes as usize).map(Self).map_err(|_| DecodeError::PropertyLength)
    }
}

impl<'a> Block<'a> {
    /// Hands every property but the user properties to `accept`; those may stand in every block, any number of times, and
    /// come back as one list.
    pub(crate) fn read(
        self,
        mut accept: impl FnMut(Property<'a>) -> Result<(), DecodeError>,
    ) -> Result<UserProperties<'a>, DecodeError> {
        self.read_spans(|property, _, _| accept(property))
    }

    /// As [`Block::read`], telling `accept` from where to where each property reaches in the block.
    pub(crate) fn read_spans(
        self,
        mut accept: impl FnMut(Property<'a>, usize, usize) -> Result<(), DecodeError>,
    ) -> Result<UserProperties<'a>, DecodeError> {
        let mut reader = Reader::new(self.0);
        let mut span = Span::default();
        while !reader.is_empty() {
            let start = self.0.len() - reader.rest.len();
            // A value that runs over the end of the block would run into the next field.
            let property = Property::read(&mut reader).map_err(|error| match error {
                DecodeError::Truncated => DecodeError::PropertyLength,
                error => error,
            })?;
            let end = self.0.len() - reader.rest.len();
            match property {
                Property::User(..) => span.note(start, end),
                property => accept(property, start, end)?,
            }
        }
        Ok(UserProperties::of_block(&self.0[span.start..span.end], span.pure))
    }
}

/// From the first to the last of one kind of property in a block, and whether no others stand between.
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) pure: bool,
}

impl Default for Span {
    fn default() -> Self {
        Self { start: 0, end: 0, pure: true }
    }
}

impl Span {
    pub(crate) fn note(&mut self, start: usize, end: usize) {
        if self.end == 0 {
            self.start = start;
        } else {
            self.pure &= self.end == start;
        }
        self.end = end;
    }
}

/// Writing properties without the block's length.
pub(crate) trait Write {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError>;
}

pub(crate) fn measure(properties: &impl Write) -> Result<usize, EncodeError> {
    let mut measure = Measure::default();
    properties.write(&mut measure)?;
    Ok(measure.bytes)
}

/// Writes a block: its length, then its properties.
pub(crate) fn put_block<S: Sink>(sink: &mut S, properties: &impl Write) -> Result<(), EncodeError> {
    put_variable(sink, measure(properties)?)?;
    properties.write(sink)
}

/// Writes the properties that are given, each identifier before its value.
pub(crate) struct Writer<'s, S>(pub(crate) &'s mut S);

impl<S: Sink> Writer<'_, S> {
    pub(crate) fn u8(&mut self, id: u8, value: Option<u8>) {
        if let Some(value) = value {
            self.0.put(&[id, value]);
        }
    }

    pub(crate) fn u16(&mut self, id: u8, value: Option<u16>) {
        if let Some(value) = value {
            let [a, b] = value.to_be_bytes();
            self.0.put(&[id, a, b]);
        }
    }

    pub(crate) fn u32(&mut self, id: u8, value: Option<u32>) {
        if let Some(value) = value {
            let [a, b, c, d] = value.to_be_bytes();
            self.0.put(&[id, a, b, c, d]);
        }
    }

    /// A yes or no that is left out when it is what its absence means.
    pub(crate) fn flag(&mut self, id: u8, value: bool, absent: bool) {
        if value != absent {
            self.0.put(&[id, u8::from(value)]);
        }
    }

    pub(crate) fn text(&mut self, id: u8, value: Option<&str>) -> Result<(), EncodeError> {
        let Some(value) = value else { return Ok(()) };
        self.0.put(&[id]);
        put_text(self.0, value)
    }

    pub(crate) fn binary(&mut self, id: u8, value: Option<&[u8]>) -> Result<(), EncodeError> {
        let Some(value) = value else { return Ok(()) };
        self.0.put(&[id]);
        put_binary(self.0, value)
    }
}
