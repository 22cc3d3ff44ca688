//! How a listener behaves where MQTT leaves a choice or AWS departs from it. Data, not scattered `if`s.

use std::time::Duration;

use tidegate_mqtt::QoS;

/// Deviations and limits of one kind of listener. Chosen per listener, shared by its connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Name in the configuration and in logs.
    pub name: &'static str,
    /// Highest QoS: announced in CONNACK, granted in SUBACK; a PUBLISH above it ends the connection (0x9B).
    pub maximum_qos: QoS,
    /// Whether a new wildcard subscription is sent the retained messages it matches, or only an exact one.
    pub retained_on_wildcards: bool,
    /// Whether `a/#` also matches `a`. Spec: it does. AWS: it does not.
    pub parent_level_matches: bool,
    /// Whether Subscription Identifiers are available (MQTT 5).
    pub subscription_identifiers: bool,
    /// Whether clients may use `$…` topics other than `$aws/…` and `$share/…`.
    pub unreserved_dollar_topics: bool,
    /// Whether 0x10 (no matching subscribers) and 0x11 (no subscription existed) are used (MQTT 5). AWS: plain success.
    pub informative_success: bool,
    /// Whether a refused 3.1.1 CONNECT is answered by CONNACK before the close. AWS: closed without a word.
    pub connack_for_refused_v4: bool,
    /// Whether DISCONNECT, and acknowledgements of what failed, say why in words, to MQTT 5 clients that want to hear it.
    pub reason_strings: bool,
    /// What becomes of Keep Alive.
    pub keep_alive: KeepAliveRule,
    /// Bounds.
    pub limits: Limits,
}

/// What becomes of the Keep Alive a client asks for. MQTT 5 clients are told by Server Keep Alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAliveRule {
    /// Less (but not 0) becomes this.
    pub min: Duration,
    /// More becomes this.
    pub max: Duration,
    /// Whether 0, "no keep-alive", stays so; else it becomes `max`.
    pub zero_is_forever: bool,
}

impl KeepAliveRule {
    /// The Keep Alive that holds when a client asks for `asked`; zero is "none".
    pub fn apply(&self, asked: Duration) -> Duration {
        match asked.is_zero() {
            true if self.zero_is_forever => Duration::ZERO,
            true => self.max,
            false => asked.clamp(self.min, self.max),
        }
    }
}

/// Everything a client could make grow, and how far it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest client id in bytes: longer is refused with 0x85.
    pub client_id_bytes_max: usize,
    /// Longest topic name or filter in bytes: longer is 0x90 or 0x8F. `$share/…/` does not count.
    pub topic_bytes_max: usize,
    /// Most levels of a topic name or filter. `$share/…/` does not count.
    pub topic_levels_max: usize,
    /// Largest payload: larger ends the connection (0x95).
    pub payload_bytes_max: usize,
    /// Largest packet from a client, announced as Maximum Packet Size; the reader refuses it before its body.
    pub packet_bytes_max: u32,
    /// Most filters in one SUBSCRIBE: more ends the connection (0x97).
    pub filters_per_subscribe_max: usize,
    /// Most subscriptions of one session: more are refused with 0x97.
    pub subscriptions_max: usize,
    /// QoS 1 and 2 PUBLISH packets a client may have unacknowledged: announced; beyond it the connection ends (0x93).
    pub receive_maximum: u16,
    /// QoS 1 and 2 PUBLISH packets sent to a client and unacknowledged, whatever its own Receive Maximum.
    pub send_maximum: u16,
    /// Topic aliases a client may set, announced; and the most we set towards it.
    pub topic_alias_maximum: u16,
    /// Longest session expiry; longer is shortened and said so in CONNACK.
    pub session_expiry_max: Duration,
    /// Session expiry of a 3.1.1 client with Clean Session 0.
    pub session_expiry_v4: Duration,
    /// Longest message expiry; longer, or none, becomes this. `None`: as the publisher says.
    pub message_expiry_max: Option<Duration>,
    /// QoS 1 and 2 messages that wait in one session. Beyond it a message is dropped and counted.
    pub queued_messages_max: usize,
    /// Bytes (topic, properties, payload) of the messages that wait in one session.
    pub queued_bytes_max: usize,
    /// Bytes of PUBLISH packets in one outbox that the socket has not taken. Beyond it QoS 0 is dropped and counted,
    /// QoS 1 and 2 wait in the queue.
    pub outbox_bytes_max: usize,
    /// Bytes of acknowledgements and other control packets in one outbox. They are never dropped: beyond it the
    /// peer does not read, and the connection ends.
    pub control_bytes_max: usize,
    /// Most members of one shared subscription.
    pub group_members_max: usize,
    /// Longest share name in characters.
    pub share_name_chars_max: usize,
    /// Most PUBLISH packets of one connection in a second. Beyond it they are dropped and counted: MQTT 5 clients are told
    /// by 0x97, 3.1.1 clients get no acknowledgement and publish again.
    pub publishes_per_second: Option<u32>,
    /// Most bytes of one connection in a second. What exceeds it is read later: `Link::paused_until`.
    pub bytes_per_second: Option<u32>,
    /// How long a connection over WebSocket may last; `None`: as long as it likes. It then ends with 0xA0.
    ///
    /// AWS: general reference, "WebSocket connection duration".
    pub websocket_lifetime_max: Option<Duration>,
    /// Most connections under one client id in a second; more are refused with 0x97.
    pub connects_per_second: Option<u32>,
    /// Time that must pass between two retained messages of one topic name; earlier ones are refused with 0x97.
    pub retained_interval: Option<Duration>,
    /// Most bytes of the names and values of all user properties of a message; more is refused with 0x97.
    pub user_properties_bytes_max: usize,
    /// Longest content type in bytes; longer is refused with 0x97.
    pub content_type_bytes_max: usize,
    /// Longest correlation data in bytes; longer is refused with 0x97.
    pub correlation_data_bytes_max: usize,
    /// Most requests to the shadows of one thing in a second, by whatever way: more are rejected with 429 by the service.
    pub shadow_requests_per_second: Option<u32>,
    /// Most requests to the shadows of one thing that are not answered yet: more are rejected with 429 by the service.
    ///
    /// AWS: the quota is for a thing, the sentence of the error for a connection.
    pub shadow_requests_in_flight_max: Option<u32>,
    /// Smallest Maximum Packet Size a client may ask for; less is refused with 0x80.
    pub client_packet_bytes_min: u32,
    /// Bounds of all clients of an account together.
    pub account: AccountLimits,
}

