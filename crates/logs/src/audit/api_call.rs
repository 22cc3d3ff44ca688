//! One call, or one command of the admin socket, in CloudTrail's shape.

use serde_json::{Map, Value, json};
use tidegate_ids::{Tenant, Timestamp};
use uuid::Uuid;

/// Characters of one text among the parameters.
const TEXT_CHARS_MAX: usize = 4096;
/// Bytes of all parameters.
const PARAMETERS_BYTES_MAX: usize = 64 * 1024;
/// What stands in a record for what nobody may read.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// Who called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Who signed the request.
    Signer {
        /// Root, IAMUser or AssumedRole.
        kind: &'static str,
        /// Its ARN.
        arn: String,
        /// The access key that signed.
        access_key_id: String,
    },
    /// A user of this machine, who came by the admin socket. Decision: CloudTrail has no such type; ours is `LocalUser`, without ARN and key.
    Local {
        /// The user's number.
        uid: u32,
    },
}

impl Identity {
    /// The name of the user or session that signed; of a user of this machine, `uid:` and the number.
    pub fn user_name(&self) -> String {
        match self {
            Self::Signer { arn, .. } => arn.rsplit(['/', ':']).next().unwrap_or_default().to_owned(),
            Self::Local { uid } => format!("uid:{uid}"),
        }
    }

    /// CloudTrail's `userIdentity`.
    fn record(&self, account: &str) -> Value {
        let name = self.user_name();
        match self {
            Self::Signer { kind, arn, access_key_id } => json!({
                "type": kind, "principalId": name, "arn": arn, "accountId": account, "accessKeyId": access_key_id, "userName": name,
            }),
            Self::Local { .. } => json!({ "type": "LocalUser", "principalId": name, "userName": name }),
        }
    }
}

/// A call of the API.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiCall {
    /// In which account and region.
    pub tenant: Tenant,
    /// When it came.
    pub at: Timestamp,
    /// Who called.
    pub identity: Identity,
    /// From where; `admin socket`.
    pub source_ip: String,
    /// What the caller says it is.
    pub user_agent: String,
    /// `iot`, `iam`, …; `tidegate` for the admin socket.
    pub service: &'static str,
    /// The operation.
    pub operation: String,
    /// Its input, as [`Self::parameters`] leaves it.
    pub parameters: Value,
    /// The answer's `x-amzn-RequestId`.
    pub request_id: Uuid,
    /// Name and text of the error that was answered.
    pub error: Option<(String, String)>,
}

impl ApiCall {
    /// An input without secrets and keys, its texts cut to a length that a record may have.
    pub fn parameters(input: Map<String, Value>) -> Value {
        let mut value = Value::Object(input);
        hide(&mut value);
        if value.to_string().len() > PARAMETERS_BYTES_MAX { json!({ "omitted": "too large" }) } else { value }
    }

    /// The record.
    pub(super) fn record(&self) -> Value {
        let Self { tenant, identity, service, error, .. } = self;
        let account = tenant.account.as_str();
        let (source, kind) = match identity {
            Identity::Signer { .. } => (format!("{service}.amazonaws.com"), "AwsApiCall"),
            Identity::Local { .. } => ((*service).to_owned(), "TidegateCommand"),
        };
        let mut record = json!({
            "eventVersion": "1.08",
            "userIdentity": identity.record(account),
            "eventTime": date(self.at),
            "eventSource": source,
            "eventName": self.operation,
            "awsRegion": tenant.region.as_str(),
            "sourceIPAddress": self.source_ip,
            "userAgent": self.user_agent,
            "requestParameters": self.parameters,
            "responseElements": null,
            "requestID": self.request_id.to_string(),
            "eventID": Uuid::from_u128(!self.request_id.as_u128()).to_string(),
            "readOnly": false,
            "eventType": kind,
            "managementEvent": true,
            "eventCategory": "Management",
            "recipientAccountId": account,
        });
        if let Some((code, message)) = error {
            record["errorCode"] = json!(code);
            record["errorMessage"] = json!(cut(message));
        }
        record
    }
}

/// Replaces what is secret, and cuts what is long. The depth is that of JSON that was parsed, which is bounded.
fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                let name = name.to_ascii_lowercase();
                let secret = ["secret", "password", "privatekey", "sessiontoken"];
                if secret.iter().any(|word| name.contains(word)) { *member = json!(HIDDEN) } else { hide(member) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::String(text) if text.contains("PRIVATE KEY") => *text = HIDDEN.to_owned(),
        Value::String(text) => *text = cut(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}

/// Such as `2026-11-28T22:50:01Z`.
fn date(at: Timestamp) -> String {
    let seconds = i64::try_from(at.seconds()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| at.to_string(), |date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_and_no_key_is_among_the_parameters() {
        let input = json!({
            "UserName": "alice", "SecretAccessKey": "abc", "nested": [{"password": {"a": 1}}],
            "pem": "-----BEGIN EC PRIVATE KEY-----\nabc", "long": "x".repeat(5000),
        });
        let Value::Object(input) = input else { panic!() };
        let found = ApiCall::parameters(input);
        assert_eq!(found["UserName"], "alice");
        assert_eq!(found["long"].as_str().unwrap().len(), TEXT_CHARS_MAX);
        for hidden in [&found["SecretAccessKey"], &found["nested"][0]["password"], &found["pem"]] {
            assert_eq!(hidden, HIDDEN);
        }
        let many = json!({ "items": vec!["y".repeat(4000); 20] });
        let Value::Object(many) = many else { panic!() };
        assert_eq!(ApiCall::parameters(many), json!({ "omitted": "too large" }));
    }
}
