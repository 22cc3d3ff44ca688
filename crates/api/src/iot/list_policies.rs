use super::convert::policies;
use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::list_policies::{Input, Output},
};

/// `GET /policies?pageSize&marker&isAscendingOrder`. AWS: API_ListPolicies.
pub(crate) async fn list_policies(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let page = page(input.page_size, input.marker, input.ascending_order);
    let found = call.registry().list_policies(call.tenant(), page).await?;
    Ok(Output { policies: Some(policies(call.tenant(), found.items)), next_marker: found.next_marker })
}
