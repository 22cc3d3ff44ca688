// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `GetConnection` of iot-data.

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
    uri("clientId", "clientId", &CLIENT_ID).required(),
    query("includeSocketInformation", "includeSocketInformation", &BOOLEAN),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) client_id: String,
    pub(crate) include_socket_information: Option<bool>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clean_session: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connected: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connected_since: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disconnect_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disconnected_since: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keep_alive_duration: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_expiry: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source_port: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_port: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vpc_endpoint_id: Option<String>,
}
