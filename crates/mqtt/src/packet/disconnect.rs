//! DISCONNECT and AUTH. Spec: 3.14, 3.15.

use super::ack::{check_reason_code, put_reason, read_reason_code};
use crate::properties::{Block, Property, Write, Writer, id, put_block, set};
use crate::wire::{Body, Reader, Sink, put_packet};
use crate::{DecodeError, EncodeError, PacketType, Peer, ReasonCode, ReasonProperties, SessionExpiry, Version};

/// The last packet of a connection. 3.1.1 clients send it without any field; its servers never do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disconnect<'a> {
    /// Why; success is a normal disconnection.
    pub reason_code: ReasonCode,
    /// A new expiry for the session; from clients only.
    pub session_expiry: Option<SessionExpiry>,
    /// Another server to use; from servers only.
    pub server_reference: Option<&'a str>,
    /// Reason string and user properties.
    pub properties: ReasonProperties<'a>,
}

impl<'a> Disconnect<'a> {
    /// A DISCONNECT without properties.
    pub fn new(reason_code: ReasonCode) -> Self {
        Self { reason_code, session_expiry: None, server_reference: None, properties: ReasonProperties::default() }
    }

    /// 5.0 leaves out the reason code when it is 0 and nothing follows, and the property length when it is 0.
    pub(super) fn read(mut body: Reader<'a>, version: Version, from: Peer) -> Result<Self, DecodeError> {
        let mut found = Self::new(ReasonCode::Success);
        if version == Version::V4 || body.is_empty() {
            return body.end().map(|()| found);
        }
        found.reason_code = read_reason_code(&mut body, PacketType::Disconnect, from)?;
        if !body.is_empty() {
            let block = Block::take(&mut body)?;
            found.properties.user_properties = block.read(|property| match property {
                Property::SessionExpiry(seconds) if from == Peer::Client => {
                    set(&mut found.session_expiry, SessionExpiry::from_seconds(seconds), id::SESSION_EXPIRY)
                }
                Property::ServerReference(text) if from == Peer::Server => {
                    set(&mut found.server_reference, text, id::SERVER_REFERENCE)
                }
                property => found.properties.accept(property),
            })?;
        }
        body.end()?;
        Ok(found)
    }

    /// Appends the packet in the form of `version`; in 3.1.1 it has no field.
    ///
    /// # Errors
    /// As [`crate::Packet::encode`].
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let first_byte = PacketType::Disconnect.first_byte();
        let plain = *self == Self::new(ReasonCode::Success);
        if plain || version == Version::V4 {
            out.extend_from_slice(&[first_byte, 0]);
            return Ok(());
        }
        check_reason_code(self.reason_code, PacketType::Disconnect)?;
        if self.session_expiry.is_some() && self.server_reference.is_some() {
            return Err(EncodeError::Inconsistent("a client sends an expiry, a server a reference, nobody both"));
        }
        put_packet(first_byte, self, out)
    }
}

impl Body for Disconnect<'_> {
    fn put<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        if self.session_expiry.is_none() && self.server_reference.is_none() {
            return put_reason(sink, self.reason_code, &self.properties);
        }
        sink.put(&[self.reason_code.byte()]);
        put_block(sink, self)
    }
}

impl Write for Disconnect<'_> {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        let mut writer = Writer(sink);
        writer.u32(id::SESSION_EXPIRY, self.session_expiry.map(SessionExpiry::seconds));
        writer.text(id::SERVER_REFERENCE, self.server_reference)?;
        self.properties.write(sink)
    }
}

/// A step of extended authentication; 5.0 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Auth<'a> {
    /// Success (from servers), another step, or a new start (from clients).
    pub reason_code: ReasonCode,
    /// The method; only the packet that says nothing but success may lack it.
    pub authentication_method: Option<&'a str>,
    /// The method's data.
    pub authentication_data: Option<&'a [u8]>,
    /// Reason string and user properties.
    pub properties: ReasonProperties<'a>,
}

impl<'a> Auth<'a> {
    /// A step of `method` with its data.
    pub fn new(reason_code: ReasonCode, method: &'a str, data: &'a [u8]) -> Self {
        Self {
            reason_code,
            authentication_method: Some(method),
            authentication_data: Some(data),
            properties: ReasonProperties::default(),
        }
    }

    const SUCCESS: Self = Self {
        reason_code: ReasonCode::Success,
        authentication_method: None,
        authentication_data: None,
        properties: ReasonProperties::NONE,
    };

    /// Reason code and properties are left out together, when the code is success.
    pub(super) fn read(mut body: Reader<'a>, from: Peer) -> Result<Self, DecodeError> {
        if body.is_empty() {
            return match from {
                Peer::Server => Ok(Self::SUCCESS),
                Peer::Client => Err(DecodeError::ReasonCodeNotAllowed(ReasonCode::Success)),
            };
        }
        let reason_code = read_reason_code(&mut body, PacketType::Auth, from)?;
        let mut found = Self { reason_code, ..Self::SUCCESS };
        let block = Block::take(&mut body)?;
        found.properties.user_properties = block.read(|property| match property {
            Property::AuthenticationMethod(text) => {
                set(&mut found.authentication_method, text, id::AUTHENTICATION_METHOD)
            }
            Property::AuthenticationData(bytes) => set(&mut found.authentication_data, bytes, id::AUTHENTICATION_DATA),
            property => found.properties.accept(property),
        })?;
        body.end()?;
        match found.authentication_method {
            Some(_) => Ok(found),
            None => Err(DecodeError::NoAuthenticationMethod),
        }
    }

    /// Appends the packet.
    ///
    /// # Errors
    /// As [`crate::Packet::encode`]; always in 3.1.1.
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if version == Version::V4 {
            return Err(EncodeError::NotInVersion { version, what: "AUTH" });
        }
        check_reason_code(self.reason_code, PacketType::Auth)?;
        let first_byte = PacketType::Auth.first_byte();
        if *self == Self::SUCCESS {
            out.extend_from_slice(&[first_byte, 0]);
            return Ok(());
        }
        if self.authentication_method.is_none() {
            return Err(EncodeError::Inconsistent("AUTH needs an authentication method"));
        }
        put_packet(first_byte, self, out)
    }
}

impl Body for Auth<'_> {
    fn put<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        sink.put(&[self.reason_code.byte()]);
        put_block(sink, self)
    }
}

impl Write for Auth<'_> {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        let mut writer = Writer(sink);
        writer.text(id::AUTHENTICATION_METHOD, self.authentication_method)?;
        writer.binary(id::AUTHENTICATION_DATA, self.authentication_data)?;
        self.properties.write(sink)
    }
}
