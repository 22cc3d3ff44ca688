// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `GetAccessKeyLastUsed` of iam.

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
pub(crate) static INPUT: &[Member] = &[body("AccessKeyId", &ACCESS_KEY_ID_TYPE).required()];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    #[serde(rename = "AccessKeyId")]
    pub(crate) access_key_id: String,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(rename = "AccessKeyLastUsed", skip_serializing_if = "Option::is_none")]
    pub(crate) access_key_last_used: Option<AccessKeyLastUsed>,
    #[serde(rename = "UserName", skip_serializing_if = "Option::is_none")]
    pub(crate) user_name: Option<String>,
}
