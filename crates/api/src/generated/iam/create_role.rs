// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `CreateRole` of iam.

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
    body("AssumeRolePolicyDocument", &POLICY_DOCUMENT_TYPE).required(),
    body("Description", &ROLE_DESCRIPTION_TYPE),
    body("MaxSessionDuration", &ROLE_MAX_SESSION_DURATION_TYPE),
    body("MaxSigninSessionDuration", &MAX_SIGNIN_SESSION_DURATION_TYPE),
    body("Path", &PATH_TYPE),
    body("PermissionsBoundary", &ARN_TYPE),
    body("RoleName", &ROLE_NAME_TYPE).required(),
    body("Tags", &TAG_LIST_TYPE),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    #[serde(rename = "AssumeRolePolicyDocument")]
    pub(crate) assume_role_policy_document: String,
    #[serde(rename = "Description")]
    pub(crate) description: Option<String>,
    #[serde(rename = "MaxSessionDuration")]
    pub(crate) max_session_duration: Option<i32>,
    #[serde(rename = "MaxSigninSessionDuration")]
    pub(crate) max_signin_session_duration: Option<i32>,
    #[serde(rename = "Path")]
    pub(crate) path: Option<String>,
    #[serde(rename = "PermissionsBoundary")]
    pub(crate) permissions_boundary: Option<String>,
    #[serde(rename = "RoleName")]
    pub(crate) role_name: String,
    #[serde(rename = "Tags")]
    pub(crate) tags: Option<Vec<Tag>>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(rename = "Role", skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<Role>,
}
