//! PUBLISH: from a client, as a will, or by the broker itself.

mod destination;
mod excess;
mod fan_out;
mod retain;

use std::sync::Arc;

use tidegate_ids::{Monotonic, Now};
use tidegate_mqtt::{MessageProperties, Publish, QoS, ReasonCode, Version};

use crate::{
    Broker, CloseReason, Effects, Link, Narrated, Profile, Quota, Traffic, Verbosity, WillRecord,
    levels::topic_hash,
    link::Rights,
    message::{Named, Stamped},
    narration::DENIALS_PER_SECOND,
    persist::Promise,
    reserved,
    seldom::Seldom,
    session::{Begin, Session},
    tenant::TenantState,
};
pub(crate) use destination::{PublishCache, beyond_limits, within_limits};
pub(crate) use excess::Excess;
pub(crate) use fan_out::Routed;

impl Broker {
    /// PUBLISH of a client.
    pub(crate) fn handle_publish(
        &self,
        link: &mut Link,
        publish: &Publish<'_>,
        now: Now,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let Link { tenant, session, epoch, profile, rights, cache, aliases, version, publishes, .. } = link;
        let Link { fills_the_log, trace, denials, .. } = link;
        let client = Publisher { session, epoch: *epoch, version: *version, publish };
        if let Err((quota, code)) = within_profile(publish, profile) {
            quota.into_iter().for_each(|quota| effects.exceed(quota, tenant.tenant, session.client_id()));
            return Err(CloseReason::ClientError(code));
        }
        let topic_name = resolve_alias(aliases, publish)?;
        let mut uncached;
        let hash = topic_hash(topic_name);
        let destination = match self.destination(tenant, cache, rights, profile, (topic_name, hash)) {
            Ok(cached) => cached,
            Err(computed) => {
                uncached = computed;
                &mut uncached
            }
        };
        let told = |denied| Narrated {
            tenant: tenant.tenant,
            client_id: session.client_id().clone(),
            trace: Some(trace.clone()),
            what: Traffic::PublishIn { topic_name: topic_name.into(), qos: publish.qos, retain: publish.retain },
            denied,
        };
        if let Some(quota) = destination.beyond {
            effects.exceed(quota, tenant.tenant, session.client_id());
            return client.refuse(ReasonCode::TopicNameInvalid, effects);
        }
        if destination.reserved == reserved::Publish::Refused {
            return client.refuse(ReasonCode::TopicNameInvalid, effects);
        }
        if let Some(access) = destination.denies(rights, topic_name, publish.retain) {
            effects.counters.denied_publish += 1;
            if denials.take(DENIALS_PER_SECOND, now.monotonic) {
                effects.tell(told(Some(rights.denied(access, topic_name))));
            }
            return client.refuse(ReasonCode::NotAuthorized, effects);
        }
        let _whole = (publish.qos == QoS::ExactlyOnce).then(|| self.whole());
        if let (QoS::ExactlyOnce, Some(packet_id)) = (publish.qos, publish.packet_id) {
            match session.begin_receive(*epoch, packet_id, effects)? {
                Begin::New => {}
                Begin::Again => return session.answer(*epoch, publish.qos, packet_id, ReasonCode::Success, effects),
                Begin::Pending => return session.hold(*epoch, publish.qos, packet_id).map(drop),
                Begin::TooMany => return Err(CloseReason::ClientError(ReasonCode::ReceiveMaximumExceeded)),
            }
        }
        if let Some((excess, quota)) = self.excess(tenant, profile, publish, topic_name, publishes, now) {
            effects.exceed(quota, tenant.tenant, session.client_id());
            return client.turn_away(excess, effects);
        }
        effects.counters.messages_received += 1;
        effects.counters.retained_received += u64::from(publish.retain);
        if effects.tells(Verbosity::Successes) {
            effects.tell(told(None));
        }
        let route = &*destination.route;
        let wanted = publish.retain || !route.targets.is_empty() || !route.groups.is_empty();
        let mut routed = Routed::default();
        if wanted && destination.reserved == reserved::Publish::Ordinary {
            let Some(message) = stamp(topic_name, publish, rights, profile, now.monotonic) else {
                if let (QoS::ExactlyOnce, Some(packet_id)) = (publish.qos, publish.packet_id) {
                    session.forget_received(packet_id, effects);
                }
                return Err(CloseReason::ClientError(ReasonCode::PacketTooLarge));
            };
            if publish.retain {
                routed.durable = self.retain(tenant, &message, Some(session), now, effects);
            }
            let named = Named { message: &message, topic_name, hash };
            let delivered = self.deliver(route, Some(session), named, publish.retain, now, effects);
            routed = Routed { matched: delivered.matched, durable: routed.durable || delivered.durable };
        }
        if destination.reserved == reserved::Publish::Request {
            self.ask((tenant, profile), topic_name, &publish.properties, publish.payload, now, effects);
        }
        // That its packet id is in use has to be durable, whoever gets the message.
        routed.durable |= publish.qos == QoS::ExactlyOnce && session.is_logged();
        *fills_the_log = routed.durable;
        client.answer(routed, profile, effects)
    }

