//! What the broker gives once records are durable.

use std::{
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
};

use tidegate_mqtt::{QoS, ReasonCode};

use crate::{Profile, session::Session};

/// What waits for records of one turn of one core: owed to `Broker::persisted` or `Broker::persist_failed`.
#[derive(Debug, Default)]
pub struct Token {
    pub(crate) held: Vec<Held>,
    pub(crate) waiting: Vec<Waiting>,
    /// Something was logged, even if nobody waits for it.
    pub(crate) logged: bool,
}

impl Token {
    /// Move everything of `other` behind what is here.
    pub fn append(&mut self, other: &mut Self) {
        self.held.append(&mut other.held);
        self.waiting.append(&mut other.waiting);
        self.logged |= std::mem::take(&mut other.logged);
    }

    /// Whether nothing was logged and nobody waits.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty() && self.waiting.is_empty() && !self.logged
    }
}

/// Something not yet given to a session's connection.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) session: Arc<Session>,
    pub(crate) epoch: u64,
    pub(crate) promise: Promise,
}

/// Somebody without a session who is told what became of a message; dropped untold when the process ends before.
pub(crate) struct Waiting(pub(crate) Box<dyn FnOnce(ReasonCode) + Send>);

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waiting")
    }
}

/// What is given when the records are durable.
#[derive(Debug)]
pub(crate) enum Promise {
    /// All PUBACKs that wait, up to that before this number. They may be refused instead, and so may PUBREC.
    PubAcks {
        behind: u64,
    },
    PubRec {
        packet_id: NonZeroU16,
    },
    /// PUBREL: the client forgets the packet id after it, so we may never send that message again.
    PubRel {
        packet_id: NonZeroU16,
        code: ReasonCode,
    },
    /// PUBCOMP: the client uses the packet id for another message after it, so we must have forgotten it.
    PubComp {
        packet_id: NonZeroU16,
        code: ReasonCode,
    },
    /// SUBACK, already encoded, and the retained messages behind it.
    SubAck {
        packet: Vec<u8>,
        made: Vec<Made>,
        identifier: Option<NonZeroU32>,
        profile: Arc<Profile>,
    },
    UnsubAck {
        packet: Vec<u8>,
    },
    /// What waited for a client that is back may be sent: a crash before would let it come again as if for the first time.
    Resume,
    /// A QoS 2 message may be sent: its packet id would mean another message after a crash before.
    Delivery {
        sequence: u64,
    },
}

/// A subscription that was made, and whether retained messages come with it.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) filter: Arc<str>,
    pub(crate) granted: QoS,
    pub(crate) no_local: bool,
    pub(crate) send_retained: bool,
}
