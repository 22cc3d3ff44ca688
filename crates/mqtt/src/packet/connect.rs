//! CONNECT. Spec: 3.1.

use super::whole;
use crate::frame::check_first_byte;
use crate::properties::{Block, Property, Write, Writer, id, put_block, set};
use crate::wire::{Body, Reader, Sink, put_binary, put_packet, put_text};
use crate::{
    DecodeError, EncodeError, MessageProperties, PacketType, QoS, SessionExpiry, UserProperties, Version, topic,
};
use std::num::{NonZeroU16, NonZeroU32};

const USER_NAME: u8 = 0b1000_0000;
const PASSWORD: u8 = 0b0100_0000;
const WILL_RETAIN: u8 = 0b0010_0000;
const WILL_QOS: u8 = 0b0001_1000;
const WILL: u8 = 0b0000_0100;
const CLEAN_START: u8 = 0b0000_0010;
const RESERVED: u8 = 0b0000_0001;

/// A client opens its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The version that the connection speaks from now on.
    pub version: Version,
    /// Whether an earlier session is discarded.
    pub clean_start: bool,
    /// How long the session outlives the connection.
    pub session_expiry: SessionExpiry,
    /// The longest pause between two packets of the client; 0 for no limit.
    pub keep_alive_seconds: u16,
    /// The client's name; empty when the server is to assign one. Whether that is allowed (3.1.1 wants a clean session
    /// with it: [MQTT-3.1.3-8]) is the server's decision.
    pub client_id: &'a str,
    /// What the server publishes when the connection ends without DISCONNECT.
    pub will: Option<Will<'a>>,
    /// The user name.
    pub user_name: Option<&'a str>,
    /// The password; any bytes.
    pub password: Option<&'a [u8]>,
    /// What 5.0 adds; 3.1.1 has the defaults.
    pub properties: ConnectProperties<'a>,
}

/// The properties of CONNECT. Spec: 3.1.2.11 (5.0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectProperties<'a> {
    /// How many QoS 1 and 2 messages the client takes unacknowledged; 65 535 when it does not say.
    pub receive_maximum: NonZeroU16,
    /// The longest packet that the client takes, in bytes; `None` is no limit.
    pub maximum_packet_size: Option<NonZeroU32>,
    /// The highest topic alias that the client takes; 0 is none.
    pub topic_alias_maximum: u16,
    /// Whether the client asks for Response Information in CONNACK.
    pub request_response_information: bool,
    /// Whether the client wants reason strings and user properties with failures; yes when it does not say.
    pub request_problem_information: bool,
    /// The application's own pairs.
    pub user_properties: UserProperties<'a>,
    /// The name of the extended authentication method.
    pub authentication_method: Option<&'a str>,
    /// Its data; never without a method.
    pub authentication_data: Option<&'a [u8]>,
}

/// The message that a server publishes for a client that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will<'a> {
    /// Its quality of service.
    pub qos: QoS,
    /// Whether it is retained.
    pub retain: bool,
    /// Seconds between the end of the connection and its publication; 0 in 3.1.1.
    pub delay_seconds: u32,
    /// Where it is published to.
    pub topic_name: &'a str,
    /// What 5.0 may add to the message.
    pub properties: MessageProperties<'a>,
    /// The payload.
    pub payload: &'a [u8],
}

impl<'a> Connect<'a> {
    /// A clean session without will, user name, keep-alive limit or properties.
    pub fn new(version: Version, client_id: &'a str) -> Self {
        Self {
            version,
            clean_start: true,
            session_expiry: SessionExpiry::AT_DISCONNECT,
            keep_alive_seconds: 0,
            client_id,
            will: None,
            user_name: None,
            password: None,
            properties: ConnectProperties::default(),
        }
    }

    /// Appends the packet in the form of its version.
    ///
    /// # Errors
    /// As [`crate::Packet::encode`]. In 3.1.1 `clean_start` and `session_expiry` must say one thing: true and at
    /// disconnect, or false and never.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.properties.authentication_data.is_some() && self.properties.authentication_method.is_none() {
            return Err(EncodeError::Inconsistent("authentication data needs a method"));
        }
        if let Some(will) = &self.will
            && (will.topic_name.is_empty() || topic::has_reserved(will.topic_name.as_bytes()))
        {
            return Err(EncodeError::TopicName);
        }
        if self.version == Version::V4 {
            let expiry = if self.clean_start { SessionExpiry::AT_DISCONNECT } else { SessionExpiry::NEVER };
            if self.session_expiry != expiry {
                return Err(EncodeError::NotInVersion { version: Version::V4, what: "session expiry" });
            }
            if self.password.is_some() && self.user_name.is_none() {
                return Err(EncodeError::Inconsistent("3.1.1 has no password without a user name"));
            }
        }
        put_packet(PacketType::Connect.first_byte(), self, out)
    }

    fn flags(&self) -> u8 {
        let will = self.will.as_ref().map_or(0, |will| {
            WILL | will.qos.bits() << WILL_QOS.trailing_zeros() | if will.retain { WILL_RETAIN } else { 0 }
        });
        will | if self.clean_start { CLEAN_START } else { 0 }
            | if self.user_name.is_some() { USER_NAME } else { 0 }
            | if self.password.is_some() { PASSWORD } else { 0 }
    }
}

