// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `UpdateAuthorizer` of iot.

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
    body("authorizerFunctionArn", &AUTHORIZER_FUNCTION_ARN),
    uri("authorizerName", "authorizerName", &AUTHORIZER_NAME).required(),
    body("enableCachingForHttp", &BOOLEAN),
    body("status", &AUTHORIZER_STATUS),
    body("tokenKeyName", &TOKEN_KEY_NAME),
    body("tokenSigningPublicKeys", &PUBLIC_KEY_MAP),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) authorizer_function_arn: Option<String>,
    pub(crate) authorizer_name: AuthorizerName,
    pub(crate) enable_caching_for_http: Option<bool>,
    pub(crate) status: Option<tidegate_registry::AuthorizerStatus>,
    pub(crate) token_key_name: Option<String>,
    pub(crate) token_signing_public_keys: Option<std::collections::BTreeMap<String, String>>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authorizer_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authorizer_name: Option<String>,
}
