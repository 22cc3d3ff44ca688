use tidegate_registry::PolicyTarget;

use super::convert::policies;
use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::list_attached_policies::{Input, Output},
};

/// `POST /attached-policies/{target}?recursive&marker&pageSize`. AWS: API_ListAttachedPolicies.
pub(crate) async fn list_attached_policies(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let target = PolicyTarget::parse(call.tenant(), &input.target)?;
    let recursive = input.recursive.unwrap_or(false);
    let page = page(input.page_size, input.marker, Some(true));
    let found = call.registry().list_attached_policies(call.tenant(), target, recursive, page).await?;
    Ok(Output { policies: Some(policies(call.tenant(), found.items)), next_marker: found.next_marker })
}
