// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `UpdateThingGroupsForThing` of iot.

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
    body("overrideDynamicGroups", &BOOLEAN),
    body("thingGroupsToAdd", &THING_GROUP_LIST),
    body("thingGroupsToRemove", &THING_GROUP_LIST),
    body("thingName", &THING_NAME),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) override_dynamic_groups: Option<bool>,
    pub(crate) thing_groups_to_add: Option<Vec<String>>,
    pub(crate) thing_groups_to_remove: Option<Vec<String>>,
    pub(crate) thing_name: Option<ThingName>,
}

#[derive(Default, Serialize)]
pub(crate) struct Output {}
