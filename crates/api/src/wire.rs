//! Values as they travel: dates, percent-encoding, forms, XML, a little CBOR.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use tidegate_ids::{Timestamp, percent_decoded};

/// A date in JSON: seconds since the epoch, milliseconds behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(crate) struct EpochSeconds(f64);

impl EpochSeconds {
    /// The moment; the epoch for what lies before it.
    pub(crate) fn moment(self) -> Timestamp {
        Timestamp::from_millis((self.0 * 1000.0).round() as u64)
    }
}

impl From<Timestamp> for EpochSeconds {
    fn from(moment: Timestamp) -> Self {
        Self(moment.seconds_f64())
    }
}

impl Serialize for EpochSeconds {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.0)
    }
}

/// Bytes that travel as Base64 in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blob(pub(crate) Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD.decode(text).map(Self).map_err(|_| serde::de::Error::custom("a blob is Base64"))
    }
}

/// A date in XML: `2026-01-01T00:00:00Z`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Iso8601(String);

impl From<Timestamp> for Iso8601 {
    fn from(moment: Timestamp) -> Self {
        let date = tidegate_sigv4::AmzDate::of(moment).to_string();
        let part = |from: usize, to: usize| &date[from..to];
        Self(format!("{}-{}-{}T{}:{}:{}Z", part(0, 4), part(4, 6), part(6, 8), part(9, 11), part(11, 13), part(13, 15)))
    }
}

/// `text` with everything but letters, digits and `-._~` as `%XX`. Spec: RFC 3986. AWS: IAM's policy documents.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}

/// The pairs of a query, decoded; the first of several with one name. `None` when a pair cannot be decoded.
pub(crate) fn query(raw: &str) -> Option<BTreeMap<String, String>> {
    let mut pairs = BTreeMap::new();
    for pair in raw.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        pairs.entry(percent_decoded(name)?).or_insert(percent_decoded(value)?);
    }
    Some(pairs)
}

/// The pairs of an `application/x-www-form-urlencoded` body: as [`query`], and `+` is a space.
pub(crate) fn form(body: &[u8]) -> Option<BTreeMap<String, String>> {
    query(&std::str::from_utf8(body).ok()?.replace('+', " "))
}

/// Appends `value` as XML under `name`: objects as elements, lists as `<member>`s. The recursion is over our own answers.
pub(crate) fn xml(out: &mut String, name: &str, value: &Value) {
    *out += &format!("<{name}>");
    match value {
        Value::Null => {}
        Value::Object(members) => members.iter().for_each(|(member, v)| xml(out, member, v)),
        Value::Array(items) => items.iter().for_each(|v| xml(out, "member", v)),
        Value::String(text) => xml_text(out, text),
        Value::Bool(_) | Value::Number(_) => *out += &value.to_string(),
    }
    *out += &format!("</{name}>");
}

fn xml_text(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => *out += "&amp;",
            '<' => *out += "&lt;",
            '>' => *out += "&gt;",
            '"' => *out += "&quot;",
            '\r' => *out += "&#13;",
            // XML 1.0 has no way to write the other control characters.
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

/// A CBOR map of texts: errors of the protocol `rpc-v2-cbor`. Spec: RFC 8949, 3.1, major types 3 and 5.
pub(crate) fn cbor_texts(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    let head = |out: &mut Vec<u8>, major: u8, size: usize| match size {
        0..=23 => out.push(major << 5 | size as u8),
        24..=0xff => out.extend([major << 5 | 24, size as u8]),
        _ => {
            out.push(major << 5 | 26);
            out.extend(u32::try_from(size).expect("an error is short").to_be_bytes());
        }
    };
    head(&mut out, 5, pairs.len());
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        head(&mut out, 3, text.len());
        out.extend(text.as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn forms_are_read() {
        let form = form(b"Action=GetCallerIdentity&Version=2011-06-15&x=a+b%2B&empty&&x=second").unwrap();
        assert_eq!(form["Action"], "GetCallerIdentity");
        assert_eq!(form["x"], "a b+");
        assert_eq!(form["empty"], "");
        assert_eq!(super::form(b"a=%zz"), None);
        assert_eq!(super::form(b"a=\xff"), None);
    }

    #[test]
    fn xml_is_escaped() {
        let mut out = String::new();
        xml(&mut out, "R", &json!({"A": "<&\u{1}>", "B": [1, true], "C": {}}));
        assert_eq!(out, "<R><A>&lt;&amp;\u{fffd}&gt;</A><B><member>1</member><member>true</member></B><C></C></R>");
    }

    #[test]
    fn dates_are_seconds_with_a_fraction() {
        let date = EpochSeconds::from(Timestamp::from_millis(1_700_000_000_123));
        assert_eq!(serde_json::to_string(&date).unwrap(), "1700000000.123");
    }

    #[test]
    fn dates_in_xml_are_those_of_iso_8601() {
        assert_eq!(Iso8601::from(Timestamp::from_millis(1_700_000_000_123)).0, "2023-11-14T22:13:20Z");
        assert_eq!(percent_decoded(&percent_encoded("{\"a\": \"ü*\"}")).as_deref(), Some("{\"a\": \"ü*\"}"));
        assert_eq!(percent_encoded("a b/~"), "a%20b%2F~");
    }

    #[test]
    fn cbor_maps_hold_texts() {
        let long = "x".repeat(300);
        assert_eq!(cbor_texts(&[("a", "bc")]), b"\xa1\x61a\x62bc");
        assert_eq!(&cbor_texts(&[("a", &"y".repeat(24))])[..5], b"\xa1\x61a\x78\x18");
        assert_eq!(&cbor_texts(&[("a", &long)])[..8], b"\xa1\x61a\x7a\0\0\x01\x2c");
    }
}
