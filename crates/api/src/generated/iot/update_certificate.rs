// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `UpdateCertificate` of iot.

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
    uri("certificateId", "certificateId", &CERTIFICATE_ID).required(),
    query("newStatus", "newStatus", &CERTIFICATE_STATUS).required(),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) certificate_id: CertificateId,
    pub(crate) new_status: tidegate_registry::CertificateStatus,
}
