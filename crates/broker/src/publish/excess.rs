//! What there is too much of.

use std::time::Duration;

use tidegate_ids::{Now, Rate};
use tidegate_mqtt::{MessageProperties, Publish};

use crate::{Broker, Limits, Profile, Quota, tenant::TenantState};

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

impl Broker {
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
        let (monotonic, rates) = (now.monotonic, &tenant.account.rates);
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
        (!deletes && tenant.account.memory.is_used_up()).then_some((Excess::Memory, Quota::Memory))
    }
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
