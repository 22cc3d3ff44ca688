//! PUBLISH: from a client, as a will, or by the broker itself.

use std::{sync::Arc, time::Duration};

use tidegate_ids::{Monotonic, Now, Tenant};
use tidegate_mqtt::{MessageProperties, Publish, QoS, ReasonCode, Version, topic};

use crate::{
    Broker, CloseReason, Effects, Enrichment, Limits, Link, Narrated, Profile, Quota, Record, RetainedRecord, Traffic,
    Verbosity, WillRecord,
    levels::topic_hash,
    link::Rights,
    message::{Images, Stamped},
    narration::DENIALS_PER_SECOND,
    persist::Promise,
    ports::Access,
    rate::Rate,
    reserved,
    retained::Told,
    router::{self, Group, Route, Whose},
    session::{Begin, Offer, Offered, Session, Undelivered, expires_at},
    tenant::TenantState,
    topic_cache::{CACHED_TOPIC_BYTES_MAX, TopicCache},
};

/// What a connection publishes to.
pub(crate) type PublishCache = TopicCache<Destination, 64>;

/// Where a connection's messages to one topic name go, and whether they may.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// Which limit the name itself is beyond.
    beyond: Option<Quota>,
    reserved: reserved::Publish,
    rights_generation: u64,
    may_publish: bool,
    may_retain: bool,
    router_version: router::Version,
    route: Arc<Route>,
}

/// Why there is no room for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    /// Too many in a second.
    Rate,
    /// Its properties are too large.
    Properties,
    /// The memory budget is used up.
    Memory,
}

