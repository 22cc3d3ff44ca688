// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `CreatePolicy` of iam.

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
    body("Description", &POLICY_DESCRIPTION_TYPE),
    body("Path", &POLICY_PATH_TYPE),
    body("PolicyDocument", &POLICY_DOCUMENT_TYPE).required(),
    body("PolicyName", &POLICY_NAME_TYPE).required(),
    body("Tags", &TAG_LIST_TYPE),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    #[serde(rename = "Description")]
    pub(crate) description: Option<String>,
    #[serde(rename = "Path")]
    pub(crate) path: Option<String>,
    #[serde(rename = "PolicyDocument")]
    pub(crate) policy_document: String,
    #[serde(rename = "PolicyName")]
    pub(crate) policy_name: String,
    #[serde(rename = "Tags")]
    pub(crate) tags: Option<Vec<Tag>>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(rename = "Policy", skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<Policy>,
}
