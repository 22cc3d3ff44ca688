// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `TestInvokeAuthorizer` of iot.

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
    uri("authorizerName", "authorizerName", &AUTHORIZER_NAME).required(),
    body("httpContext", &HTTP_CONTEXT),
    body("mqttContext", &MQTT_CONTEXT),
    body("tlsContext", &TLS_CONTEXT),
    body("token", &TOKEN),
    body("tokenSignature", &TOKEN_SIGNATURE),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) authorizer_name: AuthorizerName,
    pub(crate) http_context: Option<HttpContext>,
    pub(crate) mqtt_context: Option<MqttContext>,
    pub(crate) tls_context: Option<TlsContext>,
    pub(crate) token: Option<String>,
    pub(crate) token_signature: Option<String>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disconnect_after_in_seconds: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_authenticated: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy_documents: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) principal_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_after_in_seconds: Option<i32>,
}
