//! Quotas by name: which one cut or refused something, whose it was, and how often.

use std::sync::Arc;

use tidegate_ids::Tenant;

macro_rules! quotas {
    ($($(#[$doc:meta])* $quota:ident: $event:literal, $name:literal, $beyond:literal;)*) => {
        /// A bound of a [`Profile`](crate::Profile), or of [`Settings`](crate::Settings), that clients can run into.
        ///
        /// AWS: general reference, "AWS IoT Core endpoints and quotas": the names, where AWS has one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Quota {
            $($(#[$doc])* $quota,)*
        }

        impl Quota {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$quota),*];

            /// Its name, for people.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$quota => $name,)*
                }
            }

            /// `eventType` of the log entry of the packet that ran into it. AWS: developer guide, "AWS IoT log entries".
            pub fn event_type(self) -> &'static str {
                match self {
                    $(Self::$quota => $event,)*
                }
            }

            /// What happens beyond it.
            pub fn beyond(self) -> &'static str {
                match self {
                    $(Self::$quota => $beyond,)*
                }
            }
        }
    };
}

quotas! {
    /// `Limits::client_id_bytes_max`
    ClientIdSize: "Connect", "client ID size", "the connection is refused";
    /// `Limits::client_packet_bytes_min`
    ClientPacketSize: "Connect", "smallest Maximum Packet Size of a client", "the connection is refused";
    /// `Limits::connects_per_second`
    ConnectsPerClient: "Connect", "connect requests per second per client ID", "the connection is refused";
    /// `AccountLimits::connects_per_second`
    ConnectsPerAccount: "Connect", "connect requests per second per account", "the connection is refused";
    /// `AccountLimits::connections_max`
    ConnectionsPerAccount: "Connect", "maximum concurrent client connections per account", "the connection is refused";
    /// `Settings::sessions_max`
    SessionsPerAccount: "Connect", "sessions per account", "the connection is refused";
    /// `Settings::memory_bytes_max`, `Settings::account_memory_bytes_max`, at CONNECT.
    MemoryAtConnect: "Connect", "memory of the broker or the account", "the connection is refused";
    /// `Limits::publishes_per_second`
    PublishesPerConnection: "Publish-In", "publish requests per second per connection", "messages are dropped, MQTT 5 clients told by 0x97";
    /// `AccountLimits::publishes_per_second`
    PublishesPerAccount: "Publish-In", "inbound publish requests per second per account", "messages are dropped, MQTT 5 clients told by 0x97";
    /// `Limits::bytes_per_second`
    Throughput: "Publish-In", "throughput per second per connection", "what the client sends is read later";
    /// `Limits::retained_interval`
    RetainedPerTopic: "Publish-In", "retained message publish requests per second per topic", "messages are dropped, MQTT 5 clients told by 0x97";
    /// `AccountLimits::retained_per_second`
    RetainedPerAccount: "Publish-In", "retained message inbound publish requests per second per account", "messages are dropped, MQTT 5 clients told by 0x97";
    /// `AccountLimits::retained_max`
    RetainedMessages: "Publish-In", "retained messages per account", "messages are dropped, MQTT 5 clients told by 0x97";
    /// `Settings::memory_bytes_max`, `Settings::account_memory_bytes_max`, for a message.
    Memory: "Publish-In", "memory of the broker or the account", "messages are dropped, MQTT 5 clients told by 0x97, 3.1.1 clients closed";
    /// `Limits::payload_bytes_max`
    PayloadSize: "Publish-In", "message payload size", "the connection ends (0x95)";
    /// `Limits::packet_bytes_max`
    PacketSize: "Publish-In", "packet size", "the connection ends (0x95)";
    /// `Limits::topic_bytes_max` of a topic name.
    TopicNameSize: "Publish-In", "topic size", "the message is refused (0x90), 3.1.1 clients closed";
    /// `Limits::topic_levels_max` of a topic name.
    TopicNameLevels: "Publish-In", "maximum number of slashes in topic", "the message is refused (0x90), 3.1.1 clients closed";
    /// `Limits::topic_alias_maximum`
    TopicAliases: "Publish-In", "topic aliases per connection", "the connection ends (0x94)";
    /// `Limits::content_type_bytes_max`
    ContentTypeSize: "Publish-In", "content type size", "the message is dropped (0x97)";
    /// `Limits::correlation_data_bytes_max`
    CorrelationDataSize: "Publish-In", "correlation data size", "the message is dropped (0x97)";
    /// `Limits::topic_bytes_max` of a response topic.
    ResponseTopicSize: "Publish-In", "response topic size", "the message is dropped (0x97)";
    /// `Limits::user_properties_bytes_max`
    UserPropertiesSize: "Publish-In", "total size of user properties", "the message is dropped (0x97)";
    /// `Limits::receive_maximum`
    ReceiveMaximum: "Publish-In", "maximum inbound unacknowledged publish requests", "the connection ends (0x93)";
    /// `Limits::filters_per_subscribe_max`
    FiltersPerSubscribe: "Subscribe", "maximum subscriptions per subscribe request", "the connection ends (0x97)";
    /// `Limits::subscriptions_max`
    SubscriptionsPerConnection: "Subscribe", "subscriptions per connection", "the subscription is refused (0x97)";
    /// `AccountLimits::subscriptions_max`
    SubscriptionsPerAccount: "Subscribe", "subscriptions per account", "the subscription is refused (0x97)";
    /// `AccountLimits::subscribes_per_second`
    SubscribesPerAccount: "Subscribe", "subscriptions per second per account", "the subscription is refused (0x97)";
    /// `AccountLimits::shared_groups_max`, `Limits::group_members_max`
    SharedGroups: "Subscribe", "shared subscription groups per account, and clients per group", "the subscription is refused (0x97)";
    /// `Limits::topic_bytes_max`, `Limits::topic_levels_max` of a topic filter, `Limits::share_name_chars_max`.
    TopicFilterSize: "Subscribe", "topic filter size and slashes, and share name size", "the subscription is refused (0x8f)";
    /// `AccountLimits::outbound_publishes_per_second`
    OutboundPerAccount: "Publish-Out", "outbound publish requests per second per account", "messages with QoS 0 are dropped, others sent later";
    /// `Limits::queued_messages_max`, `Limits::queued_bytes_max`
    QueuedMessages: "Queued", "messages queued per session", "the message is dropped for this client";
    /// `AccountLimits::queued_per_second`
    QueuedPerAccount: "Queued", "queued messages per second per account", "the message is dropped for this client";
}

