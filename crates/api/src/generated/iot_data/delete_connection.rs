// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `DeleteConnection` of iot-data.

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
    query("cleanSession", "cleanSession", &BOOLEAN),
    uri("clientId", "clientId", &CLIENT_ID).required(),
    query("preventWillMessage", "preventWillMessage", &BOOLEAN),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) clean_session: Option<bool>,
    pub(crate) client_id: String,
    pub(crate) prevent_will_message: Option<bool>,
}
