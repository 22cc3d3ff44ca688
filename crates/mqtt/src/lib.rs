//! MQTT 3.1.1 and 5.0: packets, topic names and filters, reason codes; bytes to types and back.
//!
//! One vocabulary serves both versions: what 3.1.1 says with Clean Session or a return code is folded into 5.0's words.
//! Both directions are here, because a server reads what clients send and writes what servers send, and everything that
//! tests a server does the opposite.
//!
//! * Reading is strict and borrows: [`frame`] tells how long a packet is before its body is there, [`decode`] reads one
//!   whole packet without copying it, [`Partial`] cuts a stream of arbitrary chunks into packets. Whatever the
//!   specifications forbid is a [`DecodeError`] that knows its [`ReasonCode`].
//! * Writing is [`Packet::encode`] and the `encode` of each packet: what a reader would refuse cannot be written.
//! * Forwarding is copying: a [`Message`] holds a routed application message in one allocation, a [`PublishImage`] is its
//!   PUBLISH packet, of which only a few bytes differ from subscriber to subscriber.
//!
//! Nothing here does I/O, reads a clock, or recurses over what a peer sends.

mod error;
mod frame;
#[doc(hidden)]
pub mod fuzz;
mod image;
mod message;
mod packet;
mod properties;
mod reason;
pub mod topic;
mod version;
mod wire;

pub use error::{DecodeError, EncodeError};
pub use frame::{Frame, FrameLen, PACKET_BYTES_MAX, Packets, Partial, frame};
pub use image::{Patch, PublishImage};
pub use message::{Delivery, Message, TopicAs};
pub use packet::{
    Ack, Auth, ConnAck, ConnAckProperties, Connect, ConnectProperties, Disconnect, Packet, Publish, ReasonCodes,
    RetainHandling, SubAck, Subscribe, Subscription, SubscriptionOptions, Subscriptions, TopicFilters, UnsubAck,
    Unsubscribe, Will, announced_version, decode, decode_connect,
};
pub use properties::{
    MessageProperties, PayloadFormat, ReasonProperties, SessionExpiry, SubscriptionIdentifiers, UserProperties,
};
pub use reason::ReasonCode;
pub use version::{PacketType, Peer, QoS, Version};

#[cfg(test)]
mod tests;
