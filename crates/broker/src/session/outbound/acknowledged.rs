//! The client's acknowledgements.

use std::num::NonZeroU16;

use tidegate_mqtt::QoS;

use super::{
    Outbound,
    entry::{State, cost},
};

/// What an acknowledgement of the client met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acknowledged {
    /// It was due; whether the window has room for one more now.
    Due { window: bool },
    /// It was given before.
    Again,
    /// No message has this packet id.
    Unknown,
    /// The message has another QoS, or is not so far.
    Mismatch,
}

impl Outbound {
    /// PUBACK.
    pub(crate) fn acknowledge(&mut self, id: NonZeroU16) -> Acknowledged {
        let Some(at) = self.find(id) else { return Acknowledged::Unknown };
        match (self.entries[at].qos, self.entries[at].state) {
            (QoS::AtLeastOnce, State::Sent) => {
                let window = self.entries[at].counted;
                self.give_up_bytes(at);
                self.finish(at);
                self.trim();
                Acknowledged::Due { window }
            }
            (QoS::AtLeastOnce, State::Done) => Acknowledged::Again,
            (_, State::Done) => Acknowledged::Unknown,
            (_, State::Waiting | State::Sent | State::Released) => Acknowledged::Mismatch,
        }
    }

    /// PUBREC; `refused` when its reason code is a failure, which ends the exchange. Spec: 4.3.3, 4.9 (5.0).
    pub(crate) fn receive(&mut self, id: NonZeroU16, refused: bool) -> Acknowledged {
        let Some(at) = self.find(id) else { return Acknowledged::Unknown };
        match (self.entries[at].qos, self.entries[at].state) {
            (QoS::ExactlyOnce, State::Sent) => {
                self.give_up_bytes(at);
                let entry = &mut self.entries[at];
                let window = entry.counted && refused;
                self.held_bytes -= entry.message.as_ref().map_or(0, cost);
                entry.message = None;
                entry.identifiers = None;
                entry.state = State::Released;
                if refused {
                    self.finish(at);
                }
                self.trim();
                Acknowledged::Due { window }
            }
            (QoS::ExactlyOnce, State::Released) => Acknowledged::Again,
            (_, State::Done) => Acknowledged::Unknown,
            (_, State::Waiting | State::Sent | State::Released) => Acknowledged::Mismatch,
        }
    }

    /// PUBCOMP.
    pub(crate) fn complete(&mut self, id: NonZeroU16) -> Acknowledged {
        let Some(at) = self.find(id) else { return Acknowledged::Unknown };
        match (self.entries[at].qos, self.entries[at].state) {
            (QoS::ExactlyOnce, State::Released) => {
                let window = self.entries[at].counted;
                self.finish(at);
                self.trim();
                Acknowledged::Due { window }
            }
            (_, State::Done) => Acknowledged::Unknown,
            (_, State::Waiting | State::Sent | State::Released) => Acknowledged::Mismatch,
        }
    }
}
