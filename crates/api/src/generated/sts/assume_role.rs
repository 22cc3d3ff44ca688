// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `AssumeRole` of sts.

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
    body("DurationSeconds", &ROLE_DURATION_SECONDS_TYPE),
    body("ExternalId", &EXTERNAL_ID_TYPE),
    body("MinimumSessionTokenSize", &MINIMUM_SESSION_TOKEN_SIZE_TYPE),
    body("Policy", &UNRESTRICTED_SESSION_POLICY_DOCUMENT_TYPE),
    body("PolicyArns", &POLICY_DESCRIPTOR_LIST_TYPE),
    body("ProvidedContexts", &PROVIDED_CONTEXTS_LIST_TYPE),
    body("RoleArn", &ARN_TYPE).required(),
    body("RoleSessionName", &ROLE_SESSION_NAME_TYPE).required(),
    body("SerialNumber", &SERIAL_NUMBER_TYPE),
    body("SourceIdentity", &SOURCE_IDENTITY_TYPE),
    body("Tags", &TAG_LIST_TYPE),
    body("TokenCode", &TOKEN_CODE_TYPE),
    body("TransitiveTagKeys", &TAG_KEY_LIST_TYPE),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    #[serde(rename = "DurationSeconds")]
    pub(crate) duration_seconds: Option<i32>,
    #[serde(rename = "ExternalId")]
    pub(crate) external_id: Option<String>,
    #[serde(rename = "MinimumSessionTokenSize")]
    pub(crate) minimum_session_token_size: Option<i32>,
    #[serde(rename = "Policy")]
    pub(crate) policy: Option<String>,
    #[serde(rename = "PolicyArns")]
    pub(crate) policy_arns: Option<Vec<PolicyDescriptorType>>,
    #[serde(rename = "ProvidedContexts")]
    pub(crate) provided_contexts: Option<Vec<ProvidedContext>>,
    #[serde(rename = "RoleArn")]
    pub(crate) role_arn: String,
    #[serde(rename = "RoleSessionName")]
    pub(crate) role_session_name: String,
    #[serde(rename = "SerialNumber")]
    pub(crate) serial_number: Option<String>,
    #[serde(rename = "SourceIdentity")]
    pub(crate) source_identity: Option<String>,
    #[serde(rename = "Tags")]
    pub(crate) tags: Option<Vec<Tag>>,
    #[serde(rename = "TokenCode")]
    pub(crate) token_code: Option<String>,
    #[serde(rename = "TransitiveTagKeys")]
    pub(crate) transitive_tag_keys: Option<Vec<String>>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(rename = "AssumedRoleUser", skip_serializing_if = "Option::is_none")]
    pub(crate) assumed_role_user: Option<AssumedRoleUser>,
    #[serde(rename = "Credentials", skip_serializing_if = "Option::is_none")]
    pub(crate) credentials: Option<Credentials>,
    #[serde(rename = "PackedPolicySize", skip_serializing_if = "Option::is_none")]
    pub(crate) packed_policy_size: Option<i32>,
    #[serde(rename = "SessionTokenSize", skip_serializing_if = "Option::is_none")]
    pub(crate) session_token_size: Option<i32>,
    #[serde(rename = "SessionTokenUtilization", skip_serializing_if = "Option::is_none")]
    pub(crate) session_token_utilization: Option<i32>,
    #[serde(rename = "SourceIdentity", skip_serializing_if = "Option::is_none")]
    pub(crate) source_identity: Option<String>,
}
