// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `CreateDomainConfiguration` of iot.

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
    body("applicationProtocol", &APPLICATION_PROTOCOL),
    body("authenticationType", &AUTHENTICATION_TYPE),
    body("authorizerConfig", &AUTHORIZER_CONFIG),
    body("clientCertificateConfig", &CLIENT_CERTIFICATE_CONFIG),
    uri("domainConfigurationName", "domainConfigurationName", &DOMAIN_CONFIGURATION_NAME).required(),
    body("domainName", &DOMAIN_NAME),
    body("serverCertificateArns", &SERVER_CERTIFICATE_ARNS),
    body("serverCertificateConfig", &SERVER_CERTIFICATE_CONFIG),
    body("serviceType", &SERVICE_TYPE),
    body("tags", &TAG_LIST),
    body("tlsConfig", &TLS_CONFIG),
    body("validationCertificateArn", &ACM_CERTIFICATE_ARN),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) application_protocol: Option<tidegate_registry::ApplicationProtocol>,
    pub(crate) authentication_type: Option<tidegate_registry::AuthenticationType>,
    pub(crate) authorizer_config: Option<AuthorizerConfig>,
    pub(crate) client_certificate_config: Option<ClientCertificateConfig>,
    pub(crate) domain_configuration_name: tidegate_ids::DomainConfigurationName,
    pub(crate) domain_name: Option<String>,
    pub(crate) server_certificate_arns: Option<Vec<String>>,
    pub(crate) server_certificate_config: Option<ServerCertificateConfig>,
    pub(crate) service_type: Option<ServiceType>,
    pub(crate) tags: Option<Vec<Tag>>,
    pub(crate) tls_config: Option<TlsConfig>,
    pub(crate) validation_certificate_arn: Option<String>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain_configuration_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain_configuration_name: Option<String>,
}
