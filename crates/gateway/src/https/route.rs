//! What a request asks, and whether its framing can be trusted. Pure.
//!
//! AWS: developer guide, "Choosing an application protocol for your device communication", "HTTPS"; "Device Shadow REST API".

use tidegate_broker::https::{Fields, Properties};
use tidegate_ids::{ThingName, percent_decoded};
use tidegate_mqtt::QoS;
use tidegate_shadow::{Operation, Place};

use crate::http::Head;

/// What a device asks by HTTPS.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// `POST /topics/TOPIC?qos=…&retain=…`.
    Publish(Publish),
    /// `GET`, `POST`, `DELETE /things/NAME/shadow?name=…`.
    Shadow(Place, Operation),
    /// `GET /api/things/shadow/ListNamedShadowsForThing/NAME?nextToken=…&pageSize=…`.
    Shadows(Listing),
}

/// A page of the names of a thing's shadows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) thing: ThingName,
    pub(crate) page_size: Option<u32>,
    pub(crate) next_token: Option<String>,
}

/// A message, but for its payload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Publish {
    pub(crate) topic_name: String,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) properties: Properties,
}

/// Why a request is not carried out: status, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl Refused {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// Who somebody is, or what their policies say. AWS: no more than this word.
    pub(crate) fn forbidden() -> Self {
        Self::new(403, "Forbidden")
    }
}

/// How a request's body is framed, and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Framing {
    pub(crate) body_bytes: usize,
    /// The client waits for a word before it sends the body.
    pub(crate) expects_continue: bool,
    /// The client sends no further request.
    pub(crate) last: bool,
}

/// Reads the framing; a request whose framing is in doubt must be the last of its connection.
pub(crate) fn framing(head: &Head<'_>) -> Result<Framing, Refused> {
    if head.value("transfer-encoding").is_some() {
        return Err(Refused::new(411, "A request must have a Content-Length; Transfer-Encoding is not understood"));
    }
    let mut lengths = head.values("content-length");
    let body_bytes = match (lengths.next(), lengths.next()) {
        (None, _) => 0,
        (Some(length), None) if !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit()) => {
            length.parse().map_err(|_| Refused::new(413, "The body is too large"))?
        }
        (Some(_), _) => return Err(Refused::new(400, "Content-Length must be there once, as a number")),
    };
    let says = |name, word: &str| head.tokens(name).iter().any(|token| token.eq_ignore_ascii_case(word));
    Ok(Framing {
        body_bytes,
        expects_continue: says("expect", "100-continue") && body_bytes > 0,
        last: says("connection", "close"),
    })
}

/// What a request asks.
pub(crate) fn route(head: &Head<'_>) -> Result<Asked, Refused> {
    if let Some(topic) = head.path().strip_prefix("/topics/").filter(|topic| !topic.is_empty()) {
        return match head.method {
            "POST" => publish(topic, head).map(Asked::Publish),
            _ => Err(Refused::new(405, "Messages are published with POST")),
        };
    }
    if let Some(thing) = head.path().strip_prefix("/api/things/shadow/ListNamedShadowsForThing/") {
        return match head.method {
            "GET" => listing(thing, head).map(Asked::Shadows),
            _ => Err(Refused::new(405, "Shadows are listed with GET")),
        };
    }
    let thing = head.path().strip_prefix("/things/").and_then(|rest| rest.strip_suffix("/shadow"));
    let Some(thing) = thing.filter(|thing| !thing.contains('/')) else {
        return Err(Refused::new(404, "Not Found"));
    };
    let operation = match head.method {
        "GET" => Operation::Get,
        "POST" => Operation::Update,
        "DELETE" => Operation::Delete,
        _ => return Err(Refused::new(405, "A shadow is asked for with GET, POST or DELETE")),
    };
    Ok(Asked::Shadow(place(thing, head)?, operation))
}

