//! The log entries of calls of the data plane. Those of shadows are the shadow service's, but for calls that never come there.
//!
//! AWS: developer guide, "CloudWatch AWS IoT log entries": `GetRetainedMessage`, `ListRetainedMessage`, `DeleteConnection`,
//! `GetConnection`, `ListSubscriptions`, `Publish-In`. Unverified: what entries of refused calls say.

use tidegate_ids::{Timestamp, percent_decoded};
use tidegate_logs::{Entry, LogLevel, Status};
use uuid::Uuid;

use crate::{
    ApiError,
    call::{Call, Reply},
    wire,
};

/// Logs a call with what is answered. Its trace id is the answer's `x-amzn-RequestId`.
pub(crate) fn log(call: &Call<'_>, request_id: Uuid, answer: &Result<Reply, ApiError>) {
    let error = answer.as_ref().err();
    let Some(event_type) = event_type(call.operation.name, error) else { return };
    let (status, level) = match error {
        None => (Status::Success, LogLevel::Info),
        Some(_) => (Status::Failure, LogLevel::Error),
    };
    if !call.api.book.wants(level) {
        return;
    }
    let mut entry = Entry::new(event_type, status, request_id.as_u128(), call.now.wall).of(Some(call.tenant()));
    entry.protocol = Some("HTTP");
    entry.client_id = label(call, "clientId");
    entry.principal_id = Some(call.caller.credential.user_id().to_owned());
    entry.source_ip = Some(call.caller.source_ip.to_string());
    entry = entry.with("topicName", label(call, "topic")).with("retain", retains(call).then_some("True"));
    if let Ok(Reply::Output(output)) = answer
        && event_type == "GetRetainedMessage"
    {
        entry = entry.with("qos", output["qos"].as_u64().map(|qos| qos.to_string()));
        let moment = output["lastModifiedTime"].as_u64().map(Timestamp::from_millis);
        entry = entry.with("lastModifiedDate", moment.map(tidegate_logs::date));
    }
    if let Some(error) = error {
        entry = entry.with("reason", reason(error)).with("details", Some(error.message.as_str()));
    }
    call.api.book.write(&entry, None);
}

/// `None` for calls that have no entry here.
fn event_type(operation: &str, error: Option<&ApiError>) -> Option<&'static str> {
    let forbidden = error.is_some_and(|error| error.status == 403);
    Some(match operation {
        "DeleteConnection" => "DeleteConnection",
        "GetConnection" => "GetConnection",
        "GetRetainedMessage" => "GetRetainedMessage",
        "ListRetainedMessages" => "ListRetainedMessage",
        "ListSubscriptions" => "ListSubscriptions",
        "Publish" => "Publish-In",
        "GetThingShadow" if forbidden => "GetThingShadow",
        "UpdateThingShadow" if forbidden => "UpdateThingShadow",
        "DeleteThingShadow" if forbidden => "DeleteThingShadow",
        _ => return None,
    })
}

fn reason(error: &ApiError) -> Option<&'static str> {
    match error.status {
        403 => Some("AUTHORIZATION_FAILURE"),
        429 => Some("THROTTLED"),
        500..=599 => Some("INTERNAL_SERVER_ERROR"),
        _ => None,
    }
}

/// What the path names.
fn label(call: &Call<'_>, name: &str) -> Option<String> {
    let (_, raw) = call.labels.iter().find(|(known, _)| *known == name)?;
    percent_decoded(raw)
}

fn retains(call: &Call<'_>) -> bool {
    let pairs = wire::query(call.request.raw_query).unwrap_or_default();
    call.operation.name == "Publish" && pairs.iter().any(|(name, value)| name == "retain" && value == "true")
}
