//! What must be durable, and what waits until it is.
//!
//! ```text
//!   a change, under its lock ─▶ Record ─▶ RecordLog ──Broker::take_records──▶ the journal ─▶ disk
//!        └ an answer owed ─▶ Token ──Effects::take_token──▶ the journal ─▶ Broker::persisted / persist_failed(token)
//! ```
//!
//! Records are logged under the lock of what they describe, so their order is the order in which it changed, whatever
//! core changed it. The journal takes tokens first and records second: what a token waits for is among what it then has.

mod log;
mod promise;

use std::{num::NonZeroU16, num::NonZeroU32, sync::Arc, time::Duration};

use tidegate_ids::{Tenant, Timestamp};
use tidegate_mqtt::{Message, QoS, SessionExpiry};

pub(crate) use log::{Place, RecordLog};
pub use promise::Token;
pub(crate) use promise::{Held, Made, Promise, Waiting};

use crate::Principal;

/// One change of durable state. Sessions that end with their connection, and what is theirs, never appear.
#[derive(Debug, Clone)]
pub enum Record {
    /// A session began, was resumed, or lost its connection: all of it but its filters and messages.
    Session(Box<SessionRecord>),
    /// A session ended: nothing of it is left.
    SessionEnded {
        /// Owner of the session.
        tenant: Tenant,
        /// Its number.
        session: u64,
        /// Its subscriptions.
        topic_filters: Vec<Arc<str>>,
    },
    /// A session subscribed, or did so again with other options.
    Subscribed {
        /// Owner of the session.
        tenant: Tenant,
        /// Number of the session.
        session: u64,
        /// The subscription.
        subscription: SubscriptionRecord,
    },
    /// A session gave a subscription up.
    Unsubscribed {
        /// Owner of the session.
        tenant: Tenant,
        /// Number of the session.
        session: u64,
        /// The filter, as the client wrote it.
        topic_filter: Arc<str>,
    },
    /// A QoS 1 or 2 message entered the queue of a session.
    Queued {
        /// Number of the session.
        session: u64,
        /// The message in that queue.
        delivery: QueuedRecord,
    },
    /// A client has a QoS 2 message (PUBREC): only PUBREL is owed any more.
    Released {
        /// Number of the session.
        session: u64,
        /// The message.
        sequence: u64,
    },
    /// A queued message is done with: acknowledged, expired, dropped.
    Finished {
        /// Number of the session.
        session: u64,
        /// The message.
        sequence: u64,
    },
    /// A QoS 2 message arrived from the client: it may not be taken again until PUBREL.
    Received {
        /// Number of the session.
        session: u64,
        /// The client's packet id.
        packet_id: NonZeroU16,
    },
    /// PUBREL arrived from the client, or the message was refused: the packet id is free.
    ReceivedEnded {
        /// Number of the session.
        session: u64,
        /// The client's packet id.
        packet_id: NonZeroU16,
    },
    /// A message became the retained message of its topic name.
    Retained {
        /// Owner of the topic.
        tenant: Tenant,
        /// The message.
        retained: RetainedRecord,
    },
    /// The retained message of a topic name was deleted, or expired.
    RetainedDeleted {
        /// Owner of the topic.
        tenant: Tenant,
        /// The topic name.
        topic_name: Box<str>,
    },
}

/// A session that outlives its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// Owner of the session.
    pub tenant: Tenant,
    /// Its number: never used again, not by a later process either.
    pub session: u64,
    /// Its name.
    pub client_id: Arc<str>,
    /// Unique everywhere; named in events.
    pub identifier: u128,
    /// Of the last connection, for events.
    pub version_number: u64,
    /// Name of the profile of the last connection.
    pub profile: Box<str>,
    /// Who the last connection acted for.
    pub principal: Arc<Principal>,
    /// How long it may be absent.
    pub expiry: SessionExpiry,
    /// Whether somebody is connected.
    pub presence: Presence,
    /// What is to be published when the connection, or the wait after it, ends.
    pub will: Option<WillRecord>,
}

/// Whether a client is connected to its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Connected,
    /// It is not. Deadlines are wall time, since they must outlive the process.
    Absent {
        /// When the session ends; `None`: never.
        ends_at: Option<Timestamp>,
        /// When the will is due.
        will_at: Option<Timestamp>,
        /// Messages from this sequence number on were never sent.
        unsent_from: u64,
    },
}

/// A will, checked against the policies at CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WillRecord {
    /// The message.
    pub message: Message,
    /// The QoS it is published with.
    pub qos: QoS,
    /// Whether it is retained.
    pub retain: bool,
    /// How long after the connection's end it is due.
    pub delay: Duration,
    /// The message's expiry; it begins when the will is published.
    pub expiry: Option<Duration>,
}

/// One subscription of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionRecord {
    /// The filter, as the client wrote it: `$share/…` included.
    pub topic_filter: Arc<str>,
    /// The granted QoS.
    pub qos: QoS,
    /// Not for messages of the client's own.
    pub no_local: bool,
    /// RETAIN is forwarded as published.
    pub retain_as_published: bool,
    /// A final `/#` also matches its parent level.
    pub parent_level: bool,
    /// The subscription identifier.
    pub identifier: Option<NonZeroU32>,
}

/// One message in the queue of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedRecord {
    /// Place in the session's queue; the packet id follows from it.
    pub sequence: u64,
    /// The QoS it will be delivered with: 1 or 2.
    pub qos: QoS,
    /// RETAIN as the client is to see it.
    pub retain: bool,
    /// The identifiers of the subscriptions that matched.
    pub identifiers: Option<Box<[NonZeroU32]>>,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// The number of the shared group it came by: other members get it when the session ends.
    pub group: Option<u64>,
    /// The message, shared by all records of one publish.
    pub message: Message,
}

/// A retained message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetainedRecord {
    /// The QoS it was published with.
    pub qos: QoS,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// The client id behind it, for No Local.
    pub publisher: Option<Arc<str>>,
    /// When it was published; `None`: an older program did not write it down.
    pub retained_at: Option<Timestamp>,
    /// The message.
    pub message: Message,
}

impl Record {
    /// What the record costs while it waits to be written, in bytes; about.
    fn cost(&self) -> usize {
        let held = match self {
            Self::Session(session) => session.will.as_ref().map_or(0, |will| will.message.held_bytes()),
            Self::Queued { delivery, .. } => delivery.message.held_bytes(),
            Self::Retained { retained, .. } => retained.message.held_bytes(),
            Self::SessionEnded { topic_filters, .. } => topic_filters.iter().map(|filter| filter.len()).sum(),
            Self::Subscribed { .. }
            | Self::Unsubscribed { .. }
            | Self::Released { .. }
            | Self::Finished { .. }
            | Self::Received { .. }
            | Self::ReceivedEnded { .. }
            | Self::RetainedDeleted { .. } => 0,
        };
        held + 128
    }
}