/// What became of a message.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Routed {
    /// Somebody has it.
    pub(crate) matched: bool,
    /// A record of it is logged.
    pub(crate) durable: bool,
}

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
        if publish.qos > profile.maximum_qos {
            return Err(CloseReason::ClientError(ReasonCode::QoSNotSupported));
        }
        if publish.payload.len() > profile.limits.payload_bytes_max {
            effects.exceed(Quota::PayloadSize, tenant.tenant, session.client_id());
            return Err(CloseReason::ClientError(ReasonCode::PacketTooLarge));
        }
        if publish.topic_alias.is_some_and(|alias| alias.get() > profile.limits.topic_alias_maximum) {
            effects.exceed(Quota::TopicAliases, tenant.tenant, session.client_id());
            return Err(CloseReason::ClientError(ReasonCode::TopicAliasInvalid));
        }
        let topic_name = resolve_alias(aliases, publish)?;
        let uncached;
        let destination = match self.destination(tenant, cache, rights, profile, topic_name) {
            Ok(cached) => cached,
            Err(computed) => {
                uncached = computed;
                &uncached
            }
        };
        if let Some(quota) = destination.beyond {
            effects.exceed(quota, tenant.tenant, session.client_id());
            return client.refuse(ReasonCode::TopicNameInvalid, effects);
        }
        if destination.reserved == reserved::Publish::Refused {
            return client.refuse(ReasonCode::TopicNameInvalid, effects);
        }
        if !destination.may_publish || (publish.retain && !destination.may_retain) {
            effects.counters.denied_publish += 1;
            let access = if destination.may_publish { Access::RetainPublish } else { Access::Publish };
            if denials.take(DENIALS_PER_SECOND, now.monotonic) {
                effects.tell(Narrated {
                    tenant: tenant.tenant,
                    client_id: session.client_id().clone(),
                    trace: Some(trace.clone()),
                    what: Traffic::PublishIn {
                        topic_name: topic_name.into(),
                        qos: publish.qos,
                        retain: publish.retain,
                    },
                    denied: Some(rights.denied(access, topic_name)),
                });
            }
            return client.refuse(ReasonCode::NotAuthorized, effects);
        }
        let _whole = (publish.qos == QoS::ExactlyOnce).then(|| self.whole());
        if let (QoS::ExactlyOnce, Some(packet_id)) = (publish.qos, publish.packet_id) {
            match session.begin_receive(*epoch, packet_id, effects)? {
                Begin::New => {}
                Begin::Again => return session.answer(*epoch, publish.qos, packet_id, ReasonCode::Success, effects),
                Begin::Pending => return session.hold(*epoch, publish.qos, packet_id),
                Begin::TooMany => return Err(CloseReason::ClientError(ReasonCode::ReceiveMaximumExceeded)),
            }
        }
        if let Some((excess, quota)) = self.excess(tenant, profile, publish, topic_name, publishes, now) {
            effects.exceed(quota, tenant.tenant, session.client_id());
            return client.turn_away(excess, effects);
        }
        effects.counters.messages_received += 1;
        if effects.tells(Verbosity::Successes) {
            effects.tell(Narrated {
                tenant: tenant.tenant,
                client_id: session.client_id().clone(),
                trace: Some(trace.clone()),
                what: Traffic::PublishIn { topic_name: topic_name.into(), qos: publish.qos, retain: publish.retain },
                denied: None,
            });
        }
        let route = &*destination.route;
        let wanted = publish.retain || !route.targets.is_empty() || !route.groups.is_empty();
        let mut routed = Routed::default();
        if wanted && destination.reserved == reserved::Publish::Ordinary {
            let expiry_max = profile.limits.message_expiry_max;
            let Publish { properties, payload, qos, .. } = publish;
            let stamp = |properties: &MessageProperties<'_>| {
                Stamped::new(topic_name, properties, payload, *qos, expiry_max, now.monotonic)
            };
            let stamped = match rights.0.enrichment() {
                None => stamp(properties),
                Some(enrichment) => enriched(properties, &enrichment, stamp),
            };
            let Some(message) = stamped else {
                if let (QoS::ExactlyOnce, Some(packet_id)) = (publish.qos, publish.packet_id) {
                    session.forget_received(packet_id, effects);
                }
                return Err(CloseReason::ClientError(ReasonCode::PacketTooLarge));
            };
            if publish.retain {
                routed.durable = self.retain(tenant, &message, Some(session), now, effects);
            }
            let delivered = self.deliver(route, Some(session), &message, publish.retain, now, effects);
            routed = Routed { matched: delivered.matched, durable: routed.durable || delivered.durable };
        }
        if destination.reserved == reserved::Publish::Request {
            self.ask(tenant, topic_name, &publish.properties, publish.payload, now, effects);
        }
        // That its packet id is in use has to be durable, whoever gets the message.
        routed.durable |= publish.qos == QoS::ExactlyOnce && session.is_logged();
        *fills_the_log = routed.durable;
        client.answer(routed, profile, effects)
    }

    /// What there is too much of for this message to be taken, if there is.
    pub(crate) fn excess(
        &self,
        tenant: &TenantState,
        profile: &Profile,
        publish: &Publish<'_>,
        topic_name: &str,
        publishes: &mut Rate,
        now: Now,
    ) -> Option<(Excess, Quota)> {
        let limits = &profile.limits;
        if let Some(quota) = beyond_property_limits(&publish.properties, limits) {
            return Some((Excess::Properties, quota));
        }
        let (monotonic, rates) = (now.monotonic, &tenant.rates);
        let retains = publish.retain && !publish.payload.is_empty();
        let too_soon = |interval: Duration| {
            let last = tenant.retained.retained_at(topic_name);
            last.is_some_and(|last| monotonic.since(last.monotonic) < interval)
        };
        let account = &limits.account;
        let too_many = if limits.publishes_per_second.is_some_and(|rate| !publishes.take(rate, monotonic)) {
            Some(Quota::PublishesPerConnection)
        } else if account.publishes_per_second.is_some_and(|rate| !rates.publishes.take(rate, monotonic)) {
            Some(Quota::PublishesPerAccount)
        } else if retains && limits.retained_interval.is_some_and(too_soon) {
            Some(Quota::RetainedPerTopic)
        } else if retains && account.retained_per_second.is_some_and(|rate| !rates.retained.take(rate, monotonic)) {
            Some(Quota::RetainedPerAccount)
        } else if retains && tenant.retained.is_full(account.retained_max, topic_name) {
            Some(Quota::RetainedMessages)
        } else {
            None
        };
        if let Some(quota) = too_many {
            return Some((Excess::Rate, quota));
        }
        // What is deleted makes room.
        let deletes = publish.retain && publish.payload.is_empty();
        (!deletes && tenant.memory.is_used_up()).then_some((Excess::Memory, Quota::Memory))
    }

    /// The cached destination of `topic_name`, brought up to date; `Err` holds one that cannot be cached.
    fn destination<'a>(
        &self,
        tenant: &TenantState,
        cache: &'a mut PublishCache,
        rights: &Rights,
        profile: &Profile,
        topic_name: &str,
    ) -> Result<&'a Destination, Destination> {
        let hash = topic_hash(topic_name);
        let generation = rights.0.generation();
        // Before the route is looked up: what changes meanwhile is noticed the next time.
        let version = tenant.router.version(hash);
        let decide = |access| rights.0.allows(access, topic_name);
        let find_route = || Arc::new(tenant.router.route(topic_name, hash));
        if cache.holds(topic_name, hash) {
            let known = cache.at(hash);
            if known.rights_generation != generation {
                known.may_publish = decide(Access::Publish);
                known.may_retain = decide(Access::RetainPublish);
                known.rights_generation = generation;
            }
            if known.router_version != version {
                known.route = find_route();
                known.router_version = version;
            }
            return Ok(known);
        }
        let destination = Destination {
            beyond: beyond_limits(topic_name, profile),
            reserved: reserved::publish(topic_name, profile),
            rights_generation: generation,
            may_publish: decide(Access::Publish),
            may_retain: decide(Access::RetainPublish),
            router_version: version,
            route: find_route(),
        };
        if topic_name.len() > CACHED_TOPIC_BYTES_MAX {
            return Err(destination);
        }
        cache.insert(topic_name, hash, destination);
        Ok(cache.at(hash))
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
        let name = message.message.topic_name();
        let durable = retain && self.retain(tenant, message, from, now, effects);
        let route = tenant.router.route(name, topic_hash(name));
        let delivered = self.deliver(&route, from, message, retain, now, effects);
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

    /// Retain `message`, or delete what is retained when its payload is empty; whether a record of it is logged.
    ///
    /// Spec: 3.3.1.3, [MQTT-3.3.1-5] to [MQTT-3.3.1-7] (5.0).
    fn retain(
        &self,
        tenant: &TenantState,
        message: &Stamped,
        from: Option<&Arc<Session>>,
        now: Now,
        effects: &mut Effects,
    ) -> bool {
        let publisher = from.map(|from| from.client_id().clone());
        let topic_name = message.message.topic_name();
        // What a broker says of itself is true while it runs, and said again and again.
        let records = self.records().filter(|_| !topic_name.starts_with("$SYS/"));
        // Told while nothing else can change, so that the log has the order of the changes.
        let told = |told: Told<'_>| match told {
            Told::Deleted(topic_name) => self.log_retained_deleted(tenant.tenant, topic_name),
            Told::Set => {
                if let Some(records) = records {
                    let retained = RetainedRecord {
                        qos: message.qos,
                        expires_at: expires_at(message, now),
                        publisher: publisher.clone(),
                        retained_at: Some(now.wall),
                        message: message.message.clone(),
                    };
                    records.push(Record::Retained { tenant: tenant.tenant, retained });
                }
            }
        };
        if message.message.payload().is_empty() {
            tenant.retained.delete(topic_name, told);
        } else {
            tenant.retained.set(message.clone(), publisher.clone(), now, told);
        }
        effects.token.logged |= records.is_some();
        records.is_some()
    }

    fn log_retained_deleted(&self, tenant: Tenant, topic_name: &str) {
        if let Some(records) = self.records() {
            records.push(Record::RetainedDeleted { tenant, topic_name: topic_name.into() });
        }
    }

    /// Forget some of the retained messages that have expired; whether there are more. O(tenants).
    pub(crate) fn sweep_retained(&self, now: Monotonic) -> bool {
        let mut more = false;
        for tenant in self.all_tenants() {
            more |= tenant.retained.sweep(now, |told| match told {
                Told::Deleted(topic_name) => self.log_retained_deleted(tenant.tenant, topic_name),
                Told::Set => unreachable!("a sweep retains nothing"),
            });
        }
        more
    }

    /// Give `message` to everyone on `route`. Locks one session at a time.
    fn deliver(
        &self,
        route: &Route,
        from: Option<&Arc<Session>>,
        message: &Stamped,
        retain: bool,
        now: Now,
        effects: &mut Effects,
    ) -> Routed {
        let mut images = Images::default();
        let mut routed = Routed::default();
        let topic_name = message.message.topic_name();
        let offer = Offer {
            message,
            topic_name,
            hash: topic_hash(topic_name),
            qos: message.qos,
            retain: false,
            identifiers: &[],
            is_retained: false,
            group: None,
            now,
        };
        for target in &route.targets {
            let own = from.is_some_and(|from| Arc::ptr_eq(from, &target.session));
            match target.whose {
                Whose::Others if own => continue,
                Whose::Own if !own => continue,
                Whose::Any | Whose::Others | Whose::Own => {}
            }
            let offer = Offer {
                qos: message.qos.min(target.qos),
                retain: retain && target.retain_as_published,
                identifiers: target.identifiers.as_deref().unwrap_or(&[]),
                ..offer
            };
            routed.note(target.session.offer(&offer, &mut images, effects));
        }
        for group in &route.groups {
            routed.note(offer_to_group(group, &Offer { retain, ..offer }, &mut images, effects));
        }
        routed
    }

    /// Give a message of a shared group to another member. Spec: 4.8.2 (5.0).
    pub(crate) fn deliver_again(&self, undelivered: Undelivered, now: Now, effects: &mut Effects) {
        let Undelivered { group, message, retain } = undelivered;
        let topic_name = message.message.topic_name();
        let offer = Offer {
            message: &message,
            topic_name,
            hash: topic_hash(topic_name),
            qos: message.qos,
            retain,
            identifiers: &[],
            is_retained: false,
            group: None,
            now,
        };
        match offer_to_group(&group, &offer, &mut Images::default(), effects) {
            Offered::Refused => effects.counters.dropped_unrouted += 1,
            Offered::Taken | Offered::TakenDurably => effects.counters.rerouted += 1,
        }
    }
}

