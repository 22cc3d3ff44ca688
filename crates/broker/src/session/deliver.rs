//! Messages to a client: offered, and sent at once, queued or refused.

use std::{
    num::NonZeroU32,
    sync::{Arc, atomic::AtomicU64},
};

use tidegate_ids::{Now, Timestamp};
use tidegate_mqtt::{Delivery, QoS};

use super::{Connection, Outbound, Session, State, Undelivered};
use crate::{
    Effects, Limits, Narrated, QueuedRecord, Quota, Record, Traffic, Verbosity,
    message::{Images, Stamped},
    persist::{Place, Promise},
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
    /// Whom the route of its topic has asked whether they may have it.
    pub(crate) asked: &'a [AtomicU64],
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
                if !connection.may_receive(offer.topic_name, offer.hash, offer.asked) {
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
            return self.refuse(offer.qos, effects);
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

    /// There is no room for a message.
    #[cold]
    fn refuse(&self, qos: QoS, effects: &mut Effects) -> Offered {
        match qos {
            QoS::AtMostOnce => effects.counters.dropped_qos0 += 1,
            QoS::AtLeastOnce | QoS::ExactlyOnce => {
                effects.counters.dropped_queue_full += 1;
                effects.exceed(Quota::QueuedMessages, self.account.tenant, &self.client_id);
            }
        }
        Offered::Refused
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

    /// The session left `group`: what no connection has sent of it is for other members.
    pub(crate) fn withdraw(&self, group: &Arc<Group>, effects: &mut Effects) -> Vec<Undelivered> {
        let mut state = self.state.lock();
        let withdraw = |outbound: &mut Outbound| outbound.withdraw(Some(group), false);
        let withdrawn = state.outbound.get_mut().map_or_else(Vec::new, withdraw);
        self.take_stock(&mut state, effects);
        withdrawn
    }
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
}
