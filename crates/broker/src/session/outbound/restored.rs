//! What an earlier process left on its way to a client.

use std::{num::NonZeroU32, sync::Arc};

use tidegate_mqtt::QoS;

use super::{
    Outbound,
    entry::{Entry, State, cost},
};
use crate::{message::Stamped, router::Group};

/// What an earlier process did with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// It sent it.
    Sent,
    /// It may have sent it: it expires like one that waits, and bears DUP like one that was sent.
    PerhapsSent,
    /// It did not.
    Unsent,
}

/// A message that an earlier process had in its queue.
#[derive(Debug)]
pub(crate) struct Restored<'a> {
    pub(crate) sequence: u64,
    pub(crate) message: Stamped,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) identifiers: Option<Box<[NonZeroU32]>>,
    pub(crate) earlier: Earlier,
    pub(crate) group: Option<&'a Arc<Group>>,
}

impl Outbound {
    /// Put back a message of an earlier process, behind those that are back.
    pub(crate) fn restore(&mut self, restored: Restored<'_>) {
        let Restored { sequence, message, qos, retain, identifiers, earlier, group } = restored;
        let state = match earlier {
            Earlier::Sent => State::Sent,
            Earlier::PerhapsSent | Earlier::Unsent => State::Waiting,
        };
        if state == State::Waiting {
            self.waiting += 1;
            self.waiting_bytes += cost(&message);
            if let Some(at) = message.expires_at {
                self.expires_at = Some(self.expires_at.map_or(at, |earliest| earliest.min(at)));
            }
        }
        self.held_bytes += cost(&message);
        let entry = Entry::new(sequence, qos, Some(message));
        let perhaps_sent = earlier == Earlier::PerhapsSent;
        self.entries.push_back(Entry { state, retain, identifiers, perhaps_sent, group: group.cloned(), ..entry });
    }

    /// Put back a message whose PUBREL is owed, behind those that are back.
    pub(crate) fn restore_released(&mut self, sequence: u64) {
        let entry = Entry::new(sequence, QoS::ExactlyOnce, None);
        self.entries.push_back(Entry { state: State::Released, settled: true, ..entry });
    }
}