impl Default for ConnectProperties<'_> {
    fn default() -> Self {
        Self {
            receive_maximum: NonZeroU16::MAX,
            maximum_packet_size: None,
            topic_alias_maximum: 0,
            request_response_information: false,
            request_problem_information: true,
            user_properties: UserProperties::default(),
            authentication_method: None,
            authentication_data: None,
        }
    }
}

/// Which version a CONNECT, whole or cut short, asks to be answered in; `None` when it is not MQTT's CONNECT.
///
/// For the CONNACK that explains why [`decode_connect`] refused: levels above 5 are answered in 5.0, those below 4 (MQTT
/// 3.1 among them) in 3.1.1, where the answer is return code 1.
pub fn announced_version(packet: &[u8]) -> Option<Version> {
    let (&first_byte, rest) = packet.split_first()?;
    if check_first_byte(first_byte).ok()? != PacketType::Connect {
        return None;
    }
    let crate::wire::Variable::Whole { bytes, .. } = crate::wire::variable(rest) else { return None };
    match read_protocol(&mut Reader::new(&rest[bytes..])) {
        Ok(version) => Some(version),
        Err(DecodeError::UnsupportedVersion { level }) if level > Version::V5.level() => Some(Version::V5),
        Err(DecodeError::UnsupportedVersion { .. }) => Some(Version::V4),
        Err(_) => None,
    }
}

/// Reads the first packet of a connection, which tells its own version.
///
/// # Errors
/// [`DecodeError::UnexpectedPacket`] for another packet, [`DecodeError::UnsupportedVersion`] for another version of MQTT
/// (3.1 with its name `MQIsdp` included), [`DecodeError::ProtocolName`] for another protocol, and what is malformed.
/// [`announced_version`] says in which form to answer.
pub fn decode_connect(packet: &[u8]) -> Result<Connect<'_>, DecodeError> {
    let header = whole(packet, Version::V4)?.header;
    if header.packet_type != PacketType::Connect {
        return Err(DecodeError::UnexpectedPacket(header.packet_type));
    }
    let mut body = Reader::new(&packet[header.length.header_bytes..]);
    let version = read_protocol(&mut body)?;
    header.check(version)?;
    let flags = body.u8()?;
    check_flags(flags, version)?;
    let keep_alive_seconds = body.u16()?;
    let clean_start = flags & CLEAN_START != 0;
    let (session_expiry, properties) = match version {
        Version::V4 => {
            let expiry = if clean_start { SessionExpiry::AT_DISCONNECT } else { SessionExpiry::NEVER };
            (expiry, ConnectProperties::default())
        }
        Version::V5 => read_properties(&mut body)?,
    };
    let client_id = body.text()?;
    let will = if flags & WILL != 0 { Some(Will::read(flags, &mut body, version)?) } else { None };
    let user_name = if flags & USER_NAME != 0 { Some(body.text()?) } else { None };
    let password = if flags & PASSWORD != 0 { Some(body.binary()?) } else { None };
    body.end()?;
    Ok(Connect {
        version,
        clean_start,
        session_expiry,
        keep_alive_seconds,
        client_id,
        will,
        user_name,
        password,
        properties,
    })
}

/// Protocol name and level. Spec: [MQTT-3.1.2-1], [MQTT-3.1.2-2].
fn read_protocol(body: &mut Reader<'_>) -> Result<Version, DecodeError> {
    let name = body.binary()?;
    if name != b"MQTT" && name != b"MQIsdp" {
        return Err(DecodeError::ProtocolName);
    }
    match (name, body.u8()?) {
        (b"MQTT", 4) => Ok(Version::V4),
        (b"MQTT", 5) => Ok(Version::V5),
        (_, level) => Err(DecodeError::UnsupportedVersion { level }),
    }
}

fn check_flags(flags: u8, version: Version) -> Result<(), DecodeError> {
    if flags & RESERVED != 0 {
        return Err(DecodeError::ConnectFlags);
    }
    let will_flags = flags & (WILL_QOS | WILL_RETAIN);
    if (flags & WILL == 0 && will_flags != 0) || flags & WILL_QOS == WILL_QOS {
        return Err(DecodeError::WillFlags);
    }
    if version == Version::V4 && flags & PASSWORD != 0 && flags & USER_NAME == 0 {
        return Err(DecodeError::PasswordWithoutUserName);
    }
    Ok(())
}

