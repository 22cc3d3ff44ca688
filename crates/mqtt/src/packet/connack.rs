//! CONNACK. Spec: 3.2.

use super::ack::{check_reason_code, read_reason_code};
use crate::properties::{Block, Property, Write, Writer, id, put_block, set};
use crate::wire::{Body, Reader, Sink, put_packet};
use crate::{DecodeError, EncodeError, PacketType, Peer, QoS, ReasonCode, ReasonProperties, SessionExpiry, Version};
use std::num::{NonZeroU16, NonZeroU32};

/// The server's answer to CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnAck<'a> {
    /// Whether the server goes on with an earlier session; never with a failure.
    pub session_present: bool,
    /// Success, or why not. Not every code has a 3.1.1 return code: [`ReasonCode::connack_return_code`].
    pub reason_code: ReasonCode,
    /// What 5.0 adds.
    pub properties: ConnAckProperties<'a>,
}

/// The properties of CONNACK: what the server decides for the connection. Spec: 3.2.2.3 (5.0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnAckProperties<'a> {
    /// The expiry that the server uses, when it is not the client's.
    pub session_expiry: Option<SessionExpiry>,
    /// How many QoS 1 and 2 messages the server takes unacknowledged; 65 535 when it does not say.
    pub receive_maximum: NonZeroU16,
    /// The highest QoS that the server takes; QoS 2 when it does not say.
    pub maximum_qos: QoS,
    /// Whether the server retains messages; yes when it does not say.
    pub retain_available: bool,
    /// The longest packet that the server takes, in bytes; `None` is no limit.
    pub maximum_packet_size: Option<NonZeroU32>,
    /// The name that the server chose for a client without one.
    pub assigned_client_id: Option<&'a str>,
    /// The highest topic alias that the server takes; 0 is none.
    pub topic_alias_maximum: u16,
    /// Whether wildcards may be subscribed to; yes when it does not say.
    pub wildcard_subscription_available: bool,
    /// Whether subscription identifiers may be used; yes when it does not say.
    pub subscription_identifiers_available: bool,
    /// Whether shared subscriptions may be used; yes when it does not say.
    pub shared_subscription_available: bool,
    /// The keep-alive that the client must use instead of its own.
    pub server_keep_alive_seconds: Option<u16>,
    /// The basis of response topics.
    pub response_information: Option<&'a str>,
    /// Another server to use.
    pub server_reference: Option<&'a str>,
    /// The name of the extended authentication method.
    pub authentication_method: Option<&'a str>,
    /// Its data; never without a method.
    pub authentication_data: Option<&'a [u8]>,
    /// Reason string and user properties.
    pub reason: ReasonProperties<'a>,
}

impl<'a> ConnAck<'a> {
    /// An answer without properties.
    pub fn new(session_present: bool, reason_code: ReasonCode) -> Self {
        Self { session_present, reason_code, properties: ConnAckProperties::default() }
    }

    pub(super) fn read(mut body: Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let session_present = match body.u8()? {
            0 => false,
            1 => true,
            _ => return Err(DecodeError::AcknowledgeFlags),
        };
        let (reason_code, properties) = match version {
            Version::V4 => {
                let code = body.u8()?;
                let reason_code = ReasonCode::from_connack_return_code(code);
                (reason_code.ok_or(DecodeError::UnknownReasonCode(code))?, ConnAckProperties::default())
            }
            Version::V5 => {
                let reason_code = read_reason_code(&mut body, PacketType::ConnAck, Peer::Server)?;
                (reason_code, ConnAckProperties::read(Block::take(&mut body)?)?)
            }
        };
        body.end()?;
        if session_present && reason_code != ReasonCode::Success {
            return Err(DecodeError::AcknowledgeFlags);
        }
        Ok(Self { session_present, reason_code, properties })
    }

    /// Appends the packet in the form of `version`.
    ///
    /// # Errors
    /// As [`crate::Packet::encode`]; [`EncodeError::ReasonCode`] when 3.1.1 has no such return code: then the connection
    /// is closed without an answer ([MQTT-3.2.2-6], 3.1.1).
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.session_present && self.reason_code != ReasonCode::Success {
            return Err(EncodeError::Inconsistent("a refusal with a session present"));
        }
        let first_byte = PacketType::ConnAck.first_byte();
        match version {
            Version::V4 => {
                let code = self.reason_code.connack_return_code().ok_or(EncodeError::ReasonCode(self.reason_code))?;
                out.extend_from_slice(&[first_byte, 2, u8::from(self.session_present), code]);
                Ok(())
            }
            Version::V5 => {
                check_reason_code(self.reason_code, PacketType::ConnAck)?;
                if self.properties.authentication_data.is_some() && self.properties.authentication_method.is_none() {
                    return Err(EncodeError::Inconsistent("authentication data needs a method"));
                }
                put_packet(first_byte, self, out)
            }
        }
    }
}

impl Default for ConnAckProperties<'_> {
    fn default() -> Self {
        Self {
            session_expiry: None,
            receive_maximum: NonZeroU16::MAX,
            maximum_qos: QoS::ExactlyOnce,
            retain_available: true,
            maximum_packet_size: None,
            assigned_client_id: None,
            topic_alias_maximum: 0,
            wildcard_subscription_available: true,
            subscription_identifiers_available: true,
            shared_subscription_available: true,
            server_keep_alive_seconds: None,
            response_information: None,
            server_reference: None,
            authentication_method: None,
            authentication_data: None,
            reason: ReasonProperties::default(),
        }
    }
}

