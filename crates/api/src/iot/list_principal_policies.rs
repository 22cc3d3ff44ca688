use tidegate_registry::PolicyTarget;

use super::convert::policies;
use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::list_principal_policies::{Input, Output},
};

/// `GET /principal-policies?marker&pageSize&isAscendingOrder`, the principal in `x-amzn-iot-principal`.
///
/// AWS: API_ListPrincipalPolicies.
pub(crate) async fn list_principal_policies(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let target = PolicyTarget::parse(call.tenant(), &input.principal)?;
    let page = page(input.page_size, input.marker, input.ascending_order);
    let found = call.registry().list_attached_policies(call.tenant(), target, false, page).await?;
    Ok(Output { policies: Some(policies(call.tenant(), found.items)), next_marker: found.next_marker })
}
