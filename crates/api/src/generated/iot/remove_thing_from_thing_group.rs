// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `RemoveThingFromThingGroup` of iot.

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
    body("thingArn", &TEXT),
    body("thingGroupArn", &TEXT),
    body("thingGroupName", &THING_GROUP_NAME),
    body("thingName", &THING_NAME),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) thing_arn: Option<String>,
    pub(crate) thing_group_arn: Option<String>,
    pub(crate) thing_group_name: Option<ThingGroupName>,
    pub(crate) thing_name: Option<ThingName>,
}

#[derive(Default, Serialize)]
pub(crate) struct Output {}
