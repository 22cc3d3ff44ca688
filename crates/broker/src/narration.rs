//! What clients did, told for logs: what was refused in any case, what succeeded when somebody wants to know.

use std::{net::SocketAddr, sync::Arc};

use tidegate_ids::Tenant;
use tidegate_mqtt::{QoS, ReasonCode};

use crate::Principal;

/// What events and log entries say about a connection: kept once, by all who tell of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Trace {
    /// One per connection, on all its entries and in the reasons that its client is told.
    pub trace_id: u128,
    /// Who it acts for.
    pub principal: Arc<Principal>,
    /// The thing that events of the connection name: the one that the principal is attached to exclusively.
    pub thing_name: Option<Arc<str>>,
    /// Where the client is.
    pub peer_address: SocketAddr,
    /// What it called the server: SNI.
    pub server_name: Option<Box<str>>,
}

impl Trace {
    /// Of a client about whom nothing else is known.
    pub fn new(principal: Arc<Principal>, peer_address: SocketAddr) -> Self {
        Self { trace_id: 0, principal, thing_name: None, peer_address, server_name: None }
    }
}

/// How much is told.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// What policies refused.
    #[default]
    Refusals,
    /// What succeeded too.
    Successes,
    /// Pings too.
    All,
}

/// Something that a client did, or that was done for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narrated {
    /// Whose client.
    pub tenant: Tenant,
    /// Which client.
    pub client_id: Arc<str>,
    /// Its connection, if it has one.
    pub trace: Option<Arc<Trace>>,
    /// What.
    pub what: Traffic,
    /// Why it was refused by policy; `None`: it was not.
    pub denied: Option<Denied>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Traffic {
    /// PUBLISH of the client.
    PublishIn {
        /// Its topic name.
        topic_name: Box<str>,
        /// Its QoS.
        qos: QoS,
        /// Its RETAIN flag.
        retain: bool,
    },
    /// PUBLISH to the client.
    PublishOut {
        /// Its topic name.
        topic_name: Box<str>,
        /// Its QoS.
        qos: QoS,
    },
    /// A message waits for the client, who is not connected.
    Queued {
        /// Its topic name.
        topic_name: Box<str>,
        /// Its QoS.
        qos: QoS,
    },
    /// SUBSCRIBE: filters, and what became of each.
    Subscribe(Vec<(Arc<str>, ReasonCode)>),
    /// UNSUBSCRIBE: filters, and what became of each.
    Unsubscribe(Vec<(Arc<str>, ReasonCode)>),
    /// PINGREQ.
    Ping,
}

/// A refusal by policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// What is missing: `iot:Publish`, …
    pub action: &'static str,
    /// On which topic name or filter.
    pub topic: Box<str>,
    /// Which statement denies it; `None`: none allows it, or it is not known.
    pub statement: Option<DeniedBy>,
}

/// A statement that denies something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedBy {
    /// Its policy.
    pub policy: String,
    /// Policy, version, statement and Sid, in words.
    pub place: String,
}

/// Refusals of one connection that are told in a second; the counters count all.
pub(crate) const DENIALS_PER_SECOND: u32 = 10;

/// What was told since it was last taken. Bounded: what does not fit is counted.
#[derive(Debug, Default)]
pub(crate) struct Narration {
    pub(crate) verbosity: Verbosity,
    told: Vec<Narrated>,
    untold: u64,
}

impl Narration {
    /// Most that is told at once.
    const MAX: usize = 4096;

    pub(crate) fn tell(&mut self, narrated: Narrated) {
        if self.told.len() < Self::MAX { self.told.push(narrated) } else { self.untold += 1 }
    }

    pub(crate) fn take(&mut self, told: &mut Vec<Narrated>) -> u64 {
        told.append(&mut self.told);
        std::mem::take(&mut self.untold)
    }
}
