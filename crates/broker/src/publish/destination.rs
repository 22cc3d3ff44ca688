//! Where a connection's messages to a topic name go, and whether they may: found once, then kept.

use std::sync::Arc;

use tidegate_mqtt::topic;

use crate::{
    Broker, Profile, Quota,
    link::Rights,
    ports::Access,
    reserved,
    router::{self, Route},
    tenant::TenantState,
    topic_cache::{CACHED_TOPIC_BYTES_MAX, TopicCache},
};

/// What a connection publishes to.
pub(crate) type PublishCache = TopicCache<Destination, 64>;

/// Where a connection's messages to one topic name go, and whether they may.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// Which limit the name itself is beyond.
    pub(super) beyond: Option<Quota>,
    pub(super) reserved: reserved::Publish,
    rights_generation: u64,
    pub(super) may_publish: bool,
    /// Asked when the first message is to be retained.
    may_retain: Option<bool>,
    router_version: router::Version,
    pub(super) route: Arc<Route>,
}

impl Destination {
    /// What `rights`, those it was found with, do not allow of a message to `topic_name`.
    pub(super) fn denies(&mut self, rights: &Rights, topic_name: &str, retain: bool) -> Option<Access> {
        if !self.may_publish {
            return Some(Access::Publish);
        }
        let may_retain = || rights.0.allows(Access::RetainPublish, topic_name);
        (retain && !*self.may_retain.get_or_insert_with(may_retain)).then_some(Access::RetainPublish)
    }
}

impl Broker {
    /// The cached destination of a topic name, with its `topic_hash`, brought up to date; `Err` holds one that cannot be cached.
    pub(super) fn destination<'a>(
        &self,
        tenant: &TenantState,
        cache: &'a mut PublishCache,
        rights: &Rights,
        profile: &Profile,
        (topic_name, hash): (&str, u64),
    ) -> Result<&'a mut Destination, Destination> {
        let generation = rights.0.generation();
        // Before the route is looked up: what changes meanwhile is noticed the next time.
        let version = tenant.router.version(hash);
        let decide = |access| rights.0.allows(access, topic_name);
        let find_route = || Arc::new(tenant.router.route(topic_name, hash));
        if cache.holds(topic_name, hash) {
            let known = cache.at(hash);
            if known.rights_generation != generation {
                known.may_publish = decide(Access::Publish);
                known.may_retain = None;
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
            may_retain: None,
            router_version: version,
            route: find_route(),
        };
        if topic_name.len() > CACHED_TOPIC_BYTES_MAX {
            return Err(destination);
        }
        cache.insert(topic_name, hash, destination);
        Ok(cache.at(hash))
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
