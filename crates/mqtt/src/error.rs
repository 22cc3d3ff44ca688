//! Why bytes are not a packet, and why a packet cannot become bytes.

use crate::{PacketType, ReasonCode, Version};

/// Why bytes are not the packet they should be. Each means that the connection ends; [`DecodeError::reason_code`] says
/// with which code a 5.0 peer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The packet is longer than the receiver takes; known from its fixed header.
    #[error("a packet of {packet_bytes} bytes is larger than accepted")]
    PacketTooLarge {
        /// The whole packet's length as announced.
        packet_bytes: usize,
    },
    /// The remaining length runs over four bytes. Spec: 2.1.4 (5.0), 2.2.3 (3.1.1).
    #[error("the remaining length is not a variable byte integer")]
    RemainingLength,
    /// Packet type 0, which is forbidden.
    #[error("packet type 0 is forbidden")]
    PacketType,
    /// Reserved flags in the first byte. Spec: [MQTT-2.1.3-1] (5.0), [MQTT-2.2.2-2] (3.1.1).
    #[error("reserved flags of the fixed header are set")]
    HeaderFlags,
    /// A packet that this peer never sends, or not in this version.
    #[error("unexpected {0:?} packet")]
    UnexpectedPacket(PacketType),
    /// The packet ends inside a field.
    #[error("the packet ends inside a field")]
    Truncated,
    /// Bytes are left after the last field.
    #[error("bytes are left over after the last field")]
    TrailingBytes,
    /// A string is not well-formed UTF-8 or contains U+0000.
    /// Spec: [MQTT-1.5.4-1], [MQTT-1.5.4-2] (5.0), [MQTT-1.5.3-1], [MQTT-1.5.3-2] (3.1.1).
    #[error("a string is not well-formed UTF-8, or contains U+0000")]
    Text,
    /// A variable byte integer is too long or not in its shortest form. Spec: [MQTT-1.5.5-1] (5.0).
    #[error("a variable byte integer is too long or not in its shortest form")]
    VariableByteInteger,
    /// QoS 3. Spec: [MQTT-3.3.1-4].
    #[error("QoS 3 does not exist")]
    QoS,
    /// DUP on a QoS 0 message. Spec: [MQTT-3.3.1-2].
    #[error("a QoS 0 message is marked as duplicate")]
    DupWithQoS0,
    /// Packet identifier 0. Spec: [MQTT-2.2.1-3], [MQTT-2.2.1-4] (5.0), [MQTT-2.3.1-1] (3.1.1).
    #[error("packet identifier 0 is forbidden")]
    PacketId,
    /// The protocol name is none of MQTT's. Spec: [MQTT-3.1.2-1].
    #[error("not an MQTT protocol name")]
    ProtocolName,
    /// An MQTT version other than 3.1.1 and 5.0. Spec: [MQTT-3.1.2-2].
    #[error("protocol level {level} is not supported")]
    UnsupportedVersion {
        /// The level asked for; MQTT 3.1 (`MQIsdp`) is 3.
        level: u8,
    },
    /// The reserved bit of the connect flags is set. Spec: [MQTT-3.1.2-3].
    #[error("the reserved connect flag is set")]
    ConnectFlags,
    /// Will QoS or Will Retain without a will, or Will QoS 3.
    /// Spec: [MQTT-3.1.2-11] to [MQTT-3.1.2-13] (5.0), [MQTT-3.1.2-13] to [MQTT-3.1.2-15] (3.1.1).
    #[error("the will flags contradict each other")]
    WillFlags,
    /// A password without a user name, in 3.1.1. Spec: [MQTT-3.1.2-22] (3.1.1).
    #[error("a password without a user name")]
    PasswordWithoutUserName,
    /// Session present beside a refusal, or reserved acknowledge flags. Spec: [MQTT-3.2.2-1], [MQTT-3.2.2-6] (5.0).
    #[error("the acknowledge flags of CONNACK are wrong")]
    AcknowledgeFlags,
    /// A reason or return code that does not exist, or not in this packet.
    #[error("reason code {0:#04x} has no meaning")]
    UnknownReasonCode(u8),
    /// A reason code that this packet, from this peer, may not carry.
    #[error("reason code {0:?} has no place in this packet")]
    ReasonCodeNotAllowed(ReasonCode),
    /// The property block is longer than the packet, or a property longer than the block.
    #[error("the property length is wrong")]
    PropertyLength,
    /// A property identifier that does not exist. Spec: 2.2.2.2 (5.0).
    #[error("property {0:#04x} does not exist")]
    UnknownProperty(u8),
    /// A property that this packet may not carry, or not from this peer. Spec: 2.2.2.2 (5.0).
    #[error("property {0:#04x} has no place in this packet")]
    PropertyNotAllowed(u8),
    /// A property twice that may stand once.
    #[error("property {0:#04x} is repeated")]
    PropertyRepeated(u8),
    /// A value that the property may not have: 2 for a yes or no, 0 for a maximum that may not be 0.
    #[error("property {0:#04x} has a forbidden value")]
    PropertyValue(u8),
    /// A subscription identifier from a client. Spec: [MQTT-3.3.4-6] (5.0).
    #[error("a client may not send a subscription identifier with a message")]
    SubscriptionIdentifierFromClient,
    /// Topic alias 0. Spec: [MQTT-3.3.2-8] (5.0).
    #[error("topic alias 0 is forbidden")]
    TopicAlias,
    /// A topic name that is empty or contains wildcards.
    /// Spec: [MQTT-3.3.2-2], [MQTT-4.7.3-1], [MQTT-4.7.0-1] (5.0), [MQTT-4.7.1-1] (3.1.1).
    #[error("a topic name is empty or contains a wildcard")]
    TopicName,
    /// No topic name and no topic alias. Spec: 3.3.2.1 (5.0).
    #[error("a message without topic name and topic alias")]
    NoTopic,
    /// A response topic that is empty or contains wildcards. Spec: [MQTT-3.3.2-14] (5.0).
    #[error("the response topic is empty or contains a wildcard")]
    ResponseTopic,
    /// A topic filter that breaks the rules of wildcards or of `$share`.
    /// Spec: [MQTT-4.7.1-1], [MQTT-4.7.1-2], [MQTT-4.7.3-1], [MQTT-4.8.2-1], [MQTT-4.8.2-2] (5.0).
    #[error("a topic filter is ill-formed")]
    TopicFilter,
    /// Reserved bits of the subscription options are set. Spec: [MQTT-3.8.3-5] (5.0), [MQTT-3.8.3-4] (3.1.1).
    #[error("reserved subscription options are set")]
    SubscriptionOptions,
    /// QoS 3 in the subscription options of 5.0; in 3.1.1 a reserved bit. Spec: 3.8.3.1 (5.0).
    #[error("a subscription asks for QoS 3")]
    SubscriptionQoS,
    /// Retain Handling 3. Spec: 3.8.3.1 (5.0).
    #[error("retain handling 3 does not exist")]
    RetainHandling,
    /// No Local on a shared subscription. Spec: [MQTT-3.8.3-4] (5.0).
    #[error("No Local on a shared subscription")]
    NoLocalOnShared,
    /// SUBSCRIBE, UNSUBSCRIBE or their answer without an entry.
    /// Spec: [MQTT-3.8.3-2], [MQTT-3.10.3-2] (5.0), [MQTT-3.8.3-3], [MQTT-3.10.3-2] (3.1.1).
    #[error("the packet has no entry")]
    NoEntries,
    /// Authentication data without authentication method. Spec: 3.1.2.11.10 (5.0).
    #[error("authentication data without a method")]
    AuthenticationDataWithoutMethod,
    /// AUTH without authentication method. Spec: 3.15.2.2.2 (5.0).
    #[error("AUTH without an authentication method")]
    NoAuthenticationMethod,
}

