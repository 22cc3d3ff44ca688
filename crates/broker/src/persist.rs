//! What must be durable before a publisher is told that it is.

use std::{num::NonZeroU16, sync::Arc};

use tidegate_ids::{Tenant, Timestamp};
use tidegate_mqtt::{Message, QoS};

use crate::session::Session;

/// Everything of one turn of one core that must become durable together, in this order.
#[derive(Debug, Default)]
pub struct Batch {
    /// What to write.
    pub records: Vec<Record>,
    /// Owed to `Broker::persisted` or `Broker::persist_failed` once the records are durable, or cannot be.
    pub token: Token,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.token.held.is_empty()
    }

    /// Move everything of `other` behind what is here.
    pub(crate) fn append(&mut self, other: &mut Self) {
        self.records.append(&mut other.records);
        self.token.held.append(&mut other.token.held);
    }
}

/// One change of durable state.
#[derive(Debug, Clone)]
pub enum Record {
    /// A message entered the queue of a session that outlives its connection.
    Queued {
        /// Owner of the session.
        tenant: Tenant,
        /// Name of the session.
        client_id: Arc<str>,
        /// Place in the session's queue; the packet id follows from it.
        sequence: u64,
        /// The QoS it will be delivered with.
        qos: QoS,
        /// When it expires: wall time, since it must outlive the process.
        expires_at: Option<Timestamp>,
        /// The message, shared by all records of one publish.
        message: Message,
    },
    /// A message became the retained message of its topic name.
    Retained {
        /// Owner of the topic.
        tenant: Tenant,
        /// The QoS it was published with.
        qos: QoS,
        /// When it expires.
        expires_at: Option<Timestamp>,
        /// The message.
        message: Message,
    },
    /// The retained message of a topic name was deleted.
    RetainedDeleted {
        /// Owner of the topic.
        tenant: Tenant,
        /// The topic name.
        topic_name: Box<str>,
    },
}

/// The acknowledgements that wait for one batch.
#[derive(Debug, Default)]
pub struct Token {
    pub(crate) held: Vec<HeldAck>,
}

/// A PUBACK or PUBREC not yet given.
#[derive(Debug)]
pub(crate) struct HeldAck {
    pub(crate) tenant: Tenant,
    pub(crate) session: Arc<Session>,
    pub(crate) epoch: u64,
    pub(crate) packet_id: NonZeroU16,
    pub(crate) qos: QoS,
}
