//! SUBSCRIBE and UNSUBSCRIBE.

use std::{num::NonZeroU32, sync::Arc};

use tidegate_ids::Now;
use tidegate_mqtt::{
    ReasonCode, RetainHandling, SubAck, Subscribe, Subscription, UnsubAck, Unsubscribe, Version, topic, topic::Shared,
};

use crate::{
    Broker, CloseReason, Effects, LifecycleKind, Link, Profile, Quota, Record, SubscriptionRecord, Traffic, Verbosity,
    close::{reason_text, traced},
    persist::{Made, Promise},
    ports::Access,
    publish::within_limits,
    reserved,
    retained::Walk,
    router::{Group, Interest, Options, Subscriber},
    session::{Fetch, Session},
    tenant::TenantState,
};

impl Broker {
    /// SUBSCRIBE of a client. Every granted filter is in the router before SUBACK is in the outbox; retained messages
    /// come after it.
    ///
    /// Spec: 3.8.4 (5.0).
    // Else all of it stands within `handle`, among what each PUBLISH runs through.
    #[inline(never)]
    pub(crate) fn handle_subscribe(
        &self,
        link: &mut Link,
        subscribe: &Subscribe<'_>,
        now: Now,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        if subscribe.subscriptions.iter().count() > link.profile.limits.filters_per_subscribe_max {
            link.exceeded(Quota::FiltersPerSubscribe, effects);
            return Err(CloseReason::ClientError(ReasonCode::QuotaExceeded));
        }
        if subscribe.subscription_identifier.is_some() && !link.profile.subscription_identifiers {
            return Err(CloseReason::ClientError(ReasonCode::SubscriptionIdentifiersNotSupported));
        }
        let mut codes = Vec::new();
        let mut made = Vec::new();
        let mut events = Vec::new();
        for subscription in subscribe.subscriptions.iter() {
            let filter: Arc<str> = subscription.topic_filter.into();
            match self.subscribe_one(link, &subscription, &filter, subscribe.subscription_identifier, now, effects) {
                Ok(one) => {
                    codes.push(ReasonCode::granted(one.granted));
                    made.push(one);
                    events.push(filter);
                }
                Err(code) => codes.push(code),
            }
        }
        let text = link.explains.then(|| codes.iter().find(|code| **code == ReasonCode::NotAuthorized)).flatten();
        let text = text.map(|code| traced(reason_text(*code), *code, &link.trace));
        let write = |version: Version, out: &mut Vec<u8>| {
            let mut suback = SubAck::new(subscribe.packet_id, &codes);
            suback.properties.reason_string = text.as_deref();
            suback.encode(version, out).expect("a SUBACK with a code for each filter encodes");
        };
        let filters = || subscribe.subscriptions.iter().map(|one| one.topic_filter).zip(codes.iter().copied());
        let told = || filters().map(|(filter, code)| (Arc::<str>::from(filter), code)).collect();
        if let Some((filter, _)) = filters().find(|(_, code)| *code == ReasonCode::NotAuthorized) {
            link.tell_denied(|| Traffic::Subscribe(told()), (Access::Subscribe, filter), now, effects);
        } else {
            link.tell(Verbosity::Successes, || Traffic::Subscribe(told()), effects);
        }
        effects.counters.subscribed += made.len() as u64;
        let waits = link.session.is_logged() && !made.is_empty();
        if !waits {
            link.session.control(link.epoch, effects, write)?;
        }
        if !events.is_empty() {
            link.session.report(LifecycleKind::Subscribed { topic_filters: events }, now, effects);
        }
        let identifier = subscribe.subscription_identifier;
        if waits {
            let mut packet = Vec::new();
            write(link.version, &mut packet);
            let promise = Promise::SubAck { packet, made, identifier, profile: link.profile.clone() };
            link.session.promise(link.epoch, promise, effects);
        } else {
            let Link { tenant, session, profile, .. } = link;
            Self::send_retained(tenant, session, profile, &made, identifier, now, effects);
        }
        Ok(())
    }

