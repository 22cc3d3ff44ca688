//! Properties of messages as HTTPS carries them: in the query, in headers, as Base64.
//!
//! AWS: API_iotdata_Publish, API_iotdata_GetRetainedMessage.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};
use tidegate_mqtt::{MessageProperties, PayloadFormat};

/// What a request to publish says of the message's properties, not decoded yet.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fields<'a> {
    /// `contentType` of the query.
    pub content_type: Option<&'a str>,
    /// `responseTopic` of the query.
    pub response_topic: Option<&'a str>,
    /// `messageExpiry` of the query, in seconds.
    pub message_expiry: Option<i64>,
    /// Header `x-amz-mqtt5-payload-format-indicator`: `UNSPECIFIED_BYTES` or `UTF8_DATA`.
    pub payload_format_indicator: Option<&'a str>,
    /// Header `x-amz-mqtt5-correlation-data`: Base64.
    pub correlation_data: Option<&'a str>,
    /// Header `x-amz-mqtt5-user-properties`: Base64 of a JSON array of objects with texts in them.
    pub user_properties: Option<&'a str>,
}

/// The properties of a message that came by HTTPS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties {
    content_type: Option<String>,
    response_topic: Option<String>,
    message_expiry_seconds: Option<u32>,
    payload_format: Option<PayloadFormat>,
    correlation_data: Option<Vec<u8>>,
    user_properties: Vec<(String, String)>,
}

impl Properties {
    /// Decodes them.
    ///
    /// # Errors
    /// A sentence that says which is not what it should be.
    pub fn parse(fields: &Fields<'_>) -> Result<Self, &'static str> {
        let message_expiry_seconds = match fields.message_expiry {
            None => None,
            Some(seconds) => {
                let seconds = u32::try_from(seconds).ok().filter(|seconds| *seconds > 0);
                Some(seconds.ok_or("messageExpiry is a positive number of seconds")?)
            }
        };
        let payload_format = match fields.payload_format_indicator {
            None => None,
            Some("UNSPECIFIED_BYTES") => Some(PayloadFormat::Bytes),
            Some("UTF8_DATA") => Some(PayloadFormat::Utf8),
            Some(_) => return Err("payloadFormatIndicator is UNSPECIFIED_BYTES or UTF8_DATA"),
        };
        let correlation_data = fields.correlation_data.map(|text| STANDARD.decode(text));
        let correlation_data = correlation_data.transpose().map_err(|_| "correlationData is not Base64")?;
        Ok(Self {
            content_type: fields.content_type.map(str::to_owned),
            response_topic: fields.response_topic.map(str::to_owned),
            message_expiry_seconds,
            payload_format,
            correlation_data,
            user_properties: fields.user_properties.map(user_properties).transpose()?.unwrap_or_default(),
        })
    }

    /// Calls `publish` with them as a packet has them.
    pub fn lend<T>(&self, publish: impl FnOnce(MessageProperties<'_>) -> T) -> T {
        let pairs: Vec<_> = self.user_properties.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        publish(MessageProperties {
            payload_format: self.payload_format,
            message_expiry_seconds: self.message_expiry_seconds,
            content_type: self.content_type.as_deref(),
            response_topic: self.response_topic.as_deref(),
            correlation_data: self.correlation_data.as_deref(),
            user_properties: pairs.as_slice().into(),
        })
    }
}

/// The pairs of `[{"name": "value"}, …]`, in Base64.
fn user_properties(text: &str) -> Result<Vec<(String, String)>, &'static str> {
    const WRONG: &str = "userProperties is Base64 of a JSON array of objects whose members are texts";
    let bytes = STANDARD.decode(text).map_err(|_| WRONG)?;
    let mut value: Value = serde_json::from_slice(&bytes).map_err(|_| WRONG)?;
    // boto3 writes a text as JSON once more.
    if let Value::String(text) = value {
        value = serde_json::from_str(&text).map_err(|_| WRONG)?;
    }
    let objects: Vec<Map<String, Value>> = serde_json::from_value(value).map_err(|_| WRONG)?;
    let mut pairs = Vec::new();
    for (name, value) in objects.into_iter().flatten() {
        let Value::String(value) = value else { return Err(WRONG) };
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// User properties as `[{"name": "value"}, …]`; `None` when there are none.
pub fn user_properties_json(properties: &MessageProperties<'_>) -> Option<String> {
    if properties.user_properties.is_empty() {
        return None;
    }
    let object =
        |(name, value): (&str, &str)| Value::Object([(name.to_owned(), Value::from(value))].into_iter().collect());
    Some(Value::Array(properties.user_properties.iter().map(object).collect()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_properties() {
        let user = STANDARD.encode(r#"[{"a": "1"}, {"b": "2"}, {"a": "3"}]"#);
        let fields = Fields {
            content_type: Some("text/plain"),
            response_topic: Some("answers"),
            message_expiry: Some(60),
            payload_format_indicator: Some("UTF8_DATA"),
            correlation_data: Some("AAE="),
            user_properties: Some(&user),
        };
        let properties = Properties::parse(&fields).unwrap();
        properties.lend(|properties| {
            assert_eq!(properties.content_type, Some("text/plain"));
            assert_eq!(properties.response_topic, Some("answers"));
            assert_eq!(properties.message_expiry_seconds, Some(60));
            assert_eq!(properties.payload_format, Some(PayloadFormat::Utf8));
            assert_eq!(properties.correlation_data, Some(&[0, 1][..]));
            assert_eq!(user_properties_json(&properties).unwrap(), r#"[{"a":"1"},{"b":"2"},{"a":"3"}]"#);
        });
        let twice = STANDARD.encode(r#""[{\"a\": \"1\"}]""#);
        let twice = Properties::parse(&Fields { user_properties: Some(&twice), ..Fields::default() }).unwrap();
        twice.lend(|properties| assert_eq!(properties.user_properties.iter().collect::<Vec<_>>(), [("a", "1")]));
        Properties::default().lend(|properties| assert_eq!(user_properties_json(&properties), None));
    }

    #[test]
    fn what_is_no_property_is_refused() {
        let json = |text: &str| STANDARD.encode(text);
        let none = Fields::default();
        for fields in [
            Fields { message_expiry: Some(0), ..none },
            Fields { message_expiry: Some(-1), ..none },
            Fields { message_expiry: Some(1 << 32), ..none },
            Fields { payload_format_indicator: Some("utf8"), ..none },
            Fields { correlation_data: Some("!"), ..none },
            Fields { user_properties: Some("!"), ..none },
            Fields { user_properties: Some(&json("{}")), ..none },
            Fields { user_properties: Some(&json("[1]")), ..none },
            Fields { user_properties: Some(&json(r#"[{"a": 1}]"#)), ..none },
            Fields { user_properties: Some(&json("[[[[")), ..none },
            Fields { user_properties: Some(&json(r#""x""#)), ..none },
        ] {
            assert!(Properties::parse(&fields).is_err(), "{fields:?}");
        }
    }
}
