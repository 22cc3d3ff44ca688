// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `ListAttachedUserPolicies` of iam.

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
    body("Marker", &MARKER_TYPE),
    body("MaxItems", &MAX_ITEMS_TYPE),
    body("PathPrefix", &POLICY_PATH_TYPE),
    body("UserName", &USER_NAME_TYPE).required(),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    #[serde(rename = "Marker")]
    pub(crate) marker: Option<String>,
    #[serde(rename = "MaxItems")]
    pub(crate) max_items: Option<i32>,
    #[serde(rename = "PathPrefix")]
    pub(crate) path_prefix: Option<String>,
    #[serde(rename = "UserName")]
    pub(crate) user_name: String,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(rename = "AttachedPolicies", skip_serializing_if = "Option::is_none")]
    pub(crate) attached_policies: Option<Vec<AttachedPolicy>>,
    #[serde(rename = "IsTruncated", skip_serializing_if = "Option::is_none")]
    pub(crate) is_truncated: Option<bool>,
    #[serde(rename = "Marker", skip_serializing_if = "Option::is_none")]
    pub(crate) marker: Option<String>,
}
