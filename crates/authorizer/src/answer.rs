//! What a function answers, read strictly: it decides what a stranger may do.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tidegate_policy::Document;

/// Longest answer, in bytes: ten documents of escaped characters fit.
pub const ANSWER_BYTES_MAX: usize = 128 * 1024;
/// Most policy documents. AWS: 10.
pub const POLICIES_MAX: usize = 10;
/// Longest policy document, in characters. AWS: 2 048.
pub const POLICY_CHARS_MAX: usize = 2048;
/// Longest principal id, in characters. AWS: 128.
const PRINCIPAL_ID_CHARS_MAX: usize = 128;

/// Which intervals are accepted, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Shortest. AWS: 300 s.
    pub shortest: Duration,
    /// Longest. AWS: 86 400 s.
    pub longest: Duration,
}

impl Bounds {
    /// AWS: developer guide, "Defining your Lambda function".
    pub const AWS: Self = Self { shortest: Duration::from_secs(300), longest: Duration::from_secs(86_400) };
}

/// What a client may do, and for how long.
#[derive(Debug, Clone)]
pub struct Permit {
    /// Who it is: 1-128 letters and digits.
    pub principal_id: Box<str>,
    /// The policies, as text and read.
    pub policies: Vec<(String, Arc<Document>)>,
    /// When the connection ends, whatever happens.
    pub disconnect_after: Duration,
    /// When the function is asked again.
    pub refresh_after: Duration,
}

