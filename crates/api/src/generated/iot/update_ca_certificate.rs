// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `UpdateCACertificate` of iot.

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
    uri("certificateId", "caCertificateId", &CERTIFICATE_ID).required(),
    query("newAutoRegistrationStatus", "newAutoRegistrationStatus", &AUTO_REGISTRATION_STATUS),
    query("newStatus", "newStatus", &CA_CERTIFICATE_STATUS),
    body("registrationConfig", &REGISTRATION_CONFIG),
    body("removeAutoRegistration", &BOOLEAN),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) certificate_id: CaCertificateId,
    pub(crate) new_auto_registration_status: Option<tidegate_registry::AutoRegistrationStatus>,
    pub(crate) new_status: Option<tidegate_registry::CaStatus>,
    pub(crate) registration_config: Option<RegistrationConfig>,
    pub(crate) remove_auto_registration: Option<bool>,
}
