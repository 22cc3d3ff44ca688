// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `UpdateThing` of iot.

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
    body("attributePayload", &ATTRIBUTE_PAYLOAD),
    body("expectedVersion", &OPTIONAL_VERSION),
    body("removeThingType", &BOOLEAN),
    uri("thingName", "thingName", &THING_NAME).required(),
    body("thingTypeName", &THING_TYPE_NAME),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) attribute_payload: Option<AttributePayload>,
    pub(crate) expected_version: Option<i64>,
    pub(crate) remove_thing_type: Option<bool>,
    pub(crate) thing_name: ThingName,
    pub(crate) thing_type_name: Option<ThingTypeName>,
}

#[derive(Default, Serialize)]
pub(crate) struct Output {}