/// What is wrong with an answer. The text is for the account's log; nothing of the answer but its members' names is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// Too long.
    #[error("it is longer than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
    /// No JSON object.
    #[error("it is no JSON object")]
    NotAnObject,
    /// A member is missing or breaks its rule.
    #[error("{0}")]
    Member(&'static str),
    /// A policy cannot be read.
    #[error("policyDocuments: number {number} cannot be used: {why}")]
    Policy {
        /// From 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// Reads an answer; `None`: the client is not authenticated.
///
/// Unverified: that AWS refuses an answer without intervals, or with one that is out of bounds.
pub(crate) fn read(bytes: &[u8], bounds: Bounds) -> Result<Option<Permit>, BadAnswer> {
    if bytes.len() > ANSWER_BYTES_MAX {
        return Err(BadAnswer::TooLong);
    }
    let Ok(Value::Object(members)) = serde_json::from_slice(bytes) else { return Err(BadAnswer::NotAnObject) };
    match members.get("isAuthenticated") {
        Some(Value::Bool(false)) => return Ok(None),
        Some(Value::Bool(true)) => {}
        Some(_) | None => return Err(BadAnswer::Member("isAuthenticated is true or false")),
    }
    let principal_id = members.get("principalId").and_then(Value::as_str).filter(|id| {
        (1..=PRINCIPAL_ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    let principal_id = principal_id.ok_or(BadAnswer::Member("principalId is 1-128 letters and digits"))?;
    let interval = |name: &str, why| {
        let seconds = members.get(name).and_then(Value::as_u64).map(Duration::from_secs);
        let within = |length: &Duration| (bounds.shortest..=bounds.longest).contains(length);
        seconds.filter(within).ok_or(BadAnswer::Member(why))
    };
    let documents = members.get("policyDocuments").and_then(Value::as_array);
    let documents = documents.filter(|documents| documents.len() <= POLICIES_MAX);
    let documents = documents.ok_or(BadAnswer::Member("policyDocuments is a list of at most 10 policy documents"))?;
    let policies = documents
        .iter()
        .enumerate()
        .map(|(index, document)| policy(document).map_err(|why| BadAnswer::Policy { number: index + 1, why }));
    Ok(Some(Permit {
        principal_id: principal_id.into(),
        disconnect_after: interval(
            "disconnectAfterInSeconds",
            "disconnectAfterInSeconds is a number of seconds between 300 and 86400",
        )?,
        refresh_after: interval(
            "refreshAfterInSeconds",
            "refreshAfterInSeconds is a number of seconds between 300 and 86400",
        )?,
        policies: policies.collect::<Result<_, _>>()?,
    }))
}

/// A document, as text or as JSON.
fn policy(document: &Value) -> Result<(String, Arc<Document>), String> {
    let text = match document {
        Value::String(text) => text.clone(),
        Value::Object(_) => document.to_string(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            return Err("it is neither a text nor an object".into());
        }
    };
    let document = Document::parse_within(&text, POLICY_CHARS_MAX).map_err(|error| error.to_string())?;
    Ok((text, Arc::new(document)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn good() -> Value {
        json!({
            "isAuthenticated": true, "principalId": "p1", "disconnectAfterInSeconds": 86400, "refreshAfterInSeconds": 300,
            "policyDocuments": [{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}],
        })
    }

    fn with(member: &str, value: Value) -> Value {
        let mut answer = good();
        answer[member] = value;
        answer
    }

    fn without(member: &str) -> Value {
        let mut answer = good();
        answer.as_object_mut().unwrap().remove(member);
        answer
    }

    #[test]
    fn a_good_answer_is_understood() {
        let permit = read(good().to_string().as_bytes(), Bounds::AWS).unwrap().unwrap();
        assert_eq!((&*permit.principal_id, permit.policies.len()), ("p1", 1));
        assert_eq!(permit.disconnect_after, Duration::from_secs(86_400));
        assert_eq!(permit.refresh_after, Duration::from_secs(300));
        let as_text = with("policyDocuments", json!([good()["policyDocuments"][0].to_string()]));
        assert_eq!(read(as_text.to_string().as_bytes(), Bounds::AWS).unwrap().unwrap().policies.len(), 1);
        assert!(read(with("policyDocuments", json!([])).to_string().as_bytes(), Bounds::AWS).unwrap().is_some());
        assert!(read(with("context", json!({"a": 1})).to_string().as_bytes(), Bounds::AWS).unwrap().is_some());
    }

    #[test]
    fn who_is_not_authenticated_needs_nothing_else() {
        for answer in [json!({"isAuthenticated": false}), with("isAuthenticated", json!(false))] {
            assert!(read(answer.to_string().as_bytes(), Bounds::AWS).unwrap().is_none());
        }
    }

    #[test]
    fn every_other_answer_is_refused() {
        let document = good()["policyDocuments"][0].clone();
        let mut long = document.clone();
        long["Id"] = json!("x".repeat(POLICY_CHARS_MAX));
        for answer in [
            without("isAuthenticated"),
            with("isAuthenticated", json!("true")),
            with("isAuthenticated", json!(1)),
            without("principalId"),
            with("principalId", json!("")),
            with("principalId", json!("a-b")),
            with("principalId", json!("é")),
            with("principalId", json!("a".repeat(129))),
            with("principalId", json!(7)),
            without("disconnectAfterInSeconds"),
            with("disconnectAfterInSeconds", json!(299)),
            with("disconnectAfterInSeconds", json!(86_401)),
            with("disconnectAfterInSeconds", json!(-300)),
            with("disconnectAfterInSeconds", json!(300.5)),
            with("disconnectAfterInSeconds", json!("300")),
            without("refreshAfterInSeconds"),
            with("refreshAfterInSeconds", json!(0)),
            with("refreshAfterInSeconds", json!(18_446_744_073_709_551_615_u64)),
            without("policyDocuments"),
            with("policyDocuments", document.clone()),
            with("policyDocuments", json!(["{}"])),
            with("policyDocuments", json!(["garbage"])),
            with("policyDocuments", json!([null])),
            with("policyDocuments", json!([[document]])),
            with("policyDocuments", json!([long])),
            with("policyDocuments", json!(vec![good()["policyDocuments"][0].clone(); 11])),
            json!([]),
            json!("isAuthenticated"),
            json!(null),
        ] {
            assert!(read(answer.to_string().as_bytes(), Bounds::AWS).is_err(), "{answer}");
        }
        for bytes in [&b""[..], b"{", b"\xff", b"{\"isAuthenticated\": true} x", &[b' '; ANSWER_BYTES_MAX + 1]] {
            assert!(read(bytes, Bounds::AWS).is_err());
        }
        let deep = format!("{}{}", "[".repeat(60_000), "]".repeat(60_000));
        assert!(read(deep.as_bytes(), Bounds::AWS).is_err());
    }
}