    /// One filter of a SUBSCRIBE; the error is its code in SUBACK.
    fn subscribe_one(
        &self,
        link: &Link,
        subscription: &Subscription<'_>,
        filter: &Arc<str>,
        identifier: Option<NonZeroU32>,
        now: Now,
        effects: &mut Effects,
    ) -> Result<Made, ReasonCode> {
        let Link { tenant, session, profile, rights, .. } = link;
        let Subscription { topic_filter, options } = *subscription;
        let shared = Shared::parse(topic_filter);
        let inner = shared.map_or(topic_filter, |shared| shared.topic_filter);
        if !filter_fits(shared, inner, profile) {
            link.exceeded(Quota::TopicFilterSize, effects);
            return Err(ReasonCode::TopicFilterInvalid);
        }
        if !reserved::may_subscribe(inner, profile) {
            return Err(ReasonCode::TopicFilterInvalid);
        }
        if !rights.0.allows(Access::Subscribe, topic_filter) {
            effects.counters.denied_subscribe += 1;
            return Err(ReasonCode::NotAuthorized);
        }
        let granted = options.qos.min(profile.maximum_qos);
        let subscriber = Subscriber {
            session: session.clone(),
            identifier,
            options: Options {
                qos: granted,
                no_local: options.no_local,
                retain_as_published: options.retain_as_published,
                parent_level: profile.parent_level_matches,
            },
        };
        let limits = &profile.limits;
        let rate = limits.account.subscribes_per_second;
        if rate.is_some_and(|rate| !tenant.account.rates.subscribes.take(rate, now.monotonic)) {
            effects.counters.subscribe_throttled += 1;
            link.exceeded(Quota::SubscribesPerAccount, effects);
            return Err(ReasonCode::QuotaExceeded);
        }
        let made = session.change_filters(|filters| {
            let is_new = !filters.contains_key(filter);
            if is_new && filters.len() >= limits.subscriptions_max {
                link.exceeded(Quota::SubscriptionsPerConnection, effects);
                return Err(ReasonCode::QuotaExceeded);
            }
            if is_new && tenant.router.subscription_count() >= limits.account.subscriptions_max {
                link.exceeded(Quota::SubscriptionsPerAccount, effects);
                return Err(ReasonCode::QuotaExceeded);
            }
            let interest = match shared {
                None => tenant.router.subscribe(filter, subscriber),
                Some(Shared { share_name, topic_filter }) => tenant
                    .router
                    .join(
                        share_name,
                        &topic_filter.into(),
                        subscriber,
                        limits.group_members_max,
                        limits.account.shared_groups_max,
                    )
                    .map_err(|_| {
                        link.exceeded(Quota::SharedGroups, effects);
                        ReasonCode::QuotaExceeded
                    })?,
            };
            filters.insert(filter.clone(), granted);
            session.log(effects, |number| Record::Subscribed {
                tenant: tenant.tenant,
                session: number,
                subscription: SubscriptionRecord {
                    topic_filter: filter.clone(),
                    qos: granted,
                    no_local: options.no_local,
                    retain_as_published: options.retain_as_published,
                    parent_level: profile.parent_level_matches,
                    identifier,
                },
            });
            Ok((is_new, interest))
        });
        // `None`: another core has just ended the session, and this connection with it.
        let (is_new, interest) = made.ok_or(ReasonCode::UnspecifiedError)??;
        self.tell_interest(tenant, inner, interest);
        let wanted = match options.retain_handling {
            RetainHandling::AtSubscribe => true,
            RetainHandling::IfNew => is_new,
            RetainHandling::Never => false,
        };
        let sendable = shared.is_none() && (profile.retained_on_wildcards || !topic::has_wildcard(topic_filter));
        Ok(Made { filter: filter.clone(), granted, no_local: options.no_local, send_retained: wanted && sendable })
    }

    /// Begin to send the retained messages that new subscriptions match. Spec: 3.3.1.3 (5.0).
    pub(crate) fn send_retained(
        tenant: &TenantState,
        session: &Arc<Session>,
        profile: &Profile,
        made: &[Made],
        identifier: Option<NonZeroU32>,
        now: Now,
        effects: &mut Effects,
    ) {
        let fetches = made.iter().filter(|made| made.send_retained).map(|made| Fetch {
            topic_filter: made.filter.clone(),
            walk: Walk::new(&made.filter, profile.parent_level_matches),
            granted: made.granted,
            no_local: made.no_local,
            identifier,
        });
        session.begin_fetches(fetches, effects);
        session.find_first(&tenant.retained, now, effects);
    }

