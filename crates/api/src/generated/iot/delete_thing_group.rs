// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `DeleteThingGroup` of iot.

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
    query("expectedVersion", "expectedVersion", &OPTIONAL_VERSION),
    uri("thingGroupName", "thingGroupName", &THING_GROUP_NAME).required(),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) expected_version: Option<i64>,
    pub(crate) thing_group_name: ThingGroupName,
}

#[derive(Default, Serialize)]
pub(crate) struct Output {}
