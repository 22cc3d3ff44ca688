// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `TestAuthorization` of iot.

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
    body("authInfos", &AUTH_INFOS).required(),
    query("clientId", "clientId", &TEXT),
    body("cognitoIdentityPoolId", &TEXT),
    body("policyNamesToAdd", &POLICY_NAMES),
    body("policyNamesToSkip", &POLICY_NAMES),
    body("principal", &TEXT),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) auth_infos: Vec<AuthInfo>,
    pub(crate) client_id: Option<String>,
    pub(crate) cognito_identity_pool_id: Option<String>,
    pub(crate) policy_names_to_add: Option<Vec<String>>,
    pub(crate) policy_names_to_skip: Option<Vec<String>>,
    pub(crate) principal: Option<String>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auth_results: Option<Vec<AuthResult>>,
}
