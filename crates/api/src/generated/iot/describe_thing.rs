// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `DescribeThing` of iot.

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
pub(crate) static INPUT: &[Member] = &[uri("thingName", "thingName", &THING_NAME).required()];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) thing_name: ThingName,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attributes: Option<std::collections::BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) billing_group_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default_client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_type_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<i64>,
}
