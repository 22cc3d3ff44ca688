// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `GetEffectivePolicies` of iot.

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
pub(crate) static INPUT: &[Member] =
    &[body("cognitoIdentityPoolId", &TEXT), body("principal", &TEXT), query("thingName", "thingName", &THING_NAME)];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) cognito_identity_pool_id: Option<String>,
    pub(crate) principal: Option<String>,
    pub(crate) thing_name: Option<ThingName>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) effective_policies: Option<Vec<EffectivePolicy>>,
}
