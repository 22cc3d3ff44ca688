//! Messages of those who have no session: the broker itself, callers of an API, devices that publish by HTTPS; and requests
//! to services, whoever makes them.

use std::sync::Arc;

use tidegate_ids::{Now, Rate, Tenant};
use tidegate_mqtt::{MessageProperties, Publish, QoS, ReasonCode, topic};

use crate::{
    Broker, Effects, Profile, Quota, ServiceAnswer, ServiceRequest,
    levels::topic_hash,
    message::{Named, Stamped},
    persist::Waiting,
    publish::beyond_limits,
    reserved,
    tenant::TenantState,
};

/// A message of the broker's own: an event, an answer of a service, the action of a rule. No policy is asked.
#[derive(Debug, Clone, Copy)]
pub struct SystemPublish<'a> {
    /// In whose topics.
    pub tenant: Tenant,
    /// Any valid topic name, reserved ones included.
    pub topic_name: &'a str,
    /// Properties that travel with it.
    pub properties: MessageProperties<'a>,
    /// The payload.
    pub payload: &'a [u8],
    /// The QoS.
    pub qos: QoS,
    /// Whether it is retained.
    pub retain: bool,
}

/// A message of somebody without a session, who may publish it: policies have been asked.
#[derive(Debug, Clone, Copy)]
pub struct OutsidePublish<'a> {
    /// In whose topics.
    pub tenant: Tenant,
    /// Where to; it need not be valid.
    pub topic_name: &'a str,
    /// Properties that travel with it.
    pub properties: MessageProperties<'a>,
    /// The payload.
    pub payload: &'a [u8],
    /// The QoS: 0 or 1.
    pub qos: QoS,
    /// Whether it is retained.
    pub retain: bool,
    /// Whose limits hold.
    pub profile: &'a Arc<Profile>,
}

/// Why a message of somebody without a session is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishRefused {
    /// The topic name is empty, has wildcards, or is no text that MQTT allows.
    TopicName,
    /// Only the broker publishes there.
    Reserved,
    /// The response topic is no topic name, or something is longer than MQTT can say.
    Malformed,
    /// Something is larger than the profile lets it be.
    TooLarge(Quota),
    /// There is no room, or there were too many lately.
    Exceeded(Quota),
}

impl Broker {
    /// Publish a message of the broker's own; false when it cannot be a PUBLISH: an invalid topic name, too large.
    pub fn publish(&self, publish: &SystemPublish<'_>, now: Now, effects: &mut Effects) -> bool {
        let SystemPublish { tenant, topic_name, properties, payload, qos, retain } = publish;
        let Some(message) = Stamped::new(topic_name, properties, payload, *qos, None, now.monotonic) else {
            return false;
        };
        self.publish_stamped(&self.tenant(*tenant), None, &message, *retain, now, effects);
        true
    }

    /// Publish an event, by QoS 1 and not retained, to whoever has subscribed to it; for nobody its payload is not put together.
    pub fn announce(
        &self,
        tenant: Tenant,
        topic_name: &str,
        payload: impl FnOnce() -> String,
        now: Now,
        effects: &mut Effects,
    ) {
        let Some(tenant) = self.known_tenant(tenant) else { return };
        let hash = topic_hash(topic_name);
        let route = tenant.router.route(topic_name, hash);
        if route.targets.is_empty() && route.groups.is_empty() {
            return;
        }
        let (properties, payload) = (MessageProperties::default(), payload());
        let qos = QoS::AtLeastOnce;
        if let Some(message) = Stamped::new(topic_name, &properties, payload.as_bytes(), qos, None, now.monotonic) {
            let named = Named { message: &message, topic_name, hash };
            self.deliver(&route, None, named, false, now, effects);
        }
    }

    /// Publish a message of somebody without a session. `answer` is called once it is where it belongs, with what a PUBACK would
    /// say: at once, or when it is durable for the sessions that are kept; on whatever thread, so it must not block.
    ///
    /// # Errors
    /// The message is not taken, and `answer` is not called.
    pub fn publish_from_outside(
        &self,
        publish: &OutsidePublish<'_>,
        answer: impl FnOnce(ReasonCode) + Send + 'static,
        now: Now,
        effects: &mut Effects,
    ) -> Result<(), PublishRefused> {
        let OutsidePublish { tenant, topic_name, properties, payload, qos, retain, profile } = *publish;
        if !topic::valid_name(topic_name) {
            return Err(PublishRefused::TopicName);
        }
        let asked = reserved::publish(topic_name, profile);
        if asked == reserved::Publish::Refused {
            return Err(PublishRefused::Reserved);
        }
        if payload.len() > profile.limits.payload_bytes_max {
            return Err(PublishRefused::TooLarge(Quota::PayloadSize));
        }
        if let Some(quota) = beyond_limits(topic_name, profile) {
            return Err(PublishRefused::TooLarge(quota));
        }
        let tenant = self.tenant(tenant);
        let as_packet = Publish { qos, retain, properties, ..Publish::new(topic_name, payload) };
        if let Some((excess, quota)) = self.excess(&tenant, profile, &as_packet, topic_name, &mut Rate::default(), now)
        {
            return Err(match excess {
                crate::publish::Excess::Properties => PublishRefused::TooLarge(quota),
                crate::publish::Excess::Rate | crate::publish::Excess::Memory => PublishRefused::Exceeded(quota),
            });
        }
        if asked == reserved::Publish::Request {
            effects.counters.messages_received += 1;
            self.ask((&tenant, profile), topic_name, &properties, payload, now, effects);
            answer(ReasonCode::Success);
            return Ok(());
        }
        let expiry_max = profile.limits.message_expiry_max;
        let message = Stamped::new(topic_name, &properties, payload, qos, expiry_max, now.monotonic);
        let message = message.ok_or(PublishRefused::Malformed)?;
        effects.counters.messages_received += 1;
        effects.counters.retained_received += u64::from(retain);
        let routed = self.publish_stamped(&tenant, None, &message, retain, now, effects);
        match (routed.durable, routed.matched) {
            (true, _) => effects.token.waiting.push(Waiting(Box::new(answer))),
            (false, true) => answer(ReasonCode::Success),
            (false, false) => answer(ReasonCode::NoMatchingSubscribers),
        }
        Ok(())
    }

    /// Hand a request to the service that it is for, and publish what that says at once.
    pub(crate) fn ask(
        &self,
        (tenant, profile): (&TenantState, &Profile),
        topic_name: &str,
        properties: &MessageProperties<'_>,
        payload: &[u8],
        now: Now,
        effects: &mut Effects,
    ) {
        let request =
            ServiceRequest { tenant: tenant.tenant, limits: &profile.limits, topic_name, properties, payload };
        let Some(ServiceAnswer { topic_name, payload }) = self.services().request(&request) else { return };
        let answer = SystemPublish {
            tenant: tenant.tenant,
            topic_name: &topic_name,
            properties: MessageProperties::default(),
            payload: &payload,
            qos: QoS::AtLeastOnce,
            retain: false,
        };
        self.publish(&answer, now, effects);
    }
}