/// That something ran into a quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    /// Whose client.
    pub tenant: Tenant,
    /// Which client.
    pub client_id: Arc<str>,
    /// Into what.
    pub quota: Quota,
    /// How often since it was last told.
    pub times: u64,
}

/// What ran into quotas since it was last taken. Bounded: what does not fit is not told, only counted.
#[derive(Debug, Default)]
pub(crate) struct Excesses(Vec<Exceeded>);

impl Excesses {
    /// Most clients and quotas told of at once.
    const MAX: usize = 64;

    pub(crate) fn note(&mut self, quota: Quota, tenant: Tenant, client_id: &Arc<str>) {
        let same = |known: &Exceeded| {
            known.quota == quota && known.tenant == tenant && Arc::ptr_eq(&known.client_id, client_id)
        };
        match self.0.iter().rposition(same) {
            Some(at) => self.0[at].times += 1,
            None if self.0.len() < Self::MAX => {
                self.0.push(Exceeded { tenant, client_id: client_id.clone(), quota, times: 1 });
            }
            None => {}
        }
    }

    pub(crate) fn take(&mut self, excesses: &mut Vec<Exceeded>) {
        excesses.append(&mut self.0);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excesses_are_summed_and_bounded() {
        let tenant: fn(&str) -> Tenant =
            |account| Tenant { account: account.parse().unwrap(), region: "us-east-1".parse().unwrap() };
        let (one, other) = (tenant("111111111111"), tenant("222222222222"));
        let names: Vec<Arc<str>> = (0..100).map(|number| format!("c{number}").into()).collect();
        let mut excesses = Excesses::default();
        for tenant in [one, other, one] {
            excesses.note(Quota::Memory, tenant, &names[0]);
        }
        excesses.note(Quota::Throughput, one, &names[0]);
        for name in &names {
            excesses.note(Quota::PacketSize, one, name);
        }
        let mut told = Vec::new();
        excesses.take(&mut told);
        let first: Vec<_> = told[..3].iter().map(|told| (told.quota, told.tenant, told.times)).collect();
        assert_eq!(first, [(Quota::Memory, one, 2), (Quota::Memory, other, 1), (Quota::Throughput, one, 1)]);
        assert_eq!(told.len(), Excesses::MAX);
        excesses.take(&mut told);
        assert_eq!(told.len(), Excesses::MAX);
    }
}
