// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `Publish` of iot-data.

#[allow(unused_imports, reason = "the same head in every file")]
use {
    super::shapes::*,
    crate::{
        constraint::*,
        wire::{EpochSeconds, Iso8601},
    },
    serde::{Deserialize, Serialize},
    tidegate_ids::{
        AuthorizerName, CaCertificateId, CertificateId, PolicyName, ThingGroupName, ThingName, ThingTypeName,
    },
};

/// Where each member of the input travels, and what it must satisfy.
pub(crate) static INPUT: &[Member] = &[
    query("contentType", "contentType", &TEXT),
    header("correlationData", "x-amz-mqtt5-correlation-data", &TEXT),
    query("messageExpiry", "messageExpiry", &MESSAGE_EXPIRY),
    header("payloadFormatIndicator", "x-amz-mqtt5-payload-format-indicator", &PAYLOAD_FORMAT_INDICATOR),
    query("qos", "qos", &QOS),
    query("responseTopic", "responseTopic", &TEXT),
    query("retain", "retain", &BOOLEAN),
    uri("topic", "topic", &TEXT).required(),
    header("userProperties", "x-amz-mqtt5-user-properties", &TEXT),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) content_type: Option<String>,
    pub(crate) correlation_data: Option<String>,
    pub(crate) message_expiry: Option<i64>,
    pub(crate) payload_format_indicator: Option<PayloadFormatIndicator>,
    pub(crate) qos: Option<i32>,
    pub(crate) response_topic: Option<String>,
    pub(crate) retain: Option<bool>,
    pub(crate) topic: String,
    pub(crate) user_properties: Option<String>,
}
