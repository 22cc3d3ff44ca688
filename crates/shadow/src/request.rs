//! What callers ask: payloads, read.

use serde_json::{Map, Value};

use crate::{Rejection, Section};

/// Longest payload that is read at all. It may be longer than a state: it may take away more than it leaves.
pub const REQUEST_BYTES_MAX: usize = 32 * 1024;

/// Most levels of a section: the section itself, and objects and arrays in each other.
///
/// AWS: quota, "Maximum depth of JSON device state documents".
pub const DEPTH_MAX: usize = 8;

/// Longest client token, in bytes.
const CLIENT_TOKEN_BYTES_MAX: usize = 64;

/// What becomes of one section.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Nothing.
    None,
    /// It goes.
    Remove,
    /// These members are merged into it.
    Merge(Section),
}

/// An update.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// What is desired from now on.
    pub desired: Change,
    /// What is reported.
    pub reported: Change,
    /// The version that the caller knows; `None` updates whatever is there.
    pub version: Option<u64>,
    /// `state` as it was sent, for the answer.
    pub(crate) state: Value,
}

/// What all requests may say beside what they ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand {
    /// Ties the answer to the request.
    pub client_token: Option<String>,
    /// The version that the caller knows.
    pub version: Option<u64>,
}

/// A payload whose envelope was read.
struct Envelope {
    members: Map<String, Value>,
    demand: Result<Demand, Rejection>,
    /// The client token, whatever else is wrong.
    client_token: Option<String>,
}

impl Demand {
    /// Reads the payload of a request to get or delete: nothing, or an object. The client token is told in any case.
    pub fn read(payload: &[u8]) -> (Option<String>, Result<Self, Rejection>) {
        if payload.is_empty() {
            return (None, Ok(Self::default()));
        }
        match envelope(payload) {
            Ok(envelope) => (envelope.client_token, envelope.demand),
            Err(rejection) => (None, Err(rejection)),
        }
    }
}

impl Update {
    /// Reads the payload of an update. The client token is told in any case.
    pub fn read(payload: &[u8]) -> (Option<String>, Result<Self, Rejection>) {
        match envelope(payload) {
            Ok(Envelope { members, demand, client_token }) => {
                (client_token, demand.and_then(|demand| Self::of(members, demand.version)))
            }
            Err(rejection) => (None, Err(rejection)),
        }
    }

    fn of(mut members: Map<String, Value>, version: Option<u64>) -> Result<Self, Rejection> {
        let state = members.remove("state").ok_or_else(|| Rejection::bad("Missing required node: state"))?;
        let (desired, reported) = match &state {
            // AWS: accepted, and both sections go.
            Value::Null => (Change::Remove, Change::Remove),
            Value::Object(sections) => {
                if sections.keys().any(|name| name != "desired" && name != "reported") {
                    return Err(Rejection::bad("State contains an invalid node"));
                }
                (
                    change(sections.get("desired"), "Desired node must be an object")?,
                    change(sections.get("reported"), "Reported node must be an object")?,
                )
            }
            _ => return Err(Rejection::bad("State node must be an object")),
        };
        Ok(Self { desired, reported, version, state })
    }
}

fn change(section: Option<&Value>, otherwise: &'static str) -> Result<Change, Rejection> {
    match section {
        None => Ok(Change::None),
        Some(Value::Null) => Ok(Change::Remove),
        Some(value @ Value::Object(members)) => {
            if deeper_than(value, DEPTH_MAX) {
                // AWS: the guide's text says 6 where the quota is 8.
                return Err(Rejection::new(
                    400,
                    format!("JSON contains too many levels of nesting; maximum is {DEPTH_MAX}"),
                ));
            }
            Ok(Change::Merge(members.clone()))
        }
        Some(_) => Err(Rejection::bad(otherwise)),
    }
}

/// Whether a value has more than `levels` objects and arrays in each other. Looks no deeper than that.
fn deeper_than(value: &Value, levels: usize) -> bool {
    match value {
        Value::Object(_) | Value::Array(_) if levels == 0 => true,
        Value::Object(members) => members.values().any(|value| deeper_than(value, levels - 1)),
        Value::Array(items) => items.iter().any(|item| deeper_than(item, levels - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// AWS: in this order. Nesting is bounded by `serde_json` (128) until it is measured.
fn envelope(payload: &[u8]) -> Result<Envelope, Rejection> {
    if payload.len() > REQUEST_BYTES_MAX {
        return Err(Rejection::too_large());
    }
    let text = std::str::from_utf8(payload)
        .map_err(|_| Rejection::new(415, "Unsupported documented encoding; supported encoding is UTF-8"))?;
    let members: Map<String, Value> = serde_json::from_str(text).map_err(|_| Rejection::bad("Invalid JSON"))?;
    let token = match members.get("clientToken") {
        None => Ok(None),
        Some(Value::String(token)) if token.len() <= CLIENT_TOKEN_BYTES_MAX => Ok(Some(token.clone())),
        Some(_) => Err(Rejection::bad("Invalid clientToken")),
    };
    let version = match members.get("version") {
        None | Some(Value::Null) => Ok(None),
        Some(version) => version.as_u64().map(Some).ok_or_else(|| Rejection::bad("Invalid version")),
    };
    let client_token = token.as_ref().ok().cloned().flatten();
    let demand = token.and_then(|client_token| Ok(Demand { client_token, version: version? }));
    Ok(Envelope { members, demand, client_token })
}
