//! Messages from a client: received once, and answered in the order in which they came.

use std::{num::NonZeroU16, sync::Arc};

use tidegate_mqtt::{PacketType, QoS, ReasonCode, Version};

use super::{Begin, Inbound, Session, State};
use crate::{CloseReason, Effects, Record, persist::Promise};

impl Session {
    /// A QoS 2 PUBLISH of connection `epoch` arrives: whether it is new.
    pub(crate) fn begin_receive(
        &self,
        epoch: u64,
        packet_id: NonZeroU16,
        effects: &mut Effects,
    ) -> Result<Begin, CloseReason> {
        let mut state = self.state.lock();
        let present = self.current(&mut state, epoch)?;
        let begin = present.inbound.make().begin(packet_id, present.profile.limits.receive_maximum);
        if begin == Begin::New {
            self.log(effects, |session| Record::Received { session, packet_id });
        }
        Ok(begin)
    }

    /// Answer a QoS 1 or 2 PUBLISH of connection `epoch` by PUBACK or PUBREC, behind those that wait.
    pub(crate) fn answer(
        &self,
        epoch: u64,
        qos: QoS,
        packet_id: NonZeroU16,
        reason_code: ReasonCode,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        if qos == QoS::ExactlyOnce && !self.is_current(epoch) {
            // Whoever resumed the session may have asked again meanwhile.
            self.settle_pubrec(packet_id, reason_code, effects)?;
        }
        let mut state = self.state.lock();
        if let (QoS::ExactlyOnce, Some(inbound)) = (qos, state.inbound.get_mut()) {
            inbound.settle(packet_id);
        }
        let mut present = self.current(&mut state, epoch)?;
        if qos == QoS::ExactlyOnce && reason_code.is_failure() && present.release(packet_id) {
            self.log(effects, |session| Record::ReceivedEnded { session, packet_id });
        }
        if present.inbound.owes() {
            let receive_maximum = present.profile.limits.receive_maximum;
            return match present.inbound.make().owe(qos, packet_id, reason_code, receive_maximum) {
                true => Ok(()),
                false => Err(CloseReason::ClientError(ReasonCode::ReceiveMaximumExceeded)),
            };
        }
        present.answer(qos, packet_id, reason_code, effects)
    }

    /// PUBACK or PUBREC waits for a batch: the number behind it, among the connection's answers.
    pub(crate) fn hold(&self, epoch: u64, qos: QoS, packet_id: NonZeroU16) -> Result<u64, CloseReason> {
        let mut state = self.state.lock();
        let present = self.current(&mut state, epoch)?;
        let inbound = present.inbound.make();
        match inbound.hold(qos, packet_id, present.profile.limits.receive_maximum) {
            true => Ok(inbound.behind()),
            false => Err(CloseReason::ClientError(ReasonCode::ReceiveMaximumExceeded)),
        }
    }

    /// The batch is durable (`Success`) or is not: give the PUBACKs with numbers before `behind` to the connection that published,
    /// if it is still there, and what is due behind them. An error when that connection must end instead.
    pub(crate) fn settle_pubacks(
        &self,
        epoch: u64,
        behind: u64,
        reason_code: ReasonCode,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let mut state = self.state.lock();
        if !self.is_current(epoch) {
            // Its packet ids may be other messages' by now.
            return Ok(());
        }
        if let Some(inbound) = state.inbound.get_mut() {
            inbound.unhold_pubacks(behind, reason_code);
        }
        Self::give_due(&mut state, effects)
    }

    /// The same for PUBREC: to the connection that published, or to the one that resumed its session and asked again.
    pub(crate) fn settle_pubrec(
        &self,
        packet_id: NonZeroU16,
        reason_code: ReasonCode,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let mut state = self.state.lock();
        if state.inbound.get_mut().is_some_and(|inbound| inbound.unhold(packet_id, reason_code)) {
            self.log(effects, |session| Record::ReceivedEnded { session, packet_id });
        }
        Self::give_due(&mut state, effects)
    }

    /// Give the answers that are due, in their order. An error when the present connection must end instead.
    fn give_due(state: &mut State, effects: &mut Effects) -> Result<(), CloseReason> {
        let State { connection: Some(connection), profile, trace, outbound, inbound, .. } = state else {
            return Ok(());
        };
        let mut present = super::Present { connection, profile, trace, outbound, inbound };
        while let Some((qos, packet_id, reason_code)) = present.inbound.get_mut().and_then(Inbound::next_due) {
            if present.connection.version == Version::V4 && reason_code.is_failure() {
                // 3.1.1 has no word for it: no acknowledgement, and the client publishes again.
                return Err(CloseReason::ServerError);
            }
            present.answer(qos, packet_id, reason_code, effects)?;
        }
        Ok(())
    }

    /// The QoS 2 message of `packet_id` is not taken after all.
    pub(crate) fn forget_received(&self, packet_id: NonZeroU16, effects: &mut Effects) {
        if self.state.lock().inbound.get_mut().is_some_and(|inbound| inbound.release(packet_id)) {
            self.log(effects, |session| Record::ReceivedEnded { session, packet_id });
        }
    }

    /// PUBREL of connection `epoch`. Spec: [MQTT-4.3.3-11], 3.7.2.1 (5.0).
    ///
    /// PUBCOMP waits until it is durable, even one for a packet id that is free already: that may not be durable yet.
    pub(crate) fn released(
        self: &Arc<Self>,
        epoch: u64,
        packet_id: NonZeroU16,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let mut state = self.state.lock();
        let mut present = self.current(&mut state, epoch)?;
        let known = present.release(packet_id);
        let answer = if known { ReasonCode::Success } else { ReasonCode::PacketIdentifierNotFound };
        if self.is_logged() {
            if known {
                self.log(effects, |session| Record::ReceivedEnded { session, packet_id });
            }
            self.promise(epoch, Promise::PubComp { packet_id, code: answer }, effects);
            return Ok(());
        }
        present.acknowledge(PacketType::PubComp, packet_id, answer, effects)
    }

    /// That the packet id is free is durable: PUBCOMP, to the connection that asked.
    pub(crate) fn complete(
        &self,
        epoch: u64,
        packet_id: NonZeroU16,
        code: ReasonCode,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let mut state = self.state.lock();
        self.current(&mut state, epoch)?.acknowledge(PacketType::PubComp, packet_id, code, effects)
    }
}
