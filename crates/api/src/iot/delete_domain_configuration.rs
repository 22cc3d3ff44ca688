use crate::{
    ApiError,
    call::Call,
    generated::iot::delete_domain_configuration::{Input, Output},
};

/// `DELETE /domainConfigurations/{domainConfigurationName}`. AWS: API_DeleteDomainConfiguration.
pub(crate) async fn delete_domain_configuration(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    call.registry().delete_domain_configuration(call.tenant(), &input.domain_configuration_name).await?;
    Ok(Output {})
}
