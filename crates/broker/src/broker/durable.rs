//! Between the broker and its journal: records to be written, and what is given once they are durable.

use std::sync::Arc;

use tidegate_ids::Now;
use tidegate_mqtt::ReasonCode;

use super::Broker;
use crate::{
    Effects, Record, Token,
    persist::{Held, Promise, RecordLog},
};

impl Broker {
    /// What this token waited for is durable: give the acknowledgements.
    pub fn persisted(&self, token: Token, now: Now, effects: &mut Effects) {
        self.answer_held(token, ReasonCode::Success, now, effects);
    }

    /// The messages of this token cannot be made durable: tell the publishers. MQTT 5: `code` in PUBACK or PUBREC, 0x97
    /// when the disk is full, 0x80 else; 3.1.1: the connection ends. Everything else is given as if it were durable:
    /// the journal keeps it in memory until there is room again.
    pub fn persist_failed(&self, token: Token, code: ReasonCode, now: Now, effects: &mut Effects) {
        let code = if code.is_failure() { code } else { ReasonCode::UnspecifiedError };
        self.answer_held(token, code, now, effects);
    }

    fn answer_held(&self, token: Token, code: ReasonCode, now: Now, effects: &mut Effects) {
        for waiting in token.waiting {
            (waiting.0)(code);
        }
        for held in token.held {
            let Held { session, epoch, promise } = held;
            let control = |packet: Vec<u8>, effects: &mut Effects| {
                session.control(epoch, effects, |_, out| out.extend_from_slice(&packet))
            };
            let (outcome, of_present) = match promise {
                Promise::PubAcks { behind } => (session.settle_pubacks(epoch, behind, code, effects), true),
                Promise::PubRec { packet_id } => (session.settle_pubrec(packet_id, code, effects), true),
                Promise::PubRel { packet_id, code } => {
                    (session.settle_release(epoch, packet_id, code, now, effects), false)
                }
                Promise::PubComp { packet_id, code } => (session.complete(epoch, packet_id, code, effects), false),
                Promise::UnsubAck { packet } => (control(packet, effects), false),
                Promise::SubAck { packet, made, identifier, profile } => {
                    let outcome = control(packet, effects);
                    if outcome.is_ok() {
                        let tenant = self.tenant(session.tenant());
                        Self::send_retained(&tenant, &session, &profile, &made, identifier, now, effects);
                    }
                    (outcome, false)
                }
                Promise::Resume => {
                    session.settle_resume(epoch, now, effects);
                    (Ok(()), false)
                }
                Promise::Delivery { sequence } => {
                    session.settle_delivery(sequence, !code.is_failure(), now, effects);
                    (Ok(()), false)
                }
            };
            // A connection that has ended meanwhile is owed nothing.
            if let Err(reason) = outcome
                && (of_present || session.is_current(epoch))
            {
                self.kick_one(&self.tenant(session.tenant()), &session, reason, None, now, effects);
            }
        }
    }

    /// Move what is to be written, in order, behind `records`. Take tokens first: what they wait for is among these then.
    /// The sum is owed to [`settle_records`](Self::settle_records).
    pub fn take_records(&self, records: &mut Vec<Record>) -> usize {
        self.records.as_ref().map_or(0, |log| log.take(records))
    }

    /// Records taken, with this sum, are durable or given up.
    pub fn settle_records(&self, bytes: usize) {
        if let Some(log) = &self.records {
            log.settle(bytes);
        }
    }

    /// Whether so much waits to be durable that publishers should not be read from.
    pub fn is_behind(&self) -> bool {
        self.records.as_ref().is_some_and(|log| log.is_behind())
    }

    /// What is logged while this is held reaches the disk together or not at all: a QoS 2 message and that its packet id
    /// was received, the end of a connection and its will, a message that goes from one member of a group to another.
    pub(crate) fn whole(&self) -> Option<parking_lot::RwLockReadGuard<'_, ()>> {
        self.records.as_ref().map(|log| log.whole())
    }

    pub(crate) fn records(&self) -> Option<&Arc<RecordLog>> {
        self.records.as_ref()
    }
}
