use tidegate_registry::DescribedDomainConfiguration;

use crate::{
    ApiError,
    call::Call,
    generated::iot::{
        describe_domain_configuration::{Input, Output},
        shapes::{
            AuthorizerConfig, ServerCertificateConfig, ServerCertificateStatus, ServerCertificateSummary, ServiceType,
            TlsConfig,
        },
    },
};

/// `GET /domainConfigurations/{domainConfigurationName}`. AWS: API_DescribeDomainConfiguration.
///
/// A certificate that the broker issued has no ARN, and is not listed.
pub(crate) async fn describe_domain_configuration(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let (tenant, name) = (call.tenant(), input.domain_configuration_name);
    let found = call.registry().describe_domain_configuration(tenant, name, call.now).await?;
    let DescribedDomainConfiguration { configuration, server_certificate } = found;
    let certificate = server_certificate.map(|(arn, problem)| ServerCertificateSummary {
        server_certificate_arn: Some(arn),
        server_certificate_status: Some(match problem {
            None => ServerCertificateStatus::Valid,
            Some(_) => ServerCertificateStatus::Invalid,
        }),
        server_certificate_status_detail: problem.map(|problem| problem.to_string()),
    });
    let (arn, record) = (configuration.arn().to_string(), configuration.record);
    Ok(Output {
        application_protocol: Some(record.application_protocol),
        authentication_type: Some(record.authentication_type),
        authorizer_config: record.authorizer_config.map(|config| AuthorizerConfig {
            allow_authorizer_override: Some(config.allow_authorizer_override),
            default_authorizer_name: config.default_authorizer_name.map(|name| name.to_string()),
        }),
        client_certificate_config: None,
        domain_configuration_arn: Some(arn),
        domain_configuration_name: Some(configuration.name.to_string()),
        domain_configuration_status: Some(record.status),
        domain_name: Some(record.domain_name),
        domain_type: Some(record.domain_type),
        last_status_change_date: record.status_changed.map(Into::into),
        server_certificate_config: Some(ServerCertificateConfig {
            enable_ocsp_check: Some(false),
            ..ServerCertificateConfig::default()
        }),
        server_certificates: Some(certificate.into_iter().collect()),
        service_type: Some(ServiceType::Data),
        tls_config: Some(TlsConfig { security_policy: Some(record.security_policy.to_string()) }),
    })
}
