// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `GetRetainedMessage` of iot-data.

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
pub(crate) static INPUT: &[Member] = &[uri("topic", "topic", &TEXT).required()];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) topic: String,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_modified_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payload: Option<crate::wire::Blob>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) qos: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_properties: Option<crate::wire::Blob>,
}