impl DecodeError {
    /// The code for CONNACK or DISCONNECT to a 5.0 peer. Spec: 4.13 (5.0).
    pub fn reason_code(&self) -> ReasonCode {
        use DecodeError::*;
        match self {
            PacketTooLarge { .. } => ReasonCode::PacketTooLarge,
            ProtocolName | UnsupportedVersion { .. } => ReasonCode::UnsupportedProtocolVersion,
            TopicAlias => ReasonCode::TopicAliasInvalid,
            UnexpectedPacket(_)
            | PacketId
            | AcknowledgeFlags
            | ReasonCodeNotAllowed(_)
            | PropertyRepeated(_)
            | PropertyValue(_)
            | SubscriptionIdentifierFromClient
            | NoTopic
            | ResponseTopic
            | SubscriptionQoS
            | RetainHandling
            | NoLocalOnShared
            | NoEntries
            | AuthenticationDataWithoutMethod
            | NoAuthenticationMethod => ReasonCode::ProtocolError,
            RemainingLength
            | PacketType
            | HeaderFlags
            | Truncated
            | TrailingBytes
            | Text
            | VariableByteInteger
            | QoS
            | DupWithQoS0
            | ConnectFlags
            | WillFlags
            | PasswordWithoutUserName
            | UnknownReasonCode(_)
            | PropertyLength
            | UnknownProperty(_)
            | PropertyNotAllowed(_)
            | TopicName
            | TopicFilter
            | SubscriptionOptions => ReasonCode::MalformedPacket,
        }
    }
}

/// Why a packet cannot be written: a reader would refuse it. Nothing has been appended then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A string or binary field of more than 65 535 bytes.
    #[error("a field of {bytes} bytes is longer than 65535")]
    FieldTooLong {
        /// Its length.
        bytes: usize,
    },
    /// More than 268 435 455 bytes after the fixed header, or in a property block.
    #[error("a packet of {bytes} bytes is longer than MQTT allows")]
    PacketTooLarge {
        /// The length that does not fit.
        bytes: usize,
    },
    /// A string contains U+0000.
    #[error("a string contains U+0000")]
    Text,
    /// An empty topic name (without alias), or one with wildcards.
    #[error("a topic name is empty or contains a wildcard")]
    TopicName,
    /// An ill-formed topic filter.
    #[error("a topic filter is ill-formed")]
    TopicFilter,
    /// A packet identifier with QoS 0, or none with QoS 1 or 2.
    #[error("a message has a packet identifier exactly when its QoS is not 0")]
    PacketId,
    /// Fields that exclude each other, or lack each other.
    #[error("{0}")]
    Inconsistent(&'static str),
    /// A reason code that has no place in this packet.
    #[error("reason code {0:?} has no place in this packet")]
    ReasonCode(ReasonCode),
    /// The version has no such packet or no way to say it.
    #[error("{version:?} has no {what}")]
    NotInVersion {
        /// The version asked for.
        version: Version,
        /// What it lacks.
        what: &'static str,
    },
}