    /// Publish `message` to whoever subscribed; `from` is the client whose will it is.
    pub(crate) fn publish_stamped(
        &self,
        tenant: &TenantState,
        from: Option<&Arc<Session>>,
        message: &Stamped,
        retain: bool,
        now: Now,
        effects: &mut Effects,
    ) -> Routed {
        let named = Named::of(message);
        let durable = retain && self.retain(tenant, message, from, now, effects);
        let route = tenant.router.route(named.topic_name, named.hash);
        let delivered = self.deliver(&route, from, named, retain, now, effects);
        Routed { matched: delivered.matched, durable: durable || delivered.durable }
    }

    /// Publish a will whose time has come. Spec: 3.1.2.5, 3.1.3.2 (5.0).
    pub(crate) fn publish_will(
        &self,
        tenant: &TenantState,
        from: &Arc<Session>,
        will: WillRecord,
        now: Now,
        effects: &mut Effects,
    ) {
        let WillRecord { message, qos, retain, expiry, .. } = will;
        let stamped = Stamped { message, qos, expires_at: expiry.map(|expiry| now.monotonic + expiry) };
        self.publish_stamped(tenant, Some(from), &stamped, retain, now, effects);
    }
}

/// The client behind a PUBLISH, and what it is owed.
struct Publisher<'a> {
    session: &'a Arc<Session>,
    epoch: u64,
    version: Version,
    publish: &'a Publish<'a>,
}

impl Publisher<'_> {
    /// Refuse the message: MQTT 5 clients are told in the acknowledgement where there is one; else the connection ends.
    ///
    /// AWS: facts on denied operations: 3.1.1 closed; 5.0 QoS 0 DISCONNECT, QoS 1 PUBACK with the code.
    #[cold]
    fn refuse(&self, code: ReasonCode, effects: &mut Effects) -> Result<(), CloseReason> {
        match (self.version, self.publish.packet_id) {
            (Version::V5, Some(packet_id)) => {
                self.session.answer(self.epoch, self.publish.qos, packet_id, code, effects)
            }
            (Version::V4 | Version::V5, _) if code == ReasonCode::NotAuthorized => Err(CloseReason::NotAuthorized),
            (Version::V4 | Version::V5, _) => Err(CloseReason::ClientError(code)),
        }
    }

    /// Drop a message for which there is no room, or not now.
    ///
    /// AWS: general reference, "Message broker limits". Unverified: a 3.1.1 client that publishes too often gets no PUBACK.
    #[cold]
    fn turn_away(&self, excess: Excess, effects: &mut Effects) -> Result<(), CloseReason> {
        let counters = &mut effects.counters;
        match excess {
            Excess::Rate => counters.publish_throttled += 1,
            Excess::Properties => counters.publish_oversized += 1,
            Excess::Memory => counters.dropped_memory += 1,
        }
        match (self.version, self.publish.packet_id, excess) {
            (_, None, _) => Ok(()),
            (Version::V5, Some(packet_id), _) => {
                self.session.answer(self.epoch, self.publish.qos, packet_id, ReasonCode::QuotaExceeded, effects)
            }
            (Version::V4, Some(_), Excess::Rate) if self.publish.qos == QoS::AtLeastOnce => Ok(()),
            // 3.1.1 has no word for it, and nothing is remembered of the packet id.
            (Version::V4, Some(packet_id), _) => {
                self.session.forget_received(packet_id, effects);
                Err(CloseReason::QuotaExceeded)
            }
        }
    }

    /// PUBACK or PUBREC, now or once the batch is durable.
    fn answer(&self, routed: Routed, profile: &Profile, effects: &mut Effects) -> Result<(), CloseReason> {
        let Some(packet_id) = self.publish.packet_id else { return Ok(()) };
        let qos = self.publish.qos;
        if routed.durable {
            let held = self.session.hold(self.epoch, qos, packet_id);
            match (&held, qos) {
                // It is answered to whoever resumed the session, if that asks again.
                (_, QoS::ExactlyOnce) => self.session.promise(self.epoch, Promise::PubRec { packet_id }, effects),
                (Ok(behind), _) => self.session.promise_pubacks(self.epoch, *behind, effects),
                (Err(_), _) => {}
            }
            return held.map(drop);
        }
        let code = match routed.matched || !profile.informative_success {
            true => ReasonCode::Success,
            false => ReasonCode::NoMatchingSubscribers,
        };
        self.session.answer(self.epoch, qos, packet_id, code, effects)
    }
}