/// How far all clients of one account in one region may go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLimits {
    /// Most connections; more are refused with 0x97.
    pub connections_max: usize,
    /// Most CONNECT packets in a second; more are refused with 0x97.
    pub connects_per_second: Option<u32>,
    /// Most subscriptions; more are refused with 0x97.
    pub subscriptions_max: usize,
    /// Most subscriptions made in a second; more are refused with 0x97.
    pub subscribes_per_second: Option<u32>,
    /// Most shared groups; more are refused with 0x97.
    pub shared_groups_max: usize,
    /// Most PUBLISH packets in a second: beyond it as for one connection.
    pub publishes_per_second: Option<u32>,
    /// Most PUBLISH packets to clients in a second. What has QoS 0 is dropped and counted beyond it; QoS 1 and 2, and retained messages
    /// that a subscription brings, are sent later, each session's in its turn.
    ///
    /// AWS: general reference, "Outbound publish requests per second per account". Unverified: what becomes of messages beyond it.
    pub outbound_publishes_per_second: Option<u32>,
    /// Most messages in a second that begin to wait in sessions whose clients are away; more are dropped and counted.
    ///
    /// AWS: developer guide, "Shared Subscriptions": those that were queued before stay, those beyond the quota are dropped.
    pub queued_per_second: Option<u32>,
    /// Most retained messages set in a second: beyond it as for one connection.
    pub retained_per_second: Option<u32>,
    /// Most retained messages, those that expired and are not swept yet included; one more is refused with 0x97, and of a
    /// 3.1.1 client dropped.
    pub retained_max: usize,
}

impl AccountLimits {
    /// No bounds but those of memory.
    pub const NONE: Self = Self {
        connections_max: usize::MAX,
        connects_per_second: None,
        subscriptions_max: usize::MAX,
        subscribes_per_second: None,
        shared_groups_max: usize::MAX,
        publishes_per_second: None,
        outbound_publishes_per_second: None,
        queued_per_second: None,
        retained_per_second: None,
        retained_max: usize::MAX,
    };
}

