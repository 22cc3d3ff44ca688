// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `DescribeThingType` of iot.

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
pub(crate) static INPUT: &[Member] = &[uri("thingTypeName", "thingTypeName", &THING_TYPE_NAME).required()];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) thing_type_name: ThingTypeName,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_type_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_type_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_type_metadata: Option<ThingTypeMetadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_type_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_type_properties: Option<ThingTypeProperties>,
}