fn place(thing: &str, head: &Head<'_>) -> Result<Place, Refused> {
    let invalid = |error: tidegate_ids::IdError| Refused::new(400, error.to_string());
    let thing = decoded(thing)?.parse().map_err(invalid)?;
    let shadow = query(head, "name")?.map(|name| name.parse().map_err(invalid)).transpose()?;
    Ok(Place { thing, shadow })
}

/// AWS: API_iotdata_ListNamedShadowsForThing: pages of 1 to 100 names.
fn listing(thing: &str, head: &Head<'_>) -> Result<Listing, Refused> {
    let thing = decoded(thing)?.parse().map_err(|error: tidegate_ids::IdError| Refused::new(400, error.to_string()))?;
    let page_size = query(head, "pageSize")?.map(|size| size.parse().ok().filter(|size| (1..=100).contains(size)));
    let page_size = match page_size {
        Some(None) => return Err(Refused::new(400, "pageSize is 1 to 100")),
        Some(size) => size,
        None => None,
    };
    Ok(Listing { thing, page_size, next_token: query(head, "nextToken")? })
}

fn publish(topic: &str, head: &Head<'_>) -> Result<Publish, Refused> {
    let invalid = |message: &str| Refused::new(400, message);
    let qos = match query(head, "qos")?.as_deref() {
        None | Some("0") => QoS::AtMostOnce,
        Some("1") => QoS::AtLeastOnce,
        Some(_) => return Err(invalid("qos is 0 or 1")),
    };
    let retain = match query(head, "retain")?.as_deref() {
        None | Some("false" | "0") => false,
        Some("true" | "1") => true,
        Some(_) => return Err(invalid("retain is true or false")),
    };
    let (content_type, response_topic) = (query(head, "contentType")?, query(head, "responseTopic")?);
    let message_expiry = query(head, "messageExpiry")?.map(|seconds| seconds.parse::<i64>());
    let message_expiry = message_expiry.transpose().map_err(|_| invalid("messageExpiry is a number of seconds"))?;
    let fields = Fields {
        content_type: content_type.as_deref(),
        response_topic: response_topic.as_deref(),
        message_expiry,
        payload_format_indicator: head.value("x-amz-mqtt5-payload-format-indicator"),
        correlation_data: head.value("x-amz-mqtt5-correlation-data"),
        user_properties: head.value("x-amz-mqtt5-user-properties"),
    };
    let properties = Properties::parse(&fields).map_err(invalid)?;
    Ok(Publish { topic_name: decoded(topic)?, qos, retain, properties })
}

/// The first value of that name in the query, decoded.
fn query(head: &Head<'_>, name: &str) -> Result<Option<String>, Refused> {
    let mut pairs = head.query().split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| decoded(value)).transpose()
}

