//! A service model: just enough of it to generate from.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

/// The parsed model of one service.
pub(crate) struct Model {
    /// botocore's name of the service, for messages.
    name: &'static str,
    root: Value,
}

/// One operation.
pub(crate) struct Operation<'a> {
    pub(crate) name: &'a str,
    pub(crate) method: &'a str,
    pub(crate) uri: &'a str,
    /// HTTP status of success.
    pub(crate) status: u64,
    pub(crate) input: Option<&'a str>,
    pub(crate) output: Option<&'a str>,
    /// Shape names of the errors.
    pub(crate) errors: Vec<&'a str>,
}

/// One member of a structure.
pub(crate) struct Member<'a> {
    /// Its name in the structure and in a JSON body.
    pub(crate) name: &'a str,
    pub(crate) shape: &'a str,
    pub(crate) required: bool,
    pub(crate) location: Location<'a>,
}

/// Where a member of an input travels, with the name it has there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Location<'a> {
    Body,
    Uri(&'a str),
    Query(&'a str),
    Header(&'a str),
}

impl Model {
    pub(crate) fn parse(name: &'static str, text: &str) -> Result<Self> {
        let root = serde_json::from_str(text).with_context(|| format!("the model of {name}"))?;
        Ok(Self { name, root })
    }

    /// A text of the metadata; empty when absent.
    pub(crate) fn metadata(&self, key: &str) -> &str {
        self.root["metadata"][key].as_str().unwrap_or_default()
    }

    pub(crate) fn operations(&self) -> Result<Vec<Operation<'_>>> {
        let operations = self.root["operations"].as_object().context("a model without operations")?;
        fn shape(v: &Value) -> Option<&str> {
            v["shape"].as_str()
        }
        operations
            .iter()
            .map(|(name, v)| {
                let text = |key: &str| v["http"][key].as_str().with_context(|| format!("{name} has no http.{key}"));
                Ok(Operation {
                    name,
                    method: text("method")?,
                    uri: text("requestUri")?,
                    status: v["http"]["responseCode"].as_u64().unwrap_or(200),
                    input: v.get("input").and_then(shape),
                    output: v.get("output").and_then(shape),
                    errors: v["errors"].as_array().map(|e| e.iter().filter_map(shape).collect()).unwrap_or_default(),
                })
            })
            .collect()
    }

    pub(crate) fn operation(&self, name: &str) -> Result<Operation<'_>> {
        let found = self.operations()?.into_iter().find(|o| o.name == name);
        found.with_context(|| format!("{} has no operation {name}", self.name))
    }

    pub(crate) fn shape(&self, name: &str) -> Result<&Map<String, Value>> {
        self.root["shapes"][name].as_object().with_context(|| format!("{} has no shape {name}", self.name))
    }

    /// Kind of a shape: `string`, `structure`, …
    pub(crate) fn kind(&self, name: &str) -> Result<&str> {
        self.shape(name)?.get("type").and_then(Value::as_str).with_context(|| format!("{name} has no type"))
    }

    /// The values of an enumeration, if the shape is one.
    pub(crate) fn values(&self, name: &str) -> Result<Option<Vec<&str>>> {
        let values = self.shape(name)?.get("enum").and_then(Value::as_array);
        Ok(values.map(|v| v.iter().filter_map(Value::as_str).collect()))
    }

    /// The shape of a list's member, or of a map's `key` or `value`.
    pub(crate) fn part(&self, name: &str, part: &str) -> Result<&str> {
        self.shape(name)?.get(part).and_then(|v| v["shape"].as_str()).with_context(|| format!("{name} has no {part}"))
    }

    /// The member of a structure that is the whole body, if there is one: raw bytes, which handlers take and give as they are.
    pub(crate) fn payload(&self, name: &str) -> Result<Option<&str>> {
        let Some(payload) = self.shape(name)?.get("payload").and_then(Value::as_str) else { return Ok(None) };
        let shape = self.shape(name)?["members"][payload]["shape"].as_str().context("a payload without a shape")?;
        Ok((self.kind(shape)? == "blob").then_some(payload))
    }

    /// The members of a structure, but for the one that is the whole body ([`Self::payload`]).
    pub(crate) fn members(&self, name: &str) -> Result<Vec<Member<'_>>> {
        let shape = self.shape(name)?;
        let payload = self.payload(name)?;
        let Some(members) = shape.get("members").and_then(Value::as_object) else { return Ok(Vec::new()) };
        if let (None, Some(body)) = (payload, shape.get("payload").and_then(Value::as_str)) {
            // The body is this structure: its members travel as if they were the operation's own.
            let inner = members[body]["shape"].as_str().context("a payload without a shape")?;
            return match self.kind(inner)? {
                "structure" if members.len() == 1 => self.members(inner),
                kind => bail!("{name} has a payload member {body}, a {kind}: extend the generator"),
            };
        }
        let required = shape.get("required").and_then(Value::as_array);
        members
            .iter()
            .filter(|(member, _)| Some(member.as_str()) != payload)
            .map(|(member, v)| {
                let at = v["locationName"].as_str().unwrap_or(member);
                let location = match v["location"].as_str() {
                    None if at == member => Location::Body,
                    Some("uri") => Location::Uri(at),
                    Some("querystring") => Location::Query(at),
                    Some("header") => Location::Header(at),
                    other => bail!("{name}.{member} is at {other:?} as {at}: extend the generator"),
                };
                let shape = v["shape"].as_str().with_context(|| format!("{name}.{member} has no shape"))?;
                let required = required.is_some_and(|r| r.iter().any(|m| m == member));
                Ok(Member { name: member, shape, required, location })
            })
            .collect()
    }

    /// The code of an error shape on the wire and its HTTP status. Query services give the code a name of its own.
    pub(crate) fn error<'a>(&'a self, name: &'a str) -> Result<(&'a str, u64)> {
        let error = self.shape(name)?.get("error");
        let code = error.and_then(|e| e["code"].as_str()).unwrap_or(name);
        let status = error.and_then(|e| e["httpStatusCode"].as_u64()).unwrap_or(400);
        Ok((code, status))
    }
}
