//! The small words of the protocol: version, sender, packet type, quality of service.

/// A protocol version, as its CONNECT announces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// MQTT 3.1.1, protocol level 4.
    V4,
    /// MQTT 5.0, protocol level 5.
    V5,
}

impl Version {
    /// The protocol level byte of CONNECT. Spec: 3.1.2.2 (3.1.1), 3.1.2.2 (5.0).
    pub fn level(self) -> u8 {
        match self {
            Self::V4 => 4,
            Self::V5 => 5,
        }
    }
}

/// Who sent a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// The side that opened the connection.
    Client,
    /// The broker's side.
    Server,
}

/// Quality of service: how often a message may arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum QoS {
    /// QoS 0.
    #[default]
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce,
    /// QoS 2.
    ExactlyOnce,
}

impl QoS {
    /// The quality of service of a two-bit field; `None` for 3 and above.
    pub fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// The two-bit field: 0, 1 or 2.
    pub fn bits(self) -> u8 {
        self as u8
    }
}

/// The fifteen MQTT control packets. Spec: 2.1.2 (5.0), 2.2.1 (3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PacketType {
    /// The first packet of a client.
    Connect = 1,
    /// The answer to CONNECT.
    ConnAck = 2,
    /// An application message.
    Publish = 3,
    /// Receipt of a QoS 1 message.
    PubAck = 4,
    /// Receipt of a QoS 2 message.
    PubRec = 5,
    /// Release of a QoS 2 message.
    PubRel = 6,
    /// End of a QoS 2 exchange.
    PubComp = 7,
    /// A request for subscriptions.
    Subscribe = 8,
    /// The answer to SUBSCRIBE.
    SubAck = 9,
    /// A request to end subscriptions.
    Unsubscribe = 10,
    /// The answer to UNSUBSCRIBE.
    UnsubAck = 11,
    /// A sign of life.
    PingReq = 12,
    /// The answer to PINGREQ.
    PingResp = 13,
    /// The last packet of a connection.
    Disconnect = 14,
    /// A step of extended authentication; 5.0 only.
    Auth = 15,
}

impl PacketType {
    /// The type in the upper half of a packet's first byte; `None` for the forbidden 0.
    pub fn of(first_byte: u8) -> Option<Self> {
        Some(match first_byte >> 4 {
            1 => Self::Connect,
            2 => Self::ConnAck,
            3 => Self::Publish,
            4 => Self::PubAck,
            5 => Self::PubRec,
            6 => Self::PubRel,
            7 => Self::PubComp,
            8 => Self::Subscribe,
            9 => Self::SubAck,
            10 => Self::Unsubscribe,
            11 => Self::UnsubAck,
            12 => Self::PingReq,
            13 => Self::PingResp,
            14 => Self::Disconnect,
            15 => Self::Auth,
            _ => return None,
        })
    }

    /// Whether `from` may send this packet under `version`. Spec: 2.1.2, table 2-1 (5.0); 2.2.1, table 2.1 (3.1.1).
    pub fn may_come_from(self, from: Peer, version: Version) -> bool {
        use PacketType::*;
        match self {
            Connect | Subscribe | Unsubscribe | PingReq => from == Peer::Client,
            ConnAck | SubAck | UnsubAck | PingResp => from == Peer::Server,
            Publish | PubAck | PubRec | PubRel | PubComp => true,
            Disconnect => from == Peer::Client || version == Version::V5,
            Auth => version == Version::V5,
        }
    }

    /// The first byte of a packet whose flags are fixed (every one but PUBLISH). Spec: [MQTT-2.1.3-1] (5.0).
    pub(crate) fn first_byte(self) -> u8 {
        let flags = match self {
            Self::PubRel | Self::Subscribe | Self::Unsubscribe => 0b0010,
            _ => 0,
        };
        (self as u8) << 4 | flags
    }
}
