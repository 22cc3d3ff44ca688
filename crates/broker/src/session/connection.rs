//! The session's side of a connection, and what is written to it at once.

use std::{num::NonZeroU16, sync::atomic::AtomicU64};

use tidegate_ids::{Monotonic, Rate, Timestamp};
use tidegate_mqtt::{Ack, PacketType, QoS, ReasonCode, Version};

use super::{Inbound, Outbound, Outbox, Session, State};
use crate::{
    CloseReason, Effects, LinkAddress, Profile, Trace,
    close::{reason_text, traced},
    link::Rights,
    message::Aliases,
    receive::Receive,
    seldom::Seldom,
};

/// The session's side of a connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) address: LinkAddress,
    /// Refusals told in the last second.
    pub(super) denials: Rate,
    pub(super) since: Timestamp,
    pub(super) terms: AskedTerms,
    pub(super) version: Version,
    pub(super) rights: Rights,
    pub(super) outbox: Outbox,
    /// When the next message may be sent, where the account's rate made it wait.
    pub(super) turn: Option<Monotonic>,
    /// QoS 1 and 2 messages that may be sent now, and at most. Spec: 4.9 (5.0).
    pub(super) window: u16,
    pub(super) window_max: u16,
    pub(super) packet_bytes_max: u32,
    /// Whether the owner of the socket was told that there is something in the outbox.
    pub(super) told: bool,
    /// Whether failures are explained in words.
    pub(super) explains: bool,
    pub(super) aliases: Aliases,
    pub(super) receive: Receive,
}

/// What a client asked for at CONNECT, as far as it is told of its connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskedTerms {
    pub(crate) clean_start: bool,
    pub(crate) keep_alive_seconds: u16,
}

/// The parts of a session with a connection.
pub(super) struct Present<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) profile: &'a Profile,
    pub(super) trace: &'a Trace,
    pub(super) outbound: &'a mut Seldom<Outbound>,
    pub(super) inbound: &'a mut Seldom<Inbound>,
}

impl Session {
    /// Run `write` on the outbox of connection `epoch` and mark it dirty; an error when that connection ended or its
    /// client does not read.
    pub(crate) fn control(
        &self,
        epoch: u64,
        effects: &mut Effects,
        write: impl FnOnce(Version, &mut Vec<u8>),
    ) -> Result<(), CloseReason> {
        let mut state = self.state.lock();
        self.current(&mut state, epoch)?.control(effects, write)
    }

    /// The connection `epoch`, or why there is none.
    pub(super) fn current<'a>(&self, state: &'a mut State, epoch: u64) -> Result<Present<'a>, CloseReason> {
        let State { connection, profile, trace, outbound, inbound, away, .. } = state;
        match connection {
            Some(connection) if self.is_current(epoch) => Ok(Present { connection, profile, trace, outbound, inbound }),
            Some(_) | None => {
                let farewell = away.farewells.iter().find(|farewell| farewell.epoch == epoch);
                Err(farewell.map_or(CloseReason::ConnectionLost, |farewell| farewell.reason))
            }
        }
    }
}

impl Present<'_> {
    /// The client's packet id is free; false when it was.
    pub(super) fn release(&mut self, packet_id: NonZeroU16) -> bool {
        self.inbound.get_mut().is_some_and(|inbound| inbound.release(packet_id))
    }

    /// Append a control packet. Spec: they never compete with PUBLISH; a peer that does not read them is closed.
    pub(super) fn control(
        &mut self,
        effects: &mut Effects,
        write: impl FnOnce(Version, &mut Vec<u8>),
    ) -> Result<(), CloseReason> {
        let version = self.connection.version;
        self.connection.lend_buffer(effects);
        if !self.connection.outbox.control(self.connection.packet_bytes_max as usize, |out| write(version, out)) {
            // Spec: [MQTT-3.1.2-24] (5.0). It cannot be left out either.
            return Err(CloseReason::ClientError(ReasonCode::PacketTooLarge));
        }
        self.connection.mark_dirty(effects);
        if self.connection.outbox.control_bytes() > self.profile.limits.control_bytes_max {
            return Err(CloseReason::DoesNotRead);
        }
        Ok(())
    }

    /// Answer a PUBLISH.
    pub(super) fn answer(
        &mut self,
        qos: QoS,
        packet_id: NonZeroU16,
        reason_code: ReasonCode,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        match qos {
            QoS::AtMostOnce => Ok(()),
            QoS::AtLeastOnce => self.acknowledge(PacketType::PubAck, packet_id, reason_code, effects),
            QoS::ExactlyOnce => self.acknowledge(PacketType::PubRec, packet_id, reason_code, effects),
        }
    }

    pub(super) fn acknowledge(
        &mut self,
        packet_type: PacketType,
        packet_id: NonZeroU16,
        reason_code: ReasonCode,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let explains = self.connection.explains && reason_code.is_failure();
        let text = if explains { traced(reason_text(reason_code), reason_code, self.trace) } else { String::new() };
        self.control(effects, |version, out| {
            // A code that this packet may not bear comes from a caller of `persist_failed`.
            let mut ack = Ack::new(packet_id, reason_code);
            ack.properties.reason_string = explains.then_some(text.as_str());
            if ack.encode(packet_type, version, out).is_err() {
                let failed = Ack::new(packet_id, ReasonCode::UnspecifiedError);
                failed.encode(packet_type, version, out).expect("every answer may bear 0x80");
            }
        })
    }
}

impl Connection {
    pub(super) fn lend_buffer(&mut self, effects: &mut Effects) {
        if self.outbox.is_bare() {
            self.outbox.lend(effects.buffer());
        }
    }

    pub(super) fn mark_dirty(&mut self, effects: &mut Effects) {
        if !std::mem::replace(&mut self.told, true) {
            effects.mark_dirty(self.address);
        }
    }

    /// The outbox was taken: whether there is more. If not, the owner must be told of what comes next.
    pub(super) fn settle(&mut self) -> bool {
        self.told = !self.outbox.is_empty();
        self.told
    }

    /// See [`Receive::allows`].
    pub(super) fn may_receive(&mut self, topic_name: &str, hash: u64, asked: &[AtomicU64]) -> bool {
        self.receive.allows(&self.rights, topic_name, hash, asked)
    }
}
