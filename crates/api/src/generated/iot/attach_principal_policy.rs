// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `AttachPrincipalPolicy` of iot.

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
    uri("policyName", "policyName", &POLICY_NAME).required(),
    header("principal", "x-amzn-iot-principal", &TEXT).required(),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) policy_name: PolicyName,
    pub(crate) principal: String,
}
