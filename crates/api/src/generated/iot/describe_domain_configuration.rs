// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `DescribeDomainConfiguration` of iot.

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
    &[uri("domainConfigurationName", "domainConfigurationName", &RESERVED_DOMAIN_CONFIGURATION_NAME).required()];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) domain_configuration_name: tidegate_ids::DomainConfigurationName,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) application_protocol: Option<tidegate_registry::ApplicationProtocol>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authentication_type: Option<tidegate_registry::AuthenticationType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authorizer_config: Option<AuthorizerConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_certificate_config: Option<ClientCertificateConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain_configuration_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain_configuration_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain_configuration_status: Option<tidegate_registry::DomainConfigurationStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain_type: Option<tidegate_registry::DomainType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_status_change_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_certificate_config: Option<ServerCertificateConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_certificates: Option<Vec<ServerCertificateSummary>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service_type: Option<ServiceType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls_config: Option<TlsConfig>,
}
