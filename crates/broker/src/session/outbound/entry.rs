//! One message on its way, and how far it is.

use std::{
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
};

use tidegate_mqtt::QoS;

use crate::{message::Stamped, persist::Place, router::Group};

/// Packet ids are 1 to this.
pub(super) const IDS: u64 = u16::MAX as u64;

/// One message on its way.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(super) sequence: u64,
    pub(super) state: State,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    /// Sent because of a SUBSCRIBE, not counted for bounds.
    pub(super) backlog: bool,
    /// Its PUBLISH was sent on this connection and uses its window.
    pub(super) counted: bool,
    /// It waits, and an earlier process may have sent it all the same.
    pub(super) perhaps_sent: bool,
    pub(crate) identifiers: Option<Box<[NonZeroU32]>>,
    /// `None` once the client has it: from PUBREC on.
    pub(super) message: Option<Stamped>,
    /// Its PUBREL may be sent: that the client has it is durable.
    pub(super) settled: bool,
    /// The shared group it came by: other members may have it, if this one leaves.
    pub(super) group: Option<Arc<Group>>,
    /// Where the record stands that it was queued.
    pub(super) record: Place,
}

/// How far one message is.
///
///   Waiting ─▶ Sent ─PUBACK─▶ Done
///                └──PUBREC─▶ Released ─PUBCOMP─▶ Done
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    Sent,
    Released,
    Done,
}

impl Entry {
    /// One that waits.
    pub(super) fn new(sequence: u64, qos: QoS, message: Option<Stamped>) -> Self {
        Self {
            sequence,
            state: State::Waiting,
            qos,
            retain: false,
            backlog: false,
            counted: false,
            perhaps_sent: false,
            identifiers: None,
            message,
            settled: false,
            group: None,
            record: Place::NOWHERE,
        }
    }

    /// Whether no process has sent it, or may have.
    pub(super) fn was_never_sent(&self) -> bool {
        self.state == State::Waiting && !self.perhaps_sent
    }

    pub(super) fn finish(&mut self) {
        self.state = State::Done;
        self.message = None;
        self.identifiers = None;
        self.group = None;
    }
}

pub(super) fn packet_id(sequence: u64) -> NonZeroU16 {
    NonZeroU16::new(((sequence - 1) % IDS + 1) as u16).expect("one more than something is not zero")
}

/// What a message costs a queue: its own bytes; what surrounds them is bounded by the count.
pub(super) fn cost(message: &Stamped) -> usize {
    message.message.held_bytes()
}
