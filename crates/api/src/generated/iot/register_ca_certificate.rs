// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `RegisterCACertificate` of iot.

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
    query("allowAutoRegistration", "allowAutoRegistration", &BOOLEAN),
    body("caCertificate", &CERTIFICATE_PEM).required(),
    body("certificateMode", &CERTIFICATE_MODE),
    body("registrationConfig", &REGISTRATION_CONFIG),
    query("setAsActive", "setAsActive", &BOOLEAN),
    body("tags", &TAG_LIST),
    body("verificationCertificate", &CERTIFICATE_PEM),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) allow_auto_registration: Option<bool>,
    pub(crate) ca_certificate: String,
    pub(crate) certificate_mode: Option<tidegate_registry::CertificateMode>,
    pub(crate) registration_config: Option<RegistrationConfig>,
    pub(crate) set_as_active: Option<bool>,
    pub(crate) tags: Option<Vec<Tag>>,
    pub(crate) verification_certificate: Option<String>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_id: Option<String>,
}
