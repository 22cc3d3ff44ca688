//! Messages to a client: offered, queued, sent, acknowledged.

use std::{
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
};

use tidegate_ids::{Now, Timestamp};
use tidegate_mqtt::{Ack, Delivery, PacketType, QoS, ReasonCode, SessionExpiry, Version};

use super::{Connection, Fetch, Outbound, Session, State, Undelivered, outbound::Acknowledged, outbound::Next};
use crate::{
    CloseReason, Effects, Limits, Narrated, Output, QueuedRecord, Quota, Record, Trace, Traffic, Verbosity,
    levels::topic_hash,
    message::{Images, Stamped},
    narration::DENIALS_PER_SECOND,
    persist::{Place, Promise},
    ports::Access,
    router::Group,
    tenant::Rates,
};

/// A message for one session.
#[derive(Debug)]
pub(crate) struct Offer<'a> {
    pub(crate) message: &'a Stamped,
    /// Its topic name, read once.
    pub(crate) topic_name: &'a str,
    /// `topic_hash` of that.
    pub(crate) hash: u64,
    /// The QoS of this delivery.
    pub(crate) qos: QoS,
    /// RETAIN as this client is to see it.
    pub(crate) retain: bool,
    pub(crate) identifiers: &'a [NonZeroU32],
    /// A retained message that a new subscription brings. The bounds of the queue do not hold for these: so many are
    /// offered at once, and no more before they are on their way.
    pub(crate) is_retained: bool,
    /// The shared group whose member this is offered to.
    pub(crate) group: Option<&'a Arc<Group>>,
    pub(crate) now: Now,
}

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It is in the outbox or in the queue.
    Taken,
    /// So it is, and a record of it is logged.
    TakenDurably,
    /// It is not; the counters say why.
    Refused,
    /// It is not, because the account is at its rate: nobody else would take it.
    OverRate,
}

impl Session {
    /// Hand a message to the session, whatever core its connection lives on. Never blocks on the client.
    pub(crate) fn offer(self: &Arc<Self>, offer: &Offer<'_>, images: &mut Images, effects: &mut Effects) -> Offered {
        let mut state = self.state.lock();
        if !state.alive {
            return Offered::Refused;
        }
        let State { connection, outbound, profile, trace, .. } = &mut *state;
        match connection {
            Some(connection) => {
                if !connection.may_receive(offer.topic_name, offer.hash) {
                    effects.counters.denied_receive += 1;
                    self.tell_withheld(connection, trace, offer.topic_name, offer.qos, offer.now, effects);
                    return Offered::Refused;
                }
                // Retained messages, and whatever comes behind them, queue up; other QoS 0 messages go at once.
                if offer.qos == QoS::AtMostOnce && !offer.is_retained && outbound.backlog() == 0 {
                    let offered = connection.send_now(offer, &profile.limits, &self.account.rates, images, effects);
                    match offered {
                        Offered::Refused => {}
                        Offered::OverRate => {
                            effects.exceed(Quota::OutboundPerAccount, self.account.tenant, &self.client_id)
                        }
                        Offered::Taken | Offered::TakenDurably => {
                            self.tell_sent(trace, offer.topic_name, offer.qos, effects);
                        }
                    }
                    self.report_memory(&mut state);
                    return offered;
                }
            }
            None if offer.qos == QoS::AtMostOnce => {
                effects.counters.dropped_qos0 += 1;
                return Offered::Refused;
            }
            None => {}
        }
        let limits = &profile.limits;
        let has_room = |outbound: &Outbound| {
            offer.is_retained || outbound.has_room(offer.message, limits.queued_messages_max, limits.queued_bytes_max)
        };
        if !has_room(outbound) {
            let drop_expired = |outbound: &mut Outbound| outbound.drop_expired(offer.now.monotonic);
            effects.counters.dropped_expired += outbound.get_mut().map_or(0, drop_expired);
        }
        if !has_room(outbound) {
            match offer.qos {
                QoS::AtMostOnce => effects.counters.dropped_qos0 += 1,
                QoS::AtLeastOnce | QoS::ExactlyOnce => {
                    effects.counters.dropped_queue_full += 1;
                    effects.exceed(Quota::QueuedMessages, self.account.tenant, &self.client_id);
                }
            }
            return Offered::Refused;
        }
        let account = &limits.account;
        let away = connection.is_none() && !offer.is_retained;
        if away
            && account.queued_per_second.is_some_and(|rate| !self.account.rates.queued.take(rate, offer.now.monotonic))
        {
            effects.counters.dropped_queue_full += 1;
            effects.exceed(Quota::QueuedPerAccount, self.account.tenant, &self.client_id);
            return Offered::Refused;
        }
        let sequence = outbound.make_with(|| Outbound::new(self.is_logged())).push(
            offer.message.clone(),
            offer.qos,
            offer.retain,
            offer.identifiers,
            offer.is_retained,
            offer.group,
        );
        effects.counters.queued += u64::from(state.connection.is_none());
        if state.connection.is_none() && effects.tells(Verbosity::Successes) {
            let what = Traffic::Queued { topic_name: offer.message.message.topic_name().into(), qos: offer.qos };
            let (tenant, client_id) = (self.account.tenant, self.client_id.clone());
            effects.tell(Narrated { tenant, client_id, trace: None, what, denied: None });
        }
        let record = (offer.qos != QoS::AtMostOnce).then(|| self.log_queued(sequence, offer, effects)).flatten();
        if let (Some(record), Some(outbound)) = (record, state.outbound.get_mut()) {
            outbound.logged(record);
        }
        self.pump_with(&mut state, offer.now, Some((offer, images)), effects);
        self.take_stock(&mut state, effects);
        if record.is_some() { Offered::TakenDurably } else { Offered::Taken }
    }