    /// UNSUBSCRIBE of a client. Spec: 3.10.4 (5.0).
    #[inline(never)]
    pub(crate) fn handle_unsubscribe(
        &self,
        link: &mut Link,
        unsubscribe: &Unsubscribe<'_>,
        now: Now,
        effects: &mut Effects,
    ) -> Result<(), CloseReason> {
        let mut codes = Vec::new();
        let mut events = Vec::new();
        for filter in unsubscribe.topic_filters.iter() {
            // What the session gives up and another member gets.
            let _whole = self.whole();
            let mut left = None;
            let known = link.session.change_filters(|filters| {
                let known = filters.remove_entry(filter).map(|(known, _)| known);
                known.inspect(|known| {
                    left = self.remove_from_router(&link.tenant, &link.session, filter);
                    link.session.log(effects, |session| Record::Unsubscribed {
                        tenant: link.tenant.tenant,
                        session,
                        topic_filter: known.clone(),
                    });
                })
            });
            let undelivered = left.map(|group| link.session.withdraw(&group, effects));
            for undelivered in undelivered.into_iter().flatten() {
                self.deliver_again(undelivered, now, effects);
            }
            match known.flatten() {
                Some(known) => {
                    events.push(known);
                    codes.push(ReasonCode::Success);
                }
                None if link.profile.informative_success => codes.push(ReasonCode::NoSubscriptionExisted),
                None => codes.push(ReasonCode::Success),
            }
        }
        let told = || unsubscribe.topic_filters.iter().map(Arc::<str>::from).zip(codes.iter().copied()).collect();
        link.tell(Verbosity::Successes, || Traffic::Unsubscribe(told()), effects);
        let write = |version: Version, out: &mut Vec<u8>| {
            let codes = if version == Version::V4 { &[][..] } else { &codes };
            let unsuback = UnsubAck::new(unsubscribe.packet_id, codes);
            unsuback.encode(version, out).expect("an UNSUBACK with a code for each filter encodes");
        };
        effects.counters.unsubscribed += events.len() as u64;
        if link.session.is_logged() && !events.is_empty() {
            let mut packet = Vec::new();
            write(link.version, &mut packet);
            link.session.promise(link.epoch, Promise::UnsubAck { packet }, effects);
        } else {
            link.session.control(link.epoch, effects, write)?;
        }
        if !events.is_empty() {
            link.session.report(LifecycleKind::Unsubscribed { topic_filters: events }, now, effects);
        }
        Ok(())
    }

    /// Take one filter of a session, as the client wrote it, out of the router; the shared group it left by that.
    pub(crate) fn remove_from_router(
        &self,
        tenant: &TenantState,
        session: &Arc<Session>,
        filter: &str,
    ) -> Option<Arc<Group>> {
        let (inner, interest, group) = match Shared::parse(filter) {
            None => (filter, tenant.router.unsubscribe(filter, session), None),
            Some(Shared { share_name, topic_filter }) => {
                let (interest, group) = tenant.router.leave(share_name, topic_filter, session);
                (topic_filter, interest, group)
            }
        };
        self.tell_interest(tenant, inner, interest);
        group
    }

    pub(crate) fn tell_interest(&self, tenant: &TenantState, filter: &str, interest: Interest) {
        match interest {
            Interest::Unchanged => {}
            Interest::Begins => self.fabric().interest(tenant.tenant, filter, true),
            Interest::Ends => self.fabric().interest(tenant.tenant, filter, false),
        }
    }
}

/// Whether a filter and its share name are within the profile's limits.
fn filter_fits(shared: Option<Shared<'_>>, inner: &str, profile: &Profile) -> bool {
    let name_fits = shared.is_none_or(|shared| {
        let chars_max = profile.limits.share_name_chars_max;
        shared.share_name.chars().take(chars_max + 1).count() <= chars_max
    });
    name_fits && within_limits(inner, profile)
}
