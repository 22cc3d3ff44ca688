//! The fifteen control packets, read from bytes and written to bytes.

mod ack;
mod connack;
mod connect;
mod disconnect;
mod publish;
mod suback;
mod subscribe;

pub use ack::Ack;
pub use connack::{ConnAck, ConnAckProperties};
pub use connect::{Connect, ConnectProperties, Will, announced_version, decode_connect};
pub use disconnect::{Auth, Disconnect};
pub use publish::Publish;
pub(crate) use publish::first_byte;
pub use suback::{ReasonCodes, SubAck, UnsubAck};
pub use subscribe::{
    RetainHandling, Subscribe, Subscription, SubscriptionOptions, Subscriptions, TopicFilters, Unsubscribe,
};

use crate::frame::{Frame, Header, header};
use crate::wire::Reader;
use crate::{DecodeError, EncodeError, PacketType, Peer, Version};
use std::cmp::Ordering;

/// One control packet. What it refers to are the bytes it was read from, or the caller's own.
///
/// The two that open a connection are boxed: they are large, and seldom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A client opens its session.
    Connect(Box<Connect<'a>>),
    /// The server's answer to it.
    ConnAck(Box<ConnAck<'a>>),
    /// An application message.
    Publish(Publish<'a>),
    /// Receipt of a QoS 1 message.
    PubAck(Ack<'a>),
    /// Receipt of a QoS 2 message.
    PubRec(Ack<'a>),
    /// Release of a QoS 2 message.
    PubRel(Ack<'a>),
    /// End of a QoS 2 exchange.
    PubComp(Ack<'a>),
    /// A request for subscriptions.
    Subscribe(Subscribe<'a>),
    /// The answer to SUBSCRIBE.
    SubAck(SubAck<'a>),
    /// A request to end subscriptions.
    Unsubscribe(Unsubscribe<'a>),
    /// The answer to UNSUBSCRIBE.
    UnsubAck(UnsubAck<'a>),
    /// A sign of life.
    PingReq,
    /// The answer to it.
    PingResp,
    /// The last packet of a connection.
    Disconnect(Disconnect<'a>),
    /// A step of extended authentication; 5.0 only.
    Auth(Auth<'a>),
}

/// Reads `packet`, exactly one whole packet sent by `from` on a connection of `version`.
///
/// A CONNECT must be of that version; read the first packet of a connection with [`decode_connect`], which learns the
/// version from it. Nothing is allocated but for CONNECT and CONNACK.
///
/// # Errors
/// Everything that the two specifications forbid in a single packet. What depends on a session (an alias above the
/// maximum, a packet identifier in use, a second CONNECT) is not known here.
pub fn decode(packet: &[u8], version: Version, from: Peer) -> Result<Packet<'_>, DecodeError> {
    Packet::read(whole(packet, version)?, version, from)
}

/// Exactly one packet, cut out already.
fn whole(packet: &[u8], version: Version) -> Result<Frame<'_>, DecodeError> {
    let header = header(packet, usize::MAX)?.ok_or(DecodeError::Truncated)?;
    header.check(version)?;
    match packet.len().cmp(&header.length.packet_bytes) {
        Ordering::Less => Err(DecodeError::Truncated),
        Ordering::Greater => Err(DecodeError::TrailingBytes),
        Ordering::Equal => Ok(Frame { bytes: packet, header }),
    }
}

impl<'a> Frame<'a> {
    /// As [`crate::decode`] of its bytes, whose header is not read again.
    ///
    /// # Errors
    /// Those of [`crate::decode`].
    pub fn decode(&self, version: Version, from: Peer) -> Result<Packet<'a>, DecodeError> {
        self.header.check(version)?;
        Packet::read(*self, version, from)
    }
}

impl<'a> Packet<'a> {
    /// Reads a packet whose header fits `version`.
    fn read(frame: Frame<'a>, version: Version, from: Peer) -> Result<Self, DecodeError> {
        let Frame { bytes, header: Header { packet_type, length, .. } } = frame;
        if !packet_type.may_come_from(from, version) {
            return Err(DecodeError::UnexpectedPacket(packet_type));
        }
        let body = Reader::new(&bytes[length.header_bytes..]);
        Ok(match packet_type {
            PacketType::Connect => match decode_connect(bytes)? {
                connect if connect.version == version => Self::Connect(Box::new(connect)),
                connect => return Err(DecodeError::UnsupportedVersion { level: connect.version.level() }),
            },
            PacketType::ConnAck => Self::ConnAck(Box::new(ConnAck::read(body, version)?)),
            PacketType::Publish => Self::Publish(Publish::read(bytes[0], body, version, from)?),
            PacketType::PubAck => Self::PubAck(Ack::read(packet_type, body, version, from)?),
            PacketType::PubRec => Self::PubRec(Ack::read(packet_type, body, version, from)?),
            PacketType::PubRel => Self::PubRel(Ack::read(packet_type, body, version, from)?),
            PacketType::PubComp => Self::PubComp(Ack::read(packet_type, body, version, from)?),
            PacketType::Subscribe => Self::Subscribe(Subscribe::read(body, version)?),
            PacketType::SubAck => Self::SubAck(SubAck::read(body, version)?),
            PacketType::Unsubscribe => Self::Unsubscribe(Unsubscribe::read(body, version)?),
            PacketType::UnsubAck => Self::UnsubAck(UnsubAck::read(body, version)?),
            PacketType::PingReq => body.end().map(|()| Self::PingReq)?,
            PacketType::PingResp => body.end().map(|()| Self::PingResp)?,
            PacketType::Disconnect => Self::Disconnect(Disconnect::read(body, version, from)?),
            PacketType::Auth => Self::Auth(Auth::read(body, from)?),
        })
    }
}

impl Packet<'_> {
    /// Which of the fifteen it is.
    pub fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::ConnAck(_) => PacketType::ConnAck,
            Self::Publish(_) => PacketType::Publish,
            Self::PubAck(_) => PacketType::PubAck,
            Self::PubRec(_) => PacketType::PubRec,
            Self::PubRel(_) => PacketType::PubRel,
            Self::PubComp(_) => PacketType::PubComp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::SubAck(_) => PacketType::SubAck,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::UnsubAck(_) => PacketType::UnsubAck,
            Self::PingReq => PacketType::PingReq,
            Self::PingResp => PacketType::PingResp,
            Self::Disconnect(_) => PacketType::Disconnect,
            Self::Auth(_) => PacketType::Auth,
        }
    }

    /// Appends the packet in the form of `version`. Properties that 3.1.1 has no field for are left out there; what would
    /// change its meaning is refused.
    ///
    /// # Errors
    /// What a reader would refuse: fields that are too long, contradict each other or do not exist in `version`. `out` is
    /// as before then.
    pub fn encode(&self, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Connect(connect) if connect.version != version => {
                Err(EncodeError::Inconsistent("CONNECT carries its own version"))
            }
            Self::Connect(connect) => connect.encode(out),
            Self::ConnAck(connack) => connack.encode(version, out),
            Self::Publish(publish) => publish.encode(version, out),
            Self::PubAck(ack) => ack.encode(PacketType::PubAck, version, out),
            Self::PubRec(ack) => ack.encode(PacketType::PubRec, version, out),
            Self::PubRel(ack) => ack.encode(PacketType::PubRel, version, out),
            Self::PubComp(ack) => ack.encode(PacketType::PubComp, version, out),
            Self::Subscribe(subscribe) => subscribe.encode(version, out),
            Self::SubAck(suback) => suback.encode(version, out),
            Self::Unsubscribe(unsubscribe) => unsubscribe.encode(version, out),
            Self::UnsubAck(unsuback) => unsuback.encode(version, out),
            Self::PingReq => {
                out.extend_from_slice(&[PacketType::PingReq.first_byte(), 0]);
                Ok(())
            }
            Self::PingResp => {
                out.extend_from_slice(&[PacketType::PingResp.first_byte(), 0]);
                Ok(())
            }
            Self::Disconnect(disconnect) => disconnect.encode(version, out),
            Self::Auth(auth) => auth.encode(version, out),
        }
    }
}
