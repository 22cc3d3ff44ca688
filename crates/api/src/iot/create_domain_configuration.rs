use tidegate_registry::CreateDomainConfiguration;

use super::{
    convert::tags,
    domain_configuration::{authorizer_config, only_data, only_served, security_policy},
};
use crate::{
    ApiError,
    call::Call,
    generated::iot::create_domain_configuration::{Input, Output},
};

/// `POST /domainConfigurations/{domainConfigurationName}`. AWS: API_CreateDomainConfiguration.
pub(crate) async fn create_domain_configuration(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    only_data(input.service_type)?;
    only_served(input.server_certificate_config.as_ref(), input.client_certificate_config.as_ref())?;
    let request = CreateDomainConfiguration {
        name: input.domain_configuration_name,
        domain_name: input.domain_name,
        server_certificate_arn: input.server_certificate_arns.into_iter().flatten().next(), // one at most, by the model
        validation_certificate_arn: input.validation_certificate_arn,
        authorizer_config: authorizer_config(input.authorizer_config)?,
        security_policy: security_policy(input.tls_config)?,
        authentication_type: input.authentication_type,
        application_protocol: input.application_protocol,
        tags: tags(input.tags),
    };
    let made = call.registry().create_domain_configuration(call.tenant(), request, call.now).await?;
    Ok(Output {
        domain_configuration_arn: Some(made.arn().to_string()),
        domain_configuration_name: Some(made.name.to_string()),
    })
}
