//! One entry, in AWS's words.

use serde::Serialize;
use serde_json::Value;
use tidegate_ids::{Tenant, Timestamp};
use uuid::Uuid;

use crate::LogLevel;

/// `status` of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It was done.
    Success,
    /// It was refused, or failed.
    Failure,
}

/// One entry of `AWSIotLogsV2`.
///
/// The members that levels go by are fields; all others, such as `topicName`, are added with [`Entry::with`] under the names of
/// AWS and written in that order.
///
/// AWS: developer guide, "CloudWatch AWS IoT log entries".
#[derive(Debug, Clone)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Whose log it belongs to; `None`: nobody's, and it is kept only as a refusal.
    pub tenant: Option<Tenant>,
    /// `logLevel`: INFO for what succeeded and ERROR for what did not, unless said.
    pub level: LogLevel,
    /// `traceId`; none when it is 0.
    pub trace_id: u128,
    /// `status`.
    pub status: Status,
    /// `eventType`, such as `Publish-In`.
    pub event_type: &'static str,
    /// `protocol`: MQTT or HTTP.
    pub protocol: Option<&'static str>,
    /// `clientId`.
    pub client_id: Option<String>,
    /// `principalId`: the certificate's id, for X.509.
    pub principal_id: Option<String>,
    /// `sourceIp`.
    pub source_ip: Option<String>,
    members: Vec<(&'static str, Value)>,
}

impl Entry {
    /// An entry with nothing but its kind. `trace_id` is of the connection or request it is about.
    pub fn new(event_type: &'static str, status: Status, trace_id: u128, at: Timestamp) -> Self {
        let level = match status {
            Status::Success => LogLevel::Info,
            Status::Failure => LogLevel::Error,
        };
        Self {
            at,
            tenant: None,
            level,
            trace_id,
            status,
            event_type,
            protocol: None,
            client_id: None,
            principal_id: None,
            source_ip: None,
            members: Vec::new(),
        }
    }

    /// The same in this account's log.
    #[must_use]
    pub fn of(mut self, tenant: Option<Tenant>) -> Self {
        self.tenant = tenant;
        self
    }

    /// The same with one more member, if it has a value. Never a payload, a key or a PEM.
    #[must_use]
    pub fn with<T: Serialize>(mut self, name: &'static str, value: Option<T>) -> Self {
        if let Some(value) = value.and_then(|value| serde_json::to_value(value).ok()).filter(|value| !value.is_null()) {
            self.members.push((name, value));
        }
        self
    }

    /// A member that was added.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// A member that was added and is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.member(name).and_then(Value::as_str)
    }

    /// A member that was added and is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.member(name).and_then(Value::as_u64)
    }

    /// The trace id as it is written.
    pub fn trace(&self) -> Uuid {
        Uuid::from_u128(self.trace_id)
    }

    /// `status` as it is written.
    pub fn status_text(&self) -> &'static str {
        match self.status {
            Status::Success => "Success",
            Status::Failure => "Failure",
        }
    }

    /// The message in `AWSIotLogsV2`: JSON, the members in AWS's order.
    pub fn message(&self) -> String {
        let mut out = String::with_capacity(512);
        let mut put = |name: &str, value: &Value| {
            out.push(if out.is_empty() { '{' } else { ',' });
            out.push_str(&Value::from(name).to_string());
            out.push(':');
            out.push_str(&value.to_string());
        };
        put("timestamp", &date(self.at).into());
        put("logLevel", &self.level.as_str().into());
        if self.trace_id != 0 {
            put("traceId", &self.trace().to_string().into());
        }
        if let Some(tenant) = &self.tenant {
            put("accountId", &tenant.account.as_str().into());
        }
        put("status", &self.status_text().into());
        put("eventType", &self.event_type.into());
        let optional = [
            ("protocol", self.protocol),
            ("clientId", self.client_id.as_deref()),
            ("principalId", self.principal_id.as_deref()),
            ("sourceIp", self.source_ip.as_deref()),
        ];
        for (name, value) in optional.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            put(name, &value.into());
        }
        self.members.iter().for_each(|(name, value)| put(name, value));
        out.push('}');
        out
    }

    /// The message in `AWSIotLogs`: one line. AWS: developer guide, "CloudWatch Logs entry format (v1)".
    pub fn line(&self) -> String {
        let mut out = format!(
            "{} TRACEID:{} PRINCIPALID:{} [{}] EVENT:{}",
            date(self.at),
            self.trace(),
            self.principal_id.as_deref().unwrap_or("none"),
            self.level.as_str(),
            self.event_type,
        );
        let clients = self.client_id.as_deref().map(|id| ("CLIENTID", Value::from(id)));
        let members = self.members.iter().map(|(name, value)| (*name, value.clone()));
        for (name, value) in clients.into_iter().chain(members) {
            // As JSON: what a peer wrote begins no line and no word of its own.
            out.push_str(&format!(" {}:{value}", name.to_uppercase()));
        }
        out.push_str(&format!(" MESSAGE:{}", self.status_text()));
        out
    }
}

/// Such as `2026-11-28 22:50:01.123`, in UTC.
pub fn date(at: Timestamp) -> String {
    let millis = i64::try_from(at.millis()).unwrap_or(i64::MAX);
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(date) => date.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string(),
        Err(_) => at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let tenant = Tenant { account: "123456789012".parse().unwrap(), region: "us-east-1".parse().unwrap() };
        let mut entry =
            Entry::new("Publish-In", Status::Failure, 7, Timestamp::from_millis(1_795_905_001_023)).of(Some(tenant));
        entry.protocol = Some("MQTT");
        entry.client_id = Some("a\"b\n".into());
        entry.with("topicName", Some("t/ü")).with("sourcePort", Some(1u16)).with("details", None::<&str>)
    }

    #[test]
    fn a_message_has_the_members_of_aws_in_their_order() {
        let expected = r#"{"timestamp":"2026-11-28 22:30:01.023","logLevel":"ERROR","traceId":"00000000-0000-0000-0000-000000000007","accountId":"123456789012","status":"Failure","eventType":"Publish-In","protocol":"MQTT","clientId":"a\"b\n","topicName":"t/ü","sourcePort":1}"#;
        assert_eq!(entry().message(), expected);
        assert_eq!(serde_json::from_str::<Value>(expected).unwrap()["sourcePort"], 1);
    }

    #[test]
    fn a_line_of_the_first_version_stays_one_line() {
        let expected = "2026-11-28 22:30:01.023 TRACEID:00000000-0000-0000-0000-000000000007 PRINCIPALID:none [ERROR] \
                        EVENT:Publish-In CLIENTID:\"a\\\"b\\n\" TOPICNAME:\"t/ü\" SOURCEPORT:1 MESSAGE:Failure";
        assert_eq!(entry().line(), expected);
    }
}
