//! From a request to the value of an operation's input: members gathered from wherever they travel.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tidegate_ids::percent_decoded;

use crate::{
    constraint::{Location, Member, Shape},
    service::{Labels, Protocol},
    wire,
};

/// A request whose signature has been checked, whole and undecoded.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) raw_path: &'a str,
    pub(crate) raw_query: &'a str,
    /// Names in lower case.
    pub(crate) headers: &'a [(&'a str, &'a [u8])],
    pub(crate) body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The first value of a header as trimmed text; `None` when it is absent or not UTF-8.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        let value = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| *value)?;
        std::str::from_utf8(value).ok().map(str::trim)
    }

    /// The media type of the body, without parameters.
    pub(crate) fn media_type(&self) -> Option<&'a str> {
        self.header("content-type").map(|t| t.split(';').next().unwrap_or(t).trim())
    }
}

/// Why there is no input to look at.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BindFault {
    /// The body is of a type that the protocol does not use.
    MediaType(String),
    /// The body, or a text in path or query, cannot be read.
    Unreadable(String),
}

/// Most items of a list in a form: `Tags.member.1` …
const FORM_ITEMS_MAX: usize = 1000;

/// The members of `shape` that `request` carries, each as the kind of value its shape asks for where it travels as text.
pub(crate) fn bind(
    protocol: Protocol,
    shape: &[Member],
    request: &Request<'_>,
    labels: &Labels<'_>,
) -> Result<Map<String, Value>, BindFault> {
    match protocol {
        Protocol::RestJson => rest(shape, request, labels),
        Protocol::Json => json_body(request),
        Protocol::Query => Ok(form_structure(shape, &form(request)?, "")),
    }
}

/// The pairs of a query service's request: its form, or its query.
pub(crate) fn form(request: &Request<'_>) -> Result<BTreeMap<String, String>, BindFault> {
    let unreadable = || BindFault::Unreadable("The form cannot be decoded".into());
    if request.body.is_empty() {
        return wire::query(&request.raw_query.replace('+', " ")).ok_or_else(unreadable);
    }
    match request.media_type() {
        Some("application/x-www-form-urlencoded") | None => wire::form(request.body).ok_or_else(unreadable),
        Some(other) => Err(BindFault::MediaType(other.to_owned())),
    }
}

fn rest(shape: &[Member], request: &Request<'_>, labels: &Labels<'_>) -> Result<Map<String, Value>, BindFault> {
    let mut input = Map::new();
    if shape.iter().any(|m| matches!(m.location, Location::Body)) {
        input = json_body(request)?;
        input.retain(|name, _| shape.iter().any(|m| m.name == name && matches!(m.location, Location::Body)));
    }
    let query = wire::query(request.raw_query)
        .ok_or_else(|| BindFault::Unreadable("The query cannot be decoded: it must be percent-encoded UTF-8".into()))?;
    for member in shape {
        let given = match member.location {
            Location::Body => continue,
            Location::Query(at) => query.get(at).cloned(),
            Location::Header(at) => request.header(at).map(str::to_owned),
            Location::Uri(at) => {
                let label = labels.iter().find(|(name, _)| *name == at).map(|(_, label)| *label);
                let decode = |label| percent_decoded(label);
                match label.map(decode) {
                    None => None,
                    Some(Some(text)) => Some(text),
                    Some(None) => {
                        let text = "The path cannot be decoded: it must be percent-encoded UTF-8";
                        return Err(BindFault::Unreadable(text.into()));
                    }
                }
            }
        };
        if let Some(text) = given {
            input.insert(member.name.to_owned(), from_text(member.shape, text));
        }
    }
    Ok(input)
}

/// The body as a JSON object; no body is an empty one.
fn json_body(request: &Request<'_>) -> Result<Map<String, Value>, BindFault> {
    if request.body.is_empty() {
        return Ok(Map::new());
    }
    match request.media_type() {
        None | Some("application/json" | "application/x-amz-json-1.0" | "application/x-amz-json-1.1") => {}
        Some(other) => return Err(BindFault::MediaType(other.to_owned())),
    }
    match serde_json::from_slice(request.body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(BindFault::Unreadable("The body must be a JSON object".into())),
        Err(error) => Err(BindFault::Unreadable(format!("The body is not JSON: {error}"))),
    }
}

/// A text as the kind of value that `shape` asks for; unchanged when it is none, for the check to find.
fn from_text(shape: &Shape, text: String) -> Value {
    let parsed = match shape {
        Shape::Integer { .. } => text.parse::<i64>().ok().map(Value::from),
        Shape::Float | Shape::Timestamp => text.parse::<f64>().ok().map(Value::from).filter(|v| !v.is_null()),
        Shape::Boolean => text.parse::<bool>().ok().map(Value::from),
        Shape::Text(_) | Shape::OneOf(_) | Shape::Blob => None,
        Shape::List(_) | Shape::Map { .. } | Shape::Structure(_) => None,
    };
    parsed.unwrap_or(Value::String(text))
}

/// `Name=…`, `Outer.Inner=…`, `Names.member.1=…`, `Map.entry.1.key=…`. The recursion is over the model.
fn form_structure(shape: &[Member], pairs: &BTreeMap<String, String>, prefix: &str) -> Map<String, Value> {
    let value = |m: &Member| Some((m.name.to_owned(), form_value(m.shape, pairs, &format!("{prefix}{}", m.name))?));
    shape.iter().filter_map(value).collect()
}

