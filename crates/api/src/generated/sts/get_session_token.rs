// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `GetSessionToken` of sts.

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
    body("DurationSeconds", &DURATION_SECONDS_TYPE),
    body("MinimumSessionTokenSize", &MINIMUM_SESSION_TOKEN_SIZE_TYPE),
    body("SerialNumber", &SERIAL_NUMBER_TYPE),
    body("TokenCode", &TOKEN_CODE_TYPE),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    #[serde(rename = "DurationSeconds")]
    pub(crate) duration_seconds: Option<i32>,
    #[serde(rename = "MinimumSessionTokenSize")]
    pub(crate) minimum_session_token_size: Option<i32>,
    #[serde(rename = "SerialNumber")]
    pub(crate) serial_number: Option<String>,
    #[serde(rename = "TokenCode")]
    pub(crate) token_code: Option<String>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(rename = "Credentials", skip_serializing_if = "Option::is_none")]
    pub(crate) credentials: Option<Credentials>,
    #[serde(rename = "SessionTokenSize", skip_serializing_if = "Option::is_none")]
    pub(crate) session_token_size: Option<i32>,
    #[serde(rename = "SessionTokenUtilization", skip_serializing_if = "Option::is_none")]
    pub(crate) session_token_utilization: Option<i32>,
}