fn read_properties<'a>(body: &mut Reader<'a>) -> Result<(SessionExpiry, ConnectProperties<'a>), DecodeError> {
    let (mut expiry, mut receive_maximum, mut maximum_packet_size, mut alias_maximum) = (None, None, None, None);
    let (mut response_information, mut problem_information, mut method, mut data) = (None, None, None, None);
    let user_properties = Block::take(body)?.read(|property| match property {
        Property::SessionExpiry(seconds) => set(&mut expiry, seconds, id::SESSION_EXPIRY),
        Property::ReceiveMaximum(n) => set(&mut receive_maximum, n, id::RECEIVE_MAXIMUM),
        Property::MaximumPacketSize(bytes) => set(&mut maximum_packet_size, bytes, id::MAXIMUM_PACKET_SIZE),
        Property::TopicAliasMaximum(n) => set(&mut alias_maximum, n, id::TOPIC_ALIAS_MAXIMUM),
        Property::RequestResponseInformation(yes) => {
            set(&mut response_information, yes, id::REQUEST_RESPONSE_INFORMATION)
        }
        Property::RequestProblemInformation(yes) => set(&mut problem_information, yes, id::REQUEST_PROBLEM_INFORMATION),
        Property::AuthenticationMethod(text) => set(&mut method, text, id::AUTHENTICATION_METHOD),
        Property::AuthenticationData(bytes) => set(&mut data, bytes, id::AUTHENTICATION_DATA),
        other => Err(DecodeError::PropertyNotAllowed(other.id())),
    })?;
    if data.is_some() && method.is_none() {
        return Err(DecodeError::AuthenticationDataWithoutMethod);
    }
    let properties = ConnectProperties {
        receive_maximum: receive_maximum.unwrap_or(NonZeroU16::MAX),
        maximum_packet_size,
        topic_alias_maximum: alias_maximum.unwrap_or(0),
        request_response_information: response_information.unwrap_or(false),
        request_problem_information: problem_information.unwrap_or(true),
        user_properties,
        authentication_method: method,
        authentication_data: data,
    };
    Ok((SessionExpiry::from_seconds(expiry.unwrap_or(0)), properties))
}

impl<'a> Will<'a> {
    fn read(flags: u8, body: &mut Reader<'a>, version: Version) -> Result<Self, DecodeError> {
        let qos = QoS::from_bits((flags & WILL_QOS) >> WILL_QOS.trailing_zeros()).ok_or(DecodeError::WillFlags)?;
        let (mut delay, mut properties) = (None, MessageProperties::default());
        if version == Version::V5 {
            properties.user_properties = Block::take(body)?.read(|property| match property {
                Property::WillDelay(seconds) => set(&mut delay, seconds, id::WILL_DELAY),
                property => properties.accept(property),
            })?;
        }
        let topic_name = match body.topic(DecodeError::TopicName)? {
            "" => return Err(DecodeError::TopicName),
            name => name,
        };
        let payload = body.binary()?;
        let retain = flags & WILL_RETAIN != 0;
        Ok(Self { qos, retain, delay_seconds: delay.unwrap_or(0), topic_name, properties, payload })
    }
}

impl Body for Connect<'_> {
    fn put<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        put_text(sink, "MQTT")?;
        sink.put(&[self.version.level(), self.flags()]);
        sink.put(&self.keep_alive_seconds.to_be_bytes());
        if self.version == Version::V5 {
            put_block(sink, &(self.session_expiry, &self.properties))?;
        }
        put_text(sink, self.client_id)?;
        if let Some(will) = &self.will {
            if self.version == Version::V5 {
                put_block(sink, will)?;
            }
            put_text(sink, will.topic_name)?;
            put_binary(sink, will.payload)?;
        }
        if let Some(user_name) = self.user_name {
            put_text(sink, user_name)?;
        }
        if let Some(password) = self.password {
            put_binary(sink, password)?;
        }
        Ok(())
    }
}

impl Write for (SessionExpiry, &ConnectProperties<'_>) {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        let (expiry, properties) = self;
        let mut writer = Writer(sink);
        let unless = |value: u32, absent: u32| (value != absent).then_some(value);
        writer.u32(id::SESSION_EXPIRY, unless(expiry.seconds(), 0));
        writer.u16(
            id::RECEIVE_MAXIMUM,
            (properties.receive_maximum != NonZeroU16::MAX).then_some(properties.receive_maximum.get()),
        );
        writer.u32(id::MAXIMUM_PACKET_SIZE, properties.maximum_packet_size.map(NonZeroU32::get));
        writer.u16(
            id::TOPIC_ALIAS_MAXIMUM,
            (properties.topic_alias_maximum != 0).then_some(properties.topic_alias_maximum),
        );
        writer.flag(id::REQUEST_RESPONSE_INFORMATION, properties.request_response_information, false);
        writer.flag(id::REQUEST_PROBLEM_INFORMATION, properties.request_problem_information, true);
        writer.text(id::AUTHENTICATION_METHOD, properties.authentication_method)?;
        writer.binary(id::AUTHENTICATION_DATA, properties.authentication_data)?;
        properties.user_properties.write(sink)
    }
}

impl Write for Will<'_> {
    fn write<S: Sink>(&self, sink: &mut S) -> Result<(), EncodeError> {
        Writer(sink).u32(id::WILL_DELAY, (self.delay_seconds != 0).then_some(self.delay_seconds));
        self.properties.write(sink)
    }
}
