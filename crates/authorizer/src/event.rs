//! The event that a function is asked with.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::Presented;

/// The event in JSON. What is not known is left out.
///
/// AWS: developer guide, "Defining your Lambda function"; with a certificate, "Custom authentication with X.509 client certificates". Unverified: that the MQTT user name is whole, its parameters too; that
/// headers of one name are joined with commas.
pub(crate) fn event(
    presented: &Presented,
    token: Option<&str>,
    signature_verified: bool,
    connection_id: &str,
) -> String {
    let Presented { server_name, certificate, http, mqtt } = presented;
    let mut protocols = vec!["tls"];
    let mut data = Map::new();
    let mut tls = Map::new();
    if let Some(name) = server_name {
        tls.insert("serverName".into(), json!(name));
    }
    if let Some(certificate) = certificate {
        tls.insert("x509CertificatePem".into(), json!(certificate.pem));
        tls.insert("principalId".into(), json!(certificate.principal_id));
    }
    data.insert("tls".into(), Value::Object(tls));
    if let Some(http) = http {
        protocols.push("http");
        let mut headers = Map::new();
        for (name, value) in &http.headers {
            match headers.get_mut(name) {
                Some(Value::String(values)) => *values = format!("{values}, {value}"),
                _ => drop(headers.insert(name.clone(), json!(value))),
            }
        }
        let query = if http.query.is_empty() { String::new() } else { format!("?{}", http.query) };
        data.insert("http".into(), json!({"headers": headers, "queryString": query}));
    }
    if let Some(mqtt) = mqtt {
        protocols.push("mqtt");
        let mut members = Map::new();
        let mut member = |name: &str, value: Option<Value>| value.map(|value| members.insert(name.into(), value));
        member("username", mqtt.user_name.as_ref().map(|name| json!(name)));
        member("password", mqtt.password.as_ref().map(|password| json!(STANDARD.encode(password))));
        member("clientId", mqtt.client_id.as_ref().map(|id| json!(id)));
        data.insert("mqtt".into(), Value::Object(members));
    }
    let mut event = json!({
        "signatureVerified": signature_verified,
        "protocols": protocols,
        "protocolData": data,
        "connectionMetadata": {"id": connection_id},
    });
    if let Some(token) = token {
        event["token"] = json!(token);
    }
    event.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Certificate, Http, Mqtt};

    #[test]
    fn an_event_says_what_is_known_and_no_more() {
        let mqtt = Mqtt { user_name: Some("u?a=b".into()), password: Some(b"p\xff".to_vec()), client_id: None };
        let http = Http {
            headers: vec![("A".into(), "1".into()), ("A".into(), "2".into()), ("B".into(), "\"".into())],
            query: "x=y".into(),
        };
        for (presented, token, expected) in [
            (
                Presented { server_name: Some("h".into()), mqtt: Some(mqtt.clone()), ..Presented::default() },
                None,
                json!({"signatureVerified": false, "protocols": ["tls", "mqtt"], "connectionMetadata": {"id": "i"},
                    "protocolData": {"tls": {"serverName": "h"}, "mqtt": {"username": "u?a=b", "password": "cP8="}}}),
            ),
            (
                Presented { http: Some(http.clone()), ..Presented::default() },
                Some("t"),
                json!({"token": "t", "signatureVerified": true, "protocols": ["tls", "http"],
                    "connectionMetadata": {"id": "i"}, "protocolData": {"tls": {},
                    "http": {"headers": {"A": "1, 2", "B": "\""}, "queryString": "?x=y"}}}),
            ),
            (
                Presented {
                    server_name: Some("h".into()),
                    certificate: Some(Certificate { pem: "PEM".into(), principal_id: "ab".into() }),
                    http: Some(Http::default()),
                    mqtt: None,
                },
                None,
                json!({"signatureVerified": false, "protocols": ["tls", "http"],
                    "connectionMetadata": {"id": "i"}, "protocolData": {
                    "tls": {"serverName": "h", "x509CertificatePem": "PEM", "principalId": "ab"},
                    "http": {"headers": {}, "queryString": ""}}}),
            ),
            (
                Presented {
                    server_name: None,
                    certificate: None,
                    http: Some(Http::default()),
                    mqtt: Some(Mqtt { client_id: Some("c".into()), ..Mqtt::default() }),
                },
                None,
                json!({"signatureVerified": false, "protocols": ["tls", "http", "mqtt"],
                    "connectionMetadata": {"id": "i"}, "protocolData": {"tls": {},
                    "http": {"headers": {}, "queryString": ""}, "mqtt": {"clientId": "c"}}}),
            ),
        ] {
            let text = event(&presented, token, token.is_some(), "i");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
        }
    }
}