/// Offer a message to the members of a group, one after the other, until one takes it.
fn offer_to_group(group: &Arc<Group>, offer: &Offer<'_>, images: &mut Images, effects: &mut Effects) -> Offered {
    let mut refused = Vec::new();
    while let Some(member) = group.pick(&refused) {
        let offer = Offer {
            qos: offer.qos.min(member.options.qos),
            retain: offer.retain && member.options.retain_as_published,
            identifiers: member.identifier.as_slice(),
            group: Some(group),
            ..*offer
        };
        match member.session.offer(&offer, images, effects) {
            Offered::Refused => refused.push(member.session.serial()),
            taken => return taken,
        }
    }
    Offered::Refused
}

impl Routed {
    fn note(&mut self, offered: Offered) {
        match offered {
            Offered::Taken => self.matched = true,
            Offered::TakenDurably => (self.matched, self.durable) = (true, true),
            Offered::Refused => {}
        }
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
            // A QoS 2 message is answered to whoever resumed the session, if that asks again.
            if held.is_ok() || qos == QoS::ExactlyOnce {
                self.session.promise(self.epoch, Promise::Publish { packet_id, qos }, effects);
            }
            return held;
        }
        let code = match routed.matched || !profile.informative_success {
            true => ReasonCode::Success,
            false => ReasonCode::NoMatchingSubscribers,
        };
        self.session.answer(self.epoch, qos, packet_id, code, effects)
    }
}

