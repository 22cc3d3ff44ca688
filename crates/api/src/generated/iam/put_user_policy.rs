// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `PutUserPolicy` of iam.

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
    body("PolicyDocument", &POLICY_DOCUMENT_TYPE).required(),
    body("PolicyName", &POLICY_NAME_TYPE).required(),
    body("UserName", &EXISTING_USER_NAME_TYPE).required(),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    #[serde(rename = "PolicyDocument")]
    pub(crate) policy_document: String,
    #[serde(rename = "PolicyName")]
    pub(crate) policy_name: String,
    #[serde(rename = "UserName")]
    pub(crate) user_name: String,
}
