//! Lifecycle events as AWS writes them.
//!
//! AWS: developer guide, "Lifecycle events". `thingName` is there for exclusive attachments only: who connects says so.

use serde::Serialize;

use crate::{DisconnectReason, LifecycleEvent, LifecycleKind};

/// Members in AWS's order; what a kind of event does not have is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Lifecycle<'a> {
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    thing_name: Option<&'a str>,
    /// Milliseconds, a number.
    timestamp: u64,
    event_type: &'a str,
    /// 32 hexadecimal digits.
    session_identifier: String,
    principal_identifier: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect_failure_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_initiated_disconnect: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_reason: Option<&'a str>,
    /// A number. Events of subscriptions have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    version_number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topics: Option<Vec<&'a str>>,
}

/// The topic that an event is announced on; `None` for a client id that no level of a topic name can be, with `+` or
/// `#` in it: such clients have no events. A `/` in it makes levels.
pub fn topic(event: &LifecycleEvent) -> Option<String> {
    let client_id = &*event.client_id;
    let kind = match event.kind {
        LifecycleKind::Connected { .. } | LifecycleKind::ConnectFailed { .. } | LifecycleKind::Disconnected { .. } => {
            "presence"
        }
        LifecycleKind::Subscribed { .. } | LifecycleKind::Unsubscribed { .. } => "subscriptions",
    };
    let event_type = event_type(&event.kind);
    (!client_id.contains(['+', '#'])).then(|| format!("$aws/events/{kind}/{event_type}/{client_id}"))
}

/// The payload.
pub fn json(event: &LifecycleEvent) -> String {
    let mut wire = Lifecycle {
        client_id: &event.client_id,
        thing_name: event.thing_name.as_deref(),
        timestamp: event.at.millis(),
        event_type: event_type(&event.kind),
        session_identifier: format!("{:032x}", event.session_identifier),
        principal_identifier: event.principal.to_string(),
        ip_address: None,
        connect_failure_reason: None,
        client_initiated_disconnect: None,
        disconnect_reason: None,
        version_number: Some(event.version_number),
        topics: None,
    };
    match &event.kind {
        LifecycleKind::Connected { peer_address, session_present: _ } => {
            wire.ip_address = Some(peer_address.ip().to_string());
        }
        LifecycleKind::ConnectFailed { peer_address, reason } => {
            wire.ip_address = Some(peer_address.ip().to_string());
            wire.connect_failure_reason = Some(reason.as_str());
        }
        LifecycleKind::Disconnected { reason } => {
            wire.client_initiated_disconnect = Some(*reason == DisconnectReason::ClientInitiatedDisconnect);
            wire.disconnect_reason = Some(reason.as_str());
        }
        LifecycleKind::Subscribed { topic_filters } | LifecycleKind::Unsubscribed { topic_filters } => {
            wire.version_number = None;
            wire.topics = Some(topic_filters.iter().map(|filter| &**filter).collect());
        }
    }
    serde_json::to_string(&wire).expect("text and numbers make JSON")
}

fn event_type(kind: &LifecycleKind) -> &'static str {
    match kind {
        LifecycleKind::Connected { .. } => "connected",
        LifecycleKind::ConnectFailed { .. } => "connect_failed",
        LifecycleKind::Disconnected { .. } => "disconnected",
        LifecycleKind::Subscribed { .. } => "subscribed",
        LifecycleKind::Unsubscribed { .. } => "unsubscribed",
    }
}

#[cfg(test)]
mod tests {
    use tidegate_ids::{Tenant, Timestamp};

    use super::*;
    use crate::{ConnectFailure, Principal};

    fn event(client_id: &str, kind: LifecycleKind) -> LifecycleEvent {
        let tenant = Tenant { account: "012345678901".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
        let certificate_id = "ab".repeat(32).parse().unwrap();
        LifecycleEvent {
            tenant,
            client_id: client_id.into(),
            principal: Principal::Certificate { tenant, certificate_id }.into(),
            thing_name: None,
            session_identifier: 0xa466_6d2a,
            version_number: 3,
            at: Timestamp::from_millis(1_573_002_230_757),
            kind,
        }
    }

    #[test]
    fn events_are_written_as_aws_writes_them() {
        let peer_address = "[2001:db8::1]:4711".parse().unwrap();
        let topic_filters = vec!["a/+".into(), "$share/g/b".into()];
        let reason = DisconnectReason::ClientInitiatedDisconnect;
        let lost = DisconnectReason::ConnectionLost;
        let failure = ConnectFailure::AuthorizationFailed;
        for (kind, expected_topic, rest) in [
            (
                LifecycleKind::Connected { peer_address, session_present: false },
                "$aws/events/presence/connected/d1",
                r#""ipAddress":"2001:db8::1","versionNumber":3"#,
            ),
            (
                LifecycleKind::ConnectFailed { peer_address, reason: failure },
                "$aws/events/presence/connect_failed/d1",
                r#""ipAddress":"2001:db8::1","connectFailureReason":"AUTHORIZATION_FAILED","versionNumber":3"#,
            ),
            (
                LifecycleKind::Disconnected { reason },
                "$aws/events/presence/disconnected/d1",
                r#""clientInitiatedDisconnect":true,"disconnectReason":"CLIENT_INITIATED_DISCONNECT","versionNumber":3"#,
            ),
            (
                LifecycleKind::Disconnected { reason: lost },
                "$aws/events/presence/disconnected/d1",
                r#""clientInitiatedDisconnect":false,"disconnectReason":"CONNECTION_LOST","versionNumber":3"#,
            ),
            (
                LifecycleKind::Subscribed { topic_filters: topic_filters.clone() },
                "$aws/events/subscriptions/subscribed/d1",
                r#""topics":["a/+","$share/g/b"]"#,
            ),
            (
                LifecycleKind::Unsubscribed { topic_filters },
                "$aws/events/subscriptions/unsubscribed/d1",
                r#""topics":["a/+","$share/g/b"]"#,
            ),
        ] {
            let event = event("d1", kind);
            let (event_type, principal) = (event_type(&event.kind), "ab".repeat(32));
            let expected = format!(
                r#"{{"clientId":"d1","timestamp":1573002230757,"eventType":"{event_type}","sessionIdentifier":"000000000000000000000000a4666d2a","principalIdentifier":"{principal}",{rest}}}"#
            );
            assert_eq!((topic(&event).as_deref(), json(&event)), (Some(expected_topic), expected));
        }
    }

    #[test]
    fn the_thing_stands_behind_the_client() {
        let kind = LifecycleKind::Disconnected { reason: DisconnectReason::ConnectionLost };
        let event = LifecycleEvent { thing_name: Some("bulb:1".into()), ..event("d1", kind) };
        let begins = r#"{"clientId":"d1","thingName":"bulb:1","timestamp":1573002230757,"eventType":"disconnected","#;
        assert!(json(&event).starts_with(begins), "{}", json(&event));
    }

    #[test]
    fn client_ids_that_are_no_levels_have_no_topic_and_others_are_escaped() {
        for (client_id, has_topic) in [("a+", false), ("#", false), ("a/b", true), ("a\"b", true)] {
            let event = event(client_id, LifecycleKind::Disconnected { reason: DisconnectReason::ConnectionLost });
            assert_eq!(topic(&event).is_some(), has_topic, "{client_id}");
            assert!(json(&event).contains(&format!(r#""clientId":{client_id:?}"#)));
        }
    }
}
