use tidegate_registry::UpdateDomainConfiguration;

use super::domain_configuration::{authorizer_config, only_served, security_policy};
use crate::{
    ApiError,
    call::Call,
    generated::iot::update_domain_configuration::{Input, Output},
};

/// `PUT /domainConfigurations/{domainConfigurationName}`. AWS: API_UpdateDomainConfiguration.
pub(crate) async fn update_domain_configuration(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    only_served(input.server_certificate_config.as_ref(), input.client_certificate_config.as_ref())?;
    let update = UpdateDomainConfiguration {
        authorizer_config: authorizer_config(input.authorizer_config)?,
        remove_authorizer_config: input.remove_authorizer_config.unwrap_or(false),
        status: input.domain_configuration_status,
        security_policy: security_policy(input.tls_config)?,
        authentication_type: input.authentication_type,
        application_protocol: input.application_protocol,
    };
    let (tenant, name) = (call.tenant(), input.domain_configuration_name);
    let changed = call.registry().update_domain_configuration(tenant, name, update, call.now).await?;
    Ok(Output {
        domain_configuration_arn: Some(changed.arn().to_string()),
        domain_configuration_name: Some(changed.name.to_string()),
    })
}
