use tidegate_ids::{Arn, DomainConfigurationName};

use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::{
        list_domain_configurations::{Input, Output},
        shapes::{DomainConfigurationSummary, ServiceType},
    },
};

/// `GET /domainConfigurations?pageSize&marker&serviceType`. AWS: API_ListDomainConfigurations.
pub(crate) async fn list_domain_configurations(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let page = page(input.page_size, input.marker, None);
    let found = call.registry().list_domain_configurations(call.tenant(), page).await?;
    if input.service_type.is_some_and(|kind| kind != ServiceType::Data) {
        return Ok(Output { domain_configurations: Some(Vec::new()), next_marker: None });
    }
    let summary = |name: DomainConfigurationName| DomainConfigurationSummary {
        domain_configuration_arn: Some(Arn::domain_configuration(call.tenant(), &name).to_string()),
        domain_configuration_name: Some(name.to_string()),
        service_type: Some(ServiceType::Data),
    };
    let summaries = found.items.into_iter().map(summary).collect();
    Ok(Output { domain_configurations: Some(summaries), next_marker: found.next_marker })
}
