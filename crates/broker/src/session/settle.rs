//! Messages the client has: its acknowledgements, and what waits until what they change is durable.

use std::{num::NonZeroU16, sync::Arc};

use tidegate_ids::Now;
use tidegate_mqtt::{PacketType, ReasonCode};

use super::{Outbound, Session, outbound::Acknowledged};
use crate::{CloseReason, Effects, Record, persist::Promise};

impl Session {
    /// PUBACK, PUBREC or PUBCOMP of connection `epoch`.
    pub(crate) fn acknowledged(
        self: &Arc<Self>,
        epoch: u64,
        packet_type: PacketType,
        packet_id: NonZeroU16,
        reason_code: ReasonCode,
        now: Now,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let mut state = self.state.lock();
        let mut present = self.current(&mut state, epoch)?;
        let outcome = match packet_type {
            PacketType::PubAck => {
                present.outbound.get_mut().map_or(Acknowledged::Unknown, |outbound| outbound.acknowledge(packet_id))
            }
            PacketType::PubRec => {
                let refused = reason_code.is_failure();
                let receive = |outbound: &mut Outbound| outbound.receive(packet_id, refused);
                let outcome = present.outbound.get_mut().map_or(Acknowledged::Unknown, receive);
                let released = matches!(outcome, Acknowledged::Due { .. }) && !refused;
                if let Some(sequence) = present.outbound.sequence_of(packet_id).filter(|_| released) {
                    self.log(effects, |session| Record::Released { session, sequence });
                }
                outcome
            }
            PacketType::PubComp => {
                present.outbound.get_mut().map_or(Acknowledged::Unknown, |outbound| outbound.complete(packet_id))
            }
            other => unreachable!("{other:?} acknowledges nothing"),
        };
        if let Acknowledged::Due { window: true } = outcome {
            let connection = &mut present.connection;
            connection.window = connection.window_max.min(connection.window + 1);
        }
        match outcome {
            Acknowledged::Mismatch => return Err(CloseReason::ClientError(ReasonCode::ProtocolError)),
            Acknowledged::Due { .. } | Acknowledged::Again | Acknowledged::Unknown => {}
        }
        if packet_type == PacketType::PubRec && !reason_code.is_failure() {
            // Spec: [MQTT-4.3.3-4], 3.6.2.1 (5.0). A PUBREC given twice gets its PUBREL twice.
            let answer = match outcome {
                Acknowledged::Unknown => ReasonCode::PacketIdentifierNotFound,
                Acknowledged::Due { .. } | Acknowledged::Again | Acknowledged::Mismatch => ReasonCode::Success,
            };
            if self.is_logged() && answer == ReasonCode::Success {
                self.promise(epoch, Promise::PubRel { packet_id, code: answer }, effects);
            } else {
                present.acknowledge(PacketType::PubRel, packet_id, answer, effects)?;
            }
        }
        self.pump(&mut state, now, effects);
        self.take_stock(&mut state, effects);
        Ok(())
    }

    /// The QoS 2 message `sequence` is durable and may be sent, or is not and must not.
    pub(crate) fn settle_delivery(&self, sequence: u64, durable: bool, now: Now, effects: &mut Effects) {
        let mut state = self.state.lock();
        if let Some(outbound) = state.outbound.get_mut() {
            outbound.settle_delivery(sequence, durable);
        }
        self.pump(&mut state, now, effects);
        self.take_stock(&mut state, effects);
    }

    /// That connection `epoch` goes on with the session is durable, or will not be for now: what waited may be sent.
    pub(crate) fn settle_resume(&self, epoch: u64, now: Now, effects: &mut Effects) {
        let mut state = self.state.lock();
        if let (true, Some(outbound)) = (self.is_current(epoch), state.outbound.get_mut()) {
            outbound.settle_resume();
            self.pump(&mut state, now, effects);
            self.take_stock(&mut state, effects);
        }
    }

    /// That the client has the message of `packet_id` is durable: PUBREL may be sent, to the connection that answered,
    /// or to the one that resumed the session.
    pub(crate) fn settle_release(
        &self,
        epoch: u64,
        packet_id: NonZeroU16,
        code: ReasonCode,
        now: Now,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let mut state = self.state.lock();
        if let Some(outbound) = state.outbound.get_mut() {
            outbound.settle_release(packet_id);
        }
        if let Ok(mut present) = self.current(&mut state, epoch) {
            return present.acknowledge(PacketType::PubRel, packet_id, code, effects);
        }
        self.pump(&mut state, now, effects);
        self.take_stock(&mut state, effects);
        Ok(())
    }
}
