//! What waits goes out: as far as the window, the outbox and the account's rate have room.

use std::{num::NonZeroU16, sync::Arc};

use tidegate_ids::Now;
use tidegate_mqtt::{Ack, Delivery, PacketType, QoS, ReasonCode, Version};

use super::{Connection, Fetch, Offer, Session, State, outbound::Next};
use crate::{
    CloseReason, Effects, Narrated, Output, Quota, Trace, Traffic, Verbosity,
    levels::topic_hash,
    message::{Images, Stamped},
    narration::DENIALS_PER_SECOND,
    ports::Access,
};

impl Session {
    /// Send what waits on connection `epoch`, once it stands.
    pub(crate) fn go_on(&self, epoch: u64, now: Now, effects: &mut Effects) {
        let mut state = self.state.lock();
        if self.is_current(epoch) {
            self.pump(&mut state, now, effects);
            self.take_stock(&mut state, effects);
        }
    }

    /// Take what is to be written on connection `epoch`; see `Link::take_output`. And the search for retained messages that
    /// is next, if there is room for what it finds: it is owed to [`go_on_with`](Self::go_on_with).
    pub(crate) fn take_output(
        &self,
        epoch: u64,
        out: &mut Vec<u8>,
        now: Now,
        effects: &mut Effects,
    ) -> (Output, Option<Box<Fetch>>) {
        let mut state = self.state.lock();
        if !self.is_current(epoch) || state.connection.is_none() {
            let reason = state.take_farewell(epoch, out).unwrap_or(CloseReason::ConnectionLost);
            return (Output::Ended(reason), None);
        }
        if let Some(connection) = &mut state.connection {
            connection.outbox.take(out);
        }
        self.pump(&mut state, now, effects);
        let more = state.connection.as_mut().is_some_and(|connection| connection.settle());
        let turn = state.connection.as_ref().and_then(|connection| connection.turn);
        let fetch = if more || state.outbound.backlog() > 0 { None } else { state.next_fetch() };
        self.take_stock(&mut state, effects);
        let output = match turn.filter(|at| *at > now.monotonic) {
            _ if more || fetch.is_some() => Output::More,
            Some(at) => Output::Later(at),
            None => Output::Drained,
        };
        (output, fetch)
    }

    /// Send what the window and the outbox have room for.
    pub(super) fn pump(&self, state: &mut State, now: Now, effects: &mut Effects) {
        if state.outbound.has_unsent() {
            self.pump_with(state, now, None, effects);
        }
    }

