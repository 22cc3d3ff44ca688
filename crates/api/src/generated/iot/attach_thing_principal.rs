// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `AttachThingPrincipal` of iot.

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
    header("principal", "x-amzn-principal", &TEXT).required(),
    uri("thingName", "thingName", &THING_NAME).required(),
    query("thingPrincipalType", "thingPrincipalType", &THING_PRINCIPAL_TYPE),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) principal: String,
    pub(crate) thing_name: ThingName,
    pub(crate) thing_principal_type: Option<tidegate_registry::ThingPrincipalType>,
}

#[derive(Default, Serialize)]
pub(crate) struct Output {}
