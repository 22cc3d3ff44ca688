// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `DeleteDomainConfiguration` of iot.

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
    &[uri("domainConfigurationName", "domainConfigurationName", &DOMAIN_CONFIGURATION_NAME).required()];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) domain_configuration_name: tidegate_ids::DomainConfigurationName,
}

#[derive(Default, Serialize)]
pub(crate) struct Output {}