    /// As `pump`. What is known of the youngest message, if it was offered a moment ago, need not be found out again.
    pub(super) fn pump_with(
        &self,
        state: &mut State,
        now: Now,
        mut offered: Option<(&Offer<'_>, &mut Images)>,
        effects: &mut Effects,
    ) {
        let State { connection: Some(connection), outbound, profile, trace, .. } = state else { return };
        let Some(outbound) = outbound.get_mut() else { return };
        let limits = &profile.limits;
        while connection.outbox.publish_bytes() < limits.outbox_bytes_max {
            let mut youngest = if outbound.is_at_youngest() { offered.take() } else { None };
            let Some(next) = outbound.next(connection.window, limits.queued_bytes_max) else { break };
            match next {
                Next::Release(packet_id) => {
                    // In the order of the messages around it, hence among them.
                    connection.lend_buffer(effects);
                    connection.outbox.publish(|out| write_pubrel(packet_id, connection.version, out));
                    outbound.sent();
                }
                Next::Publish { entry, message, packet_id, dup } => {
                    let name =
                        youngest.as_ref().map_or_else(|| message.message.topic_name(), |(offer, _)| offer.topic_name);
                    let left = match message.seconds_left(now.monotonic) {
                        Ok(left) => left,
                        // Spec: 3.3.2.3.3 (5.0): what was sent once is sent again, with the least time.
                        Err(_) if dup => Some(1),
                        Err(_) => {
                            effects.counters.dropped_expired += 1;
                            outbound.skip();
                            continue;
                        }
                    };
                    // Whoever offered it has asked.
                    if !dup && youngest.is_none() && !connection.may_receive(name, topic_hash(name), &[]) {
                        effects.counters.denied_receive += 1;
                        self.tell_withheld(connection, trace, name, entry.qos, now, effects);
                        outbound.skip();
                        continue;
                    }
                    let mut delivery = Delivery {
                        version: connection.version,
                        dup,
                        qos: entry.qos,
                        retain: entry.retain,
                        packet_id,
                        message_expiry_seconds: left,
                        topic: tidegate_mqtt::TopicAs::Name,
                        subscription_identifiers: entry.identifiers.as_deref().unwrap_or(&[]),
                    };
                    if !connection.fits(message, &delivery) {
                        effects.counters.dropped_too_large += 1;
                        outbound.skip();
                        continue;
                    }
                    if let Some(rate) = limits.account.outbound_publishes_per_second
                        && !self.has_turn(connection, rate, now, effects)
                    {
                        break;
                    }
                    delivery.topic = connection.aliases.name(name);
                    connection.lend_buffer(effects);
                    connection.outbox.publish(|out| match &mut youngest {
                        Some((_, images)) => images.append(&message.message, &delivery, out),
                        None => Images::default().append(&message.message, &delivery, out),
                    });
                    connection.window -= u16::from(packet_id.is_some());
                    self.tell_sent(trace, name, entry.qos, effects);
                    effects.counters.messages_sent += 1;
                    outbound.sent();
                }
            }
            connection.mark_dirty(effects);
        }
    }

    /// Whether the account's rate lets the connection send a message now. If not, it has a turn, and its owner hears of that once.
    fn has_turn(&self, connection: &mut Connection, rate: u32, now: Now, effects: &mut Effects) -> bool {
        match connection.turn {
            Some(at) if at > now.monotonic => false,
            Some(_) => {
                connection.turn = None;
                true
            }
            None if self.account.rates.outbound.take(rate, now.monotonic) => true,
            None => {
                connection.turn = Some(self.account.rates.outbound.reserve(rate, now.monotonic));
                effects.exceed(Quota::OutboundPerAccount, self.account.tenant, &self.client_id);
                connection.mark_dirty(effects);
                false
            }
        }
    }

    /// Tell that a message is on its way to the client, if so much is told.
    pub(super) fn tell_sent(&self, trace: &Arc<Trace>, topic_name: &str, qos: QoS, effects: &mut Effects) {
        if effects.tells(Verbosity::Successes) {
            let (tenant, client_id) = (self.account.tenant, self.client_id.clone());
            let what = Traffic::PublishOut { topic_name: topic_name.into(), qos };
            effects.tell(Narrated { tenant, client_id, trace: Some(trace.clone()), what, denied: None });
        }
    }

    /// Tell that the client may not have a message, unless that was told often in this second.
    #[cold]
    pub(super) fn tell_withheld(
        &self,
        to: &mut Connection,
        trace: &Arc<Trace>,
        topic_name: &str,
        qos: QoS,
        now: Now,
        effects: &mut Effects,
    ) {
        if to.denials.take(DENIALS_PER_SECOND, now.monotonic) {
            let (tenant, client_id) = (self.account.tenant, self.client_id.clone());
            let what = Traffic::PublishOut { topic_name: topic_name.into(), qos };
            let denied = Some(to.rights.denied(Access::Receive, topic_name));
            effects.tell(Narrated { tenant, client_id, trace: Some(trace.clone()), what, denied });
        }
    }
}

impl Connection {
    /// Whether the packet is within the client's Maximum Packet Size, by its longest form. Spec: [MQTT-3.1.2-24] (5.0).
    pub(super) fn fits(&self, message: &Stamped, delivery: &Delivery<'_>) -> bool {
        const ALIAS_BYTES: usize = 3 + 2;
        let held = message.message.held_bytes() + 64 + 5 * delivery.subscription_identifiers.len();
        let max = self.packet_bytes_max as usize;
        held <= max || message.message.packet_bytes(delivery).is_ok_and(|bytes| bytes + ALIAS_BYTES <= max)
    }
}

fn write_pubrel(packet_id: NonZeroU16, version: Version, out: &mut Vec<u8>) {
    let ack = Ack::new(packet_id, ReasonCode::Success);
    ack.encode(PacketType::PubRel, version, out).expect("a bare acknowledgement encodes");
}