fn decoded(text: &str) -> Result<String, Refused> {
    percent_decoded(text).ok_or_else(|| Refused::new(400, "The target must be percent-encoded UTF-8"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ask(line: &str, headers: &str) -> Result<(Asked, Framing), Refused> {
        let text = format!("{line} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let head = Head::parse(text.as_bytes()).unwrap();
        let framing = framing(&head)?;
        route(&head).map(|asked| (asked, framing))
    }

    #[test]
    fn a_topic_is_all_that_follows_encoded_or_not() {
        for (line, topic_name, qos, retain) in [
            ("POST /topics/a/b?qos=1", "a/b", QoS::AtLeastOnce, false),
            ("POST /topics/a%2Fb%20c?qos=0&retain=true", "a/b c", QoS::AtMostOnce, true),
            ("POST /topics/%24aws/rules/x", "$aws/rules/x", QoS::AtMostOnce, false),
            ("POST /topics/a?retain=false&qos=1&x=y", "a", QoS::AtLeastOnce, false),
        ] {
            let (asked, _) = ask(line, "").unwrap();
            let properties = Properties::default();
            assert_eq!(
                asked,
                Asked::Publish(Publish { topic_name: topic_name.into(), qos, retain, properties }),
                "{line}"
            );
        }
    }

    #[test]
    fn shadows_are_named_by_path_and_query() {
        for (line, expected) in [
            ("GET /things/t/shadow", ("thing/t", Operation::Get)),
            ("POST /things/t/shadow?name=n", ("thing/t/n", Operation::Update)),
            ("DELETE /things/a%3Ab/shadow", ("thing/a:b", Operation::Delete)),
        ] {
            let Ok((Asked::Shadow(place, operation), _)) = ask(line, "") else { panic!("{line}") };
            assert_eq!((place.resource().as_str(), operation), expected, "{line}");
        }
    }

    #[test]
    fn shadows_are_listed_page_by_page() {
        let path = "GET /api/things/shadow/ListNamedShadowsForThing/";
        for (rest, page_size, next_token) in
            [("t", None, None), ("t?pageSize=7&nextToken=a%2Fb", Some(7), Some("a/b".to_owned()))]
        {
            let (asked, _) = ask(&format!("{path}{rest}"), "").unwrap();
            assert_eq!(asked, Asked::Shadows(Listing { thing: "t".parse().unwrap(), page_size, next_token }), "{rest}");
        }
        for (line, status) in [
            (format!("{path}t?pageSize=0"), 400),
            (format!("{path}t?pageSize=101"), 400),
            (format!("{path}t?pageSize=x"), 400),
            (format!("{path}a.b"), 400),
            (path.to_owned(), 400),
            (path.replace("GET", "POST") + "t", 405),
        ] {
            assert_eq!(ask(&line, "").map_err(|refused| refused.status), Err(status), "{line}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for (line, headers, status) in [
            ("GET /topics/a", "", 405),
            ("POST /topics/", "", 404),
            ("POST /", "", 404),
            ("GET /mqtt", "", 404),
            ("POST /topics/%zz", "", 400),
            ("POST /topics/a?qos=2", "", 400),
            ("POST /topics/a?retain=yes", "", 400),
            ("POST /topics/a?messageExpiry=x", "", 400),
            ("POST /topics/a", "x-amz-mqtt5-user-properties: !\r\n", 400),
            ("PUT /things/t/shadow", "", 405),
            ("GET /things/a.b/shadow", "", 400),
            ("GET /things/a/b/shadow", "", 404),
            ("GET /things/t/shadow?name=", "", 400),
            ("POST /topics/a", "Transfer-Encoding: chunked\r\n", 411),
            ("POST /topics/a", "Content-Length: 1\r\nContent-Length: 1\r\n", 400),
            ("POST /topics/a", "Content-Length: -1\r\n", 400),
            ("POST /topics/a", "Content-Length: 99999999999999999999999\r\n", 413),
        ] {
            assert_eq!(ask(line, headers).map_err(|refused| refused.status), Err(status), "{line} {headers}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_understood_or_refused(
            method in "(GET|POST|PUT)", path in "(/topics/|/things/)?[a-z%#?&=/$ ]{0,20}(/shadow)?", query in "([?&](qos|retain|name)=[0-2a%]{0,3})*",
            header in "(Content-Length|Expect|x-amz-mqtt5-user-properties): .{0,20}", noise in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            crate::fuzz::https_request(format!("{method} {path}{query} HTTP/1.1\r\n{header}\r\n\r\n").as_bytes());
            crate::fuzz::https_request(&[noise.as_slice(), b"\r\n\r\n"].concat());
        }
    }

    #[test]
    fn framing_says_how_long_and_what_next() {
        for (headers, body_bytes, expects_continue, last) in [
            ("", 0, false, false),
            ("Content-Length: 5\r\n", 5, false, false),
            ("Content-Length: 5\r\nExpect: 100-continue\r\n", 5, true, false),
            ("Connection: Close\r\nExpect: 100-continue\r\n", 0, false, true),
        ] {
            let (_, framing) = ask("POST /topics/a", headers).unwrap();
            assert_eq!(framing, Framing { body_bytes, expects_continue, last }, "{headers}");
        }
    }
}
