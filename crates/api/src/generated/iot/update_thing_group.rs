// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `UpdateThingGroup` of iot.

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
    body("expectedVersion", &OPTIONAL_VERSION),
    uri("thingGroupName", "thingGroupName", &THING_GROUP_NAME).required(),
    body("thingGroupProperties", &THING_GROUP_PROPERTIES).required(),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) expected_version: Option<i64>,
    pub(crate) thing_group_name: ThingGroupName,
    pub(crate) thing_group_properties: ThingGroupProperties,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<i64>,
}