fn form_value(shape: &Shape, pairs: &BTreeMap<String, String>, at: &str) -> Option<Value> {
    match shape {
        Shape::List(list) => {
            let item = |i: usize| form_value(list.item, pairs, &format!("{at}.member.{i}"));
            let items: Vec<_> = (1..=FORM_ITEMS_MAX).map_while(item).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Shape::Map { key: _, value } => {
            let entry = |i: usize| {
                let key = pairs.get(&format!("{at}.entry.{i}.key"))?;
                Some((key.clone(), form_value(value, pairs, &format!("{at}.entry.{i}.value"))?))
            };
            let entries: Map<_, _> = (1..=FORM_ITEMS_MAX).map_while(entry).collect();
            (!entries.is_empty()).then_some(Value::Object(entries))
        }
        Shape::Structure(members) => {
            let prefix = format!("{at}.");
            let begins = pairs.range(prefix.clone()..).next().is_some_and(|(name, _)| name.starts_with(&prefix));
            begins.then(|| Value::Object(form_structure(members, pairs, &prefix)))
        }
        Shape::Text(_)
        | Shape::OneOf(_)
        | Shape::Integer { .. }
        | Shape::Float
        | Shape::Boolean
        | Shape::Timestamp
        | Shape::Blob => pairs.get(at).map(|text| from_text(shape, text.clone())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::constraint::{self, BOOLEAN, List, TEXT};

    static SIZE: Shape = Shape::Integer { min: 1, max: 250 };
    static TAG: Shape = Shape::Structure(&[constraint::body("Key", &TEXT), constraint::body("Value", &TEXT)]);
    static TAGS: Shape = Shape::List(List::of(&TAG));
    static NAMES: Shape = Shape::List(List::of(&TEXT));
    static MAP: Shape = Shape::Map { key: &TEXT, value: &TEXT };
    static REST: &[Member] = &[
        constraint::uri("name", "policyName", &TEXT),
        constraint::query("size", "pageSize", &SIZE),
        constraint::query("flag", "setAsActive", &BOOLEAN),
        constraint::header("principal", "x-amzn-iot-principal", &TEXT),
        constraint::body("document", &TEXT),
        constraint::body("flags", &NAMES),
    ];

    fn request<'a>(query: &'a str, headers: &'a [(&'a str, &'a [u8])], body: &'a [u8]) -> Request<'a> {
        Request { method: "POST", raw_path: "/", raw_query: query, headers, body }
    }

    #[test]
    fn members_come_from_path_query_header_and_body() {
        let headers: &[(&str, &[u8])] =
            &[("X-Amzn-Iot-Principal", b" arn:aws:iot "), ("content-type", b"application/json; charset=utf-8")];
        let body = br#"{"document":"{}","name":"from the body","flags":null,"unknown":1}"#;
        let input =
            rest(REST, &request("pageSize=5&setAsActive=false&x=1", headers, body), &vec![("policyName", "a%2Fb+c")]);
        assert_eq!(
            Value::Object(input.unwrap()),
            json!({"name": "a/b+c", "size": 5, "flag": false, "principal": "arn:aws:iot", "document": "{}", "flags": null})
        );
    }

    #[test]
    fn texts_of_another_kind_stay_texts() {
        let input = rest(REST, &request("pageSize=many&setAsActive=TRUE", &[], b""), &vec![]).unwrap();
        assert_eq!(Value::Object(input), json!({"size": "many", "flag": "TRUE"}));
    }

    #[test]
    fn unreadable_requests_are_refused() {
        let json: &[(&str, &[u8])] = &[("content-type", b"application/json")];
        let xml: &[(&str, &[u8])] = &[("content-type", b"text/xml")];
        for (query, headers, body, label, media_type) in [
            ("", json, &b"{"[..], "p", false),
            ("", json, b"[]", "p", false),
            ("", json, b"\"x\"", "p", false),
            ("", json, b"\xff", "p", false),
            ("", xml, b"<a/>", "p", true),
            ("a=%zz", json, b"", "p", false),
            ("", json, b"", "%zz", false),
        ] {
            let fault = rest(REST, &request(query, headers, body), &vec![("policyName", label)]).unwrap_err();
            assert_eq!(matches!(fault, BindFault::MediaType(_)), media_type, "{fault:?}");
        }
        let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
        assert!(matches!(json_body(&request("", json, &deep)), Err(BindFault::Unreadable(_))));
    }

    #[test]
    fn forms_unfold() {
        let shape: &[Member] = &[
            constraint::body("Name", &TEXT),
            constraint::body("Size", &SIZE),
            constraint::body("Tags", &TAGS),
            constraint::body("Names", &NAMES),
            constraint::body("One", &TAG),
            constraint::body("Map", &MAP),
        ];
        let body =
            b"Action=X&Name=a+b&Size=3&Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.2.Key=l&Names.member.1=n\
                     &One.Key=o&Map.entry.1.key=a&Map.entry.1.value=b&Tags.member.9.Key=lost";
        let input = bind(Protocol::Query, shape, &request("", &[], body), &vec![]).unwrap();
        assert_eq!(
            Value::Object(input),
            json!({
                "Name": "a b", "Size": 3, "Tags": [{"Key": "k", "Value": "v"}, {"Key": "l"}], "Names": ["n"],
                "One": {"Key": "o"}, "Map": {"a": "b"},
            })
        );
    }
}