/// What `stamp` makes of properties with more user properties behind their own.
fn enriched<T>(
    properties: &MessageProperties<'_>,
    enrichment: &Enrichment,
    stamp: impl FnOnce(&MessageProperties<'_>) -> T,
) -> T {
    let more = enrichment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let pairs: Vec<_> = properties.user_properties.iter().chain(more).collect();
    stamp(&MessageProperties { user_properties: pairs.as_slice().into(), ..*properties })
}

/// The topic name of a PUBLISH, by its alias if need be. Spec: 3.3.2.3.4, [MQTT-3.3.2-7] to [MQTT-3.3.2-12] (5.0).
fn resolve_alias<'a>(aliases: &'a mut Vec<Option<Box<str>>>, publish: &Publish<'a>) -> Result<&'a str, CloseReason> {
    let Some(alias) = publish.topic_alias else { return Ok(publish.topic_name) };
    let at = usize::from(alias.get() - 1);
    if !publish.topic_name.is_empty() {
        if aliases.len() <= at {
            aliases.resize(at + 1, None);
        }
        aliases[at] = Some(publish.topic_name.into());
        return Ok(publish.topic_name);
    }
    let known = aliases.get(at).and_then(Option::as_deref);
    known.ok_or(CloseReason::ClientError(ReasonCode::ProtocolError))
}

/// Which property of a message is larger than the profile lets it be. AWS: general reference, "MQTT 5 limits".
fn beyond_property_limits(properties: &MessageProperties<'_>, limits: &Limits) -> Option<Quota> {
    let length = |text: Option<&str>| text.map_or(0, str::len);
    let user_properties = || -> usize { properties.user_properties.iter().map(|(k, v)| k.len() + v.len()).sum() };
    if length(properties.content_type) > limits.content_type_bytes_max {
        Some(Quota::ContentTypeSize)
    } else if properties.correlation_data.map_or(0, <[u8]>::len) > limits.correlation_data_bytes_max {
        Some(Quota::CorrelationDataSize)
    } else if length(properties.response_topic) > limits.topic_bytes_max {
        Some(Quota::ResponseTopicSize)
    } else if limits.user_properties_bytes_max != usize::MAX && user_properties() > limits.user_properties_bytes_max {
        Some(Quota::UserPropertiesSize)
    } else {
        None
    }
}

/// Whether a topic name, or a filter without its `$share/…/`, is within the profile's limits.
pub(crate) fn within_limits(topic: &str, profile: &Profile) -> bool {
    beyond_limits(topic, profile).is_none()
}

/// Which limit of the profile a topic name is beyond. The prefix of Basic Ingest does not count.
///
/// AWS: general reference, "Message broker limits": topic size and number of slashes.
pub(crate) fn beyond_limits(topic: &str, profile: &Profile) -> Option<Quota> {
    let counted =
        topic.strip_prefix("$aws/rules/").and_then(|rest| rest.split_once('/')).map_or(topic, |(_, rest)| rest);
    if counted.len() > profile.limits.topic_bytes_max {
        Some(Quota::TopicNameSize)
    } else if topic::level_count(counted) > profile.limits.topic_levels_max {
        Some(Quota::TopicNameLevels)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_counted_without_the_basic_ingest_prefix() {
        let aws = Profile::aws();
        for (topic_name, within) in [
            ("1/2/3/4/5/6/7/8", true),
            ("1/2/3/4/5/6/7/8/9", false),
            ("$aws/rules/r/1/2/3/4/5/6/7/8", true),
            ("$aws/rules/r/1/2/3/4/5/6/7/8/9", false),
            (&"x".repeat(256), true),
            (&"x".repeat(257), false),
        ] {
            assert_eq!(within_limits(topic_name, &aws), within, "{topic_name}");
        }
    }
}
