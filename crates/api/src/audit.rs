//! Which calls go into the audit trail, and with what.

use std::sync::Arc;

use serde_json::{Map, Value};
use tidegate_ids::percent_decoded;
use tidegate_logs::{ApiCall, Identity, LogsError, Note, Trail};
use tidegate_registry::SignerKind;
use uuid::Uuid;

use crate::{ApiError, binding, call::Call, service::Protocol, wire};

/// Longest `User-Agent` that is recorded, in characters.
const USER_AGENT_CHARS_MAX: usize = 1024;
/// How the names of operations begin that change nothing.
const READS: &[&str] = &["Get", "List", "Describe", "Test", "Search", "Filter", "Lookup", "Simulate", "Tidegate"];
/// Members that travel in headers.
const HEADERS: &[(&str, &str)] =
    &[("x-amzn-principal", "principal"), ("x-amzn-iot-principal", "principal"), ("x-amzn-iot-policy", "policyName")];

/// A call that is to be recorded, from before it is carried out. Dropped without an answer, it is recorded as one whose caller
/// went away.
pub(crate) struct Pending {
    trail: Arc<Trail>,
    call: Option<ApiCall>,
    note: Arc<Note>,
}

impl Pending {
    /// `None` for what changes nothing, and for the data plane, as in CloudTrail unless data events are asked for.
    pub(crate) fn of(call: &Call<'_>, access_key_id: &str, request_id: Uuid) -> Option<Self> {
        let name = call.operation.name;
        if READS.iter().any(|verb| name.starts_with(verb)) || call.service.name == "iot-data" {
            return None;
        }
        let trail = Arc::clone(call.api.trail.as_ref()?);
        let credential = &call.caller.credential;
        let kind = match &credential.kind {
            SignerKind::Root => "Root",
            SignerKind::User { .. } => "IAMUser",
            SignerKind::Role { .. } => "AssumedRole",
        };
        let agent = call.request.header("user-agent").unwrap_or_default();
        let recorded = ApiCall {
            tenant: call.tenant(),
            at: call.now.wall,
            identity: Identity::Signer {
                kind,
                arn: credential.arn().to_string(),
                access_key_id: access_key_id.to_owned(),
            },
            source_ip: call.caller.source_ip.to_string(),
            user_agent: agent.chars().take(USER_AGENT_CHARS_MAX).collect(),
            service: call.service.name,
            operation: name.to_owned(),
            parameters: ApiCall::parameters(parameters(call)),
            request_id,
            error: None,
        };
        Some(Self { trail, note: Note::of(&recorded), call: Some(recorded) })
    }

    /// What the call's changes are committed with.
    pub(crate) fn note(&self) -> Arc<Note> {
        Arc::clone(&self.note)
    }

    /// Records the call with what is answered. It goes on when the caller does not wait for it.
    pub(crate) async fn settle(mut self, error: Option<&ApiError>) -> Result<(), LogsError> {
        let Some(mut call) = self.call.take() else { return Ok(()) };
        call.error = error.map(|error| (error.name.to_string(), error.message.clone()));
        let (trail, note) = (Arc::clone(&self.trail), self.note());
        let recorded = tokio::spawn(async move { trail.append(&call, Some(&note)).await });
        recorded.await.unwrap_or(Err(LogsError::Contended))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let Some(mut call) = self.call.take() else { return };
        call.error =
            Some(("RequestAbandoned".into(), "The caller went away: what was asked may have been done".into()));
        let (trail, note) = (Arc::clone(&self.trail), self.note());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = trail.append(&call, Some(&note)).await {
                    tracing::error!(event_type = "Api", %error, "a call could not be recorded");
                }
            });
        }
    }
}

/// All that a request says, whatever its model makes of it.
fn parameters(call: &Call<'_>) -> Map<String, Value> {
    let mut found = Map::new();
    let request = call.request;
    match call.service.protocol {
        Protocol::Query => {
            let pairs = binding::form(request).unwrap_or_default();
            found.extend(pairs.into_iter().map(|(name, value)| (name, Value::from(value))));
        }
        Protocol::RestJson | Protocol::Json => {
            if let Ok(Value::Object(body)) = serde_json::from_slice(request.body) {
                found.extend(body);
            }
            let pairs = wire::query(request.raw_query).unwrap_or_default();
            let pairs = pairs.into_iter().filter(|(name, _)| !name.starts_with("X-Amz-"));
            found.extend(pairs.map(|(name, value)| (name, Value::from(value))));
        }
    }
    for (name, raw) in &call.labels {
        if let Some(value) = percent_decoded(raw) {
            found.insert((*name).to_owned(), value.into());
        }
    }
    for (header, name) in HEADERS {
        if let Some(value) = request.header(header) {
            found.insert((*name).to_owned(), value.into());
        }
    }
    found
}
