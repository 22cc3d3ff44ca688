//! Whether the policies of who signed allow an operation on what it names.
//!
//! Asked once an operation's input can be read and before anything is done with it. What an operation needs is in
//! [`needs`]: one row for each.

mod needs;

use serde_json::{Map, Value};
use tidegate_policy::{RequestContext, Variables, keys};
use tidegate_registry::{Credential, SignerKind, TaggedResource, Verdict};

use crate::{ApiError, call::Call};

pub(crate) use needs::Need;

/// Lets a call go on if its signer's policies allow it.
///
/// # Errors
/// `AccessDeniedException`, with AWS's sentence.
pub(crate) async fn allow(call: &Call<'_>, input: &Map<String, Value>) -> Result<(), ApiError> {
    let credential = &call.caller.credential;
    if matches!(credential.kind, SignerKind::Root) {
        return Ok(());
    }
    for need in needs::of(call, input) {
        let tags = tags_of(call, &need.resource).await?;
        require(call, credential, &need, input, &tags)?;
    }
    Ok(())
}

/// Decides about one action on one resource.
pub(crate) fn verdict(call: &Call<'_>, need: &Need, context: &[(String, Vec<String>)]) -> Verdict {
    let mut variables = variables(call);
    for (key, value) in &need.known {
        variables.set(key, [value.as_str()]);
    }
    let values: Vec<(&str, Vec<&str>)> =
        context.iter().map(|(key, values)| (key.as_str(), values.iter().map(String::as_str).collect())).collect();
    let values: Vec<(&str, &[&str])> = values.iter().map(|(key, values)| (*key, values.as_slice())).collect();
    let context = RequestContext { now: call.now.wall, values: &values };
    let region = call.tenant().region;
    call.caller.credential.decide(region, &need.action, &need.resource, &variables, &context)
}

fn require(
    call: &Call<'_>,
    credential: &Credential,
    need: &Need,
    input: &Map<String, Value>,
    tags: &[(String, String)],
) -> Result<(), ApiError> {
    let mut context = request_tags(input);
    context.extend(tags.iter().map(|(key, value)| (format!("{}{key}", keys::RESOURCE_TAG), vec![value.clone()])));
    match verdict(call, need, &context) {
        Verdict::Allowed => Ok(()),
        refused => {
            let error = ApiError::access_denied(credential.arn(), &need.action, &need.resource, refused);
            // AWS: the data plane has a name of its own for it. Decision: the sentence is that of all others.
            let data_plane = call.service.name == "iot-data";
            Err(if data_plane { ApiError { name: "ForbiddenException".into(), ..error } } else { error })
        }
    }
}

/// What policies can ask about the signer and the request.
pub(crate) fn variables(call: &Call<'_>) -> Variables {
    let mut variables = call.caller.credential.variables();
    variables.source_ip(call.caller.source_ip);
    variables.set(keys::SECURE_TRANSPORT, [if call.caller.secure { "true" } else { "false" }]);
    variables.set(keys::REQUESTED_REGION, [call.tenant().region.as_str()]);
    variables
}

/// `aws:RequestTag/KEY` and `aws:TagKeys`: the tags that a request brings, or takes away.
fn request_tags(input: &Map<String, Value>) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let list = |name: &str| input.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut context = Vec::new();
    let mut tag_keys: Vec<String> = list("tagKeys").iter().filter_map(text).collect();
    for tag in list("tags").iter().chain(list("Tags")) {
        let Some(key) = tag.get("Key").and_then(text) else { continue };
        let value = tag.get("Value").and_then(text).unwrap_or_default();
        context.push((format!("{}{key}", keys::REQUEST_TAG), vec![value]));
        tag_keys.push(key);
    }
    if !tag_keys.is_empty() {
        context.push((keys::TAG_KEYS.to_owned(), tag_keys));
    }
    context
}

/// The tags that a resource has; none when it has none, or is not there, which nobody is told.
async fn tags_of(call: &Call<'_>, resource: &str) -> Result<Vec<(String, String)>, ApiError> {
    let Ok(tagged) = TaggedResource::parse(call.tenant(), resource) else { return Ok(Vec::new()) };
    match call.registry().list_tags_for_resource(call.tenant(), &tagged, None).await.map_err(ApiError::from) {
        Ok(tags) => Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect()),
        Err(error) if error.status == 404 => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