impl Profile {
    /// All of MQTT 3.1.1 and 5.0, with bounds of our own. The default.
    pub fn standard() -> Self {
        Self {
            name: "standard",
            maximum_qos: QoS::ExactlyOnce,
            retained_on_wildcards: true,
            parent_level_matches: true,
            subscription_identifiers: true,
            unreserved_dollar_topics: true,
            informative_success: true,
            connack_for_refused_v4: true,
            reason_strings: true,
            keep_alive: KeepAliveRule { min: Duration::ZERO, max: Duration::from_secs(65_535), zero_is_forever: true },
            limits: Limits {
                client_id_bytes_max: 1024,
                topic_bytes_max: 4096,
                topic_levels_max: 128,
                payload_bytes_max: 1024 * 1024,
                packet_bytes_max: 1024 * 1024 + 16 * 1024,
                filters_per_subscribe_max: 1024,
                subscriptions_max: 250_000,
                receive_maximum: 1024,
                send_maximum: 4096,
                topic_alias_maximum: 64,
                session_expiry_max: FOREVER,
                session_expiry_v4: FOREVER,
                message_expiry_max: None,
                queued_messages_max: 1000,
                queued_bytes_max: 1024 * 1024,
                outbox_bytes_max: 1024 * 1024,
                control_bytes_max: 256 * 1024,
                group_members_max: 10_000,
                // With the longest filter it is still a key of the store.
                share_name_chars_max: 1000,
                publishes_per_second: None,
                bytes_per_second: None,
                websocket_lifetime_max: None,
                connects_per_second: None,
                retained_interval: None,
                user_properties_bytes_max: usize::MAX,
                content_type_bytes_max: usize::MAX,
                correlation_data_bytes_max: usize::MAX,
                shadow_requests_per_second: None,
                shadow_requests_in_flight_max: None,
                client_packet_bytes_min: 0,
                account: AccountLimits::NONE,
            },
        }
    }

    /// AWS IoT Core: QoS 2 refused, its quotas, retained messages only on exact filters, keep-alive 30-1200 s.
    ///
    /// AWS: developer guide, "MQTT", "AWS IoT differences from MQTT version 5.0 and 3.1.1 specifications";
    /// general reference, "AWS IoT Core endpoints and quotas".
    pub fn aws() -> Self {
        Self {
            name: "aws",
            maximum_qos: QoS::AtLeastOnce,
            retained_on_wildcards: false,
            parent_level_matches: false,
            subscription_identifiers: false,
            unreserved_dollar_topics: false,
            informative_success: false,
            connack_for_refused_v4: false,
            reason_strings: false,
            keep_alive: KeepAliveRule {
                min: Duration::from_secs(30),
                max: Duration::from_secs(1200),
                zero_is_forever: false,
            },
            limits: Limits {
                client_id_bytes_max: 128,
                topic_bytes_max: 256,
                topic_levels_max: 8,
                payload_bytes_max: 131_072,
                packet_bytes_max: 149_504,
                filters_per_subscribe_max: 8,
                subscriptions_max: 50,
                receive_maximum: 100,
                send_maximum: 100,
                topic_alias_maximum: 8,
                session_expiry_max: Duration::from_secs(7 * 24 * 3600),
                session_expiry_v4: Duration::from_secs(3600),
                message_expiry_max: Some(Duration::from_secs(604_800)),
                group_members_max: 100,
                share_name_chars_max: 128,
                publishes_per_second: Some(100),
                bytes_per_second: Some(512 * 1024),
                websocket_lifetime_max: Some(Duration::from_secs(24 * 3600)),
                connects_per_second: Some(1),
                retained_interval: Some(Duration::from_secs(1)),
                user_properties_bytes_max: 8192,
                content_type_bytes_max: 256,
                correlation_data_bytes_max: 8192,
                shadow_requests_per_second: Some(20),
                shadow_requests_in_flight_max: Some(10),
                client_packet_bytes_min: 512,
                account: AccountLimits {
                    connections_max: 500_000,
                    connects_per_second: Some(3000),
                    subscriptions_max: 500_000,
                    subscribes_per_second: Some(3000),
                    shared_groups_max: 100,
                    publishes_per_second: Some(20_000),
                    outbound_publishes_per_second: Some(20_000),
                    queued_per_second: Some(500),
                    retained_per_second: Some(500),
                    retained_max: 500_000,
                },
                ..Self::standard().limits
            },
        }
    }
}

/// A session expiry that never comes: 0xFFFFFFFF on the wire.
pub const FOREVER: Duration = Duration::from_secs(u32::MAX as u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keep_alive_follows_the_profile() {
        let (standard, aws) = (Profile::standard().keep_alive, Profile::aws().keep_alive);
        for (rule, asked, expected) in [
            (standard, 0, 0),
            (standard, 1, 1),
            (standard, 65_535, 65_535),
            (aws, 0, 1200),
            (aws, 5, 30),
            (aws, 30, 30),
            (aws, 60, 60),
            (aws, 3600, 1200),
        ] {
            assert_eq!(rule.apply(Duration::from_secs(asked)).as_secs(), expected, "{asked}");
        }
    }
}