impl<'a> ConnAckProperties<'a> {
    fn read(block: Block<'a>) -> Result<Self, DecodeError> {
        let mut found = Self::default();
        let (mut receive_maximum, mut maximum_qos, mut alias_maximum, mut retain) = (None, None, None, None);
        let (mut wildcard, mut identifiers, mut shared) = (None, None, None);
        let user_properties = block.read(|property| match property {
            Property::SessionExpiry(seconds) => {
                set(&mut found.session_expiry, SessionExpiry::from_seconds(seconds), id::SESSION_EXPIRY)
            }
            Property::ReceiveMaximum(n) => set(&mut receive_maximum, n, id::RECEIVE_MAXIMUM),
            Property::MaximumQoS(qos) => set(&mut maximum_qos, qos, id::MAXIMUM_QOS),
            Property::RetainAvailable(yes) => set(&mut retain, yes, id::RETAIN_AVAILABLE),
            Property::MaximumPacketSize(bytes) => set(&mut found.maximum_packet_size, bytes, id::MAXIMUM_PACKET_SIZE),
            Property::AssignedClientId(text) => set(&mut found.assigned_client_id, text, id::ASSIGNED_CLIENT_ID),
            Property::TopicAliasMaximum(n) => set(&mut alias_maximum, n, id::TOPIC_ALIAS_MAXIMUM),
            Property::WildcardSubscriptionAvailable(yes) => {
                set(&mut wildcard, yes, id::WILDCARD_SUBSCRIPTION_AVAILABLE)
            }
            Property::SubscriptionIdentifiersAvailable(yes) => {
                set(&mut identifiers, yes, id::SUBSCRIPTION_IDENTIFIERS_AVAILABLE)
            }
            Property::SharedSubscriptionAvailable(yes) => set(&mut shared, yes, id::SHARED_SUBSCRIPTION_AVAILABLE),
            Property::ServerKeepAlive(n) => set(&mut found.server_keep_alive_seconds, n, id::SERVER_KEEP_ALIVE),
            Property::ResponseInformation(text) => set(&mut found.response_information, text, id::RESPONSE_INFORMATION),
            Property::ServerReference(text) => set(&mut found.server_reference, text, id::SERVER_REFERENCE),
            Property::AuthenticationMethod(text) => {
                set(&mut found.authentication_method, text, id::AUTHENTICATION_METHOD)
            }
            Property::AuthenticationData(bytes) => set(&mut found.authentication_data, bytes, id::AUTHENTICATION_DATA),
            property => found.reason.accept(property),
        })?;
        if found.authentication_data.is_some() && found.authentication_method.is_none() {
            return Err(DecodeError::AuthenticationDataWithoutMethod);
        }
        Ok(Self {
            receive_maximum: receive_maximum.unwrap_or(NonZeroU16::MAX),
            maximum_qos: maximum_qos.unwrap_or(QoS::ExactlyOnce),
            retain_available: retain.unwrap_or(true),
            topic_alias_maximum: alias_maximum.unwrap_or(0),
            wildcard_subscription_available: wildcard.unwrap_or(true),
            subscription_identifiers_available: identifiers.unwrap_or(true),
            shared_subscription_available: shared.unwrap_or(true),
            reason: ReasonProperties { user_properties, ..found.reason },
            ..found
        })
    }
}

impl Body for ConnAck<'_> {
    fn put<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        sink.put(&[u8::from(self.session_present), self.reason_code.byte()]);
        put_block(sink, &self.properties)
    }
}

impl Write for ConnAckProperties<'_> {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        let mut writer = Writer(sink);
        writer.u32(id::SESSION_EXPIRY, self.session_expiry.map(SessionExpiry::seconds));
        let receive_maximum = self.receive_maximum;
        writer.u16(id::RECEIVE_MAXIMUM, (receive_maximum != NonZeroU16::MAX).then_some(receive_maximum.get()));
        writer.u8(id::MAXIMUM_QOS, (self.maximum_qos != QoS::ExactlyOnce).then_some(self.maximum_qos.bits()));
        writer.flag(id::RETAIN_AVAILABLE, self.retain_available, true);
        writer.u32(id::MAXIMUM_PACKET_SIZE, self.maximum_packet_size.map(NonZeroU32::get));
        writer.text(id::ASSIGNED_CLIENT_ID, self.assigned_client_id)?;
        let alias_maximum = self.topic_alias_maximum;
        writer.u16(id::TOPIC_ALIAS_MAXIMUM, (alias_maximum != 0).then_some(alias_maximum));
        writer.flag(id::WILDCARD_SUBSCRIPTION_AVAILABLE, self.wildcard_subscription_available, true);
        writer.flag(id::SUBSCRIPTION_IDENTIFIERS_AVAILABLE, self.subscription_identifiers_available, true);
        writer.flag(id::SHARED_SUBSCRIPTION_AVAILABLE, self.shared_subscription_available, true);
        writer.u16(id::SERVER_KEEP_ALIVE, self.server_keep_alive_seconds);
        writer.text(id::RESPONSE_INFORMATION, self.response_information)?;
        writer.text(id::SERVER_REFERENCE, self.server_reference)?;
        writer.text(id::AUTHENTICATION_METHOD, self.authentication_method)?;
        writer.binary(id::AUTHENTICATION_DATA, self.authentication_data)?;
        self.reason.write(sink)
    }
}