    /// Log that a message entered the queue, if the session is kept. A QoS 2 message is sent once that is durable.
    fn log_queued(self: &Arc<Self>, sequence: u64, offer: &Offer<'_>, effects: &mut Effects) -> Option<Place> {
        let logged = self.log(effects, |session| Record::Queued {
            session,
            delivery: QueuedRecord {
                sequence,
                qos: offer.qos,
                retain: offer.retain,
                identifiers: (!offer.identifiers.is_empty()).then(|| offer.identifiers.into()),
                expires_at: expires_at(offer.message, offer.now),
                group: offer.group.map(|group| group.number()),
                message: offer.message.message.clone(),
            },
        });
        if logged.is_some() && offer.qos == QoS::ExactlyOnce {
            self.promise(0, Promise::Delivery { sequence }, effects);
        }
        logged
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

    /// The session left `group`: what no connection has sent of it is for other members.
    pub(crate) fn withdraw(&self, group: &Arc<Group>, effects: &mut Effects) -> Vec<Undelivered> {
        let mut state = self.state.lock();
        let withdraw = |outbound: &mut Outbound| outbound.withdraw(Some(group), false);
        let withdrawn = state.outbound.get_mut().map_or_else(Vec::new, withdraw);
        self.take_stock(&mut state, effects);
        withdrawn
    }

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
        if state.outbound.len() > 0 {
            self.pump_with(state, now, None, effects);
        }
    }

    /// As `pump`. What is known of the youngest message, if it was offered a moment ago, need not be found out again.
    fn pump_with(
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
                    if !dup && youngest.is_none() && !connection.may_receive(name, topic_hash(name)) {
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
    fn tell_sent(&self, trace: &Arc<Trace>, topic_name: &str, qos: QoS, effects: &mut Effects) {
        if effects.tells(Verbosity::Successes) {
            let (tenant, client_id) = (self.account.tenant, self.client_id.clone());
            let what = Traffic::PublishOut { topic_name: topic_name.into(), qos };
            effects.tell(Narrated { tenant, client_id, trace: Some(trace.clone()), what, denied: None });
        }
    }

    /// Tell that the client may not have a message, unless that was told often in this second.
    fn tell_withheld(
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

    /// A new session expiry, from DISCONNECT. Spec: [MQTT-3.14.2-2] (5.0): not when CONNECT said 0.
    pub(crate) fn change_expiry(&self, epoch: u64, expiry: SessionExpiry) -> Result<(), CloseReason> {
        let mut state = self.state.lock();
        self.current(&mut state, epoch)?;
        if state.expiry == SessionExpiry::AT_DISCONNECT && expiry != SessionExpiry::AT_DISCONNECT {
            return Err(CloseReason::ClientError(ReasonCode::ProtocolError));
        }
        let max = state.profile.limits.session_expiry_max;
        state.expiry = SessionExpiry::from_seconds(expiry.seconds().min(max.as_secs().try_into().unwrap_or(u32::MAX)));
        Ok(())
    }
}

fn write_pubrel(packet_id: NonZeroU16, version: Version, out: &mut Vec<u8>) {
    let ack = Ack::new(packet_id, ReasonCode::Success);
    ack.encode(PacketType::PubRel, version, out).expect("a bare acknowledgement encodes");
}

/// When `message` expires, in wall time.
pub(crate) fn expires_at(message: &Stamped, now: Now) -> Option<Timestamp> {
    message.expires_at.map(|at| now.wall + at.since(now.monotonic))
}

impl Connection {
    /// QoS 0: into the outbox, or nowhere. What counts for the account's rate is what is sent.
    fn send_now(
        &mut self,
        offer: &Offer<'_>,
        limits: &Limits,
        rates: &Rates,
        images: &mut Images,
        effects: &mut Effects,
    ) -> Offered {
        let mut delivery = Delivery {
            retain: offer.retain,
            subscription_identifiers: offer.identifiers,
            ..Delivery::new(self.version)
        };
        let Ok(left) = offer.message.seconds_left(offer.now.monotonic) else {
            effects.counters.dropped_expired += 1;
            return Offered::Refused;
        };
        delivery.message_expiry_seconds = left;
        if self.outbox.publish_bytes() >= limits.outbox_bytes_max {
            effects.counters.dropped_qos0 += 1;
            return Offered::Refused;
        }
        if !self.fits(offer.message, &delivery) {
            effects.counters.dropped_too_large += 1;
            return Offered::Refused;
        }
        let rate = limits.account.outbound_publishes_per_second;
        if rate.is_some_and(|rate| !rates.outbound.take(rate, offer.now.monotonic)) {
            effects.counters.dropped_qos0 += 1;
            return Offered::OverRate;
        }
        delivery.topic = self.aliases.name(offer.topic_name);
        self.lend_buffer(effects);
        self.outbox.publish(|out| images.append(&offer.message.message, &delivery, out));
        self.mark_dirty(effects);
        effects.counters.messages_sent += 1;
        Offered::Taken
    }

    /// Whether the packet is within the client's Maximum Packet Size, by its longest form. Spec: [MQTT-3.1.2-24] (5.0).
    fn fits(&self, message: &Stamped, delivery: &Delivery<'_>) -> bool {
        const ALIAS_BYTES: usize = 3 + 2;
        let held = message.message.held_bytes() + 64 + 5 * delivery.subscription_identifiers.len();
        let max = self.packet_bytes_max as usize;
        held <= max || message.message.packet_bytes(delivery).is_ok_and(|bytes| bytes + ALIAS_BYTES <= max)
    }
}