/// What is too large or too much for `profile` about a PUBLISH, whatever its topic.
fn within_profile(publish: &Publish<'_>, profile: &Profile) -> Result<(), (Option<Quota>, ReasonCode)> {
    let limits = &profile.limits;
    if publish.qos > profile.maximum_qos {
        Err((None, ReasonCode::QoSNotSupported))
    } else if publish.payload.len() > limits.payload_bytes_max {
        Err((Some(Quota::PayloadSize), ReasonCode::PacketTooLarge))
    } else if publish.topic_alias.is_some_and(|alias| alias.get() > limits.topic_alias_maximum) {
        Err((Some(Quota::TopicAliases), ReasonCode::TopicAliasInvalid))
    } else {
        Ok(())
    }
}

/// The message of a PUBLISH, with the user properties that the client's rights add behind its own; `None` when it is larger
/// than any packet.
fn stamp(
    topic_name: &str,
    publish: &Publish<'_>,
    rights: &Rights,
    profile: &Profile,
    now: Monotonic,
) -> Option<Stamped> {
    let Publish { properties, payload, qos, .. } = publish;
    let stamped = |properties: &MessageProperties<'_>| {
        Stamped::new(topic_name, properties, payload, *qos, profile.limits.message_expiry_max, now)
    };
    let Some(enrichment) = rights.0.enrichment() else { return stamped(properties) };
    let more = enrichment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let pairs: Vec<_> = properties.user_properties.iter().chain(more).collect();
    stamped(&MessageProperties { user_properties: pairs.as_slice().into(), ..*properties })
}

/// The topic name of a PUBLISH, by its alias if need be. Spec: 3.3.2.3.4, [MQTT-3.3.2-7] to [MQTT-3.3.2-12] (5.0).
fn resolve_alias<'a>(
    aliases: &'a mut Seldom<Vec<Option<Box<str>>>>,
    publish: &Publish<'a>,
) -> Result<&'a str, CloseReason> {
    let Some(alias) = publish.topic_alias else { return Ok(publish.topic_name) };
    let at = usize::from(alias.get() - 1);
    if !publish.topic_name.is_empty() {
        let aliases = aliases.make();
        if aliases.len() <= at {
            aliases.resize(at + 1, None);
        }
        aliases[at] = Some(publish.topic_name.into());
        return Ok(publish.topic_name);
    }
    let known = aliases.get_mut().and_then(|aliases| aliases.get(at)?.as_deref());
    known.ok_or(CloseReason::ClientError(ReasonCode::ProtocolError))
}
