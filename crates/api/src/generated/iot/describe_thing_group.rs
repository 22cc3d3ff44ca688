// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `DescribeThingGroup` of iot.

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
pub(crate) static INPUT: &[Member] = &[uri("thingGroupName", "thingGroupName", &THING_GROUP_NAME).required()];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) thing_group_name: ThingGroupName,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) index_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) query_string: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) query_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<DynamicGroupStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_group_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_group_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_group_metadata: Option<ThingGroupMetadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_group_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_group_properties: Option<ThingGroupProperties>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<i64>,
}
