// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `CreatePolicyVersion` of iot.

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
    body("policyDocument", &POLICY_DOCUMENT).required(),
    uri("policyName", "policyName", &POLICY_NAME).required(),
    query("setAsDefault", "setAsDefault", &BOOLEAN),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) policy_document: String,
    pub(crate) policy_name: PolicyName,
    pub(crate) set_as_default: Option<bool>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_default_version: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy_document: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy_version_id: Option<String>,
}
