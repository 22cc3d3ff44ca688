// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `DescribeLogGroups` of logs.

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
    body("accountIdentifiers", &ACCOUNT_IDS),
    body("includeLinkedAccounts", &BOOLEAN),
    body("limit", &DESCRIBE_LIMIT),
    body("logGroupClass", &LOG_GROUP_CLASS),
    body("logGroupIdentifiers", &DESCRIBE_LOG_GROUPS_LOG_GROUP_IDENTIFIERS),
    body("logGroupNamePattern", &LOG_GROUP_NAME_PATTERN),
    body("logGroupNamePrefix", &LOG_GROUP_NAME),
    body("nextToken", &NEXT_TOKEN),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) account_identifiers: Option<Vec<String>>,
    pub(crate) include_linked_accounts: Option<bool>,
    pub(crate) limit: Option<i32>,
    pub(crate) log_group_class: Option<LogGroupClass>,
    pub(crate) log_group_identifiers: Option<Vec<String>>,
    pub(crate) log_group_name_pattern: Option<String>,
    pub(crate) log_group_name_prefix: Option<String>,
    pub(crate) next_token: Option<String>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_groups: Option<Vec<LogGroup>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_token: Option<String>,
}
